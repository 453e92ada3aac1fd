# SPDX-License-Identifier: BSD-2-Clause
"""Reads CMC messages (RFC 10002) with pyasn1; keeps octets as received."""
from pyasn1.codec.ber import decoder
from pyasn1.codec.der import encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import namedtype, tag, univ
from pyasn1_modules import rfc4211, rfc5083, rfc5280, rfc5652

import der
import names as N


class BadMessage(Exception):
    """What was received cannot be read."""


def sequence(*fields):
    """A SEQUENCE type of (name, type) pairs; a name with "?" is OPTIONAL."""
    class Type(univ.Sequence):
        componentType = namedtype.NamedTypes(*[
            namedtype.OptionalNamedType(name[:-1], kind) if name[-1] == "?"
            else namedtype.NamedType(name, kind) for name, kind in fields])
    return Type()


# pyasn1_modules.rfc6402 would do, but what a proof covers is needed octet by
# octet: ANY keeps it.
RAW_PKI_DATA = sequence(("controls", univ.Any()), ("requests", univ.Any()),
                        ("cms", univ.Any()), ("other", univ.Any()))
RAW_PKI_RESPONSE = sequence(("controls", univ.Any()), ("cms", univ.Any()),
                            ("other", univ.Any()))
RAW_LIST = univ.SequenceOf(componentType=univ.Any())
CONTROL = sequence(("id", univ.Integer()), ("type", univ.ObjectIdentifier()),
                   ("values", univ.SetOf(componentType=univ.Any())))
TAGGED = sequence(("id", univ.Integer()), ("value", univ.Any()))
OTHER = sequence(("id", univ.Integer()), ("type", univ.ObjectIdentifier()),
                 ("value", univ.Any()))
PKCS10 = sequence(("info", univ.Any()),
                  ("algorithm", rfc5280.AlgorithmIdentifier()),
                  ("signature", univ.BitString()))
PKCS10_INFO = sequence(
    ("version", univ.Integer()), ("subject", univ.Any()),
    ("spki", univ.Any()),
    ("attributes", univ.SetOf(componentType=rfc5280.Attribute()).subtype(
        implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 0))))
CRMF = sequence(("request", univ.Any()),
                ("popo?", rfc4211.ProofOfPossession()),
                ("reginfo?", univ.SequenceOf(componentType=univ.Any())))
CERTIFICATE = sequence(("tbs", univ.Any()),
                       ("algorithm", rfc5280.AlgorithmIdentifier()),
                       ("signature", univ.BitString()))


def decode(data: bytes, spec, what: str):
    """One element, whole, nothing behind it."""
    try:
        value, rest = decoder.decode(data, asn1Spec=spec)
    except (PyAsn1Error, IndexError, ValueError, TypeError) as e:
        raise BadMessage(f"{what}: {e}") from e
    if rest:
        raise BadMessage(f"{what}: {len(rest)} octets behind it")
    return value


def encode(value) -> bytes:
    return encoder.encode(value)


def algorithm(value) -> tuple[str, bytes | None]:
    """(OID, DER of the parameters or None)."""
    there = value["parameters"].isValue
    return (str(value["algorithm"]),
            bytes(value["parameters"]) if there else None)


def decode_integer(data: bytes) -> int:
    return int(decode(data, univ.Integer(), "INTEGER"))


def decode_octets(data: bytes) -> bytes:
    return decode(data, univ.OctetString(), "OCTET STRING").asOctets()


