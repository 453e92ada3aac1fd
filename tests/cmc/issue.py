# SPDX-License-Identifier: BSD-2-Clause
"""The authority's keys and certificates, issuing, revoking, CRLs."""
import base64
import datetime
import hashlib
import json
import os
import secrets

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyasn1_modules import rfc5280

import der
import names as N
from messages import Certificate, decode

NAME = "Peer CA"
DAY = datetime.timedelta(days=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def common_name(text: str) -> bytes:
    return der.seq(der.set_of(der.seq(der.oid("2.5.4.3"), der.utf8(text))))


def public_der(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(spki: bytes) -> bytes:
    """RFC 5280 section 4.2.1.2, method 1."""
    value = decode(spki, rfc5280.SubjectPublicKeyInfo(), "public key")
    return hashlib.sha1(value["subjectPublicKey"].asOctets()).digest()


def extension(oid: str, value: bytes, critical: bool = False) -> bytes:
    return der.seq(der.oid(oid), der.true() if critical else b"",
                   der.octets(value))


def key_usage(*bit_numbers: int) -> bytes:
    value = sum(0x80 >> bit for bit in bit_numbers)
    return der.bits(bytes([value]), 7 - max(bit_numbers))


def same_name(one: bytes, other: bytes) -> bool:
    """RFC 5280 section 7.1, whatever the string types are."""
    return one == other or folded(one) == folded(other)


def folded(name: bytes) -> list[set]:
    rdns = decode(name, rfc5280.Name(), "Name").getComponent()
    return [{(str(a["type"]), bytes(a["value"])[1:].lower()) for a in rdn}
            for rdn in rdns]


def sign_ecdsa(key, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def signed(key, tbs: bytes) -> bytes:
    """SEQUENCE { tbs, ecdsa-with-SHA256, signature }"""
    return der.seq(tbs, der.algorithm(N.ECDSA_SHA256),
                   der.bits(sign_ecdsa(key, tbs)))


def make_certificate(issuer_key, issuer: bytes, subject: bytes, spki: bytes,
                     extensions: list[bytes], serial: int) -> bytes:
    start, end = now() - DAY, now() + 365 * DAY
    return signed(issuer_key, der.seq(
        der.context(0, der.integer(2)), der.integer(serial),
        der.algorithm(N.ECDSA_SHA256), issuer,
        der.seq(der.utc_time(start), der.utc_time(end)), subject, spki,
        der.context(3, der.seq(*extensions))))


def new_serial() -> int:
    return secrets.randbits(126) | 1 << 126


def pem(data: bytes, label: str = "CERTIFICATE") -> bytes:
    text = base64.encodebytes(data).replace(b"\n", b"")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return (f"-----BEGIN {label}-----\n".encode() + b"\n".join(lines) +
            f"\n-----END {label}-----\n".encode())


def from_pem(data: bytes) -> bytes:
    if not data.startswith(b"-----"):
        return data
    lines = data.split(b"-----END")[0].split(b"\n")[1:]
    return base64.b64decode(b"".join(lines))


class Signer:
    """A private key and its certificate."""

    def __init__(self, directory: str, name: str):
        with open(os.path.join(directory, name + ".key"), "rb") as f:
            self.key = serialization.load_pem_private_key(f.read(), None)
        with open(os.path.join(directory, name + ".pem"), "rb") as f:
            self.cert = Certificate(from_pem(f.read()))

    def sign(self, data: bytes) -> bytes:
        return sign_ecdsa(self.key, data)


class Authority:
    """A CA (EC P-256) in a folder, made there when it is not yet."""

    def __init__(self, directory: str):
        self.dir = directory
        for sub in ("issued", "published", "messages"):
            os.makedirs(os.path.join(directory, sub), exist_ok=True)
        if not os.path.exists(self.path("ca.pem")):
            self.make()
        self.ca = Signer(directory, "ca")
        self.responder = Signer(directory, "responder")
        self.encrypt = Signer(directory, "encrypt")
        self.agree = Signer(directory, "agree")
        self.anchor = Signer(directory, "anchor")
        self.issued: dict[int, Certificate] = {}
        self.about: dict[str, dict] = self.load("about.json", {})
        self.revoked: dict[str, dict] = self.load("revoked.json", {})
        for name in sorted(os.listdir(self.path("issued"))):
            with open(self.path("issued", name), "rb") as f:
                cert = Certificate(from_pem(f.read()))
            self.issued[cert.serial] = cert
        self.write_crl()

    def path(self, *names: str) -> str:
        return os.path.join(self.dir, *names)

    def write(self, name: str, data: bytes) -> None:
        with open(self.path(name + ".new"), "wb") as f:
            f.write(data)
        os.replace(self.path(name + ".new"), self.path(name))

    def load(self, name: str, default):
        try:
            with open(self.path(name)) as f:
                return json.load(f)
        except FileNotFoundError:
            return default

    # --- the authority's own ------------------------------------------------

    def write_key(self, name: str, key) -> None:
        self.write(name + ".key", key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))

    def make_root(self, name: str, subject: str):
        key = ec.generate_private_key(ec.SECP256R1())
        spki = public_der(key)
        exts = [extension(N.BASIC_CONSTRAINTS, der.seq(der.true()), True),
                extension(N.KEY_USAGE, key_usage(5, 6), True),
                extension(N.SKI, der.octets(key_id(spki)))]
        dn = common_name(subject)
        self.write_key(name, key)
        self.write(name + ".pem", pem(make_certificate(
            key, dn, dn, spki, exts, new_serial())))
        return key, dn

    def make_leaf(self, name: str, root, subject: bytes, key,
                  *exts: bytes) -> None:
        ca_key, ca_name = root
        spki = public_der(key)
        self.write_key(name, key)
        self.write(name + ".pem", pem(make_certificate(
            ca_key, ca_name, subject, spki,
            [*exts, extension(N.SKI, der.octets(key_id(spki))),
             extension(N.AKI, der.seq(der.primitive(
                 0, key_id(public_der(ca_key)))))], new_serial())))

    def make(self) -> None:
        """ca.pem comes last: it says that all are there."""
        p256 = lambda: ec.generate_private_key(ec.SECP256R1())  # noqa: E731
        signs = extension(N.KEY_USAGE, key_usage(0), True)
        cmc_ca = extension(N.EKU, der.seq(der.oid(N.KP_CMC_CA)))
        self.make_root("anchor", "Peer CA to come")
        foreign = self.make_root("foreign-ca", NAME)
        self.make_leaf("foreign", foreign, foreign[1], p256(), signs, cmc_ca)
        root = self.make_root("root", NAME)
        self.make_leaf("responder", root, root[1], p256(), signs, cmc_ca)
        self.make_leaf("nobody", root, common_name("Nobody in particular"),
                       p256(), signs)
        self.make_leaf("encrypt", root, common_name("Peer CA, encryption"),
                       rsa.generate_private_key(65537, 2048),
                       extension(N.KEY_USAGE, key_usage(2), True))
        self.make_leaf("agree", root, common_name("Peer CA, agreement"),
                       p256(), extension(N.KEY_USAGE, key_usage(4), True))
        host = extension(N.SAN, der.seq(
            der.primitive(2, b"localhost"),
            der.primitive(7, bytes([127, 0, 0, 1]))))
        self.make_leaf("tls", root, common_name("localhost"), p256(), signs,
                       extension(N.EKU, der.seq(der.oid(N.KP_SERVER))), host)
        os.rename(self.path("root.key"), self.path("ca.key"))
        os.rename(self.path("root.pem"), self.path("ca.pem"))

    # --- issuing ------------------------------------------------------------

    def issue(self, subject: bytes, spki: bytes,
              extensions: list[tuple[str, bool, bytes]],
              about: dict) -> Certificate:
        """What was asked for, but for being a CA and for its issuer's key."""
        exts = [extension(oid, value, critical)
                for oid, critical, value in extensions
                if oid not in (N.AKI, N.BASIC_CONSTRAINTS)]
        exts.append(extension(N.BASIC_CONSTRAINTS, der.seq(), True))
        exts.append(extension(N.AKI, der.seq(der.primitive(
            0, self.ca.cert.ski))))
        if not any(oid == N.SKI for oid, _, _ in extensions):
            exts.append(extension(N.SKI, der.octets(key_id(spki))))
        cert = Certificate(make_certificate(
            self.ca.key, self.ca.cert.subject, subject, spki, exts,
            new_serial()))
        self.issued[cert.serial] = cert
        self.about[f"{cert.serial:x}"] = about
        self.write("about.json", json.dumps(self.about, indent=1).encode())
        self.write(f"issued/{cert.serial:x}.pem", pem(cert.der))
        return cert

    def find(self, issuer: bytes, serial: int) -> Certificate | None:
        certs = [self.ca.cert, self.responder.cert, self.encrypt.cert,
                 self.agree.cert, *self.issued.values()]
        return next((c for c in certs
                     if c.serial == serial and same_name(c.issuer, issuer)),
                    None)

    def find_ski(self, ski: bytes) -> Certificate | None:
        found = [c for c in self.issued.values() if c.ski == ski]
        return min(found, key=self.is_revoked, default=None)

    def is_revoked(self, cert: Certificate) -> bool:
        return f"{cert.serial:x}" in self.revoked

    def revoke(self, serial: int, reason: int) -> None:
        self.revoked[f"{serial:x}"] = {
            "reason": reason, "time": now().strftime("%y%m%d%H%M%SZ")}
        self.write("revoked.json", json.dumps(self.revoked).encode())
        self.write_crl()

    def write_crl(self) -> None:
        self.crl = self.make_crl(self.ca.key, now())
        self.write("ca.crl", pem(self.crl, "X509 CRL"))

    def make_crl(self, key, since) -> bytes:
        entries = [der.seq(
            der.integer(int(serial, 16)),
            der.tlv(0x17, entry["time"].encode()),
            der.seq(extension(N.CRL_REASON, der.enumerated(entry["reason"])))
            if entry["reason"] else b"")
            for serial, entry in self.revoked.items()]
        exts = der.seq(
            extension(N.AKI, der.seq(der.primitive(0, self.ca.cert.ski))),
            extension(N.CRL_NUMBER, der.integer(1 + len(self.revoked))))
        return signed(key, der.seq(
            der.integer(1), der.algorithm(N.ECDSA_SHA256),
            self.ca.cert.subject, der.utc_time(since),
            der.utc_time(since + 7 * DAY),
            der.seq(*entries) if entries else b"", der.context(0, exts)))

    def publish(self, cert: Certificate, published: bool) -> None:
        path = self.path("published", f"{cert.serial:x}.pem")
        if published:
            self.write(f"published/{cert.serial:x}.pem", pem(cert.der))
        elif os.path.exists(path):
            os.remove(path)

