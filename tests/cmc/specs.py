# SPDX-License-Identifier: BSD-2-Clause
"""The types of RFC 10002 for pyasn1, whole, to encode a message once more.

pyasn1_modules.rfc6402 has most of them. It knows nothing of the tags that
RFC 10002 put on extendedFailInfo and subjectAlt, nor of 35 to 37 in its map;
those are here."""
from pyasn1.codec.der import decoder as der_decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import char, tag, univ
from pyasn1_modules import rfc2986, rfc4211, rfc5083, rfc5280, rfc5652, rfc6402

import der
import names as N
from messages import Message, encode, sequence

STATUS = sequence(
    ("status", rfc6402.CMCStatus()),
    ("bodyList", univ.SequenceOf(componentType=rfc6402.BodyPartReference())),
    ("text?", char.UTF8String()), ("other?", univ.Any()))
EXTENDED_NEW = sequence(("oid", univ.ObjectIdentifier()),
                        ("value", univ.Any())).subtype(implicitTag=tag.Tag(
                            tag.tagClassContext, tag.tagFormatConstructed, 1))
CHANGE_NEW = sequence(
    ("subject?", rfc5280.Name()),
    ("subjectAlt?", rfc5280.GeneralNames().subtype(implicitTag=tag.Tag(
        tag.tagClassContext, tag.tagFormatConstructed, 1))))

CONTROLS = {
    "statusInfo": STATUS, "statusInfoV2": STATUS,
    "identification": char.UTF8String(),
    "identityProof": univ.OctetString(), "dataReturn": univ.OctetString(),
    "transactionId": univ.Integer(), "senderNonce": univ.OctetString(),
    "recipientNonce": univ.OctetString(),
    "addExtensions": rfc6402.AddExtensions(),
    "encryptedPOP": rfc6402.EncryptedPOP(),
    "decryptedPOP": rfc6402.DecryptedPOP(),
    "lraPOPWitness": rfc6402.LraPopWitness(), "getCert": rfc6402.GetCert(),
    "getCRL": rfc6402.GetCRL(), "revokeRequest": rfc6402.RevokeRequest(),
    "regInfo": univ.OctetString(), "responseInfo": univ.OctetString(),
    "queryPending": univ.OctetString(),
    "popLinkRandom": univ.OctetString(),
    "popLinkWitness": univ.OctetString(),
    "confirmCertAcceptance": rfc5652.IssuerAndSerialNumber(),
    "trustedAnchors": rfc6402.PublishTrustAnchors(),
    "authData": rfc6402.BodyPartID(),
    "batchRequests": rfc6402.BodyPartList(),
    "batchResponses": rfc6402.BodyPartList(),
    "publishCert": rfc6402.CMCPublicationInfo(),
    "modCertTemplate": rfc6402.ModCertTemplate(),
    "controlProcessed": rfc6402.ControlsProcessed(),
    "popLinkWitnessV2": rfc6402.PopLinkWitnessV2(),
    "identityProofV2": rfc6402.IdentifyProofV2(),
    "raIdentityWitness": rfc6402.BodyPartPath(),
    "responseBody": rfc6402.BodyPartPath(),
    "changeSubjectName": CHANGE_NEW,
}
ATTRIBUTES = {
    N.EXTENSION_REQUEST: rfc5280.Extensions(),
    **{N.OIDS[name]: CONTROLS[name] for name in
       ("popLinkWitness", "popLinkWitnessV2", "changeSubjectName")},
}
EXTENSIONS = rfc5280.certificateExtensionsMap
ENVELOPES = {"signed": rfc5652.SignedData(),
             "authenticated": rfc5652.AuthenticatedData(),
             "enveloped": rfc5652.EnvelopedData(),
             "auth-enveloped": rfc5083.AuthEnvelopedData()}


def issuer_and_serial(cert) -> bytes:
    return cert.issuer + der.integer(cert.serial)


def again(data: bytes, spec, what: str) -> list[str]:
    """Decodes strictly and encodes: the same octets?"""
    try:
        value, rest = der_decoder.decode(data, asn1Spec=spec)
        same = not rest and encode(value) == data
    except (PyAsn1Error, IndexError, ValueError, TypeError) as e:
        return [f"{what} is no DER: {e}"]
    return [] if same else [f"{what} is not DER: encodes to other octets"]