class Request:
    """One element of reqSequence."""

    def __init__(self, tagged: bytes):
        self.tagged = tagged
        self.attributes: dict[str, list[bytes]] = {}
        self.extensions: list[tuple[str, bool, bytes]] = []
        self.signature = b""
        self.algorithm: tuple[str, bytes | None] = ("", None)
        self.subject = self.spki = self.signed = b""
        self.popo = "none"
        self.flaws: list[str] = []
        if tagged[0] == 0xa0:
            value = decode(der.retag(tagged, 0x30), TAGGED, "tcr")
            self.form, self.id = "pkcs10", int(value["id"])
            self.read_pkcs10(bytes(value["value"]))
        elif tagged[0] == 0xa1:
            self.form = "crmf"
            self.read_crmf(der.retag(tagged, 0x30))
        elif tagged[0] == 0xa2:
            value = decode(der.retag(tagged, 0x30), OTHER, "orm")
            self.form, self.id = "other", int(value["id"])
            self.popo = str(value["type"])
        else:
            raise BadMessage("reqSequence: no TaggedRequest")
        self.ski = next((decode_octets(value) for oid, _, value
                         in self.extensions if oid == N.SKI), None)

    def read_pkcs10(self, data: bytes) -> None:
        self.inner = data
        value = decode(data, PKCS10, "certificationRequest")
        self.signed = bytes(value["info"])
        info = decode(self.signed, PKCS10_INFO, "certificationRequestInfo")
        if int(info["version"]) != 0:
            self.flaws.append("version of PKCS#10 is not 0")
        self.subject, self.spki = bytes(info["subject"]), bytes(info["spki"])
        for attribute in info["attributes"]:
            values = [bytes(v) for v in attribute["values"]]
            if str(attribute["type"]) in self.attributes:
                self.flaws.append(f"attribute {attribute['type']} twice")
            self.attributes[str(attribute["type"])] = values
        for value_der in self.attributes.get(N.EXTENSION_REQUEST, []):
            self.read_extensions(
                decode(value_der, rfc5280.Extensions(), "extensionRequest"))
        self.algorithm = algorithm(value["algorithm"])
        self.signature = value["signature"].asOctets()
        self.popo = "signature"
        if self.algorithm[0] == N.NO_SIGNATURE:
            self.popo = "no-signature"
        elif self.algorithm[0] in N.ECDH_POP:
            self.popo = "agreement"

    def read_crmf(self, data: bytes) -> None:
        self.inner = data
        value = decode(data, CRMF, "CertReqMsg")
        self.signed = bytes(value["request"])
        request = decode(self.signed, rfc4211.CertRequest(), "CertRequest")
        self.id = int(request["certReqId"])
        template = request["certTemplate"]
        if template["subject"].isValue:
            self.subject = encode(template["subject"].getComponent())
        if template["publicKey"].isValue:
            self.spki = der.retag(encode(template["publicKey"]), 0x30)
        for name in ("serialNumber", "signingAlg", "issuerUID", "subjectUID"):
            if template[name].isValue:
                self.flaws.append(f"CertTemplate with {name}")
        self.read_extensions(template["extensions"]
                             if template["extensions"].isValue else [])
        for control in request["controls"] if request["controls"].isValue \
                else []:
            self.attributes.setdefault(str(control["type"]), []).append(
                bytes(control["value"]))
        if value["reginfo"].isValue:
            self.flaws.append("regInfo")
        if not self.subject or not self.spki:
            self.flaws.append("CertTemplate without subject or publicKey")
        if value["popo"].isValue:
            self.read_popo(value["popo"])

    def read_popo(self, popo) -> None:
        """RFC 4211 section 4; what CMC forbids is a flaw."""
        kind, value = popo.getName(), popo.getComponent()
        self.popo = kind
        if kind == "signature":
            if value["poposkInput"].isValue:
                self.flaws.append("POPOSigningKeyInput")
            self.algorithm = algorithm(value["algorithmIdentifier"])
            self.signature = value["signature"].asOctets()
        elif kind != "raVerified":
            how, value = value.getName(), value.getComponent()
            if how == "subsequentMessage":
                self.popo = "challenge-" + kind
                if int(value) != 1:
                    self.flaws.append("subsequentMessage is not challengeResp")
            elif how == "agreeMAC":
                self.popo = "agreement"
                self.algorithm = algorithm(value["algId"])
                self.signature = value["value"].asOctets()
            else:
                self.popo = how

    def read_extensions(self, extensions) -> None:
        for ext in extensions:
            self.extensions.append((str(ext["extnID"]), bool(ext["critical"]),
                                    ext["extnValue"].asOctets()))

    def extension(self, oid: str) -> bytes | None:
        return next((v for o, _, v in self.extensions if o == oid), None)


