# SPDX-License-Identifier: BSD-2-Clause
"""Recomputes signatures, MACs and proofs of possession and of identity."""
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed25519, ed448, padding, rsa)
from pyasn1.type import univ
from pyasn1_modules import rfc4055, rfc5280, rfc5652

import der
import names as N
from messages import (BadMessage, Layer, Request, algorithm, decode,
                      decode_octets, encode, sequence)

HASH_CLASSES = {"sha1": hashes.SHA1, "sha224": hashes.SHA224,
                "sha256": hashes.SHA256, "sha384": hashes.SHA384,
                "sha512": hashes.SHA512}
# identityProofV2, popLinkWitnessV2: two algorithms and the witness
WITNESS = sequence(("hash", rfc5280.AlgorithmIdentifier()),
                   ("mac", rfc5280.AlgorithmIdentifier()),
                   ("witness", univ.OctetString()))
PBKDF2_PARAMS = sequence(
    ("salt", univ.OctetString()), ("rounds", univ.Integer()),
    ("length?", univ.Integer()), ("prf?", rfc5280.AlgorithmIdentifier()))
# RFC 6955 section 4
STATIC_POP = sequence(("issuer?", rfc5652.IssuerAndSerialNumber()),
                      ("value", univ.OctetString()))


class Wrong(Exception):
    """A proof does not hold."""


def hash_name(oid: str) -> str:
    if oid not in N.HASHES:
        raise Wrong(f"hash {oid} is unknown")
    return N.HASHES[oid]


def plain(value, table: dict, what: str) -> str:
    """An algorithm without parameters: absent, or NULL (RFC 5754, 6268)."""
    oid, params = algorithm(value)
    if oid not in table:
        raise Wrong(f"{what} {oid} is unknown")
    if params not in (None, der.null()):
        raise Wrong(f"{what} {oid} with parameters")
    return table[oid]


def hash_algorithm(value) -> str:
    return plain(value, N.HASHES, "hash")


def mac_algorithm(value) -> str:
    return plain(value, N.MACS, "MAC")


def digest_of(name: str, data: bytes) -> bytes:
    if name == "shake256":  # 512 bits, as RFC 8419 has it for Ed448
        return hashlib.shake_256(data).digest(64)
    return hashlib.new(name, data).digest()


def signer_digest(value) -> str:
    oid, params = algorithm(value)
    if oid == N.SHAKE256_LEN and params == der.integer(512):
        return "shake256"
    return hash_algorithm(value)


def mac(name: str, key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, name).digest()


def load_key(spki: bytes):
    try:
        return serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as e:
        raise Wrong(f"public key: {e}") from e


# --- signatures -------------------------------------------------------------

def pss_parameters(params: bytes | None):
    value = decode(params or b"\x30\x00", rfc4055.RSASSA_PSS_params(), "PSS")
    hash_ = HASH_CLASSES[hash_name(str(value["hashAlgorithm"]["algorithm"]))]
    mgf = decode(bytes(value["maskGenAlgorithm"]["parameters"]),
                 rfc5280.AlgorithmIdentifier(), "MGF1")
    mgf_hash = HASH_CLASSES[hash_name(str(mgf["algorithm"]))]
    return padding.PSS(padding.MGF1(mgf_hash()),
                       int(value["saltLength"])), hash_()


def check_parameters(oid: str, params: bytes | None) -> None:
    """RSA: NULL there (RFC 4055); ECDSA, EdDSA: absent."""
    if oid in N.RSA_SIGNATURES or oid == N.RSA_ENCRYPTION:
        if params != der.null():
            raise Wrong("parameters of the RSA signature are not NULL")
    elif oid != N.RSA_PSS and params is not None:
        raise Wrong("parameters of the signature algorithm are not absent")


