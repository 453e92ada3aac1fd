#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An independent reader of CMS messages (pyasn1, python3-cryptography).

cms_check.py KEYS FILE...: verifies the signature, checks the MAC, or decrypts,
with the keys in the folder KEYS; prints the SHA-256 of the content of each.
Exits with 1 when a message does not hold, with 77 when a package is missing.
"""
import hashlib
import hmac
import os
import sys

try:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
    from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
    from pyasn1.codec.ber import decoder
    from pyasn1.codec.der import encoder
    from pyasn1.type import namedtype, tag, univ
    from pyasn1_modules import rfc5083, rfc5084, rfc5652, rfc8018
except ImportError:
    sys.exit(77)

IDENTIFICATION, SECRET = b"alice", b"golden secret"
HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.18": "shake_256",
}
HMACS = {
    "1.3.6.1.5.5.8.1.2": "sha1",
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.11": "sha512",
}
WRAPS = {
    "2.16.840.1.101.3.4.1.5": 16,
    "2.16.840.1.101.3.4.1.25": 24,
    "2.16.840.1.101.3.4.1.45": 32,
}
NO_SIGNATURE = "1.3.6.1.5.5.7.6.2"


class SharedInfo(univ.Sequence):
    """ECC-CMS-SharedInfo without ukm (RFC 5753 section 7.2)."""

    componentType = namedtype.NamedTypes(
        namedtype.NamedType("wrap", univ.Any()),
        namedtype.NamedType(
            "bits",
            univ.OctetString().subtype(
                explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 2)
            ),
        ),
    )


def whole(data, spec):
    value, rest = decoder.decode(data, asn1Spec=spec)
    assert not rest, "trailing bytes"
    return value


def digest(name, data):
    h = hashlib.new(name, data)
    return h.digest(64) if name == "shake_256" else h.digest()


def to_set(attrs):
    """The DER SET OF of attributes that came with a context tag."""
    der = sorted(encoder.encode(a) for a in attrs)
    body = b"".join(der)
    if len(body) < 128:
        return b"\x31" + bytes([len(body)]) + body
    n = (len(body).bit_length() + 7) // 8
    return b"\x31" + bytes([0x80 | n]) + len(body).to_bytes(n, "big") + body


def attribute(attrs, oid):
    found = [a for a in attrs if str(a["attrType"]) == oid]
    assert len(found) == 1 and len(found[0]["attrValues"]) == 1, oid
    return bytes(found[0]["attrValues"][0])


def check_attributes(attrs, content_type, name, content):
    said = whole(attribute(attrs, "1.2.840.113549.1.9.3"), univ.ObjectIdentifier())
    assert said == content_type, "content type"
    said = whole(attribute(attrs, "1.2.840.113549.1.9.4"), univ.OctetString())
    assert bytes(said) == digest(name, content), "message digest"


def load(keys, name):
    with open(os.path.join(keys, name), "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def signed(keys, data, name):
    sd = whole(data, rfc5652.SignedData())
    assert sd["version"] == 3 and len(sd["signerInfos"]) == 1
    content = bytes(sd["encapContentInfo"]["eContent"])
    si = sd["signerInfos"][0]
    by_key = si["sid"].getName() == "subjectKeyIdentifier"
    assert si["version"] == (3 if by_key else 1)
    hash_name = HASHES[str(si["digestAlgorithm"]["algorithm"])]
    check_attributes(
        si["signedAttrs"],
        sd["encapContentInfo"]["eContentType"],
        hash_name,
        content,
    )
    tbs, signature = to_set(si["signedAttrs"]), bytes(si["signature"])
    if str(si["signatureAlgorithm"]["algorithm"]) == NO_SIGNATURE:
        assert bytes(si["signatureAlgorithm"]["parameters"]) == b"\x05\x00"
        assert whole(signature, univ.OctetString()) == digest("sha1", tbs)
        return content
    kind = name.split("-")[1].split(".")[0]
    pub = load(keys, kind + ".pem").public_key()
    if kind == "rsa":
        pub.verify(signature, tbs, padding.PKCS1v15(), hashes.SHA256())
    elif kind == "ec":
        pub.verify(signature, tbs, ec.ECDSA(hashes.SHA256()))
    else:
        pub.verify(signature, tbs)
    return content


def authenticated(data):
    ad = whole(data, rfc5652.AuthenticatedData())
    assert ad["version"] == 0 and len(ad["recipientInfos"]) == 1
    pwri = ad["recipientInfos"][0]["pwri"]
    derivation = pwri["keyDerivationAlgorithm"]
    p = whole(bytes(derivation["parameters"]), rfc8018.PBKDF2_params())
    prf = HMACS[str(p["prf"]["algorithm"])] if p["prf"].isValue else "sha1"
    wrap = pwri["keyEncryptionAlgorithm"]
    kek = hashlib.pbkdf2_hmac(
        prf,
        IDENTIFICATION + SECRET,
        bytes(p["salt"]["specified"]),
        int(p["iterationCount"]),
        WRAPS[str(wrap["algorithm"])],
    )
    key = aes_key_unwrap(kek, bytes(pwri["encryptedKey"]))
    mac_name = HMACS[str(ad["macAlgorithm"]["algorithm"])]
    mac = hmac.new(key, to_set(ad["authAttrs"]), mac_name).digest()
    assert hmac.compare_digest(mac, bytes(ad["mac"])), "MAC"
    content = bytes(ad["encapContentInfo"]["eContent"])
    check_attributes(
        ad["authAttrs"],
        ad["encapContentInfo"]["eContentType"],
        HASHES[str(ad["digestAlgorithm"]["algorithm"])],
        content,
    )
    return content


def content_key(keys, recipients, name):
    assert len(recipients) == 1
    key = load(keys, name.split("-")[1].split(".")[0] + ".pem")
    kind = recipients[0].getName()
    if kind == "ktri":
        pad = padding.PKCS1v15()
        if "oaep" in name:
            pad = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return key.decrypt(bytes(recipients[0]["ktri"]["encryptedKey"]), pad)
    assert kind == "kari"
    kari = recipients[0]["kari"]
    assert kari["version"] == 3
    assert str(kari["keyEncryptionAlgorithm"]["algorithm"]) == "1.3.132.1.11.1"
    wrap = bytes(kari["keyEncryptionAlgorithm"]["parameters"])
    point = kari["originator"]["originatorKey"]["publicKey"].asOctets()
    if "x25519" in name:
        shared = key.exchange(x25519.X25519PublicKey.from_public_bytes(point))
    else:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point)
        shared = key.exchange(ec.ECDH(), peer)
    info = SharedInfo()
    info["wrap"] = wrap
    info["bits"] = (256).to_bytes(4, "big")
    kek = X963KDF(hashes.SHA256(), 32, encoder.encode(info)).derive(shared)
    return aes_key_unwrap(kek, bytes(kari["recipientEncryptedKeys"][0]["encryptedKey"]))


def enveloped(keys, data, name):
    env = whole(data, rfc5652.EnvelopedData())
    key = content_key(keys, env["recipientInfos"], name)
    enc = env["encryptedContentInfo"]
    iv = whole(bytes(enc["contentEncryptionAlgorithm"]["parameters"]), univ.OctetString())
    d = Cipher(algorithms.AES(key), modes.CBC(bytes(iv))).decryptor()
    plain = d.update(bytes(enc["encryptedContent"])) + d.finalize()
    assert 1 <= plain[-1] <= 16 and plain[-plain[-1] :] == plain[-1:] * plain[-1]
    return plain[: -plain[-1]]


def auth_enveloped(keys, data, name):
    env = whole(data, rfc5083.AuthEnvelopedData())
    key = content_key(keys, env["recipientInfos"], name)
    enc = env["authEncryptedContentInfo"]
    p = whole(bytes(enc["contentEncryptionAlgorithm"]["parameters"]), rfc5084.GCMParameters())
    assert len(p["aes-nonce"]) == 12 and p["aes-ICVlen"] == 12
    gcm = modes.GCM(bytes(p["aes-nonce"]), bytes(env["mac"]), 12)
    d = Cipher(algorithms.AES(key), gcm).decryptor()
    if env["authAttrs"].isValue:
        d.authenticate_additional_data(to_set(env["authAttrs"]))
    else:
        assert enc["contentType"] == rfc5652.id_data
    return d.update(bytes(enc["encryptedContent"])) + d.finalize()


def check(keys, path):
    name = os.path.basename(path)
    with open(path, "rb") as f:
        info = whole(f.read(), rfc5652.ContentInfo())
    data = bytes(info["content"])
    if info["contentType"] == rfc5652.id_signedData:
        return signed(keys, data, name)
    if info["contentType"] == rfc5652.id_ct_authData:
        return authenticated(data)
    if info["contentType"] == rfc5652.id_envelopedData:
        return enveloped(keys, data, name)
    assert info["contentType"] == rfc5083.id_ct_authEnvelopedData
    return auth_enveloped(keys, data, name)


if __name__ == "__main__":
    for file in sys.argv[2:]:
        print(hashlib.sha256(check(sys.argv[1], file)).hexdigest(), os.path.basename(file))
