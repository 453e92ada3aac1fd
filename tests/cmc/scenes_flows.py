# SPDX-License-Identifier: BSD-2-Clause
"""More scenes: flows of several messages, other doors, lies."""
import base64
import hashlib
import os
import socket
import subprocess
import time
import urllib.request

from pyasn1.type import useful
from pyasn1_modules import rfc6402

import client
import der
import names as N
import proofs
from controls import status_info
from decrypt import Recipient
from envelope import authenticated_data, enveloped_data, open_envelope
from issue import Authority, Signer, now, public_der
from messages import (BadMessage, Certificate, Message, decode,
                      read_content_info)
from scenes import (WHO, chain, decode_py, enrol, issued_for, peer, scene,
                    unsigned)
from specs import STATUS


def pend_token(message: Message) -> bytes:
    value = decode(message.body.value("statusInfoV2"), STATUS, "status")
    info = decode(bytes(value["other"]), rfc6402.PendInfo(), "pendInfo")
    return info["pendToken"].asOctets()


def controls_only(key, *controls, cert=None) -> bytes:
    return client.full_request(client.pki_data(list(controls), [], None),
                               key, cert)


# --- several messages -------------------------------------------------------

@scene
def pending(work: str) -> None:
    with peer(work, "--pending", "2:0") as p:
        key = client.new_key("ec")
        answer = p.ask(client.full_request(
            enrol(key, more=chain(1, b"a")), key))
        assert client.statuses(answer) == [(N.PENDING, [7])]
        query = ("queryPending", der.octets(pend_token(answer)))
        for nonce, expected in ((b"b", N.PENDING), (b"c", N.SUCCESS)):
            request = controls_only(key, query, *chain(1, nonce, answer))
            answer = p.ask(request)
            assert client.statuses(answer) == [(expected, [100])]
            assert decode_py(work, answer.data)[0] == 0
        issued_for(answer, key)
    # it remembers after a restart, and lies only then
    with peer(work, "--lie", "truncated", "--lie-from", "2") as p:
        # a message sent twice is answered as it was
        assert p.ask(request).data == answer.data
        assert p.log()[-1]["repeated"]
        # a nonce of long ago
        status, body = client.post(p.url, controls_only(
            key, query, *chain(1, b"d"),
            ("recipientNonce", der.octets(b"old"))))
        assert der.element_end(body) is None
        assert p.log()[-1]["status"][0]["ids"] == [0]


@scene
def confirm(work: str) -> None:
    with peer(work, "--confirm") as p:
        for said, word in ((0, "confirmed"), (2, "rejected")):
            key = client.new_key("ec")
            answer = p.ask(client.full_request(enrol(key), key))
            assert client.statuses(answer) == [(N.CONFIRM_REQUIRED, [7])]
            cert = issued_for(answer, key)
            request = controls_only(
                key, ("confirmCertAcceptance",
                      answer.body.value("confirmCertAcceptance")),
                ("statusInfoV2", status_info(said, [1])))
            assert client.statuses(p.ask(request)) == [(0, [100])]
            assert p.log()[-1][word] == f"{cert.serial:x}"


@scene
def partial(work: str) -> None:
    with peer(work, "--partial") as p:
        keys = [client.new_key("ec"), client.new_key("rsa")]
        random = os.urandom(64)
        link = client.pop_link(WHO[1], random)
        data = client.pki_data(
            [("popLinkRandom", der.octets(random))],
            [client.crmf(k, "bob", i, link) for i, k in
             enumerate(keys, 1)], WHO)
        answer = p.ask(client.full_request(data, keys[0]))
        assert client.statuses(answer) == [(N.PARTIAL, [1, 2])]
        issued_for(answer, keys[0])
        answer = p.ask(controls_only(keys[0], (
            "queryPending", der.octets(pend_token(answer)))))
        issued_for(answer, keys[1])


