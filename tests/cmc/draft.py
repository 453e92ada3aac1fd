# SPDX-License-Identifier: BSD-2-Clause
"""A Full request before it is encoded, so that any part of it can be made
wrong: what forge.py sends, honest and forged."""
import hashlib
import os
import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import der
import names as N
from client import new_key, sign
from envelope import attributes, authenticated_data, content_info
from issue import common_name, extension, key_id, public_der
from proofs import mac

SHA1_ALG = (der.algorithm(N.HASH_OIDS["sha1"]),
            der.algorithm(N.MAC_OIDS["sha1"]))
SHA256_ALG = (der.algorithm(N.HASH_OIDS["sha256"]),
              der.algorithm(N.MAC_OIDS["sha256"]))
NOTHING = der.algorithm(N.NO_SIGNATURE, der.null())


def flipped(data: bytes, at: int = -1) -> bytes:
    """One bit of one octet is another."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def witness(key_text: str, data: bytes, hash_: str = "sha256") -> bytes:
    """identityProofV2, popLinkWitnessV2: RFC 10002 sections 6.2.1, 6.3.1.1"""
    key = hashlib.new(hash_, key_text.encode()).digest()
    algorithms = SHA1_ALG if hash_ == "sha1" else SHA256_ALG
    return der.seq(*algorithms, der.octets(mac(hash_, key, data)))


# --- certification requests -------------------------------------------------

def pkcs10(key, name: str, link: bytes | None = None, spki: bytes = b"",
           more=(), exts=(), damage=bytes, ski: bytes | None = None) -> bytes:
    """CertificationRequest; link: value of popLinkWitnessV2; spki: another
    public key than that of the key which signs; damage changes the
    signature."""
    spki = spki or public_der(key)
    ski = key_id(spki) if ski is None else ski
    found = [(N.EXTENSION_REQUEST, der.seq(
        extension(N.SKI, der.octets(ski)), *exts)), *more]
    if link is not None:
        found.append((N.OIDS["popLinkWitnessV2"], link))
    info = der.seq(
        der.integer(0), common_name(name), spki,
        der.context(0, *sorted(der.seq(der.oid(oid), der.set_of(value))
                               for oid, value in found)))
    alg, signature = sign(key, info)
    return der.seq(info, alg, der.bits(damage(signature)))


def no_signature_pkcs10(key, name: str, link: bytes | None) -> bytes:
    """PKCS#10 for a key that does not sign (RFC 10002 appendix C)."""
    spki = public_der(key)
    found = [(N.EXTENSION_REQUEST,
              der.seq(extension(N.SKI, der.octets(key_id(spki)))))]
    if link is not None:
        found.append((N.OIDS["popLinkWitnessV2"], link))
    info = der.seq(
        der.integer(0), common_name(name), spki,
        der.context(0, *sorted(der.seq(der.oid(oid), der.set_of(value))
                               for oid, value in found)))
    return der.seq(info, NOTHING,
                   der.bits(der.octets(hashlib.sha1(info).digest())))


def tagged(data: bytes, number: int = 1) -> bytes:
    """TaggedRequest around a PKCS#10."""
    return der.context(0, der.integer(number), data)


def crmf(key, name: str, number: int, link: bytes | None,
         popo: str = "signature", damage=bytes) -> bytes:
    """TaggedRequest with a CertReqMsg. popo: signature, challenge, none,
    raVerified."""
    spki = public_der(key)
    controls = b"" if link is None else der.seq(
        der.seq(der.oid(N.OIDS["popLinkWitnessV2"]), link))
    request = der.seq(der.integer(number), der.seq(
        der.context(5, common_name(name)), der.retag(spki, 0xa6),
        der.context(9, extension(N.SKI, der.octets(key_id(spki))))),
        controls)
    proof = b""
    if popo == "signature":
        alg, signature = sign(key, request)
        proof = der.context(1, alg, der.bits(damage(signature)))
    elif popo == "challenge":
        kind = 3 if isinstance(key, ec.EllipticCurvePrivateKey) else 2
        proof = der.context(kind, der.primitive(1, b"\x01"))
    elif popo == "raVerified":
        proof = der.primitive(0, b"")
    return der.context(1, request, proof)


# --- messages ---------------------------------------------------------------

def control_oid(name: str) -> str:
    return N.OIDS.get(name, name)