def lengths_not_der(data: bytes, what: str) -> list[str]:
    """Lengths definite and short, down into every constructed element:
    what is ANY above is not looked into by encoding once more."""
    pos = 0
    while pos < len(data):
        start = pos + 2
        length = data[pos + 1] if start <= len(data) else 0x80
        if length > 0x80:
            start += length & 127
            length = int.from_bytes(data[pos + 2:start], "big")
        content = data[start:start + length]
        if (length == 0x80 and start == pos + 2 or len(content) != length or
                der.tlv(data[pos], content) != data[pos:start + length]):
            return [f"{what} is not DER: a length"]
        if data[pos] & 0x20:
            found = lengths_not_der(content, what)
            if found:
                return found
        pos = start + length
    return []


def not_der(message: Message) -> list[str]:
    found = lengths_not_der(message.data, "the message")
    for layer in message.layers:
        if layer.content is not None and layer.type != N.DATA:
            found += lengths_not_der(layer.content, layer.type)
    if message.kind == "simple-request":
        return found + request_not_der(message.request)
    found += again(message.data, rfc5652.ContentInfo(), "ContentInfo")
    data = content_of(message.data)
    for layer in message.layers:
        if data is not None:
            found += again(data, ENVELOPES[layer.kind], layer.kind)
        data = layer.content
        if layer.type == N.DATA and data is not None:
            data = content_of(data)
    if message.body is not None:
        found += body_not_der(message.body)
    return found


def content_of(data: bytes) -> bytes | None:
    try:
        value, _ = der_decoder.decode(data, asn1Spec=rfc5652.ContentInfo())
    except (PyAsn1Error, IndexError):
        return None
    return bytes(value["content"])


def body_not_der(body) -> list[str]:
    spec = (rfc6402.PKIData() if body.kind == N.PKI_DATA
            else rfc6402.PKIResponse())
    found = again(body.der, spec, "the body")
    for control in body.controls:
        for value in control.values:
            found += control_not_der(control.name, value)
    for request in body.requests:
        found += request_not_der(request)
    for part in body.cms.values():
        found += again(part, rfc5652.ContentInfo(), "cmsSequence")
    return found


def control_not_der(name: str, value: bytes) -> list[str]:
    if name not in CONTROLS:
        return [f"control {name} is unknown"]
    found = again(value, CONTROLS[name], name)
    if not found and CONTROLS[name] is STATUS:
        other = der_decoder.decode(value, asn1Spec=STATUS)[0]["other"]
        if other.isValue:
            found = other_info_not_der(bytes(other))
    return found


def other_info_not_der(value: bytes) -> list[str]:
    """pendInfo, or extendedFailInfo of one generation or the other."""
    if value[0] == 2:
        return again(value, rfc6402.CMCFailInfo(), "failInfo")
    if value[0] == 0xa1:
        return again(value, EXTENDED_NEW, "extendedFailInfo")
    if not again(value, rfc6402.PendInfo(), "pendInfo"):
        return []
    return again(der.retag(value, 0xa1), EXTENDED_NEW, "otherInfo")


def request_not_der(request) -> list[str]:
    what = f"request {request.id}"
    if request.form == "other":
        return []
    found = again(request.inner, rfc2986.CertificationRequest()
                  if request.form == "pkcs10" else rfc4211.CertReqMsg(), what)
    for oid, values in request.attributes.items():
        for value in values:
            found += attribute_not_der(oid, value, what)
    for oid, _, value in request.extensions:
        spec = EXTENSIONS.get(univ.ObjectIdentifier(oid), univ.Any())
        found += again(value, spec, f"extension {oid} of {what}")
    return found


def attribute_not_der(oid: str, value: bytes, what: str) -> list[str]:
    if oid == N.OIDS["changeSubjectName"] and again(value, CHANGE_NEW, ""):
        # as RFC 6402 has it: two untagged SEQUENCEs
        return again(value, univ.SequenceOf(componentType=univ.Any()),
                     f"changeSubjectName of {what}")
    return again(value, ATTRIBUTES.get(oid, univ.Any()),
                 f"attribute {N.control_name(oid)} of {what}")
