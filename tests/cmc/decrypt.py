# SPDX-License-Identifier: BSD-2-Clause
"""A client's side of encryptedPOP."""
import hashlib

from pyasn1_modules import rfc5083, rfc5652, rfc6402

import names as N
from envelope import open_envelope
from issue import key_id, public_der
from messages import decode, encode, read_content_info
from proofs import Wrong, hash_algorithm


class Recipient:
    """A key named by its key id: no certificate yet."""

    def __init__(self, key):
        self.key, self.cert = key, self
        self.ski = key_id(public_der(key))
        self.issuer, self.serial = b"", 0


def open_pop(value: bytes, key) -> tuple[bytes, bytes]:
    """(y, DER of the request); Wrong when the witness is not y's."""
    pop = decode(value, rfc6402.EncryptedPOP(), "encryptedPOP")
    type_, content = read_content_info(encode(pop["cms"]))
    auth = type_ == N.AUTH_ENVELOPED
    data = decode(content, rfc5083.AuthEnvelopedData() if auth
                  else rfc5652.EnvelopedData(), "EnvelopedData")
    inner, y = open_envelope("auth-enveloped" if auth else "enveloped", data,
                             [Recipient(key)])
    if inner != N.DATA:
        raise Wrong("not id-data inside")
    hash_ = hash_algorithm(pop["witnessAlgID"])
    if hashlib.new(hash_, y).digest() != pop["witness"].asOctets():
        raise Wrong("witness")
    return y, encode(pop["request"])