def verify(spki: bytes, alg: tuple[str, bytes | None], data: bytes,
           signature: bytes, digest: str = "") -> str:
    """Verifies; gives the name of the algorithm."""
    oid, params = alg
    key = load_key(spki)
    check_parameters(oid, params)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            name = N.RSA_SIGNATURES.get(oid, digest)
            if oid == N.RSA_PSS:
                pad, hash_ = pss_parameters(params)
                name = "pss-" + hash_.name
            elif oid in N.RSA_SIGNATURES or oid == N.RSA_ENCRYPTION and name:
                pad, hash_ = padding.PKCS1v15(), HASH_CLASSES[name]()
            else:
                raise Wrong(f"{oid} is no signature of an RSA key")
            key.verify(signature, data, pad, hash_)
            return "rsa-" + name
        if isinstance(key, ec.EllipticCurvePublicKey):
            if oid not in N.ECDSA_SIGNATURES:
                raise Wrong(f"{oid} is no signature of an EC key")
            name = N.ECDSA_SIGNATURES[oid]
            key.verify(signature, data, ec.ECDSA(HASH_CLASSES[name]()))
            return "ecdsa-" + name
        for kind, name, its in ((ed25519.Ed25519PublicKey, "ed25519",
                                 N.ED25519),
                                (ed448.Ed448PublicKey, "ed448", N.ED448)):
            if isinstance(key, kind):
                if oid != its:
                    raise Wrong(f"{oid} is no signature of an {name} key")
                key.verify(signature, data)
                return name
    except InvalidSignature as e:
        raise Wrong("signature does not verify") from e
    raise Wrong("this key cannot sign")


def signed_attributes(info) -> dict[str, list[bytes]]:
    return {str(a["attrType"]): [bytes(v) for v in a["attrValues"]]
            for a in info}


def check_attributes(attributes, type_: str, content: bytes,
                     digest: str) -> None:
    """content-type and message-digest (RFC 5652 sections 11.1, 11.2)."""
    found = signed_attributes(attributes)
    if found.get(N.CONTENT_TYPE) != [der.oid(type_)]:
        raise Wrong("content-type attribute")
    if found.get(N.MESSAGE_DIGEST) != [
            der.octets(digest_of(digest, content))]:
        raise Wrong("message-digest attribute")


def universal_set(attributes) -> bytes:
    """What is signed: the DER of a SET OF, not of the [n] on the wire."""
    return der.retag(encode(attributes), 0x31)


def check_version(layer: Layer) -> None:
    """RFC 5652 section 5.1, for what CMC has in SignedData."""
    version = int(layer.value["version"])
    if version != (1 if layer.type == N.DATA else 3):
        raise Wrong(f"version {version} of SignedData")


def verify_signer(info, layer: Layer, spki: bytes) -> str:
    """One SignerInfo with this key."""
    oid, params = algorithm(info["signatureAlgorithm"])
    digest = signer_digest(info["digestAlgorithm"])
    kind = info["sid"].getName()
    if int(info["version"]) != (3 if kind == "subjectKeyIdentifier" else 1):
        raise Wrong(f"SignerInfo version {info['version']} with {kind}")
    if not info["signedAttrs"].isValue:
        raise Wrong("no signedAttrs")
    if digest not in [signer_digest(a)
                      for a in layer.value["digestAlgorithms"]]:
        raise Wrong("digestAlgorithms lacks the signer's")
    check_attributes(info["signedAttrs"], layer.type, layer.content, digest)
    if oid == N.NO_SIGNATURE:
        return "no-signature"
    data = universal_set(info["signedAttrs"])
    name = verify(spki, (oid, params), data, info["signature"].asOctets(),
                  digest)
    # RFC 8419: so when there are signedAttrs
    its = {"ed25519": "sha512", "ed448": "shake256"}.get(
        name, name.split("-")[-1])
    if its != digest:
        raise Wrong(f"digestAlgorithm {digest} with {name}")
    return name


def sid_text(info) -> tuple[str, bytes]:
    """How a SignerInfo names its signer."""
    sid = info["sid"]
    if sid.getName() == "subjectKeyIdentifier":
        return "ski", sid.getComponent().asOctets()
    value = sid.getComponent()
    return "issuer", encode(value["issuer"]) + encode(value["serialNumber"])