class Control:
    """One TaggedAttribute."""

    def __init__(self, data: bytes):
        value = decode(data, CONTROL, "TaggedAttribute")
        self.id, self.oid = int(value["id"]), str(value["type"])
        self.name = N.control_name(self.oid)
        self.values = [bytes(v) for v in value["values"]]
        self.der = data

    @property
    def value(self) -> bytes:
        if len(self.values) != 1:
            raise BadMessage(f"{self.name}: {len(self.values)} values")
        return self.values[0]


class Body:
    """A PKIData or PKIResponse."""

    def __init__(self, kind: str, data: bytes):
        self.kind, self.der = kind, data
        raw = decode(data, RAW_PKI_DATA if kind == N.PKI_DATA
                     else RAW_PKI_RESPONSE, "PKIData" if kind == N.PKI_DATA
                     else "PKIResponse")
        self.controls = [Control(bytes(c)) for c in
                         decode(bytes(raw["controls"]), RAW_LIST, "controls")]
        self.req_sequence, self.requests = b"", []
        if kind == N.PKI_DATA:
            self.req_sequence = bytes(raw["requests"])
            self.requests = [Request(bytes(r)) for r in decode(
                self.req_sequence, RAW_LIST, "reqSequence")]
        self.cms = {}
        cms = [decode(bytes(c), TAGGED, "TaggedContentInfo") for c in
               decode(bytes(raw["cms"]), RAW_LIST, "cmsSequence")]
        for part in cms:
            self.cms[int(part["id"])] = bytes(part["value"])
        self.other = [decode(bytes(o), OTHER, "OtherMsg") for o in
                      decode(bytes(raw["other"]), RAW_LIST, "otherMsg")]
        self.ids = ([c.id for c in self.controls] +
                    [r.id for r in self.requests] +
                    [int(c["id"]) for c in cms] +
                    [int(o["id"]) for o in self.other])

    def flaws(self) -> list[str]:
        """Rules about body part ids (RFC 10002 section 3.2.2)."""
        found = [f"body part id {i} is used twice" for i in set(self.ids)
                 if self.ids.count(i) > 1]
        found += [f"body part id {i} is out of range" for i in self.ids
                  if not 0 < i < 1 << 32]
        for request in self.requests:
            found += [f"request {request.id}: {f}" for f in request.flaws]
        return found

    def all(self, name: str) -> list[Control]:
        return [c for c in self.controls if c.name == name]

    def one(self, name: str) -> Control | None:
        found = self.all(name)
        if len(found) > 1:
            raise BadMessage(f"{name}: {len(found)} of them")
        return found[0] if found else None

    def value(self, name: str) -> bytes | None:
        control = self.one(name)
        return control.value if control else None


class Layer:
    """One SignedData, AuthenticatedData or (opened) EnvelopedData."""

    def __init__(self, kind: str, value, type_: str, content: bytes | None):
        self.kind, self.value = kind, value
        self.type, self.content = type_, content

    def certificates(self) -> list[bytes]:
        if self.kind == "authenticated":
            info = self.value["originatorInfo"]
            certs = info["certs"] if info.isValue else None
        else:
            certs = self.value["certificates"]
        if certs is None or not certs.isValue:
            return []
        return [encode(c.getComponent()) for c in certs
                if c.getName() == "certificate"]

    def crls(self) -> list[bytes]:
        crls = self.value["crls"] if self.kind == "signed" else None
        if crls is None or not crls.isValue:
            return []
        return [encode(c.getComponent()) for c in crls]