@scene
def services(work: str) -> None:
    """revokeRequest, getCert, getCRL, publishCert."""
    with peer(work) as p:
        key = client.new_key("ec")
        certs = [issued_for(p.ask(client.full_request(
            enrol(key, req_id=i), key)), key) for i in (1, 2)]
        ids = [(c.issuer, der.integer(c.serial)) for c in certs]
        answer = p.ask(controls_only(key, ("getCert", der.seq(
            der.context(4, ids[0][0]), ids[0][1]))))
        assert answer.kind == "certs-only"
        assert answer.certificates().count(certs[0].der) == 1
        digest = hashlib.sha256(certs[0].der).digest()
        publish = der.seq(client.SHA256, der.seq(der.octets(digest)),
                          der.seq(der.integer(1)))
        p.ask(controls_only(key, ("publishCert", publish)))
        assert os.listdir(os.path.join(p.dir, "published")) == [
            f"{certs[0].serial:x}.pem"]
        revoke = [("revokeRequest", der.seq(*i, der.enumerated(1)))
                  for i in ids]
        answer = p.ask(controls_only(client.new_key("ec"), revoke[0]))
        assert client.statuses(answer)[0][0] == N.FAILED
        answer = p.ask(controls_only(key, revoke[0], cert=certs[0]))
        assert client.statuses(answer) == [(0, [100])]
        for secret, status in (("wrong", N.FAILED), (WHO[1], 0)):
            data = client.pki_data([("revokeRequest", der.seq(
                *ids[1], der.enumerated(1), der.octets(secret.encode())))],
                [], None)
            answer = p.ask(unsigned(data))
            assert client.statuses(answer) == [(status, [100])]
        assert p.log()[-1]["revoke"]["by"] == "shared secret"
        # no longer by the key: its certificates are revoked
        get_crl = ("getCRL", der.seq(ids[0][0]))
        assert p.ask(controls_only(key, get_crl)).kind == "full-response"
        answer = p.ask(unsigned(client.pki_data([get_crl], [], None)))
        assert answer.kind == "certs-only"
        crl = answer.layers[0].crls()[0]
        assert all(c.serial.to_bytes(16, "big") in crl for c in certs)


@scene
def change_of_name(work: str) -> None:
    """Both generations of changeSubjectName, in CRMF."""
    san = der.seq(der.primitive(2, b"new.example"))
    with peer(work) as p:
        for tag in (0x30, 0xa1):
            key = client.new_key("ec")
            random = os.urandom(64)
            change = der.seq(client.common_name("new"), der.retag(san, tag))
            request = client.crmf(key, "old", 1, client.pop_link(
                WHO[1], random), more=[("changeSubjectName", change)])
            data = client.full_request(client.pki_data(
                [("popLinkRandom", der.octets(random))], [request], WHO), key)
            cert = issued_for(p.ask(data), key)
            assert cert.subject == client.common_name("new")
            assert cert.extension(N.SAN) == san
            assert decode_py(work, data, "--secret", "=".join(WHO))[0] == 0


@scene
def anchors(work: str) -> None:
    with peer(work, "--anchors", "5", "--auth-anchors", "6",
              "--status-v1", "--ber") as p:
        key = client.new_key("ec")
        answer = p.ask(client.full_request(
            enrol(key, more=[("regInfo", der.octets(b"r")),
                             ("dataReturn", der.octets(b"d"))]), key))
        body = answer.body
        value = decode(body.value("trustedAnchors"),
                       rfc6402.PublishTrustAnchors(), "anchors")
        there = {hashlib.sha256(c).digest() for c in answer.certificates()}
        assert all(h.asOctets() in there for h in value["anchorHashes"])
        assert body.value("authData") == der.integer(1000)
        inner = Message(body.cms[1000])
        proofs.verify_mac(inner.layers[0], "".join(WHO).encode())
        assert inner.body.one("trustedAnchors")
        assert body.value("responseInfo") == der.octets(b"r")
        assert body.value("dataReturn") == der.octets(b"d")
        assert body.one("statusInfo")
        # it is BER, and says so
        code, out = decode_py(work, answer.data)
        assert code == 1 and not out["der"]
        subprocess.run(["openssl", "cms", "-verify", "-noverify", "-inform",
                        "DER", "-out", os.devnull], input=answer.data,
                       check=True, capture_output=True)


# --- other manners -----------------------------------------------------------