# --- identity and linking (RFC 10002 sections 6.2 and 6.3) ------------------

def identity_v2(value: bytes, secret: str, identification: str | None,
                req_sequence: bytes) -> dict:
    proof = decode(value, WITNESS, "identityProofV2")
    hash_ = hash_algorithm(proof["hash"])
    mac_ = mac_algorithm(proof["mac"])
    key = hashlib.new(hash_, (secret + (identification or "")).encode())
    if mac(mac_, key.digest(), req_sequence) != proof["witness"].asOctets():
        raise Wrong("identityProofV2 does not verify")
    return {"hash": hash_, "mac": mac_}


def identity_v1(value: bytes, secret: str, identification: str | None,
                req_sequence: bytes) -> dict:
    key = hashlib.sha1((secret + (identification or "")).encode()).digest()
    if mac("sha1", key, req_sequence) != decode_octets(value):
        raise Wrong("identityProof does not verify")
    return {"hash": "sha1", "mac": "sha1"}


def pbkdf2(params: bytes, password: bytes, length: int) -> bytes:
    value = decode(params, PBKDF2_PARAMS, "PBKDF2")
    prf = "sha1"
    if value["prf"].isValue:
        prf = mac_algorithm(value["prf"])
    if value["length"].isValue:
        length = int(value["length"])
    if int(value["rounds"]) > 10_000_000:
        raise Wrong("too many rounds of PBKDF2")
    return hashlib.pbkdf2_hmac(prf, password, value["salt"].asOctets(),
                               int(value["rounds"]), length)


def pop_link_v2(value: bytes, secret: str, identification: str | None,
                random: bytes) -> dict:
    """The key is of the secret alone; some take the identification in."""
    link = decode(value, WITNESS, "popLinkWitnessV2")
    gen, params = algorithm(link["hash"])
    mac_ = mac_algorithm(link["mac"])
    for form, text in (("secret", secret),
                       ("secret+identification",
                        secret + (identification or ""))):
        if gen == N.PBKDF2:
            key = pbkdf2(params, text.encode(), hashlib.new(mac_).digest_size)
        else:
            key = hashlib.new(hash_name(gen), text.encode()).digest()
        if mac(mac_, key, random) == link["witness"].asOctets():
            return {"keygen": "pbkdf2" if gen == N.PBKDF2 else N.HASHES[gen],
                    "mac": mac_, "key": form}
    raise Wrong("popLinkWitnessV2 does not verify")


def pop_link_v1(value: bytes, secret: str, identification: str | None,
                random: bytes) -> dict:
    for form, text in (("secret", secret),
                       ("secret+identification",
                        secret + (identification or ""))):
        key = hashlib.sha1(text.encode()).digest()
        if mac("sha1", key, random) == decode_octets(value):
            return {"keygen": "sha1", "mac": "sha1", "key": form}
    raise Wrong("popLinkWitness does not verify")


# --- proof of possession in a request ---------------------------------------

def static_ecdh(hash_: str, private, cert, spki: bytes) -> bytes:
    """RFC 6955 section 6: K = H(subject | ZZ | issuer)."""
    public = load_key(spki)
    if (not isinstance(public, ec.EllipticCurvePublicKey) or
            public.curve.name != private.curve.name):
        raise Wrong("static ECDH needs a key on the authority's curve")
    shared = private.exchange(ec.ECDH(), public)
    return hashlib.new(hash_, cert.subject + shared + cert.issuer).digest()


