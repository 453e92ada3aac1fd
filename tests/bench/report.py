# SPDX-License-Identifier: BSD-2-Clause
"""bench.md and bench.svg."""

import os

NAMES = {
    'f1': 'floor, one process', 'f2': 'floor, two processes',
    'e1': 'floor over EST', 'burin_est': 'burin over EST',
    'burin_file': 'burin by files', 'a': 'OpenSC + openssl',
    'b': 'GnuTLS',
}
ORDER = ('f1', 'f2', 'e1', 'burin_est', 'burin_file', 'a', 'b')

HEAD = '''# What an enrolment costs

Ratios to the floor measured in the same run: no absolute time here is worth
anything on another machine. `tests/bench/run --out docs` writes this file.

The floor (`tests/bench/floor.c`) is the least that makes a key pair on a
token, requests a certificate, installs it and reads it back. It exists in
three kinds: in one process (its CA waits beside it), in two (request now,
install later), and over EST with libcurl, because an enrolment over EST pays
for libcurl and a TLS handshake. burin is compared with the floor that goes
the same way: `enroll` over EST with the third, `enroll` and `resume` by files
with the second. Only the client is measured, never the authority. Everything
runs on SoftHSM, its files in memory, EC P-256 unless said, through the same
module in between that counts calls. In burin's figures are the journal, the
checks of what comes back, the read-back from a new session and the report.
The rows "card" are of the emulated PIV card (`tests/pivcard`), new each time,
behind Debian's ykcs11 and pcscd: an enrolment over EST into slot 9a beside a
floor in one process, what ykcs11 reads at its start in both.

'''


def table(head, align, lines):
    return '\n'.join(['| ' + ' | '.join(head) + ' |',
                      '| ' + ' | '.join(align) + ' |'] +
                     ['| ' + ' | '.join(l) + ' |' for l in lines]) + '\n'


def times(value):
    return 'fails' if value is None else '%.2f' % value


def goal_table(rows):
    return table(
        ['Goal', 'What', 'burin', 'Floor', 'Must', '', 'Note'],
        ['---:', '---', '---:', '---:', '---:', '---', '---'],
        [[r.goal, r.what, r.figure, r.floor, r.limit,
          'kept' if r.kept else '**missed**', r.note] for r in rows])


def apdus(m, p):
    figures = m.card.get(('floor' if p == 'f1' else p, 'ec:P-256'))
    return '%d' % figures['apdus'] if figures else '-'


def pipelines(m):
    lines = []
    for p in ORDER:
        calls, instr = m.calls['base'][p], m.instructions[p]
        lines.append([
            NAMES[p], '%d' % calls.processes, '%d' % calls.count(),
            '%d' % calls.failed(),
            '%d / %d / %d' % tuple(calls.count(n) for n in (
                'C_Initialize', 'C_Login', 'C_FindObjectsInit')),
            times(m.ratio(p, 'f1', 'cpu')),
            '%.1f' % (instr.outside / 1e6),
            '%.1f' % (instr.inside / 1e6),
            times(m.ratio(p, 'f1', 'wall', 'delay')),
            times(m.ratio(p, 'f1', 'rss')), apdus(m, p)])
    return table(
        ['', 'processes', 'calls', 'fail', 'Initialize / Login / searches',
         'CPU x', 'M instructions outside', 'inside the module',
         'wall x, 1 ms per call', 'RSS x', 'APDUs on a PIV card'],
        ['---'] + ['---:'] * 10, lines)


GROWTH = ('base', 'pairs1', 'pairs100', 'pairs1000', 'tokens200')


def growth(m):
    lines = []
    for p in ORDER:
        cells = [NAMES[p]]
        for name in GROWTH:
            ratio = m.ratio(p, 'f1', 'cpu', name)
            cells.append('fails' if ratio is None else '%.2f (%d)' % (
                ratio, m.calls[name][p].count()))
        lines.append(cells + ['%.2f' % m.exponent(p),
                              times(m.ratio(p, 'f1', 'rss', 'pairs1000'))])
    return table(
        ['', 'empty', '1 key pair', '100', '1000', '200 tokens',
         'exponent 100 to 1000', 'RSS x at 1000'],
        ['---'] + ['---:'] * 7, lines)


