# SPDX-License-Identifier: BSD-2-Clause
"""Tokens full and empty, authorities, and the pipelines that are compared:
each makes a key pair on the token, gets a certificate, installs it."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile

from meter import Failed, Meter

SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'
PIN = '123456'
EMAIL = 'bench@example.org'


def quiet(argv, **more):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       **more)
    if p.returncode != 0:
        raise Failed('%s: %s' % (' '.join(argv), p.stderr.decode()))
    return p.stdout


class Scene:
    def __init__(self, build, source):
        self.build, self.source = build, source
        # the tokens' files cost less where no disk is
        self.work = tempfile.mkdtemp(
            prefix='burin-bench-',
            dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
        self.tools = os.path.join(build, 'bench')
        self.burin = os.path.join(build, 'bin', 'burin')
        self.shim = os.path.join(build, 'mock', 'burin-shim.so')
        self.tokens = self.path('tokens')
        self.serve = None
        for key in [k for k in os.environ if k.startswith(
                ('BURIN_', 'GNUTLS_', 'PKCS11_', 'OPENSSL_'))]:
            del os.environ[key]
        os.environ.update(
            SOFTHSM2_CONF=self.conf('tokens'), TZ='UTC', LC_ALL='C.UTF-8',
            BURIN_STATE_DIR=self.path('state'),
            BURIN_PROFILE_DIR=os.path.join(source, 'docs', 'profiles'),
            BURIN_SHIM_MODULE=SOFTHSM, GNUTLS_PIN=PIN,
            PKCS11_MODULE_PATH=self.shim)
        with open(self.path('pin'), 'w') as f:
            f.write(PIN + '\n')
        self.file_ca()

    def path(self, *names):
        return os.path.join(self.work, *names)

    def conf(self, name):
        os.makedirs(self.path(name), exist_ok=True)
        with open(self.path(name + '.conf'), 'w') as f:
            f.write('directories.tokendir = %s\nlog.level = ERROR\n' %
                    self.path(name))
        return self.path(name + '.conf')

    def close(self):
        if self.serve:
            self.serve.terminate()
            self.serve.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    # --- authorities --------------------------------------------------------

    def file_ca(self):
        quiet(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
               'ec_paramgen_curve:P-256', '-nodes', '-keyout',
               self.path('ca.key'), '-subj', '/CN=Bench CA', '-out',
               self.path('ca.pem')])

    def sign(self, request, form, certificate, out_form):
        """Nobody's time: the CA is the same for all."""
        if form == 'DER':
            quiet(['openssl', 'req', '-inform', 'DER', '-in', request,
                   '-out', request + '.pem'])
            request += '.pem'
        quiet(['openssl', 'x509', '-req', '-in', request, '-CA',
               self.path('ca.pem'), '-CAkey', self.path('ca.key'),
               '-CAcreateserial', '-days', '30', '-copy_extensions', 'copy',
               '-outform', out_form, '-out', certificate])

    def authority(self):
        env = dict(os.environ, SOFTHSM2_CONF=self.conf('ca-tokens'))
        quiet(['softhsm2-util', '--init-token', '--free', '--label', 'ca',
               '--pin', PIN, '--so-pin', '12345678'], env=env)
        common = ['--module', SOFTHSM]
        pin = ['--pin-source', 'file:' + self.path('pin')]
        quiet([self.burin] + common + [
            'authority', 'init', self.path('ca'), '--token', 'ca', '--name',
            'Bench CA'] + pin, env=env)
        self.log = open(self.path('authority.log'), 'w')
        self.serve = subprocess.Popen(
            [self.burin] + common + [
                'authority', 'serve', self.path('ca'), '--listen',
                '127.0.0.1:0'] + pin,
            env=env, stdout=subprocess.PIPE, stderr=self.log, text=True)
        ready = self.serve.stdout.readline()
        self.url = re.search(r'https://\S+', ready)
        if not self.url:
            raise Failed('the authority does not start')
        self.url = self.url.group()

    def invite(self):
        name = 'bench'
        secret = quiet([self.burin, 'authority', 'invite', self.path('ca'),
                        name, '--profile', 'default', '--identity',
                        'mailto:' + EMAIL]).decode().strip()
        with open(self.path('secret'), 'w') as f:
            f.write(secret + '\n')
        with open(self.path('user'), 'w') as f:
            f.write('%s:%s\n' % (name, secret))
        return name

    # --- tokens ---------------------------------------------------------------

    def stock(self, pairs=0, tokens=1):
        """A folder of tokens to copy: 'bench' with key pairs on it, and
        other ones beside it."""
        keep = self.path('stock-%d-%d' % (pairs, tokens))
        if os.path.exists(keep):
            return keep
        self.empty(self.tokens)
        quiet(['softhsm2-util', '--init-token', '--free', '--label', 'bench',
               '--pin', PIN, '--so-pin', '12345678'])
        self.multiply(tokens)
        if pairs:
            quiet([os.path.join(self.build, 'bin', 'fill_token'), SOFTHSM,
                   'bench', self.path('pin')],
                  input=''.join('pair%d\n' % i for i in
                                range(pairs)).encode())
        shutil.copytree(self.tokens, keep)
        return keep

    def multiply(self, tokens):
        """SoftHSM's utility takes minutes for a thousand; a token is a file
        in which the label and the serial have a fixed length."""
        (uuid,) = os.listdir(self.tokens)
        with open(os.path.join(self.tokens, uuid, 'token.object'), 'rb') as f:
            data = f.read()
        serial = uuid.replace('-', '')[-16:].encode()
        label = b'bench'.ljust(32)
        if data.count(serial) != 1 or data.count(label) != 1:
            raise Failed('SoftHSM keeps its tokens in another way')
        for i in range(1, tokens):
            other = data.replace(label, (b'other%d' % i).ljust(32))
            other = other.replace(serial, b'%016x' % (i * 0x9e3779b97f4a7c15 %
                                                      2**64))
            name = os.path.join(self.tokens, '%08x-%s' % (i, uuid[9:]))
            os.mkdir(name, 0o700)
            with open(os.path.join(name, 'token.object'), 'wb') as f:
                f.write(other)
            for file in ('token.lock', 'generation'):
                if os.path.exists(os.path.join(self.tokens, uuid, file)):
                    shutil.copy(os.path.join(self.tokens, uuid, file), name)

    @staticmethod
    def empty(folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder, 0o700)

    def slot(self):
        listed = json.loads(quiet([self.burin, '--module', SOFTHSM, 'tokens',
                                   '--json']))
        for token in listed['tokens']:
            if token['label'] == 'bench':
                return token['slot']
        raise Failed('no token')

    # --- one enrolment ----------------------------------------------------------

    def enrol(self, pipeline, stock, mode='calls', type='ec:P-256', delay=0,
              token='bench'):
        """Figures of a pipeline on a fresh copy of the stock. 'calls' and
        'time' both go through the shim, which writes calls down only in the
        first: writing is not the client's work."""
        shutil.rmtree(self.tokens, ignore_errors=True)
        shutil.copytree(stock, self.tokens)
        shutil.rmtree(self.path('state'), ignore_errors=True)
        meter = Meter(self.tools, self.work, mode)
        with open(self.path('shim.conf'), 'w') as f:
            if mode == 'calls':
                f.write('calls_file=%s\n' % meter.calls_file)
            if delay:
                f.write('delay=%d\n' % delay)
        os.environ['BURIN_MOCK'] = self.path('shim.conf')
        self.token = token(self) if callable(token) else token
        getattr(self, pipeline)(meter, type)
        return meter.figures

    def floor_args(self, how, type):
        return [os.path.join(self.tools, 'floor'), how, self.shim, 'bench',
                self.path('pin'), type]

    def f1(self, meter, type):
        meter.run(self.floor_args('one', type) + [self.path('r'),
                                                  self.path('c')],
                  answer=lambda: self.sign(self.path('r'), 'DER',
                                           self.path('c'), 'DER'))

    def f2(self, meter, type):
        meter.run(self.floor_args('request', type) + [self.path('r')])
        self.sign(self.path('r'), 'DER', self.path('c'), 'DER')
        meter.run(self.floor_args('install', type) + [self.path('c')])

    def e1(self, meter, type):
        self.invite()
        argv = self.floor_args('one', type)
        argv[0] += '-est'
        meter.run(argv + [self.url, self.path('ca', 'ca.pem'),
                          self.path('user')])

    def burin_args(self, *verb):
        return [self.burin, '--module', self.shim] + list(verb) + [
            '--json', '--pin-source', 'file:' + self.path('pin')]

    def enroll_args(self, type, *more):
        return self.burin_args(
            'enroll', '--token', self.token, '--profile', 'default', '--type',
            type, '--subject', 'CN=bench', '--san', 'email:' + EMAIL, *more)

    def burin_est(self, meter, type):
        name = self.invite()
        meter.run(self.enroll_args(
            type, '--ca', self.url, '--trust', self.path('ca', 'ca.pem'),
            '--user', name, '--secret', 'file:' + self.path('secret')))

    def burin_file(self, meter, type):
        job = json.loads(meter.run(self.enroll_args(
            type, '--trust', self.path('ca.pem'), '--protocol', 'file',
            '--request-file', self.path('r')), want=6))['id']
        self.sign(self.path('r'), 'DER', self.path('c'), 'DER')
        meter.run(self.burin_args('resume', job, '--response-file',
                                  self.path('c')))

    def a(self, meter, type):
        """OpenSC and libp11"""
        tool = ['pkcs11-tool', '--module', self.shim, '--token-label',
                'bench', '--login', '--pin', PIN, '--id', '4d']
        with open(self.path('req.cnf'), 'w') as f:
            f.write('[req]\ndistinguished_name = dn\nprompt = no\n'
                    'req_extensions = ext\n[dn]\nCN = bench\n[ext]\n'
                    'subjectAltName = email:%s\n'
                    'extendedKeyUsage = clientAuth\n' % EMAIL)
        meter.run(tool + ['--keypairgen', '--key-type', {
            'ec:P-256': 'EC:prime256v1'}.get(type, type), '--label', 'bench'])
        meter.run(['openssl', 'req', '-new', '-engine', 'pkcs11', '-keyform',
                   'engine', '-key', 'pkcs11:token=bench;id=%%4d;type=private'
                   ';pin-value=%s' % PIN, '-config', self.path('req.cnf'),
                   '-out', self.path('r')])
        self.sign(self.path('r'), 'PEM', self.path('c'), 'DER')
        meter.run(tool + ['--write-object', self.path('c'), '--type', 'cert',
                          '--label', 'bench'])
        meter.run(['pkcs11-tool', '--module', self.shim, '--token-label',
                   'bench', '--id', '4d', '--read-object', '--type', 'cert',
                   '--output-file', self.path('back')])

    def b(self, meter, type):
        """GnuTLS"""
        provider = '--provider=' + self.shim
        token = 'pkcs11:token=bench'
        with open(self.path('template'), 'w') as f:
            f.write('cn = bench\nemail = %s\ntls_www_client\n' % EMAIL)
        kind = ['--generate-privkey=ecdsa', '--curve=secp256r1']
        if type != 'ec:P-256':
            kind = ['--generate-privkey=rsa', '--bits=2048']
        meter.run(['p11tool', '--batch', provider, '--login'] + kind +
                  ['--label=bench', '--id=4d', '--outfile',
                   self.path('public'), token])
        meter.run(['certtool', provider, '--generate-request',
                   '--load-privkey', token + ';id=%4d;type=private',
                   '--template', self.path('template'), '--outfile',
                   self.path('r')])
        self.sign(self.path('r'), 'PEM', self.path('c'), 'PEM')
        meter.run(['p11tool', '--batch', provider, '--login', '--write',
                   '--load-certificate', self.path('c'), '--label=bench',
                   '--id=4d', token])
        meter.run(['p11tool', '--batch', provider, '--export', '--outfile',
                   self.path('back'), token + ';id=%4d;type=cert'])
