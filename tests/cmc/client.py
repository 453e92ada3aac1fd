# SPDX-License-Identifier: BSD-2-Clause
"""As much of a CMC client as it takes to try the authority out."""
import contextlib
import hashlib
import os
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed25519, padding, rsa)

import der
import names as N
from controls import tagged_attribute
from envelope import attributes, content_info
from issue import (common_name, extension, from_pem, key_id, public_der,
                   sign_ecdsa)
from messages import RAW_LIST, Message, decode, decode_integer
from proofs import mac

SHA256 = der.algorithm(N.HASH_OIDS["sha256"])
HMAC256 = der.algorithm(N.MAC_OIDS["sha256"])
FULL = "application/pkcs7-mime; smime-type=CMC-request"
RSA_SHA256 = der.algorithm("1.2.840.113549.1.1.11", der.null())


def sign(key, data: bytes) -> tuple[bytes, bytes]:
    """(AlgorithmIdentifier, signature)"""
    if isinstance(key, rsa.RSAPrivateKey):
        return RSA_SHA256, key.sign(data, padding.PKCS1v15(),
                                    hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return der.algorithm(N.ED25519), key.sign(data)
    return der.algorithm(N.ECDSA_SHA256), sign_ecdsa(key, data)


def new_key(kind: str):
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


# --- requests ----------------------------------------------------------------

def openssl_pkcs10(work: str, name: str) -> tuple[object, bytes]:
    """A key and a request of openssl's making, with a key id."""
    key, out = os.path.join(work, "o.key"), os.path.join(work, "o.csr")
    config = os.path.join(work, "o.cnf")
    with open(config, "w") as f:
        f.write("[req]\ndistinguished_name=dn\nreq_extensions=ext\n"
                f"prompt=no\nutf8=yes\nstring_mask=utf8only\n[dn]\nCN={name}\n"
                "[ext]\nsubjectKeyIdentifier=hash\n"
                "keyUsage=critical,digitalSignature\n")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-config", config,
                    "-keyout", key, "-outform", "DER", "-out", out],
                   check=True, capture_output=True)
    with open(key, "rb") as f:
        private = serialization.load_pem_private_key(f.read(), None)
    with open(out, "rb") as f:
        return private, f.read()


def pop_link(secret: str, random: bytes) -> bytes:
    key = hashlib.sha256(secret.encode()).digest()
    return der.seq(SHA256, HMAC256, der.octets(mac("sha256", key, random)))


def pkcs10_info(key, name: str, attributes: list = ()) -> bytes:
    """CertificationRequestInfo with a key id; attributes (OID, value)."""
    spki = public_der(key)
    exts = der.seq(extension(N.SKI, der.octets(key_id(spki))))
    found = [der.seq(der.oid(oid), der.set_of(value)) for oid, value in
             [(N.EXTENSION_REQUEST, exts), *attributes]]
    return der.seq(der.integer(0), common_name(name), spki,
                   der.context(0, *sorted(found)))


def cert_request(key, name: str, req_id: int, controls: list = ()) -> bytes:
    """CertRequest with a key id; controls (name, value)."""
    spki = public_der(key)
    exts = extension(N.SKI, der.octets(key_id(spki)))
    found = b"".join(der.seq(der.oid(N.OIDS[n]), v) for n, v in controls)
    return der.seq(der.integer(req_id), der.seq(
        der.context(5, common_name(name)), der.retag(spki, 0xa6),
        der.context(9, exts)), der.seq(found) if found else b"")


def crmf(key, name: str, req_id: int, link: bytes | None,
         popo: str = "signature", more: list = ()) -> bytes:
    """TaggedRequest with a CertReqMsg; more: controls (name, value)."""
    found = [("popLinkWitnessV2", link)] if link else []
    request = cert_request(key, name, req_id, [*found, *more])
    if popo == "signature":
        alg, signature = sign(key, request)
        proof = der.context(1, alg, der.bits(signature))
    else:
        number = 2 if isinstance(key, rsa.RSAPrivateKey) else 3
        proof = der.context(number, der.primitive(1, b"\x01"))
    return der.context(1, request, proof)


# --- messages ----------------------------------------------------------------