def markdown(rows, m):
    text = '## Goals\n\n' + goal_table(rows)
    if m is None:
        return text
    return (HEAD + '![Ratios to the floor](bench.svg)\n\n' + text +
            '\n## The pipelines\n\nx: ratio to the floor in one process, '
            'median of %d alternate runs (%d where tokens are fuller or calls '
            'take 1 ms).\n\n' % m.repetitions() + pipelines(m) +
            '\n## Growth\n\nClient CPU, ratio to the floor in one process '
            'in the same place; in brackets calls.\n\n' + growth(m) +
            '\n')


# --- the plot -----------------------------------------------------------------

STYLE = '''
text { font: 13px sans-serif; fill: #1f2328 }
.t { font-weight: bold; font-size: 15px } .n { fill: #57606a }
.floor { fill: #8c959f } .burin { fill: #c2410c } .peer { fill: #0969da }
line { stroke: #8c959f; stroke-dasharray: 3 3 } .bg { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .n { fill: #9198a1 } .bg { fill: #0d1117 }
.burin { fill: #fb923c } .peer { fill: #4493f8 } }
'''
BAR, LEFT, WIDTH, RIGHT = 18, 170, 480, 70


def panel(title, values, top, out):
    most = max([v for v in values.values() if v is not None] + [1])
    unit = WIDTH / most
    out.append('<text class="t" x="10" y="%d">%s</text>' % (top + 14, title))
    y = top + 24
    height = len(values) * (BAR + 5)
    for p, value in values.items():
        kind = ('burin' if p.startswith('burin') else
                'peer' if p in 'ab' else 'floor')
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (
            LEFT - 8, y + 14, NAMES[p]))
        if value is None:
            out.append('<text class="n" x="%d" y="%d">fails</text>' % (
                LEFT + 6, y + 14))
        else:
            out.append('<rect class="%s" x="%d" y="%d" width="%.1f" '
                       'height="%d" rx="2"/>' % (kind, LEFT, y, value * unit,
                                                 BAR))
            out.append('<text class="n" x="%.1f" y="%d">%.2f</text>' % (
                LEFT + value * unit + 6, y + 14, value))
        y += BAR + 5
    out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % (
        LEFT + unit, LEFT + unit, top + 20, top + 22 + height))
    return y + 14


def svg(m):
    one = m.instructions['f1'].outside
    calls = m.calls['base']
    panels = [
        ('PKCS#11 calls', lambda p: calls[p].count() / calls['f1'].count()),
        ('Client CPU', lambda p: m.ratio(p, 'f1', 'cpu')),
        ('Instructions outside the module',
         lambda p: m.instructions[p].outside / one),
        ('Wall, 1 ms added per call',
         lambda p: m.ratio(p, 'f1', 'wall', 'delay')),
        ('Peak RSS', lambda p: m.ratio(p, 'f1', 'rss')),
        ('Client CPU, 1000 key pairs on the token',
         lambda p: m.ratio(p, 'f1', 'cpu', 'pairs1000')),
        ('Client CPU, 200 tokens',
         lambda p: m.ratio(p, 'f1', 'cpu', 'tokens200')),
    ]
    out, y = [], 34
    for title, value in panels:
        y = panel(title, {p: value(p) for p in ORDER}, y, out)
    width = LEFT + WIDTH + RIGHT
    return ('<!-- SPDX-License-Identifier: BSD-2-Clause -->\n'
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
            'role="img" aria-label="One enrolment: ratios to the floor">'
            '<style>%s</style><rect class="bg" width="100%%" height="100%%"/>'
            '<text class="n" x="10" y="20">One enrolment, ratios to the floor '
            'in one process (dashed line), measured in the same run; shorter '
            'is better</text>\n%s\n</svg>\n' % (width, y, STYLE,
                                               '\n'.join(out)))


def write(folder, text, m):
    # what is missed and why is said by hand below the mark, and stays
    path = os.path.join(folder, 'bench.md')
    mark, kept = '<!-- by hand -->', ''
    if os.path.exists(path):
        with open(path) as f:
            kept = f.read().partition(mark)[2]
    with open(path, 'w') as f:
        f.write(text.rstrip('\n') + '\n\n' + mark + (kept or '\n'))
    with open(os.path.join(folder, 'bench.svg'), 'w') as f:
        f.write(svg(m))
