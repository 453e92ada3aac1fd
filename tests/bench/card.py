#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""card.py BUILD PIPELINE TYPE

One enrolment on the emulated PIV card through ykcs11; tests/pivcard/run
starts this with a new card. Writes its calls and APDUs as JSON."""

import glob
import json
import os
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

from meter import Failed, Meter  # noqa: E402
from scene import SOFTHSM, Scene, quiet  # noqa: E402

SERIAL = '12345678'
# the key of new cards; what it protects is thrown away
MANAGEMENT_KEY = '010203040506070801020304050607080102030405060708'
YKCS11 = sorted(glob.glob('/usr/lib/*/libykcs11.so.2') +
                glob.glob('/usr/lib/libykcs11.so.2'))


class Card(Scene):
    def card(self, *command):
        return quiet([os.path.join(self.build, 'bin', 'pivcard-ctl'),
                      os.path.join(os.environ['PIV_DIR'], 'card1')] +
                     list(command)).decode().split()

    def enrol_card(self, pipeline, type):
        """Nothing but the client reaches the card between the two looks at
        its counter."""
        with open(self.path('key'), 'w') as f:
            f.write(MANAGEMENT_KEY + '\n')
        meter = Meter(self.tools, self.work, 'calls')
        with open(self.path('shim.conf'), 'w') as f:
            f.write('calls_file=%s\n' % meter.calls_file)
        os.environ.update(BURIN_SHIM_MODULE=YKCS11[0],
                          BURIN_MOCK=self.path('shim.conf'))
        self.token = 'pkcs11:serial=' + SERIAL
        self.card('reset-count')
        getattr(self, pipeline)(meter, type)
        return {'apdus': int(self.card('apdus')[-1]),
                'calls': meter.figures.calls}

    def floor(self, meter, type):
        argv = self.floor_args('piv', type)
        argv[3] = 'YubiKey PIV #' + SERIAL
        meter.run(argv + [self.path('key'), self.path('r'), self.path('c')],
                  answer=lambda: self.sign(self.path('r'), 'DER',
                                           self.path('c'), 'DER'))

    def burin_args(self, *verb):
        argv = super().burin_args(*verb)
        if verb[0] == 'enroll':
            argv += ['--slot', '9a', '--so-pin-source',
                     'file:' + self.path('key')]
        return argv


def main():
    build, pipeline, type = sys.argv[1:]
    scene = Card(build, os.path.abspath(os.path.join(here, '..', '..')))
    try:
        if pipeline != 'floor':
            os.environ['BURIN_SHIM_MODULE'] = SOFTHSM
            scene.authority()
        print(json.dumps(scene.enrol_card(pipeline, type)))
    except Failed as e:
        print(str(e)[:4000], file=sys.stderr)
        return 1
    finally:
        scene.close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