def identity_proof(secret: str, identification: str, reqs: bytes) -> bytes:
    key = hashlib.sha256((secret + identification).encode()).digest()
    return der.seq(SHA256, HMAC256, der.octets(mac("sha256", key, reqs)))


def pki_data(controls: list[tuple[str, bytes]], requests: list[bytes],
             who: tuple[str, str] | None) -> bytes:
    """who: (identification, secret), proved over the requests."""
    reqs = der.seq(*requests)
    found = list(controls)
    if who:
        found.append(("identification", der.utf8(who[0])))
        found.append(("identityProofV2",
                      identity_proof(who[1], who[0], reqs)))
    return der.seq(der.seq(*[tagged_attribute(100 + i, name, value)
                             for i, (name, value) in enumerate(found)]),
                   reqs, der.seq(), der.seq())


def full_request(data: bytes, key, cert=None,
                 algorithm: bytes | None = None) -> bytes:
    """Signed by the key a request asks for, or by a certificate's; with
    another algorithm in name only."""
    digest = ("sha512" if isinstance(key, ed25519.Ed25519PrivateKey)
              else "sha256")
    attrs = attributes(N.PKI_DATA, data, digest)
    alg, signature = sign(key, attrs)
    sid = (der.primitive(0, key_id(public_der(key))) if cert is None
           else der.seq(cert.issuer, der.integer(cert.serial)))
    hash_ = der.algorithm(N.HASH_OIDS[digest])
    info = der.seq(der.integer(3 if cert is None else 1), sid, hash_,
                   der.retag(attrs, 0xa0), algorithm or alg,
                   der.octets(signature))
    return content_info(N.SIGNED, der.seq(
        der.integer(3), der.set_of(hash_),
        der.seq(der.oid(N.PKI_DATA), der.context(0, der.octets(data))),
        der.context(0, cert.der) if cert else b"", der.set_of(info)))


def legacy(key, identification: str, secret: str) -> bytes:
    """A PKIData with the proofs of RFC 2797: SHA-1 all over."""
    random = os.urandom(64)
    link = hashlib.sha1(secret.encode()).digest()
    request = crmf(key, "bob", 1, None, more=[
        ("popLinkWitness", der.octets(mac("sha1", link, random)))])
    proof = hashlib.sha1((secret + identification).encode()).digest()
    reqs = der.seq(request)
    return pki_data(
        [("popLinkRandom", der.octets(random)),
         ("identification", der.utf8(identification)),
         ("identityProof", der.octets(mac("sha1", proof, reqs)))],
        [request], None)


@contextlib.contextmanager
def exchanged(one: str, other: str):
    """Two OIDs change places, as in the modules of RFC 5912 and 6402."""
    N.OIDS[one], N.OIDS[other] = N.OIDS[other], N.OIDS[one]
    try:
        yield
    finally:
        N.OIDS[one], N.OIDS[other] = N.OIDS[other], N.OIDS[one]


def tls(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


def opened(url: str, data: bytes, context=None, type_: str = FULL):
    return urllib.request.urlopen(
        urllib.request.Request(url, data, {"Content-Type": type_}),
        timeout=20, context=context)


def post(url: str, data: bytes, context=None,
         type_: str = FULL) -> tuple[int, bytes]:
    try:
        with opened(url, data, context, type_) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def host_and_port(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("tcp://").split(":")
    return host, int(port)


def receive(s: socket.socket) -> bytes:
    got = b""
    while der.element_end(got) is None:
        more = s.recv(65536)
        if not more:
            raise EOFError("the peer hung up")
        got += more
    return got


def statuses(message: Message) -> list[tuple[int, list[int]]]:
    """(status, body part ids) of each statusInfoV2."""
    found = []
    for control in message.body.all("statusInfoV2"):
        parts = [bytes(p) for p in decode(control.value, RAW_LIST, "s")]
        ids = [decode_integer(bytes(i))
               for i in decode(parts[1], RAW_LIST, "ids")]
        found.append((decode_integer(parts[0]), ids))
    return found


def load_certificate(path: str) -> bytes:
    with open(path, "rb") as f:
        return from_pem(f.read())
