#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Look at two screenshots of the status page, a light and a dark one.

look.py RATIO LIGHT.png DARK.png: fails unless both have the page's background,
its text, and a bar of what was issued today on one of what was refused, which is
RATIO times as high.
"""
import collections
import struct
import sys
import zlib


def pixels(path):
    """Rows of (r, g, b) of an 8-bit RGB or RGBA PNG (RFC 2083)."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(
                ">IIBB", data[at + 8:at + 18])
            assert depth == 8 and color in (2, 6), (depth, color)
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    bpp = 3 if color == 2 else 4
    raw, step = zlib.decompress(packed), width * bpp
    before, rows = bytearray(step), []
    for y in range(height):
        line = raw[y * (step + 1):(y + 1) * (step + 1)]
        rows.append(unfilter(line[0], bytearray(line[1:]), before, bpp))
        before = rows[-1]
    return width, [[tuple(row[i:i + 3]) for i in range(0, step, bpp)]
                   for row in rows]


def unfilter(kind, line, before, bpp):
    for i in range(len(line)) if kind else ():
        a = line[i - bpp] if i >= bpp else 0
        b, c = before[i], before[i - bpp] if i >= bpp else 0
        if kind == 4:
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b),
                       (abs(p - c), 2, c))[2]
        else:
            near = (0, a, b, (a + b) // 2)[kind]
        line[i] = (line[i] + near) & 255
    return line


def look(ratio, path, paper, issued, refused):
    width, rows = pixels(path)
    count = collections.Counter(p for row in rows for p in row)
    # Today's bars are on the right; the colours are explained on the left.
    bars = collections.Counter(p for row in rows for p in row[width // 2:])
    total = width * len(rows)
    assert count.most_common(1)[0][0] == paper, count.most_common(3)
    assert len(count) > 50, "only %d colours" % len(count)
    assert 0.01 < 1 - count[paper] / total, "next to nothing but paper"
    for name, color in (("issued", issued), ("refused", refused)):
        assert bars[color] > 50, "no %s bar: %d" % (name, bars[color])
    assert 0.7 * ratio < bars[issued] / bars[refused] < 1.4 * ratio, \
        (bars[issued], bars[refused])
    used = [y for y, row in enumerate(rows) if set(row) != {paper}]
    assert used[-1] - used[0] > 700, "only %d rows" % (used[-1] - used[0])


RATIO = int(sys.argv[1])
look(RATIO, sys.argv[2], (255, 255, 255), (0x1a, 0x7f, 0x37),
     (0xb3, 0x26, 0x1e))
look(RATIO, sys.argv[3], (0x0d, 0x11, 0x17), (0x3f, 0xb9, 0x50),
     (0xff, 0x7b, 0x72))