@scene
def manners(work: str) -> None:
    """--simple, --swap, --legacy, --refuse with --ext-fail."""
    key = client.new_key("ec")
    with peer(work, "--simple") as p:
        answer = p.ask(client.full_request(enrol(key), key))
        assert answer.kind == "certs-only"
        issued_for(answer, key)
    names = ("identityProofV2", "popLinkWitnessV2")
    with peer(work, "--swap") as p:
        data = client.full_request(enrol(key), key)
        assert client.statuses(p.ask(data))[0][0] == N.FAILED
        with client.exchanged(*names):
            data = client.full_request(enrol(key), key)
        assert client.statuses(p.ask(data))[0][0] == 0
    with peer(work, "--legacy") as p:
        data = client.full_request(enrol(key), key)
        assert client.statuses(p.ask(data))[0][0] == N.FAILED
        password = "".join(WHO).encode()
        for hash_, expected in (("sha256", N.FAILED), ("sha1", 0)):
            data = client.pki_data([("identification", der.utf8(WHO[0]))], [
                client.crmf(key, "bob", 7, None)], None)
            data = authenticated_data(N.PKI_DATA, data, password,
                                      hash_=hash_)
            assert client.statuses(p.ask(data))[0][0] == expected
        data = client.full_request(client.legacy(key, *WHO), key)
        assert client.statuses(p.ask(data))[0][0] == 0
        assert decode_py(work, data, "--secret", "=".join(WHO))[0] == 0
    with peer(work, "--refuse", "tryLater", "--ext-fail") as p:
        answer = p.ask(client.full_request(enrol(key), key))
        assert client.statuses(answer) == [(N.FAILED, [7])] * 3
        others = [s["other"] for s in p.log()[-1]["status"]]
        assert others[0][:2] == "a1" and others[1][:2] == "30"
        assert others[2] == "02010c"
        assert decode_py(work, answer.data)[0] == 0


@scene
def encrypted(work: str) -> None:
    """Requests in envelopes for the authority, an answer in one for us."""
    with peer(work, "--encrypt-response") as p:
        for name, gcm in (("encrypt", 0), ("agree", 0)):
            key = client.new_key("ec")
            cert = Certificate(client.load_certificate(
                os.path.join(p.dir, name + ".pem")))
            inner = client.full_request(enrol(key), key)
            request = enveloped_data(
                proofs.load_key(cert.spki), cert.ski, 0,
                read_content_info(inner)[1], N.SIGNED, gcm=gcm)
            status, body = client.post(p.url, request)
            answer = Message(body, lambda kind, value: open_envelope(
                kind, value, [Recipient(key)]))
            assert [la.kind for la in answer.layers] == ["enveloped",
                                                         "signed"]
            issued_for(answer, key)
            assert p.log()[-1]["layers"] == ["enveloped", "signed"]
            secret = ("--secret", "=".join(WHO))
            assert decode_py(work, request, "--dir", p.dir, *secret)[0] == 0
            assert decode_py(work, request, "--key", os.path.join(
                p.dir, name + ".key"), *secret)[0] == 0
            assert decode_py(work, request, *secret)[0] == 1


# --- other doors -------------------------------------------------------------

@scene
def est_and_tls(work: str) -> None:
    ca = os.path.join(work, "ca")
    with peer(work, "--tls", os.path.join(ca, "tls.pem"),
              os.path.join(ca, "tls.key")) as p:
        context = client.tls(os.path.join(ca, "ca.pem"))
        base = p.url + ".well-known/est/"
        with urllib.request.urlopen(base + "cacerts",
                                    context=context) as answer:
            got = Message(base64.b64decode(answer.read()))
        assert got.certificates() == [client.load_certificate(
            os.path.join(ca, "ca.pem"))]
        key = client.new_key("ec")
        for who, expected in ((WHO, 200), (("alice", "wrong"), 400)):
            status, body = client.post(
                base + "fullcmc", base64.b64encode(
                    client.full_request(enrol(key, who=who), key)), context)
            assert status == expected
            message = p.look(base64.b64decode(body))
            assert client.statuses(message)[0][0] == (
                0 if expected == 200 else N.FAILED)
        # a simple request, as plain CMC has it
        _, csr = client.openssl_pkcs10(work, "carol")
        status, body = client.post(p.url, csr, context, "application/pkcs10")
        assert Message(body).kind == "certs-only"


@scene
def tcp(work: str) -> None:
    with peer(work, "--tcp") as p:
        key = client.new_key("ec")
        with socket.create_connection(client.host_and_port(p.url), 20) as s:
            for i in (1, 2):
                s.sendall(client.full_request(enrol(key, req_id=i), key))
                answer = p.look(client.receive(s))
                assert client.statuses(answer) == [(0, [i])]


# --- lies --------------------------------------------------------------------

def caught(p, data: bytes, check) -> None:
    status, body = client.post(p.url, data)
    assert check(p, status, body), body[:40]


def signer_is_wrong(p, status, body) -> bool:
    try:
        p.look(body)
    except proofs.Wrong:
        return True
    return False


def unsigned_answer(p, status, body) -> bool:
    return len(Message(body).layers[0].value["signerInfos"]) == 0


