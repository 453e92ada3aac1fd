# SPDX-License-Identifier: BSD-2-Clause
"""The services around enrolment: confirming, revoking, looking up,
publishing, trust anchors."""
import hashlib

from pyasn1.type import char, univ
from pyasn1_modules import rfc5652, rfc6402

import controls
import der
import lies
import names as N
from envelope import authenticated_data
from exchange import Refusal
from issue import same_name
from messages import (RAW_LIST, BadMessage, Control, Request, algorithm,
                      decode, encode)


def read(control: Control, spec):
    try:
        return decode(control.value, spec, control.name)
    except BadMessage as e:
        raise Refusal("badRequest", [control.id], str(e)) from e


def octets_of(control: Control) -> bytes:
    return read(control, univ.OctetString()).asOctets()


# --- confirmCertAcceptance, and a client that gives up -----------------------

def client_status(h) -> int | None:
    """The status that a client says in its request."""
    for control in h.x.body.controls:
        if control.name in ("statusInfoV2", "statusInfo"):
            parts = read(control, RAW_LIST)
            return int(decode(bytes(parts[0]), univ.Integer(), "status"))
    return None


def confirm_or_abort(h) -> bool:
    """Whether the client gave up."""
    said = client_status(h)
    if said is not None:
        h.log["client-status"] = N.STATUS.get(said, said)
    control = h.x.body.one("confirmCertAcceptance")
    if control is not None:
        confirm(h, control, said)
        return False
    if said != N.FAILED:
        return False
    h.peer.challenges.clear()
    h.log["aborted"] = True
    h.out.add(N.SUCCESS, [c.id for c in h.x.body.controls
                          if c.name.startswith("statusInfo")])
    return True


def confirm(h, control: Control, said: int | None) -> None:
    value = read(control, rfc5652.IssuerAndSerialNumber())
    serial = int(value["serialNumber"])
    if (serial not in h.peer.unconfirmed or
            encode(value["issuer"]) != h.authority.ca.cert.subject):
        raise Refusal("badCertId", [control.id], "no such certificate waits")
    if said not in (N.SUCCESS, N.FAILED):
        raise Refusal("badRequest", [control.id], "accepted or not?")
    h.peer.unconfirmed.remove(serial)
    if said == N.SUCCESS:
        h.log["confirmed"] = f"{serial:x}"
    else:
        h.log["rejected"] = f"{serial:x}"
        h.authority.revoke(serial, 0)
    h.out.add(N.SUCCESS, [control.id])


# --- the others --------------------------------------------------------------

def serve_others(h) -> None:
    actions = {"revokeRequest": revoke, "getCert": get_cert,
               "getCRL": get_crl, "publishCert": publish}
    for control in h.x.body.controls:
        if control.name in actions:
            actions[control.name](h, control)
    if (len(h.x.body.controls) == 1 and not h.x.body.requests and
            h.x.body.controls[0].name in ("getCert", "getCRL")):
        h.out.simple = True
    elif h.opts.simple and h.out.certs + h.out.crls and not h.out.issued:
        h.out.simple = True


def passphrase_of(request: Request) -> dict:
    """What a challengePassword lets one revoke with (RFC 2985)."""
    for value in request.attributes.get(N.CHALLENGE_PASSWORD, []):
        return {"passphrase": hashlib.sha256(string_of(value)).hexdigest()}
    return {}


def string_of(value: bytes) -> bytes:
    for kind in (char.UTF8String(), char.PrintableString(),
                 char.IA5String()):
        try:
            return str(decode(value, kind, "string")).encode()
        except BadMessage:
            pass
    raise BadMessage("challengePassword is no string")


def revoke(h, control: Control) -> None:
    value = read(control, rfc6402.RevokeRequest())
    serial, reason = int(value["serialNumber"]), int(value["reason"])
    cert = h.authority.find(encode(value["issuerName"]), serial)
    h.log["revoke"] = {"serial": f"{serial:x}", "reason": reason,
                       "passphrase": bool(value["passphrase"].isValue)}
    if value["comment"].isValue:
        h.log["revoke"]["comment"] = str(value["comment"])
    if cert is None or cert.serial not in h.authority.issued:
        raise Refusal("badCertId", [control.id], "no such certificate")
    by = revoked_by(h, cert, value)
    h.log["revoke"]["by"] = by
    if by == "nobody":
        raise Refusal("badIdentity", [control.id], "not yours to revoke")
    h.authority.revoke(serial, reason)
    h.out.add(N.SUCCESS, [control.id])


