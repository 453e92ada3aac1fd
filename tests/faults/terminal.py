#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""terminal.py SCENE PIN OUT PROGRAM...: a terminal and what a shell does.

Runs PROGRAM in the foreground of a pseudo-terminal, standard output in the
file OUT, waits for the prompt for the PIN, and then:
  type       types the PIN
  interrupt  types Ctrl-C
  suspend    types Ctrl-Z, resumes when the program has stopped, types the PIN
  term       sends SIGTERM to the program
  worker     sends SIGKILL to its worker
Prints how the program ended and whether the terminal echoes.
"""
import os
import pty
import select
import signal
import sys
import termios
import time

PROMPT = b"PIN of "
SECONDS = 60


def echoes(fd):
    return "on" if termios.tcgetattr(fd)[3] & termios.ECHO else "off"


def shell(program, out, report, order):
    """In the pseudo-terminal's session: job control for one job."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, 1)
        os.execvp(program[0], program)
    os.write(report, b"pid %d\n" % pid)
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        os.tcsetpgrp(0, os.getpid())
        echo = echoes(0).encode()
        if not os.WIFSTOPPED(status):
            break
        os.write(report, b"stopped, echo %s\n" % echo)
        os.read(order, 1)
        os.tcsetpgrp(0, pid)
        os.killpg(pid, signal.SIGCONT)
    if os.WIFSIGNALED(status):
        os.write(report, b"signal %d, echo %s\n" % (os.WTERMSIG(status), echo))
    else:
        os.write(report, b"exit %d, echo %s\n" % (os.WEXITSTATUS(status), echo))
    os._exit(0)


def child_of(pid):
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii") as f:
                if name.isdigit() and f.read().rsplit(") ")[1].split()[1] == str(pid):
                    return int(name)
        except OSError:
            pass
    sys.exit("no worker")


class Terminal:
    def __init__(self, program, out):
        report, report_in = os.pipe()
        order_out, self.order = os.pipe()
        pid, self.master = pty.fork()
        if pid == 0:
            shell(program, out, report_in, order_out)
        os.close(report_in)
        self.report, self.lines, self.seen = report, b"", b""
        self.deadline = time.monotonic() + SECONDS

    def wait(self, done):
        while not done():
            left = self.deadline - time.monotonic()
            ready = select.select([self.master, self.report], [], [], left)[0]
            if not ready:
                sys.exit("time is up: %r %r" % (self.seen, self.lines))
            if self.report in ready:
                self.lines += os.read(self.report, 4096)
            if self.master in ready:
                try:
                    self.seen += os.read(self.master, 4096)
                except OSError:
                    pass  # nobody has the other end any more

    def line(self):
        self.wait(lambda: b"\n" in self.lines)
        line, _, self.lines = self.lines.partition(b"\n")
        return line.decode()

    def prompt(self):
        # The echo goes off before the question is put.
        self.wait(lambda: PROMPT in self.seen and self.seen.endswith(b": "))
        self.seen = b""

    def type(self, text):
        os.write(self.master, text)


def main():
    scene, pin, out, program = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    t = Terminal(program, out)
    pid = int(t.line().split()[1])
    t.prompt()
    if scene == "type":
        t.type(pin.encode() + b"\n")
    elif scene == "interrupt":
        t.type(b"\x03")
    elif scene == "suspend":
        t.type(b"\x1a")
        print(t.line())
        os.write(t.order, b"c")
        t.prompt()
        t.type(pin.encode() + b"\n")
    elif scene == "term":
        os.kill(pid, signal.SIGTERM)
    elif scene == "worker":
        os.kill(child_of(pid), signal.SIGKILL)
    else:
        sys.exit("no scene " + scene)
    print(t.line())
    sys.stderr.write(t.seen.decode(errors="replace"))


main()
