#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An independent reader of CRMF (pyasn1, RFC 4211), and of the PKCS#10 of
keys that cannot sign.

crmf_dump.py FILE AUTHORITY_KEY AUTHORITY_CERT prints what test_crmf_golden.c
prints of the DER file. Exits with 1 when it is no request, encodes to other
bytes, or its proof of possession is none; with 77 when a module is missing.
"""
import hashlib
import hmac
import os
import sys

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
    from pyasn1.codec.der import decoder, encoder
    from pyasn1.type import namedtype, tag, univ
    from pyasn1_modules import rfc2986, rfc4211, rfc5280
except ImportError:
    sys.exit(77)

HASHES = {"1.3.6.1.5.5.7.6.26": "sha256", "1.3.6.1.5.5.7.6.27": "sha384",
          "1.3.6.1.5.5.7.6.28": "sha512"}
SIGNATURES = {"1.2.840.113549.1.1.11": hashes.SHA256(),
              "1.2.840.10045.4.3.2": hashes.SHA256(),
              "1.2.840.10045.4.3.3": hashes.SHA384(), "1.3.101.112": None}
NO_SIGNATURE = "1.3.6.1.5.5.7.6.2"


# pyasn1's encoder leaves out an OPTIONAL field that is there and empty, which
# the subject of CMC may be: so it is read as a field of any type.
class Template(univ.Sequence):
    componentType = namedtype.NamedTypes(*(
        namedtype.OptionalNamedType("subject", univ.Any().subtype(
            explicitTag=tag.Tag(tag.tagClassContext,
                                tag.tagFormatConstructed, 5)))
        if field.name == "subject" else field
        for field in rfc4211.CertTemplate.componentType.namedTypes))


class Request(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("certReqId", univ.Integer()),
        namedtype.NamedType("certTemplate", Template()),
        namedtype.OptionalNamedType("controls", rfc4211.Controls()))


class Message(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("certReq", Request()),
        *rfc4211.CertReqMsg.componentType.namedTypes[1:])


# RFC 6955 appendix A, written down once more.
class IssuerAndSerial(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("issuer", rfc5280.Name()),
        namedtype.NamedType("serial", univ.Integer()))


class DhSigStatic(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.OptionalNamedType("issuerAndSerial", IssuerAndSerial()),
        namedtype.NamedType("hashValue", univ.OctetString()))


def strict(data, spec):
    value, rest = decoder.decode(data, asn1Spec=spec)
    assert not rest and encoder.encode(value) == data
    return value


def dump_subject(name):
    for rdn in name[0]:
        for pair in rdn:
            value, _ = decoder.decode(pair["value"])
            print("rdn", pair["type"], value.asOctets().hex())


def dump_extensions(extensions):
    for ext in extensions:
        what = "critical" if ext["critical"] else "extension"
        print(what, ext["extnID"], ext["extnValue"].asOctets().hex())


def dump_key(spki):
    """spki may carry the tag of the template: here it gets its own again."""
    der = encoder.encode(spki)
    der = b"\x30" + der[1:]
    print("key", hashlib.sha256(der).hexdigest())
    return serialization.load_der_public_key(der)


def verify_signature(key, oid, signature, data):
    digest = SIGNATURES[oid]
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, data)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(digest))
    else:
        key.verify(signature, data, padding.PKCS1v15(), digest)


def verify_mac(key, algorithm, value, data, authority):
    """RFC 6955 section 6."""
    private, cert = authority
    assert not algorithm["parameters"].isValue
    name = HASHES[str(algorithm["algorithm"])]
    sig = strict(value.asOctets(), DhSigStatic())
    assert int(sig["issuerAndSerial"]["serial"]) == cert.serial_number
    issuer = cert.issuer.public_bytes()
    assert encoder.encode(sig["issuerAndSerial"]["issuer"]) == issuer
    zz = private.exchange(ec.ECDH(), key)
    k = hashlib.new(name, cert.subject.public_bytes() + zz + issuer).digest()
    mac = hmac.new(k, data, name).digest()
    assert hmac.compare_digest(sig["hashValue"].asOctets(), mac)


def dump_popo(popo, key, data, authority):
    kind, value = popo.getName(), popo.getComponent()
    if kind == "raVerified":
        print("pop ra-verified")
        return
    if kind == "signature":
        assert not value["poposkInput"].isValue
        verify_signature(key, str(value["algorithmIdentifier"]["algorithm"]),
                         value["signature"].asOctets(), data)
        print("pop signature")
        return
    name = {"keyEncipherment": "encrypt", "keyAgreement": "agree"}[kind]
    if value.getName() == "subsequentMessage":
        assert int(value.getComponent()) == 1
        print("pop", name + "-challenge")
        return
    assert (kind, value.getName()) == ("keyAgreement", "agreeMAC")
    mac = value.getComponent()
    verify_mac(key, mac["algId"], mac["value"], data, authority)
    print("pop agree-mac")


def dump_crmf(data, authority):
    msg = strict(data, Message())
    assert not msg["regInfo"].isValue
    request = msg["certReq"]
    template = request["certTemplate"]
    print("id", int(request["certReqId"]))
    dump_subject(strict(bytes(template["subject"]), rfc5280.Name()))
    key = dump_key(template["publicKey"])
    if template["extensions"].isValue:
        dump_extensions(template["extensions"])
    if request["controls"].isValue:
        for control in request["controls"]:
            print("control", control["type"], bytes(control["value"]).hex())
    dump_popo(msg["popo"], key, encoder.encode(request), authority)


def dump_pkcs10(data, authority):
    req = strict(data, rfc2986.CertificationRequest())
    info = req["certificationRequestInfo"]
    tbs = encoder.encode(info)
    dump_subject(info["subject"])
    key = dump_key(info["subjectPKInfo"])
    for attr in info["attributes"]:
        dump_extensions(strict(bytes(attr["values"][0]), rfc5280.Extensions()))
    algorithm = req["signatureAlgorithm"]
    if str(algorithm["algorithm"]) == NO_SIGNATURE:
        assert bytes(algorithm["parameters"]) == b"\x05\x00"
        value = strict(req["signature"].asOctets(), univ.OctetString())
        assert value.asOctets() == hashlib.sha1(tbs).digest()
        print("pop challenge")
    else:
        verify_mac(key, algorithm, req["signature"], tbs, authority)
        print("pop agreement")


def main(path, key_path, cert_path):
    with open(path, "rb") as f:
        data = f.read()
    with open(key_path, "rb") as f:
        key = serialization.load_pem_private_key(f.read(), None)
    with open(cert_path, "rb") as f:
        cert = x509.load_der_x509_certificate(f.read())
    if os.path.basename(path).startswith("p10-"):
        dump_pkcs10(data, (key, cert))
    else:
        dump_crmf(data, (key, cert))


main(*sys.argv[1:])