def revoked_by(h, cert, value) -> str:
    signer = h.x.signer_cert
    if signer is not None and signer.der == cert.der:
        return "its key"
    if signer is not None and signer.subject == cert.subject:
        return "a certificate of the same name"
    about = h.authority.about.get(f"{cert.serial:x}", {})
    if value["passphrase"].isValue:
        passphrase = value["passphrase"].asOctets()
        secret = h.peer.secrets.get(about.get("identification"))
        if secret is not None and secret.encode() == passphrase:
            return "shared secret"
        if hashlib.sha256(passphrase).hexdigest() == about.get("passphrase"):
            return "passphrase"
    elif h.x.mac_password and h.x.identity == about.get("identification"):
        return "mac"
    return "nobody"


def get_cert(h, control: Control) -> None:
    value = read(control, rfc6402.GetCert())
    name = value["issuerName"]
    if name.getName() != "directoryName":
        raise Refusal("badCertId", [control.id], "no directoryName")
    issuer = encode(name.getComponent().getComponent())
    cert = h.authority.find(issuer, int(value["serialNumber"]))
    if cert is None:
        raise Refusal("badCertId", [control.id], "no such certificate")
    h.log["looked-up"] = f"{cert.serial:x}"
    h.out.certs.append(lies.looked_up(h.opts.lie, h.authority, cert).der)
    h.out.add(N.SUCCESS, [control.id])


def get_crl(h, control: Control) -> None:
    value = read(control, rfc6402.GetCRL())
    if not same_name(encode(value["issuerName"]),
                     h.authority.ca.cert.subject):
        raise Refusal("badCertId", [control.id], "no such issuer")
    h.authority.write_crl()
    h.out.crls.append(lies.revocation_list(h.opts.lie, h.authority))
    h.out.add(N.SUCCESS, [control.id])


def publish(h, control: Control) -> None:
    """For whoever is known here."""
    value = read(control, rfc6402.CMCPublicationInfo())
    if h.x.signer_cert is None and h.x.identity is None:
        raise Refusal("badIdentity", [control.id], "who asks?")
    hash_ = N.HASHES.get(algorithm(value["hashAlg"])[0])
    if hash_ is None:
        raise Refusal("badAlg", [control.id], "unknown hash")
    wanted = {v.asOctets() for v in value["certHashes"]}
    found = [c for c in h.authority.issued.values()
             if hashlib.new(hash_, c.der).digest() in wanted]
    if len(found) != len(wanted):
        raise Refusal("badCertId", [control.id], "no such certificate")
    please = int(value["pubInfo"]["action"]) == 1
    if not please and value["pubInfo"]["pubInfos"].isValue:
        raise Refusal("badRequest", [control.id], "pubInfos: dontPublish")
    h.log["places"] = [
        {"method": int(p["pubMethod"]),
         "location": str(p["pubLocation"].getComponent())
         if p["pubLocation"].isValue else None}
        for p in value["pubInfo"]["pubInfos"]] \
        if value["pubInfo"]["pubInfos"].isValue else []
    for cert in found:
        h.authority.publish(cert, please)
    h.log["published" if please else "unpublished"] = [
        f"{c.serial:x}" for c in found]
    h.out.add(N.SUCCESS, [control.id])


# --- trust anchors (RFC 10002 sections 6.15 and 6.16) ------------------------

def add_anchors(h) -> None:
    certs = [h.authority.ca.cert.der, h.authority.anchor.cert.der]
    if h.opts.anchors is not None:
        h.out.certs += certs
        h.out.controls.append(("trustedAnchors", controls.trusted_anchors(
            h.opts.anchors, certs)))
    if h.opts.auth_anchors is None:
        return
    who = h.x.identity or next(iter(h.peer.secrets))
    content = der.seq(
        der.seq(controls.tagged_attribute(
            1, "trustedAnchors",
            controls.trusted_anchors(h.opts.auth_anchors, certs))),
        der.seq(), der.seq(), der.seq())
    h.out.certs += certs
    h.out.cms.append(controls.tagged_content(1000, authenticated_data(
        N.PKI_DATA, content, (who + h.peer.secrets[who]).encode(),
        hash_="sha1" if h.opts.legacy else "sha256")))
    h.out.controls.append(("authData", der.integer(1000)))
