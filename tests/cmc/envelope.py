# SPDX-License-Identifier: BSD-2-Clause
"""Makes and opens the envelopes of CMS (RFC 5652, RFC 5083, RFC 5753)."""
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import (
    ec, padding, rsa, x448, x25519)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from pyasn1.type import univ
from pyasn1_modules import rfc4055, rfc5280

import der
import names as N
from issue import now, public_der
from messages import algorithm, decode, encode, sequence
from proofs import (HASH_CLASSES, Wrong, hash_name, mac, signed_attributes,
                    universal_set)

GCM_PARAMS = sequence(("nonce", univ.OctetString()),
                      ("length?", univ.Integer()))
AES256_WRAP = "2.16.840.1.101.3.4.1.45"


def content_info(type_: str, content: bytes) -> bytes:
    return der.seq(der.oid(type_), der.context(0, content))


def attribute(oid: str, value: bytes) -> bytes:
    return der.seq(der.oid(oid), der.set_of(value))


# --- SignedData -------------------------------------------------------------

def attributes(type_: str, content: bytes, digest: str, when=None) -> bytes:
    return der.set_of(
        attribute(N.CONTENT_TYPE, der.oid(type_)),
        attribute(N.MESSAGE_DIGEST,
                  der.octets(hashlib.new(digest, content).digest())),
        attribute(N.SIGNING_TIME, der.utc_time(when or now())))


def signer_info(signer, type_: str, content: bytes, when=None) -> bytes:
    """ECDSA with SHA-256, named by issuer and serial number."""
    attrs = attributes(type_, content, "sha256", when)
    return der.seq(
        der.integer(1),
        der.seq(signer.cert.issuer, der.integer(signer.cert.serial)),
        der.algorithm(N.HASH_OIDS["sha256"]), der.retag(attrs, 0xa0),
        der.algorithm(N.ECDSA_SHA256), der.octets(signer.sign(attrs)))


def signed_data(type_: str, content: bytes | None, infos: list[bytes],
                certs: list[bytes], crls: list[bytes] = (),
                ber: bool = False) -> bytes:
    """ContentInfo of SignedData; ber: as an old streaming peer writes it."""
    octets = der.chunked_octets if ber else der.octets
    wrap = der.indefinite if ber else der.tlv
    econtent = b"" if content is None else wrap(0xa0, octets(content))
    parts = [
        der.integer(3 if content is not None else 1),
        der.set_of(*[der.algorithm(N.HASH_OIDS["sha256"])] if infos else []),
        wrap(0x30, der.oid(type_), econtent),
        wrap(0xa0, *sorted(set(certs))) if certs else b"",
        wrap(0xa1, *sorted(crls)) if crls else b"",
        der.set_of(*infos)]
    return wrap(0x30, der.oid(N.SIGNED), wrap(0xa0, wrap(0x30, *parts)))


def certs_only(certs: list[bytes], crls: list[bytes] = (),
               ber: bool = False) -> bytes:
    return signed_data(N.DATA, None, [], certs, crls, ber)


# --- AuthenticatedData ------------------------------------------------------

def authenticated_data(type_: str, content: bytes, password: bytes,
                       certs: list[bytes] = (), hash_: str = "sha256",
                       rounds: int = 10000) -> bytes:
    """For one PasswordRecipientInfo; certs go into originatorInfo."""
    wrap, size = ("2.16.840.1.101.3.4.1.5", 16) if hash_ == "sha1" else (
        AES256_WRAP, 32)
    salt, key = os.urandom(16), os.urandom(32)
    kek = hashlib.pbkdf2_hmac(hash_, password, salt, rounds, size)
    prf = (b"" if hash_ == "sha1"
           else der.algorithm(N.MAC_OIDS[hash_], der.null()))
    kdf = der.seq(der.oid(N.PBKDF2), der.seq(
        der.octets(salt), der.integer(rounds), prf))
    recipient = der.context(
        3, der.integer(0), der.retag(kdf, 0xa0), der.algorithm(wrap),
        der.octets(keywrap.aes_key_wrap(kek, key)))
    attrs = attributes(type_, content, hash_)
    originator = der.context(0, der.context(0, *sorted(certs))) \
        if certs else b""
    return content_info(N.AUTHENTICATED, der.seq(
        der.integer(0), originator, der.set_of(recipient),
        der.algorithm(N.MAC_OIDS[hash_]),
        der.retag(der.algorithm(N.HASH_OIDS[hash_]), 0xa1),
        der.seq(der.oid(type_), der.context(0, der.octets(content))),
        der.retag(attrs, 0xa2), der.octets(mac(hash_, key, attrs))))


# --- EnvelopedData: making ---------------------------------------------------

def rid(ski: bytes | None, serial: int, explicit_ski: int = 0x80) -> bytes:
    """By key id, or by an empty issuer and a body part id (RFC 10002
    section 6.7). In RecipientEncryptedKey the key id is a SEQUENCE."""
    if ski is None:
        return der.seq(der.seq(), der.integer(serial))
    if explicit_ski == 0xa0:
        return der.context(0, der.octets(ski))
    return der.tlv(explicit_ski, ski)


