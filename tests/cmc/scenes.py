# SPDX-License-Identifier: BSD-2-Clause
"""Scenes of the self-test: each starts an authority in a folder of its own."""
import contextlib
import hashlib
import json
import multiprocessing
import os
import secrets
import subprocess
import sys

from cryptography.hazmat.primitives.asymmetric import ec

import client
import der
import names as N
import peer as peer_py
import proofs
from challenge import KEY_MAX
from controls import status_info
from decode import main as decode_main
from decrypt import open_pop
from envelope import authenticated_data
from issue import common_name, public_der
from messages import Certificate, Message

FORK = multiprocessing.get_context("fork")
WHO = ("alice", "sixteen letters!")
ALL: dict = {}


def scene(function):
    ALL[function.__name__] = function
    return function


def run_peer(writer, argv: list[str]) -> None:
    """In a child: its standard output goes into the pipe."""
    os.dup2(writer.fileno(), 1)
    peer_py.main(argv)


class Running:
    """A peer that runs, and what it logged."""

    def __init__(self, work: str, *options: str):
        self.dir = os.path.join(work, "ca")
        reader, writer = multiprocessing.Pipe(False)
        self.process = FORK.Process(target=run_peer, args=(
            writer, ["--dir", self.dir, "--secret", "=".join(WHO), *options]))
        self.process.start()
        writer.close()
        with os.fdopen(reader.fileno(), closefd=False) as out:
            line = out.readline()
        assert line.startswith("ready: "), line
        self.url = line.split()[1]
        self.responder = Certificate(client.load_certificate(
            os.path.join(self.dir, "responder.pem")))

    def log(self) -> list[dict]:
        with open(os.path.join(self.dir, "log.jsonl")) as f:
            return [json.loads(line) for line in f]

    def ask(self, data: bytes) -> Message:
        """Posts; the answer's signature and its octets are looked at."""
        status, body = client.post(self.url, data)
        assert status == 200, status
        return self.look(body)

    def look(self, body: bytes) -> Message:
        message = Message(body)
        for layer in message.layers:
            for info in layer.value["signerInfos"] \
                    if layer.kind == "signed" else []:
                proofs.verify_signer(info, layer, self.responder.spki)
        return message


@contextlib.contextmanager
def peer(work: str, *options: str):
    running = Running(work, *options)
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.join(20)
        assert running.process.exitcode == 0


def decode_py(work: str, data: bytes, *options: str) -> tuple[int, dict]:
    path = os.path.join(work, "m.der")
    with open(path, "wb") as f:
        f.write(data)
    return decode_main([path, *options])


def enrol(key, name: str = "bob", req_id: int = 7, popo: str = "signature",
          more: list = (), who=WHO) -> bytes:
    """A PKIData with one CRMF, linked and proved."""
    random = os.urandom(64)
    request = client.crmf(key, name, req_id,
                          client.pop_link(WHO[1], random), popo)
    return client.pki_data([("popLinkRandom", der.octets(random)), *more],
                           [request], who)


def chain(tid: int, nonce: bytes, before: Message | None = None) -> list:
    found = [("transactionId", der.integer(tid)),
             ("senderNonce", der.octets(nonce))]
    if before is not None:
        found.append(("recipientNonce", before.body.value("senderNonce")))
    return found


def issued_for(message: Message, key) -> Certificate:
    certs = [Certificate(c) for c in message.certificates()]
    return next(c for c in certs if c.spki == public_der(key))


# --- enrolling --------------------------------------------------------------

