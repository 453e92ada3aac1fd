# SPDX-License-Identifier: BSD-2-Clause
"""The goals 1 to 18, and those on a card, as rows: figure, floor, limit, kept
or missed."""

import collections
import math

Row = collections.namedtuple('Row', 'goal what figure floor limit kept note')

# which floor goes the same way to its authority
LIKE = {'burin_est': 'e1', 'burin_file': 'f2'}
WAY = {'burin_est': 'one process, EST', 'burin_file': 'two processes, files'}
# further objects and slots of the exact part
PAIRS, SLOTS = 50, 1000


def row(goal, what, figure, floor, limit, note='', show='%g'):
    return Row(goal, what, show % figure,
               show % floor if isinstance(floor, (int, float)) else floor,
               '≤ ' + show % limit, figure <= limit, note)


def exact(calls, execs):
    """calls[(pipeline, type, pairs, tokens, named)]: Figures."""
    rows = []

    def base(p, type='ec:P-256'):
        return calls[p, type, 0, 1, 'label']

    for type in ('ec:P-256', 'rsa:2048'):
        rows.append(row('1', 'calls, one process, ' + type,
                        base('burin_est', type).count(),
                        base('f1', type).count(), 30))
    for type in ('ec:P-256', 'rsa:2048'):
        rows.append(row('2', 'calls, request and later install, ' + type,
                        base('burin_file', type).count(),
                        base('f2', type).count(), 48))
    for name in ('C_Initialize', 'C_Login'):
        most = max(sum(1 for f, _ in process if f == name)
                   for p in LIKE for process in base(p).calls)
        rows.append(row('3', name + ', most in a process', most, 1, 1))
    for p, limit in (('burin_est', 3), ('burin_file', 5)):
        rows.append(row('4', 'searches, ' + WAY[p],
                        base(p).count('C_FindObjectsInit'),
                        base(LIKE[p]).count('C_FindObjectsInit'), limit))
    rows.append(row('5', 'calls that fail',
                    sum(f.failed() for k, f in calls.items()
                        if k[0].startswith('burin')), 0, 0,
                    'in all runs together'))
    for p in LIKE:
        more = calls[p, 'ec:P-256', PAIRS, 1, 'label'].count() - base(p).count()
        rows.append(row('6', 'further calls per key pair, ' + WAY[p],
                        more / PAIRS, 0, 0))
    for p in LIKE:
        rows.append(row(
            '7', 'further calls per slot and process, token by its label, ' +
            WAY[p], per_slot(calls, p, 'label'), '≤ 1', 1))
    # who comes back with an answer knows the token, but no slot
    rows.append(row('7', 'further calls per slot, token by its slot, ' +
                    WAY['burin_est'], per_slot(calls, 'burin_est', 'slot'),
                    0, 0))
    rows.append(Row('8', 'slots handled', '%d' % (SLOTS + 2), '-',
                    '≥ 1000', True, 'enrolled among so many'))
    rows.append(row('13', 'programs started by burin',
                    sum(f.execs for f in execs.values()), 0, 0))
    for p in LIKE:
        few = base(p)
        full = calls[p, 'ec:P-256', PAIRS, 1, 'label']
        rows.append(row('17', 'exponent of calls in objects, ' + WAY[p],
                        exponent(few.count(), full.count(), 1, PAIRS), 0, 0,
                        show='%.2g'))
        wide = calls[p, 'ec:P-256', 0, 1 + SLOTS, 'label']
        rows.append(row('17', 'exponent of calls in slots, ' + WAY[p],
                        exponent(few.count(), wide.count(), 2, SLOTS + 2),
                        '≤ 1', 1, show='%.2g'))
    return rows


def per_slot(calls, p, named):
    few = calls[p, 'ec:P-256', 0, 1, named]
    many = calls[p, 'ec:P-256', 0, 1 + SLOTS, named]
    return (many.count() - few.count()) / SLOTS / few.processes


def exponent(small, large, n_small, n_large):
    return math.log(large / small) / math.log(n_large / n_small)


def on_card(card):
    """card[(pipeline, type)]: what card.py says."""
    rows = []
    for type in sorted({t for _, t in card}):
        mine, floor = card['burin_est', type], card['floor', type]
        calls = [c for process in mine['calls'] for c in process]
        rows.append(row('card', 'calls, slot 9a, ' + type, len(calls),
                        sum(len(p) for p in floor['calls']), 36))
        rows.append(row('card', 'calls that fail, slot 9a, ' + type,
                        sum(rv != 'CKR_OK' for _, rv in calls), 0, 0))
        ratio = mine['apdus'] / floor['apdus']
        rows.append(Row('card', 'APDUs, slot 9a, ' + type,
                        '%d (%.2f x)' % (mine['apdus'], ratio),
                        str(floor['apdus']), '≤ 1.2 x', ratio <= 1.2, ''))
    return rows


def ratio_rows(goal, what, ratios, limit, note=''):
    return [Row(goal, what + ', ' + WAY[p], '%.2f' % ratios[p], '1',
                '≤ %g' % limit, ratios[p] <= limit, note) for p in LIKE]


def measured(m):
    """m: the Measures of run."""
    rows = ratio_rows('9', 'client CPU, x floor',
                      {p: m.ratio(p, LIKE[p], 'cpu') for p in LIKE}, 1.5)
    for p in LIKE:
        mine, floor = m.instructions[p], m.instructions[LIKE[p]]
        n = mine.processes
        rows.append(Row('10', 'instructions outside the module%s, %s' % (
            ' and process' if n > 1 else '', WAY[p]),
            '%.1f M' % (mine.outside / 1e6 / n),
            '%.1f M' % (floor.outside / 1e6 / n), '≤ 15 M',
            mine.outside / n <= 15e6, ''))
    rows += ratio_rows('11', 'wall with 1 ms per call, x floor',
                       {p: m.ratio(p, LIKE[p], 'wall', 'delay')
                        for p in LIKE}, 2)
    rows += ratio_rows('12', 'peak RSS, x floor',
                       {p: m.ratio(p, LIKE[p], 'rss') for p in LIKE}, 1.25)
    rows += ratio_rows('14', '1000 key pairs: client CPU, x floor',
                       {p: m.ratio(p, LIKE[p], 'cpu', 'pairs1000')
                        for p in LIKE}, 2)
    rows += ratio_rows('15', '1000 key pairs: peak RSS, x floor',
                       {p: m.ratio(p, LIKE[p], 'rss', 'pairs1000')
                        for p in LIKE}, 1.1)
    for p in LIKE:
        rows.append(Row(
            '16', 'exponent of CPU in key pairs, 100 to 1000, ' + WAY[p],
            '%.2f' % m.exponent(p), '%.2f' % m.exponent(LIKE[p]), '≤ 1',
            m.exponent(p) <= 1,
            "file backend; Debian's SoftHSM has no other"))
    rows += ratio_rows('18', '200 tokens: client CPU, x floor',
                       {p: m.ratio(p, LIKE[p], 'cpu', 'tokens200')
                        for p in LIKE}, 1.5)
    return rows
