# SPDX-License-Identifier: BSD-2-Clause
"""What a broken or hostile authority does, one lie in a run."""
import datetime
import os

import der
import names as N
from issue import Signer, make_certificate, now
from messages import Certificate

NAMES = ["wrong-recipient-nonce", "missing-recipient-nonce",
         "wrong-transaction-id", "other-key", "unsigned-success",
         "wrong-signature", "signer-not-authorised", "foreign-ca",
         "replayed-anchors", "truncated", "huge", "drip", "wrong-type",
         "wrong-content-type-oid", "duplicate-body-ids", "wrong-witness",
         "extra-trailing-bytes", "empty", "http-500", "other-cert",
         "foreign-cert", "old-crl", "foreign-crl", "other-names"]
HUGE = 100 * 1024 * 1024


def recipient_nonce(lie: str | None, nonce: bytes) -> list:
    if lie == "missing-recipient-nonce":
        return []
    if lie == "wrong-recipient-nonce":
        nonce = der.octets(os.urandom(16))
    return [("recipientNonce", nonce)]


def transaction(lie: str | None, tid: bytes) -> bytes:
    return der.integer(4711) if lie == "wrong-transaction-id" else tid


def signer(lie: str | None, authority) -> Signer:
    if lie == "signer-not-authorised":
        return Signer(authority.dir, "nobody")
    if lie == "foreign-ca":
        return Signer(authority.dir, "foreign")
    return authority.responder


def content_type(lie: str | None) -> str:
    return N.PKI_DATA if lie == "wrong-content-type-oid" else N.PKI_RESPONSE


def signing_time(lie: str | None):
    if lie == "replayed-anchors":
        return now() - datetime.timedelta(days=30)
    return now()


def signature(lie: str | None, info: bytes) -> list[bytes]:
    if lie == "unsigned-success":
        return []
    if lie == "wrong-signature":
        # the last octet of the last INTEGER of the signature
        info = info[:-1] + bytes([info[-1] ^ 1])
    return [info]


def body_ids(lie: str | None, count: int) -> list[int]:
    if lie == "duplicate-body-ids":
        return [1] * count
    return list(range(1, count + 1))


def looked_up(lie: str | None, authority, cert):
    """What getCert gives."""
    if lie == "other-cert":
        return authority.responder.cert
    if lie == "foreign-cert":  # the same name and number, by a stranger
        ca = Signer(authority.dir, "foreign-ca")
        return Certificate(make_certificate(
            ca.key, cert.issuer, cert.subject, cert.spki, [], cert.serial))
    return cert


def revocation_list(lie: str | None, authority) -> bytes:
    """What getCRL gives."""
    if lie == "old-crl":
        return authority.make_crl(authority.ca.key, now() -
                                  datetime.timedelta(days=30))
    if lie == "foreign-crl":
        return authority.make_crl(Signer(authority.dir, "foreign-ca").key,
                                  now())
    return authority.crl


def damage(lie: str | None, body: bytes) -> bytes:
    if lie == "truncated":
        return body[:len(body) // 2]
    if lie == "extra-trailing-bytes":
        return body + b"\x05\x00"
    if lie == "empty":
        return b""
    return body