@scene
def pkcs10_of_openssl(work: str) -> None:
    with peer(work, "--name", "alice=alice") as p:
        key, csr = client.openssl_pkcs10(work, "alice")
        data = client.pki_data(chain(99, b"n" * 16), [
            der.context(0, der.integer(1), csr)], WHO)
        request = client.full_request(data, key)
        answer = p.ask(request)
        assert client.statuses(answer) == [(0, [1])]
        assert answer.body.value("transactionId") == der.integer(99)
        assert answer.body.value("recipientNonce") == der.octets(b"n" * 16)
        assert issued_for(answer, key).subject == common_name("alice")
        log = p.log()[0]
        assert log["signers"][0]["kind"] == "request"
        assert log["identity"] == "alice" and log["proved"]
        assert log["identity-proofs"][0]["result"] == "ok"
        secret = ("--secret", "=".join(WHO))
        assert decode_py(work, request, *secret)[0] == 0
        assert decode_py(work, answer.data)[0] == 0
        assert decode_py(work, request)[0] == 1
        assert decode_py(work, request, "--secret", "alice=wrong")[0] == 1
        # one octet of the request that nothing but its proofs covers
        wrong = request.replace(b"alice", b"alica", 1)
        code, out = decode_py(work, wrong, *secret)
        assert code == 1 and len(out["problems"]) >= 2
        client.post(p.url, wrong)
        assert p.log()[-1]["status"][0]["status"] == "failed"
        subprocess.run(["openssl", "verify", "-CAfile",
                        os.path.join(p.dir, "ca.pem"),
                        os.path.join(p.dir, "issued",
                                     log["issued"][0] + ".pem")],
                       check=True, capture_output=True)