def key_transport(key, name: tuple, cek: bytes, oaep: bool) -> bytes:
    if oaep:
        pad = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(),
                           None)
        sha = der.algorithm(N.HASH_OIDS["sha256"])
        alg = der.algorithm(N.RSA_OAEP, der.seq(
            der.context(0, sha),
            der.context(1, der.algorithm(N.MGF1, sha))))
    else:
        pad = padding.PKCS1v15()
        alg = der.algorithm(N.RSA_ENCRYPTION, der.null())
    return der.seq(der.integer(2 if name[0] is not None else 0), rid(*name),
                   alg, der.octets(key.encrypt(cek, pad)))


def shared_info(wrap: bytes, size: int, ukm: bytes | None = None) -> bytes:
    """ECC-CMS-SharedInfo (RFC 5753 section 7.2)."""
    return der.seq(
        wrap, der.context(0, der.octets(ukm)) if ukm else b"",
        der.context(2, der.octets((8 * size).to_bytes(4, "big"))))


def agree_with(public):
    """(shared secret, DER of the ephemeral public key)"""
    if isinstance(public, ec.EllipticCurvePublicKey):
        ephemeral = ec.generate_private_key(public.curve)
        return ephemeral.exchange(ec.ECDH(), public), public_der(ephemeral)
    kind = (x25519.X25519PrivateKey
            if isinstance(public, x25519.X25519PublicKey)
            else x448.X448PrivateKey)
    ephemeral = kind.generate()
    return ephemeral.exchange(public), public_der(ephemeral)


def key_agreement(key, name: tuple, cek: bytes) -> bytes:
    shared, spki = agree_with(key)
    wrap = der.algorithm(AES256_WRAP)
    kek = X963KDF(hashes.SHA256(), 32, shared_info(wrap, 32)).derive(shared)
    return der.context(
        1, der.integer(3), der.context(0, der.retag(spki, 0xa1)),
        der.algorithm(N.ECDH_X963_SHA256, wrap),
        der.seq(der.seq(rid(*name, 0xa0),
                        der.octets(keywrap.aes_key_wrap(kek, cek)))))


def can_decrypt(key) -> bool:
    return isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey,
                            x25519.X25519PublicKey, x448.X448PublicKey))


def enveloped_data(key, ski: bytes | None, serial: int, content: bytes,
                   type_: str = N.DATA, oaep: bool = False,
                   gcm: int = 0) -> bytes:
    """EnvelopedData (AES-256-CBC), or AuthEnvelopedData (AES-256-GCM) with
    an ICV of gcm octets."""
    cek = os.urandom(32)
    if isinstance(key, rsa.RSAPublicKey):
        recipient = key_transport(key, (ski, serial), cek, oaep)
    else:
        recipient = key_agreement(key, (ski, serial), cek)
    tag = b""
    if gcm:
        nonce = os.urandom(12)
        sealed = AESGCM(cek).encrypt(nonce, content, None)
        sealed, tag = sealed[:-16], der.octets(sealed[-16:][:gcm])
        # 12, which RFC 10004 asks for, is the DEFAULT: not written in DER,
        # where openssl 3.0 wants to see it
        alg = der.algorithm(N.AES256_GCM, der.seq(
            der.octets(nonce), b"" if gcm == 12 else der.integer(gcm)))
    else:
        iv = os.urandom(16)
        padder = block_padding.PKCS7(128).padder()
        padded = padder.update(content) + padder.finalize()
        engine = Cipher(algorithms.AES(cek), modes.CBC(iv)).encryptor()
        sealed = engine.update(padded) + engine.finalize()
        alg = der.algorithm(N.AES256_CBC, der.octets(iv))
    version = 2 if ski is not None or recipient[0] != 0x30 else 0
    return content_info(
        N.AUTH_ENVELOPED if gcm else N.ENVELOPED,
        der.seq(der.integer(0 if gcm else version), der.set_of(recipient),
                der.seq(der.oid(type_), alg, der.primitive(0, sealed)), tag))


# --- EnvelopedData: opening --------------------------------------------------

def open_key_transport(info, signer) -> bytes:
    alg, params = algorithm(info["keyEncryptionAlgorithm"])
    if alg == N.RSA_OAEP:
        hash_, mgf = oaep_hashes(params)
        pad = padding.OAEP(padding.MGF1(mgf), hash_, None)
    elif alg == N.RSA_ENCRYPTION:
        pad = padding.PKCS1v15()
    else:
        raise Wrong(f"key transport {alg}")
    return signer.key.decrypt(info["encryptedKey"].asOctets(), pad)


