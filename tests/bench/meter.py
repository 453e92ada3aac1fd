# SPDX-License-Identifier: BSD-2-Clause
"""Runs programs and takes their measure: CPU, wall, memory, programs
started, PKCS#11 calls, instructions inside and outside the module."""

import collections
import glob
import os
import re
import subprocess
import time


class Failed(Exception):
    pass


class Figures:
    """The sum over the processes of one pipeline."""

    def __init__(self):
        self.cpu = self.wall = 0.0  # ms
        self.rss = 0.0  # MiB, of the largest
        self.execs = 0
        self.processes = 0
        self.calls = []  # for each process a list of (function, value)
        self.inside = self.outside = 0  # instructions

    def count(self, name=None):
        return sum(1 for p in self.calls for f, _ in p
                   if name in (None, f))

    def failed(self):
        return sum(1 for p in self.calls for _, rv in p if rv != 'CKR_OK')


class Meter:
    """How the programs of a pipeline are run; what is in figures after."""

    def __init__(self, tools, work, mode='time'):
        self.tools, self.work, self.mode = tools, work, mode
        self.figures = Figures()
        self.calls_file = os.path.join(work, 'calls')

    def _command(self, argv, out):
        if self.mode == 'instructions':
            # a child takes over what its parent has counted by then
            argv = ['valgrind', '--tool=callgrind', '-q',
                    '--dump-before=fork', '--dump-before=_Fork',
                    '--callgrind-out-file=' +
                    os.path.join(self.work, 'callgrind.%p')] + argv
        flags = ['-x'] if self.mode == 'execs' else []
        return [os.path.join(self.tools, 'meter')] + flags + [out] + argv

    def run(self, argv, env=None, answer=None, want=0):
        """answer: called when the program says that it waits for somebody
        else; what that takes is not the program's."""
        out = os.path.join(self.work, 'meter')
        for old in glob.glob(os.path.join(self.work, 'callgrind.*')):
            os.unlink(old)
        if os.path.exists(self.calls_file):
            os.unlink(self.calls_file)
        with open(os.path.join(self.work, 'stderr'), 'w+') as err:
            p = subprocess.Popen(
                self._command(argv, out), stderr=err, text=True,
                stdout=subprocess.PIPE, env=dict(os.environ, **(env or {})),
                stdin=subprocess.PIPE if answer else subprocess.DEVNULL)
            waited = 0.0
            if answer and p.stdout.readline():
                begun = time.monotonic()
                answer()
                waited = (time.monotonic() - begun) * 1e3
                p.stdin.write('\n')
            text = p.communicate()[0]
            if p.returncode != want:
                err.seek(0)
                raise Failed('exit %d, not %d: %s\n%s%s' % (
                    p.returncode, want, ' '.join(argv), text, err.read()))
        self._take(out, waited)
        return text

    def _take(self, out, waited):
        f = self.figures
        with open(out) as line:
            cpu, wall, rss, execs = line.read().split()
        f.cpu += int(cpu) / 1e3
        f.wall += int(wall) / 1e3 - waited
        f.rss = max(f.rss, int(rss) / 1024)
        f.execs += int(execs)
        f.processes += 1
        if os.path.exists(self.calls_file):
            with open(self.calls_file) as lines:
                f.calls.append([tuple(l.split()) for l in lines])
        for path in glob.glob(os.path.join(self.work, 'callgrind.*')):
            total, inside = instructions(path)
            f.inside += inside
            f.outside += total - inside


def instructions(path):
    """All, and those inside the calls of the module: what C_ functions of
    its file cost with all that they call, libcrypto too. The loading of the
    module is outside."""
    names = collections.defaultdict(dict)

    def name(kind, text):
        number, _, given = text.partition(' ')
        if given:
            names[kind][number] = given
        return names[kind].get(number, number)

    total = inside = 0
    ob = called_ob = called = None
    next_is_call = False
    with open(path) as lines:
        for line in lines:
            if line[0].isdigit() or line[0] in '+-*':
                words = line.split()
                if len(words) < 2 or '=' in line:
                    continue
                if not next_is_call:
                    total += int(words[1])
                    continue
                if (re.match('C_[A-Z]', called) and
                        'softhsm' in (called_ob or ob)):
                    inside += int(words[1])
                next_is_call, called_ob = False, None
                continue
            kind, _, text = line.rstrip('\n').partition('=')
            if kind == 'ob':
                ob = name('ob', text)
            elif kind == 'cob':
                called_ob = name('ob', text)
            elif kind == 'fn':
                name('fn', text)
            elif kind == 'cfn':
                called = name('fn', text)
            elif kind == 'calls':
                next_is_call = True
    return total, inside
