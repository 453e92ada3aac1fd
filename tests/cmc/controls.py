# SPDX-License-Identifier: BSD-2-Clause
"""Writes the controls of a response."""
import hashlib

import der
import names as N


def status_info(status: int, ids: list[int], text: str = "",
                other: bytes = b"") -> bytes:
    """CMCStatusInfoV2, and CMCStatusInfo, as long as ids are plain."""
    return der.seq(der.integer(status), der.seq(*map(der.integer, ids)),
                   der.utf8(text) if text else b"", other)


def pend_info(token: bytes, when) -> bytes:
    return der.seq(der.octets(token), der.generalized_time(when))


def extended_fail(new: bool) -> bytes:
    """RFC 10002: [1] IMPLICIT; RFC 5272: an untagged SEQUENCE."""
    content = (der.oid("1.3.6.1.4.1.55555.1.1"), der.utf8("out of paper"))
    return der.context(1, *content) if new else der.seq(*content)


def encrypted_pop(tagged: bytes, cms: bytes, hash_: str,
                  witness: bytes) -> bytes:
    return der.seq(tagged, cms, der.algorithm(N.MAC_OIDS[hash_]),
                   der.algorithm(N.HASH_OIDS[hash_]), der.octets(witness))


def trusted_anchors(number: int, certs: list[bytes]) -> bytes:
    return der.seq(
        der.integer(number), der.algorithm(N.HASH_OIDS["sha256"]),
        der.seq(*[der.octets(hashlib.sha256(c).digest()) for c in certs]))


def cert_id(cert) -> bytes:
    return der.seq(cert.issuer, der.integer(cert.serial))


def tagged_attribute(body_id: int, name: str, value: bytes) -> bytes:
    return der.seq(der.integer(body_id), der.oid(N.OIDS[name]),
                   der.set_of(value))


def tagged_content(body_id: int, content_info: bytes) -> bytes:
    return der.seq(der.integer(body_id), content_info)