def oaep_hashes(params: bytes | None):
    value = decode(params or b"\x30\x00", rfc4055.RSAES_OAEP_params(), "OAEP")
    mgf = decode(bytes(value["maskGenFunc"]["parameters"]),
                 rfc5280.AlgorithmIdentifier(), "MGF1")
    hashes_ = [str(value["hashFunc"]["algorithm"]), str(mgf["algorithm"])]
    return [HASH_CLASSES[hash_name(oid)]() for oid in hashes_]


def open_key_agreement(info, signer) -> bytes:
    alg, params = algorithm(info["keyEncryptionAlgorithm"])
    if alg not in N.X963_KDFS:
        raise Wrong(f"key agreement {alg}")
    wrap = algorithm(decode(params, rfc5280.AlgorithmIdentifier(), "wrap"))
    size = N.AES_WRAPS[wrap[0]]
    origin = info["originator"]
    if origin.getName() != "originatorKey":
        raise Wrong("no ephemeral key")
    point = origin.getComponent()["publicKey"].asOctets()
    public = ec.EllipticCurvePublicKey.from_encoded_point(
        signer.key.curve, point)
    ukm = info["ukm"].asOctets() if info["ukm"].isValue else None
    kek = X963KDF(HASH_CLASSES[N.X963_KDFS[alg]](), size,
                  shared_info(params, size, ukm)).derive(
                      signer.key.exchange(ec.ECDH(), public))
    return keywrap.aes_key_unwrap(
        kek, info["recipientEncryptedKeys"][0]["encryptedKey"].asOctets())


class BareKey:
    """A key of which nobody knows what it is called."""

    def __init__(self, pem: bytes):
        self.key = serialization.load_pem_private_key(pem, None)
        self.cert = None


def names_signer(rid_, signer) -> bool:
    if signer.cert is None:
        return True
    value = rid_.getComponent()
    if rid_.getName() == "issuerAndSerialNumber":
        return (encode(value["issuer"]) == signer.cert.issuer and
                int(value["serialNumber"]) == signer.cert.serial)
    if rid_.getName() == "rKeyId":
        value = value["subjectKeyIdentifier"]
    return value.asOctets() == signer.cert.ski


def open_envelope(kind: str, data, signers: list) -> tuple[str, bytes]:
    """signers: keys with certificates, one of which is a recipient."""
    for recipient in data["recipientInfos"]:
        name, info = recipient.getName(), recipient.getComponent()
        for signer in signers:
            is_rsa = isinstance(signer.key, rsa.RSAPrivateKey)
            if name == "ktri" and is_rsa and names_signer(info["rid"],
                                                          signer):
                cek = open_key_transport(info, signer)
            elif name == "kari" and not is_rsa and names_signer(
                    info["recipientEncryptedKeys"][0]["rid"], signer):
                cek = open_key_agreement(info, signer)
            else:
                continue
            return open_content(kind, data, cek)
    raise Wrong("no RecipientInfo for the authority")


def authenticated_attributes(data, type_: str) -> bytes:
    """RFC 5083 section 2.1: there, with content-type, unless id-data."""
    if not data["authAttrs"].isValue:
        if type_ != N.DATA:
            raise Wrong("AuthEnvelopedData of more than data, no authAttrs")
        return b""
    found = signed_attributes(data["authAttrs"])
    if found.get(N.CONTENT_TYPE) != [der.oid(type_)]:
        raise Wrong("content-type attribute of AuthEnvelopedData")
    return universal_set(data["authAttrs"])


def open_content(kind: str, data, cek: bytes) -> tuple[str, bytes]:
    auth = kind == "auth-enveloped"
    info = data["authEncryptedContentInfo" if auth
                else "encryptedContentInfo"]
    type_ = str(info["contentType"])
    alg, params = algorithm(info["contentEncryptionAlgorithm"])
    sealed = info["encryptedContent"].asOctets()
    if auth:
        if N.AES_GCM.get(alg) != len(cek):
            raise Wrong(f"content encryption {alg}")
        gcm = decode(params, GCM_PARAMS, "GCM parameters")
        tag = data["mac"].asOctets()
        if len(tag) != (int(gcm["length"]) if gcm["length"].isValue else 12):
            raise Wrong("length of the GCM tag")
        attrs = authenticated_attributes(data, type_)
        engine = Cipher(algorithms.AES(cek), modes.GCM(
            gcm["nonce"].asOctets(), tag, len(tag))).decryptor()
        engine.authenticate_additional_data(attrs)
        try:
            return type_, engine.update(sealed) + engine.finalize()
        except InvalidTag as e:
            raise Wrong("AuthEnvelopedData does not open") from e
    if N.AES_CBC.get(alg) != len(cek):
        raise Wrong(f"content encryption {alg}")
    iv = decode(params, univ.OctetString(), "IV").asOctets()
    engine = Cipher(algorithms.AES(cek), modes.CBC(iv)).decryptor()
    padder = block_padding.PKCS7(128).unpadder()
    padded = engine.update(sealed) + engine.finalize()
    try:
        return type_, padder.update(padded) + padder.finalize()
    except ValueError as e:
        raise Wrong("EnvelopedData does not open") from e