class Message:
    """A message with all its layers, outermost first."""

    def __init__(self, data: bytes, opener=None):
        """opener(kind, decoded) gives (type, content) of an envelope."""
        self.data = data
        self.layers: list[Layer] = []
        self.body: Body | None = None
        if data[1:2] == b"\x80":
            data = der.definite(data)
        if not is_content_info(data):
            self.kind = "simple-request"
            self.request = Request(der.context(0, der.integer(1), data))
            return
        type_, content = read_content_info(data)
        while type_ not in (N.PKI_DATA, N.PKI_RESPONSE):
            if content is None:
                self.kind = "certs-only"
                return
            type_, content = self.unwrap(type_, content, opener)
        if content is None:
            raise BadMessage("no eContent")
        self.kind = "full-request" if type_ == N.PKI_DATA else "full-response"
        self.body = Body(type_, content)

    def unwrap(self, type_: str, content: bytes, opener):
        if type_ == N.SIGNED:
            value = decode(content, rfc5652.SignedData(), "SignedData")
            inner = encapsulated(value)
            self.layers.append(Layer("signed", value, *inner))
            return inner
        if type_ == N.AUTHENTICATED:
            value = decode(content, rfc5652.AuthenticatedData(),
                           "AuthenticatedData")
            inner = encapsulated(value)
            self.layers.append(Layer("authenticated", value, *inner))
            return inner
        if type_ in (N.ENVELOPED, N.AUTH_ENVELOPED):
            kind = "enveloped" if type_ == N.ENVELOPED else "auth-enveloped"
            value = decode(content, rfc5652.EnvelopedData()
                           if type_ == N.ENVELOPED
                           else rfc5083.AuthEnvelopedData(), kind)
            if opener is None:
                raise BadMessage("encrypted, and no key to open it")
            inner = opener(kind, value)
            self.layers.append(Layer(kind, value, *inner))
            if inner[0] == N.DATA:
                return read_content_info(inner[1])
            return inner
        raise BadMessage(f"content type {type_}")

    def certificates(self) -> list[bytes]:
        return [c for layer in self.layers
                if layer.kind in ("signed", "authenticated")
                for c in layer.certificates()]


def is_content_info(data: bytes) -> bool:
    """A SEQUENCE that begins with an OBJECT IDENTIFIER."""
    if len(data) < 4 or data[0] != 0x30:
        raise BadMessage("no SEQUENCE")
    start = der.content_start(data, 0)
    return data[start:start + 1] == b"\x06"


def read_content_info(data: bytes) -> tuple[str, bytes]:
    value = decode(data, rfc5652.ContentInfo(), "ContentInfo")
    return str(value["contentType"]), bytes(value["content"])


def encapsulated(value) -> tuple[str, bytes | None]:
    info = value["encapContentInfo"]
    there = info["eContent"].isValue
    return (str(info["eContentType"]),
            info["eContent"].asOctets() if there else None)


class Certificate:
    """What the authority wants to know of a certificate."""

    def __init__(self, data: bytes):
        self.der = data
        value = decode(data, CERTIFICATE, "Certificate")
        self.tbs = bytes(value["tbs"])
        self.algorithm = algorithm(value["algorithm"])
        self.signature = value["signature"].asOctets()
        tbs = decode(self.tbs, rfc5280.TBSCertificate(), "TBSCertificate")
        self.serial = int(tbs["serialNumber"])
        self.issuer = encode(tbs["issuer"])
        self.subject = encode(tbs["subject"])
        self.spki = encode(tbs["subjectPublicKeyInfo"])
        self.extensions = [(str(e["extnID"]), bool(e["critical"]),
                            e["extnValue"].asOctets())
                           for e in (tbs["extensions"]
                                     if tbs["extensions"].isValue else [])]

    def extension(self, oid: str) -> bytes | None:
        return next((v for o, _, v in self.extensions if o == oid), None)

    @property
    def ski(self) -> bytes | None:
        value = self.extension(N.SKI)
        return decode_octets(value) if value else None