@scene
def command_lines(work: str) -> None:
    """As scripts start them."""
    here = os.path.dirname(os.path.abspath(__file__))
    process = subprocess.Popen(
        [sys.executable, os.path.join(here, "peer.py"), "--dir",
         os.path.join(work, "ca"), "--secret", "=".join(WHO)],
        stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().removeprefix("ready: ").strip()
    key = client.new_key("ec")
    status, _ = client.post(url, client.full_request(enrol(key), key))
    process.terminate()
    assert (status, process.wait(20)) == (200, 0)
    for secret, expected in ((WHO[1], 0), ("wrong", 1)):
        done = subprocess.run(
            [sys.executable, os.path.join(here, "decode.py"),
             os.path.join(work, "ca", "messages", "0001-in.der"),
             "--secret", f"alice={secret}"], capture_output=True, text=True)
        assert done.returncode == expected
        assert bool(json.loads(done.stdout)["problems"]) == bool(expected)


@scene
def crmf_signed(work: str) -> None:
    with peer(work) as p:
        for kind in ("rsa", "ec", "ed25519"):
            key = client.new_key(kind)
            request = client.full_request(enrol(key), key)
            answer = p.ask(request)
            assert client.statuses(answer) == [(0, [7])]
            issued_for(answer, key)
            assert decode_py(work, request, "--secret",
                             "=".join(WHO))[0] == 0
            link = p.log()[-1]["links"][0]
            assert link["result"] == "ok" and link["key"] == "secret"


@scene
def every_other_octet(work: str) -> None:
    """decode.py takes no request with a bit changed."""
    key = client.new_key("ec")
    for message in (client.full_request(enrol(key), key), authenticated_data(
            N.PKI_DATA, enrol(key), "".join(WHO).encode(), rounds=10)):
        secret = ("--secret", "=".join(WHO))
        assert decode_py(work, message, *secret)[0] == 0
        for i in range(0, len(message), 2):
            wrong = bytearray(message)
            wrong[i] ^= 1 << i % 8
            code, _ = decode_py(work, bytes(wrong), *secret)
            assert code == 1, (i, bytes(wrong).hex())


@scene
def wrong_proofs(work: str) -> None:
    """Each refused for its own reason."""
    with peer(work) as p:
        key = client.new_key("ec")

        def refused(data: bytes, signer=key) -> int:
            message = p.ask(client.full_request(data, signer))
            assert client.statuses(message)[0][0] == N.FAILED
            assert not p.log()[-1]["issued"]
            return int(p.log()[-1]["status"][0]["other"], 16) & 0xff
        assert refused(enrol(key, who=("alice", "wrong"))) == 7
        assert refused(enrol(key, who=("carol", WHO[1]))) == 7
        assert refused(enrol(key, who=None)) == 7
        assert refused(client.pki_data(
            [], [client.crmf(key, "bob", 7, None)], WHO)) == 7
        random = der.octets(os.urandom(64))
        assert refused(client.pki_data([("popLinkRandom", random)], [
            client.crmf(key, "bob", 7, client.pop_link(WHO[1], b"x"))],
            WHO)) == 7
        # 33 and 34 exchanged
        assert refused(enrol(key).replace(
            der.oid(N.OIDS["identityProofV2"]),
            der.oid(N.OIDS["popLinkWitnessV2"]))) == 2
        # a body part id used twice, and an unknown control
        assert refused(enrol(key, req_id=100)) == 2
        assert refused(enrol(key, more=[("modCertTemplate",
                                         der.seq())])) == 2
        # signed by a key of no request
        assert refused(enrol(key), client.new_key("ec")) == 1
        # poll of nobody
        assert refused(enrol(key, more=[("queryPending",
                                         der.octets(b"?"))])) == 2


@scene
def renewal_by_certificate(work: str) -> None:
    with peer(work) as p:
        key, new = client.new_key("ec"), client.new_key("rsa")
        cert = issued_for(p.ask(client.full_request(enrol(key), key)), key)
        data = client.pki_data([], [client.crmf(new, "bob", 1, None)], None)
        answer = p.ask(client.full_request(data, key, cert))
        assert issued_for(answer, new).subject == cert.subject
        assert p.log()[-1]["signers"][0]["kind"] == "certificate"
        data = client.pki_data([], [client.crmf(new, "eve", 1, None)], None)
        answer = p.ask(client.full_request(data, key, cert))
        assert client.statuses(answer) == [(N.FAILED, [1])]


@scene
def authenticated_data_both_ways(work: str) -> None:
    with peer(work, "--mac-response") as p:
        key = client.new_key("ec")
        data = client.pki_data([("identification", der.utf8(WHO[0]))],
                               [client.crmf(key, "bob", 7, None)], None)
        password = "".join(WHO).encode()
        request = authenticated_data(N.PKI_DATA, data, password)
        answer = p.ask(request)
        assert client.statuses(answer) == [(0, [7])]
        assert answer.layers[0].kind == "authenticated"
        proofs.verify_mac(answer.layers[0], password)
        issued_for(answer, key)
        secret = ("--secret", "=".join(WHO))
        assert decode_py(work, request, *secret)[0] == 0
        assert decode_py(work, answer.data, *secret)[0] == 0
        wrong = authenticated_data(N.PKI_DATA, data, password + b"?")
        assert client.statuses(p.ask(wrong)) == [(N.FAILED, [0])]
        assert decode_py(work, wrong, *secret)[0] == 1


# --- challenges -------------------------------------------------------------

def challenge_round(p: Running, work: str, kind: str, *, right: bool = True,
                    tagged: bool = True) -> Message:
    """The key of the request signs the envelopes, but proves nothing."""
    key, tid = client.new_key(kind), secrets.randbits(64)
    first = p.ask(client.full_request(
        enrol(key, popo="later", more=chain(tid, b"1")), key))
    value = first.body.value("encryptedPOP")
    assert decode_py(work, first.data)[0] == 0
    y, request = open_pop(value, key)
    covered = request if tagged else der.retag(request, 0x30)
    pop = proofs.mac("sha256", y[:KEY_MAX] if right else b"guess", covered)
    answer = der.seq(der.integer(8), client.HMAC256, der.octets(pop))
    more = [*chain(tid, b"2", first), ("decryptedPOP", answer)]
    second = p.ask(client.full_request(
        enrol(key, popo="later", req_id=8, more=more), key))
    assert bool(p.log()[-1]["issued"]) == right
    return second


@scene
def challenge(work: str) -> None:
    for kind in ("rsa", "ec"):
        with peer(work, "--challenge", "--pop-y", "80") as p:
            answer = challenge_round(p, work, kind)
            assert client.statuses(answer) == [(0, [8])]
            log = p.log()
            assert log[-2]["challenged"] == [7]
            assert log[-2]["status"][0] == {
                "status": "failed", "ids": [7], "text": "show the key",
                "other": "020108"}
            assert log[-1]["decrypted-pops"][0]["result"] == "ok"


@scene
def challenge_variants(work: str) -> None:
    with peer(work, "--challenge", "--oaep", "--gcm", "--pop-untagged",
              "--pop-status6") as p:
        challenge_round(p, work, "rsa", tagged=False)
        assert p.log()[-2]["status"][0]["status"] == "popRequired"
    with peer(work, "--challenge") as p:
        answer = challenge_round(p, work, "ec", right=False)
        assert client.statuses(answer) == [(N.FAILED, [8])]
    with peer(work, "--challenge", "--lie", "wrong-witness") as p:
        try:
            challenge_round(p, work, "ec")
            raise AssertionError("nobody saw the wrong witness")
        except proofs.Wrong:
            pass
    with peer(work, "--challenge") as p:
        key = client.new_key("ec")
        p.ask(client.full_request(enrol(key, popo="later"), key))
        gives_up = client.pki_data([("statusInfoV2", status_info(
            N.FAILED, [7], "", der.integer(N.FAIL["popFailed"])))], [], None)
        answer = p.ask(client.full_request(gives_up, key))
        assert client.statuses(answer) == [(0, [100])]
        assert p.log()[-1]["aborted"]


@scene
def no_signature(work: str) -> None:
    """A PKCS#10 and a SignerInfo that say that they are not signed."""
    with peer(work, "--challenge") as p:
        key = client.new_key("rsa")
        none = der.algorithm(N.NO_SIGNATURE, der.null())
        random = os.urandom(64)
        info = client.pkcs10_info(key, "erin", [
            (N.OIDS["popLinkWitnessV2"], client.pop_link(WHO[1], random))])
        csr = der.seq(info, none, der.bits(der.octets(
            hashlib.sha1(info).digest())))

        def request(*more) -> bytes:
            return client.full_request(client.pki_data(
                [("popLinkRandom", der.octets(random)), *more],
                [der.context(0, der.integer(1), csr)], WHO), key,
                algorithm=none)
        first = p.ask(request())
        assert client.statuses(first) == [(N.FAILED, [1])]
        assert p.log()[-1]["signers"][0]["kind"] == "no-signature"
        assert p.log()[-1]["requests"][0]["popo"] == "no-signature"
        assert decode_py(work, request(), "--secret", "=".join(WHO))[0] == 0
        y, tagged = open_pop(first.body.value("encryptedPOP"), key)
        pop = der.octets(proofs.mac("sha256", y, tagged))
        answer = p.ask(request(("decryptedPOP", der.seq(
            der.integer(1), client.HMAC256, pop))))
        assert client.statuses(answer) == [(0, [1])]


@scene
def static_ecdh(work: str) -> None:
    """RFC 6955 section 6, in PKCS#10 and as agreeMAC in CRMF."""
    with peer(work, "--anyone") as p:
        key = client.new_key("ec")
        cert = Certificate(client.load_certificate(
            os.path.join(p.dir, "agree.pem")))
        shared = key.exchange(ec.ECDH(), proofs.load_key(cert.spki))
        k = hashlib.sha256(cert.subject + shared + cert.issuer).digest()
        alg = der.algorithm("1.3.6.1.5.5.7.6.26")
        for good in (True, False):
            def pop(signed: bytes) -> bytes:
                return der.seq(
                    der.seq(cert.issuer, der.integer(cert.serial)),
                    der.octets(proofs.mac("sha256", k if good else b"",
                                          signed)))
            info = client.pkcs10_info(key, "dora")
            csr = der.seq(info, alg, der.bits(pop(info)))
            req = client.cert_request(key, "dora", 1)
            agree = der.context(3, alg, der.bits(pop(req)))
            for tagged in (der.context(0, der.integer(1), csr),
                           der.context(1, req, der.context(3, agree))):
                data = client.pki_data([], [tagged], None)
                answer = p.ask(unsigned(data))
                assert client.statuses(answer) == [(0 if good else 2, [1])]
                assert decode_py(work, unsigned(data), "--dir",
                                 p.dir)[0] == (not good)


def unsigned(data: bytes) -> bytes:
    """SignedData without SignerInfo."""
    return client.content_info(N.SIGNED, der.seq(
        der.integer(3), der.set_of(),
        der.seq(der.oid(N.PKI_DATA), der.context(0, der.octets(data))),
        der.set_of()))