@scene
def lies(work: str) -> None:
    key = client.new_key("ec")
    spki = public_der(key)
    checks = {
        "wrong-recipient-nonce": lambda p, s, b: Message(b).body.value(
            "recipientNonce") != der.octets(b"n"),
        "missing-recipient-nonce": lambda p, s, b: not Message(b).body.one(
            "recipientNonce"),
        "wrong-transaction-id": lambda p, s, b: Message(b).body.value(
            "transactionId") != der.integer(3),
        "other-key": lambda p, s, b: all(
            Certificate(c).spki != spki for c in Message(b).certificates()),
        "unsigned-success": unsigned_answer,
        "wrong-signature": signer_is_wrong,
        "signer-not-authorised": signer_is_wrong,
        "foreign-ca": signer_is_wrong,
        "truncated": lambda p, s, b: der.element_end(b) is None,
        "wrong-content-type-oid": lambda p, s, b:
            der.oid(N.PKI_DATA) in b and der.oid(N.PKI_RESPONSE) not in b,
        "duplicate-body-ids": lambda p, s, b: bool(Message(b).body.flaws()),
        "extra-trailing-bytes": lambda p, s, b: der.element_end(b) < len(b),
        "empty": lambda p, s, b: b == b"",
        "http-500": lambda p, s, b: s == 500,
        "huge": lambda p, s, b: len(b) == 100 * 1024 * 1024,
    }
    for lie, check in checks.items():
        with peer(work, "--lie", lie) as p:
            caught(p, client.full_request(
                enrol(key, more=chain(3, b"n")), key), check)



@scene
def lies_told_slowly(work: str) -> None:
    """Those that are not in the body: its type, its pace, its date."""
    key = client.new_key("ec")
    data = client.full_request(enrol(key), key)
    with peer(work, "--lie", "wrong-type") as p:
        with client.opened(p.url, data) as answer:
            assert answer.headers["Content-Type"] == "text/html"
            assert Message(answer.read()).kind == "full-response"
    with peer(work, "--lie", "drip") as p:
        with client.opened(p.url, data) as answer:
            start = time.monotonic()
            assert len(answer.read(3)) == 3
            assert time.monotonic() - start > 1.5
    with peer(work, "--anchors", "1", "--lie", "replayed-anchors") as p:
        info = p.ask(client.full_request(
            enrol(key), key)).layers[0].value["signerInfos"][0]
        when = proofs.signed_attributes(info["signedAttrs"])[N.SIGNING_TIME]
        age = now() - decode(when[0], useful.UTCTime(), "time").asDateTime
        assert 29 < age.days < 31


# --- before another reader --------------------------------------------------

def openssl(*args: str, data: bytes) -> bytes:
    return subprocess.run(["openssl", "cms", *args], input=data, check=True,
                          capture_output=True).stdout


@scene
def envelopes_of_openssl(work: str) -> None:
    """What envelope.py seals openssl opens, and the other way round."""
    authority = Authority(os.path.join(work, "ca"))
    for name in ("encrypt", "agree"):
        signer = Signer(authority.dir, name)
        key = proofs.load_key(signer.cert.spki)
        pem, private = [authority.path(name + end)
                        for end in (".pem", ".key")]
        for gcm, oaep in ((0, False), (0, True), (16, False)):
            sealed = enveloped_data(key, signer.cert.ski, 0, b"y" * 80,
                                    oaep=oaep, gcm=gcm)
            assert openssl("-decrypt", "-binary", "-inform", "DER", "-recip",
                           pem, "-inkey", private, data=sealed) == b"y" * 80
        for options in (["-aes256"], ["-aes-256-gcm"], ["-aes128", "-keyopt",
                        "rsa_padding_mode:oaep", "-keyopt",
                        "rsa_oaep_md:sha256"], ["-aes256", "-keyid"]):
            if name == "agree" and "-keyopt" in options:
                options = ["-aes128", "-keyopt", "ecdh_kdf_md:sha256"]
            inner = client.content_info(N.SIGNED, der.seq())
            sealed = openssl("-encrypt", "-binary", "-outform", "DER",
                             *options[:1], "-recip", pem, *options[1:],
                             data=inner)
            try:
                Message(sealed, lambda kind, value: keep_it(
                    kind, value, signer, inner))
            except BadMessage as e:
                # opened, and nothing in it
                assert "SignedData" in str(e), e


def keep_it(kind, value, signer, inner):
    type_, content = open_envelope(kind, value, [signer])
    assert (type_, content) == (N.DATA, inner)
    return type_, content
