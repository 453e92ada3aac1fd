#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An independent reader of PKCS#10 requests (pyasn1, RFC 2986).

Prints what test_pkcs10.c prints of the DER file. Exits with 1 when it is no
request or encodes to other bytes, with 77 when pyasn1 is missing.
"""
import hashlib
import ipaddress
import sys

try:
    from pyasn1.codec.der import decoder, encoder
    from pyasn1.type import char, namedtype, tag, univ
    from pyasn1_modules import rfc2986, rfc5280
except ImportError:
    sys.exit(77)

EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
SUBJECT_ALT_NAME = "2.5.29.17"
OTHER_NAMES = {"1.3.6.1.5.5.7.8.5": "xmpp", "1.3.6.1.5.5.7.8.9": "email"}
SHORT_NAMES = {"2.5.4.3": "CN", "2.5.4.10": "O"}


YUBICO = "1.3.6.1.4.1.41482.3."
ATTESTATION = "1.2.840.113549.1.9.16.2.59"


# draft-ietf-lamps-csr-attestation-29 section 4.1, written down once more.
class Statement(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("type", univ.ObjectIdentifier()),
        namedtype.NamedType("stmt", univ.Any()))


class OtherCertificate(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("format", univ.ObjectIdentifier()),
        namedtype.NamedType("cert", univ.Any()))


class CertChoice(univ.Choice):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("certificate", rfc5280.Certificate()),
        namedtype.NamedType("other", OtherCertificate().subtype(
            implicitTag=tag.Tag(tag.tagClassContext,
                                tag.tagFormatConstructed, 3))))


class Bundle(univ.Sequence):
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("attestations",
                            univ.SequenceOf(componentType=Statement())),
        namedtype.OptionalNamedType(
            "certs", univ.SequenceOf(componentType=CertChoice())))


def dump_cert(der):
    _, rest = decoder.decode(der, asn1Spec=rfc5280.Certificate())
    assert not rest
    print("certificate", hashlib.sha256(der).hexdigest())


def dump_attestation(bundle, extensions):
    if bundle is not None:
        value, rest = decoder.decode(bundle, asn1Spec=Bundle())
        assert not rest and encoder.encode(value) == bundle
        print("attestation draft")
        for statement in value["attestations"]:
            assert str(statement["type"]) == YUBICO + "1"
            dump_cert(bytes(statement["stmt"]))
        for choice in value["certs"]:
            dump_cert(encoder.encode(choice["certificate"]))
    values = {str(ext["extnID"]): ext["extnValue"].asOctets()
              for ext in extensions}
    if YUBICO + "11" in values:
        print("attestation yubico")
        dump_cert(values[YUBICO + "11"])
        dump_cert(values[YUBICO + "2"])


def dump_subject(name):
    for rdn in name["rdnSequence"]:
        what = "rdn"
        for pair in rdn:
            value, _ = decoder.decode(pair["value"])
            print(what, pair["type"], value.asOctets().hex())
            what = "and"


def dirname(name):
    parts = []
    for rdn in name["rdnSequence"]:
        for pair in rdn:
            value, _ = decoder.decode(pair["value"])
            parts.append(f"{SHORT_NAMES[str(pair['type'])]}={value}")
    return ",".join(parts)


def name_text(name):
    kind, value = name.getName(), name.getComponent()
    if kind == "otherName":
        text, rest = decoder.decode(value["value"], asn1Spec=char.UTF8String())
        assert not rest
        return f"{OTHER_NAMES[str(value['type-id'])]}:{text}"
    if kind == "iPAddress":
        return f"ip:{ipaddress.ip_address(value.asOctets())}"
    if kind == "directoryName":
        return "dirname:" + dirname(value)
    kinds = {"rfc822Name": "email", "dNSName": "dns", "registeredID": "rid",
             "uniformResourceIdentifier": "uri"}
    return f"{kinds[kind]}:{value}"


def dump_extensions(extensions):
    names = []
    for ext in extensions:
        what = "critical" if ext["critical"] else "extension"
        value = ext["extnValue"].asOctets()
        print(what, ext["extnID"], value.hex())
        if str(ext["extnID"]) == SUBJECT_ALT_NAME:
            names, rest = decoder.decode(
                value, asn1Spec=rfc5280.SubjectAltName())
            assert not rest
    for name in names:
        print("name", name_text(name))


def main(path):
    with open(path, "rb") as f:
        data = f.read()
    req, rest = decoder.decode(
        data, asn1Spec=rfc2986.CertificationRequest())
    if rest or encoder.encode(req) != data:
        return 1
    info = req["certificationRequestInfo"]
    print("version", int(info["version"]))
    dump_subject(info["subject"])
    extensions, bundle = [], None
    # DER: a SET OF in the order of its encodings.
    for attr in sorted(info["attributes"], key=encoder.encode):
        assert len(attr["values"]) == 1
        value = bytes(attr["values"][0])
        print("attribute", attr["type"], value.hex())
        if str(attr["type"]) == EXTENSION_REQUEST:
            extensions, rest = decoder.decode(
                value, asn1Spec=rfc5280.Extensions())
            assert not rest
        elif str(attr["type"]) == ATTESTATION:
            bundle = value
    dump_extensions(extensions)
    dump_attestation(bundle, extensions)
    print("signature", req["signatureAlgorithm"]["algorithm"])
    return 0


sys.exit(main(sys.argv[1]))