class Draft:
    """name asks, with the secret of an invite, or signed by a holder."""

    def __init__(self, name: str, secret: str | None = None,
                 form: str = "pkcs10", key=None, ask: bool = True,
                 link: bool | None = None, popo: str = "signature"):
        self.name, self.secret, self.key = name, secret, key or new_key("ec")
        self.identification: str | None = name if secret else None
        self.transaction = secrets.randbits(126) | 1 << 126
        self.nonce, self.recipient = os.urandom(16), None
        self.random = os.urandom(64)
        self.linked = bool(secret) if link is None else link
        self.requests: list[bytes] = []
        self.more: list[tuple[str, bytes]] = []
        self.cms: list[bytes] = []
        self.other: list[bytes] = []
        self.proof_over: bytes | None = None
        self.parts: list[list] | None = None
        if ask and form == "pkcs10":
            make = pkcs10 if popo == "signature" else no_signature_pkcs10
            self.requests = [tagged(make(self.key, name, self.link()))]
        elif ask:
            self.requests = [crmf(self.key, name, 1, self.link(), popo)]

    def link(self, hash_: str = "sha256") -> bytes | None:
        if not self.linked:
            return None
        return witness(self.secret or "", self.random, hash_)

    def sequence(self) -> bytes:
        """reqSequence: what identityProofV2 covers, octet by octet."""
        return der.seq(*self.requests)

    def identity(self, hash_: str = "sha256") -> bytes:
        return witness((self.secret or "") + (self.identification or ""),
                       self.proof_over or self.sequence(), hash_)

    def controls(self) -> list[list]:
        """[bodyPartID, name, value] of each; kept once made, so that a
        forger can change them."""
        if self.parts is not None:
            return self.parts
        found = [("transactionId", der.integer(self.transaction)),
                 ("senderNonce", der.octets(self.nonce))]
        if self.recipient is not None:
            found.append(("recipientNonce", der.octets(self.recipient)))
        if self.identification is not None:
            found.append(("identification", der.utf8(self.identification)))
        if self.secret:
            if self.linked:
                found.append(("popLinkRandom", der.octets(self.random)))
            found.append(("identityProofV2", self.identity()))
        found += self.more
        self.parts = [[100 + i, name, value]
                      for i, (name, value) in enumerate(found)]
        return self.parts

    def part(self, name: str) -> list:
        return next(p for p in self.controls() if p[1] == name)

    def without(self, name: str) -> "Draft":
        self.parts = [p for p in self.controls() if p[1] != name]
        return self

    def with_value(self, name: str, value: bytes) -> "Draft":
        self.part(name)[2] = value
        return self

    def body(self) -> bytes:
        """PKIData"""
        return der.seq(
            der.seq(*[der.seq(der.integer(number),
                              der.oid(control_oid(name)), der.set_of(value))
                      for number, name, value in self.controls()]),
            self.sequence(), der.seq(*self.cms), der.seq(*self.other))

    def signed(self, **how) -> bytes:
        """By the key of the request."""
        data = self.body()
        return wrapped(data, [signer_info(data, self.key, **how)])

    def by(self, holder, **how) -> bytes:
        """By the key of a certificate."""
        data = self.body()
        return wrapped(data, [signer_info(data, holder.key, holder.cert,
                                          **how)], [holder.cert.der])

    def maced(self, secret: str | None = None, name: str | None = None,
              rounds: int = 1000) -> bytes:
        """By the secret: identification first (RFC 10002 section 3.2)."""
        password = (name or self.identification or "") + (
            secret or self.secret or "")
        return authenticated_data(N.PKI_DATA, self.body(), password.encode(),
                                  rounds=rounds)

    def not_signed(self) -> bytes:
        """id-alg-noSignature, named by the key id (appendix C)."""
        data = self.body()
        attrs = attributes(N.PKI_DATA, data, "sha256")
        return wrapped(data, [der.seq(
            der.integer(3),
            der.primitive(0, key_id(public_der(self.key))),
            der.algorithm(N.HASH_OIDS["sha256"]), der.retag(attrs, 0xa0),
            NOTHING, der.octets(der.octets(
                hashlib.sha1(attrs).digest())))])


def signer_info(data: bytes, key, cert=None, covered: bytes | None = None,
                type_: str = N.PKI_DATA, ski: bytes | None = None,
                damage=bytes, sha1: bool = False) -> bytes:
    """covered: the octets that are digested, when not data."""
    name = "sha1" if sha1 else "sha256"
    attrs = attributes(type_, data if covered is None else covered, name)
    alg, signature = sign(key, attrs)
    if sha1:
        alg = der.algorithm("1.2.840.10045.4.1")
        signature = key.sign(attrs, ec.ECDSA(hashes.SHA1()))
    if cert is not None and ski is None:
        sid = der.seq(cert.issuer, der.integer(cert.serial))
    else:
        sid = der.primitive(0, ski or key_id(public_der(key)))
    return der.seq(der.integer(1 if sid[0] == 0x30 else 3), sid,
                   der.algorithm(N.HASH_OIDS[name]),
                   der.retag(attrs, 0xa0), alg,
                   der.octets(damage(signature)))


def wrapped(data: bytes, infos: list[bytes], certs=(),
            type_: str = N.PKI_DATA) -> bytes:
    """SignedData, in a ContentInfo."""
    digests = {der.algorithm(N.HASH_OIDS["sha256"])} if infos else set()
    return content_info(N.SIGNED, der.seq(
        der.integer(3), der.set_of(*digests),
        der.seq(der.oid(type_), der.context(0, der.octets(data))),
        der.context(0, *certs) if certs else b"", der.set_of(*infos)))
