# SPDX-License-Identifier: BSD-2-Clause
"""Writes DER, and on demand BER: what goes out is put together here by hand;
what comes in is read with pyasn1."""
import datetime


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + body


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return tlv(0x31, *sorted(parts))


def context(number: int, *parts: bytes) -> bytes:
    """[number], constructed: EXPLICIT, or IMPLICIT on a SEQUENCE or SET."""
    return tlv(0xa0 + number, *parts)


def primitive(number: int, content: bytes) -> bytes:
    """[number] IMPLICIT on a string or an INTEGER."""
    return tlv(0x80 + number, content)


def retag(der: bytes, tag: int) -> bytes:
    """The same element with another tag of one byte."""
    return bytes([tag]) + der[1:]


def integer(value: int, tag: int = 2) -> bytes:
    length = value.bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(length, "big", signed=True))


def enumerated(value: int) -> bytes:
    return integer(value, 0x0a)


def octets(value: bytes) -> bytes:
    return tlv(4, value)


def bits(value: bytes, unused: int = 0) -> bytes:
    return tlv(3, bytes([unused]) + value)


def utf8(value: str) -> bytes:
    return tlv(12, value.encode())


def true() -> bytes:
    return b"\x01\x01\xff"


def null() -> bytes:
    return b"\x05\x00"


def oid(dotted: str) -> bytes:
    arcs = [int(arc) for arc in dotted.split(".")]
    content = b""
    for arc in [40 * arcs[0] + arcs[1]] + arcs[2:]:
        septets = [arc & 127]
        while arc > 127:
            arc >>= 7
            septets.insert(0, 128 | arc & 127)
        content += bytes(septets)
    return tlv(6, content)


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    return seq(oid(dotted), parameters)


def generalized_time(when: datetime.datetime) -> bytes:
    return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def utc_time(when: datetime.datetime) -> bytes:
    return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())


def indefinite(tag: int, *parts: bytes) -> bytes:
    """BER: constructed, of indefinite length."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\x00\x00"


def chunked_octets(value: bytes, size: int = 100) -> bytes:
    """BER: an OCTET STRING in pieces."""
    return indefinite(0x24, *[octets(value[i:i + size])
                              for i in range(0, len(value), size)])


def element_end(data: bytes, start: int = 0) -> int | None:
    """Where the BER element at start ends; None while some is missing."""
    pos = start + 1
    if pos >= len(data):
        return None
    if data[start] & 31 == 31:
        while pos < len(data) and data[pos] & 128:
            pos += 1
        pos += 1
    if pos >= len(data):
        return None
    first, pos = data[pos], pos + 1
    if first == 0x80:
        while data[pos:pos + 2] != b"\x00\x00":
            pos = element_end(data, pos) if pos < len(data) else None
            if pos is None:
                return None
        return pos + 2
    if first > 0x80:
        count = first & 127
        if pos + count > len(data):
            return None
        first = int.from_bytes(data[pos:pos + count], "big")
        pos += count
    return pos + first if pos + first <= len(data) else None


def content_start(data: bytes, start: int) -> int:
    """Where the content of an element with a tag of one byte begins."""
    first = data[start + 1]
    return start + 2 + (first & 127 if first > 0x80 else 0)


def definite(data: bytes) -> bytes:
    """BER with definite lengths, and OCTET STRINGs in one piece: pyasn1 0.4
    loses its way in nested indefinite lengths. Else the octets are kept."""
    end = element_end(data)
    if end is None or not data[0] & 0x20:
        return data
    start = content_start(data, 0)
    stop = end - 2 if data[1] == 0x80 else end
    parts, pos = [], start
    while pos < stop:
        after = element_end(data, pos)
        if after is None:
            return data
        parts.append(definite(data[pos:after]))
        pos = after
    if data[0] == 0x24:
        return octets(b"".join(p[content_start(p, 0):] for p in parts))
    if data[1] == 0x80 or b"".join(parts) != data[start:stop]:
        return tlv(data[0], *parts) + data[end:]
    return data
