#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""cms_make.py DIR: AuthenticatedData in the form that Bouncy Castle gives it.

BER of indefinite lengths, a constructed OCTET STRING, the key wrapped by
PWRI-KEK (RFC 3211), PBKDF2 with a named PRF, and CMSAlgorithmProtection (RFC
6211) among the attributes. Nothing of burin or OpenSSL's CMS is used.
"""
import hashlib
import hmac
import os
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

IDENTIFICATION, SECRET = b"alice", b"golden secret"
CONTENT = bytes.fromhex("30083000300030003000")
HMACS = {
    "sha1": "1.3.6.1.5.5.8.1.2",
    "sha256": "1.2.840.113549.2.9",
    "sha512": "1.2.840.113549.2.11",
}
PRFS = {**HMACS, "sha1": "1.2.840.113549.2.7"}
DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    n = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | n]) + len(body).to_bytes(n, "big") + body


def endless(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def oid(dotted):
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [40 * arcs[0] + arcs[1]] + arcs[2:]:
        part = bytes([arc & 127])
        while arc > 127:
            arc >>= 7
            part = bytes([0x80 | arc & 127]) + part
        out += part
    return tlv(6, out)


def number(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def alg(dotted, *params):
    return tlv(0x30, oid(dotted), *params)


def attribute(dotted, value):
    return tlv(0x30, oid(dotted), tlv(0x31, value))


def pwri_kek_wrap(kek, iv, key):
    """RFC 3211 section 2.3.1."""
    plain = bytes([len(key)]) + bytes(255 ^ b for b in key[:3]) + key
    plain += os.urandom(-len(plain) % 16)

    def cbc(vector, data):
        c = Cipher(algorithms.AES(kek), modes.CBC(vector)).encryptor()
        return c.update(data) + c.finalize()

    once = cbc(iv, plain)
    return cbc(once[-16:], once)


def make(name):
    null = tlv(5)
    salt, iv, key = os.urandom(20), os.urandom(16), os.urandom(32)
    rounds = 2048
    kek = hashlib.pbkdf2_hmac(name, IDENTIFICATION + SECRET, salt, rounds, 32)
    derivation = tlv(
        0xA0,
        oid("1.2.840.113549.1.5.12"),
        tlv(0x30, tlv(4, salt), number(rounds), alg(PRFS[name], null)),
    )
    wrap = alg(
        "1.2.840.113549.1.9.16.3.9", alg("2.16.840.1.101.3.4.1.42", tlv(4, iv))
    )
    pwri = tlv(
        0xA3, number(0), derivation, wrap, tlv(4, pwri_kek_wrap(kek, iv, key))
    )
    mac_alg, digest_alg = alg(HMACS[name], null), alg(DIGESTS[name], null)
    attrs = [
        attribute("1.2.840.113549.1.9.3", oid("1.3.6.1.5.5.7.12.2")),
        attribute(
            "1.2.840.113549.1.9.4", tlv(4, hashlib.new(name, CONTENT).digest())
        ),
        attribute(
            "1.2.840.113549.1.9.52",
            tlv(0x30, digest_alg, b"\xa2" + mac_alg[1:]),
        ),
    ]
    attrs.sort()
    mac = hmac.new(key, tlv(0x31, *attrs), name).digest()
    octets = endless(0x24, tlv(4, CONTENT[:4]), tlv(4, CONTENT[4:]))
    encap = endless(0x30, oid("1.3.6.1.5.5.7.12.2"), endless(0xA0, octets))
    data = endless(
        0x30,
        number(0),
        tlv(0x31, pwri),
        mac_alg,
        b"\xa1" + digest_alg[1:],
        encap,
        tlv(0xA2, *attrs),
        tlv(4, mac),
    )
    return endless(0x30, oid("1.2.840.113549.1.9.16.1.2"), endless(0xA0, data))


for digest in DIGESTS:
    path = os.path.join(sys.argv[1], f"castle-mac-{digest}.der")
    with open(path, "wb") as f:
        f.write(make(digest))