def verify_agreement(request: Request, private, cert) -> str:
    oid, params = request.algorithm
    if oid not in N.ECDH_POP:
        raise Wrong(f"agreement by {oid}")
    if params is not None:
        raise Wrong("parameters of static ECDH must be absent")
    hash_ = N.ECDH_POP[oid]
    key = static_ecdh(hash_, private, cert, request.spki)
    expected = mac(hash_, key, request.signed)
    if request.form == "crmf" and request.signature == expected:
        return f"static-ecdh-{hash_} (bare MAC)"
    try:
        value = decode(request.signature, STATIC_POP, "DhSigStatic")
    except BadMessage as e:
        raise Wrong(str(e)) from e
    if value["issuer"].isValue:
        named = value["issuer"]
        if (encode(named["issuer"]) != cert.issuer or
                int(named["serialNumber"]) != cert.serial):
            raise Wrong("static ECDH with another certificate")
    if value["value"].asOctets() != expected:
        raise Wrong("static ECDH does not verify")
    return f"static-ecdh-{hash_}"


def verify_no_signature(request: Request) -> str:
    """RFC 10002 appendix C: an OCTET STRING nobody needs to believe."""
    if request.algorithm[1] != der.null():
        raise Wrong("parameters of id-alg-noSignature are not NULL")
    value = decode_octets(request.signature)
    if len(value) not in (20, 32, 48, 64):
        raise Wrong("id-alg-noSignature around what is no hash")
    return "no-signature"


def verify_pop(request: Request, agree_key=None, agree_cert=None) -> str:
    """What the request proves by itself; "later" when it proves nothing."""
    if request.popo == "signature":
        return verify(request.spki, request.algorithm, request.signed,
                      request.signature)
    if request.popo == "agreement":
        if agree_key is None:
            raise Wrong("agreement, and no key of the authority to check it")
        return verify_agreement(request, agree_key, agree_cert)
    if request.popo == "no-signature":
        verify_no_signature(request)
        return "later"
    if request.popo.startswith("challenge-"):
        return "later"
    raise Wrong(f"proof of possession: {request.popo}")


# --- AuthenticatedData (RFC 5652 section 9) ---------------------------------

def unwrap_mac_key(data, password: bytes) -> tuple[bytes, dict]:
    if len(data["recipientInfos"]) != 1:
        raise Wrong("not one RecipientInfo")
    recipient = data["recipientInfos"][0]
    if recipient.getName() != "pwri":
        raise Wrong("no PasswordRecipientInfo")
    recipient = recipient.getComponent()
    if int(recipient["version"]) != 0:
        raise Wrong("version of PasswordRecipientInfo")
    if not recipient["keyDerivationAlgorithm"].isValue:
        raise Wrong("no keyDerivationAlgorithm")
    kdf, params = algorithm(recipient["keyDerivationAlgorithm"])
    wrap, wrap_params = algorithm(recipient["keyEncryptionAlgorithm"])
    if kdf != N.PBKDF2 or wrap not in N.AES_WRAPS or wrap_params is not None:
        raise Wrong("not PBKDF2 and AES key wrap")
    kek = pbkdf2(params, password, N.AES_WRAPS[wrap])
    try:
        key = keywrap.aes_key_unwrap(kek,
                                     recipient["encryptedKey"].asOctets())
    except keywrap.InvalidUnwrap as e:
        raise Wrong("the secret does not unwrap the MAC key") from e
    value = decode(params, PBKDF2_PARAMS, "PBKDF2")
    return key, {"rounds": int(value["rounds"]),
                 "wrap": 8 * N.AES_WRAPS[wrap]}


def verify_mac(layer: Layer, password: bytes) -> dict:
    """password: identification and, behind it, the secret."""
    data = layer.value
    if int(data["version"]) != 0:
        raise Wrong("version of AuthenticatedData")
    key, info = unwrap_mac_key(data, password)
    mac_ = mac_algorithm(data["macAlgorithm"])
    if not data["digestAlgorithm"].isValue or not data["authAttrs"].isValue:
        raise Wrong("AuthenticatedData without digestAlgorithm or authAttrs")
    digest = hash_algorithm(data["digestAlgorithm"])
    check_attributes(data["authAttrs"], layer.type, layer.content, digest)
    expected = mac(mac_, key, universal_set(data["authAttrs"]))
    if expected != data["mac"].asOctets():
        raise Wrong("MAC does not verify")
    return {"mac": mac_, "digest": digest, **info}
