# SPDX-License-Identifier: BSD-2-Clause
"""The authority as a client sees it: over HTTPS, with its answers verified;
and as its operator does: certificates and the audit log."""
import base64
import hashlib
import http.client
import os
import sqlite3
import ssl
import subprocess
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pyasn1.type import char

import der
import names as N
from client import FULL, new_key
from issue import (DAY, common_name, extension, from_pem, key_id, new_serial,
                   now, public_der)
from messages import (RAW_LIST, Certificate, Control, Message, decode,
                      decode_integer, decode_octets)
from proofs import Wrong, sid_text, verify, verify_signer

FAIL_NAMES = {number: name for name, number in N.FAIL.items()}


@dataclass
class Status:
    """One statusInfoV2."""
    status: int
    ids: list[int]
    fail: str | None
    token: bytes = b""
    text: str = ""

    def word(self) -> str:
        return self.fail or N.STATUS[self.status]


@dataclass
class Answer:
    code: int
    type: str
    body: bytes
    message: Message | None = None
    statuses: list[Status] = field(default_factory=list)
    certs: list[Certificate] = field(default_factory=list)
    inside: list["Answer"] = field(default_factory=list)

    def words(self) -> list[str]:
        return [s.word() for s in self.statuses]

    def value(self, name: str) -> bytes:
        found = self.message.body.value(name)
        if found is None:
            raise Wrong(f"no {name} in the answer")
        return found


class Holder:
    """A key and its certificate."""

    def __init__(self, key, cert: Certificate):
        self.key, self.cert = key, cert


def read_status(control: Control) -> Status:
    parts = [bytes(p) for p in decode(control.value, RAW_LIST, "status")]
    ids = []
    for part in decode(parts[1], RAW_LIST, "bodyList"):
        part = bytes(part)
        if part[0] == 0x30:  # BodyPartPath: where it leads
            path = decode(part, RAW_LIST, "path")
            part = bytes(path[-1])
        ids.append(decode_integer(part))
    found = Status(decode_integer(parts[0]), ids, None)
    for part in parts[2:]:
        if part[0] == 12:
            found.text = str(decode(part, char.UTF8String(), "text"))
        elif part[0] == 2:
            found.fail = FAIL_NAMES[decode_integer(part)]
        elif part[0] == 0x30:
            info = decode(part, RAW_LIST, "pendInfo")
            found.token = decode_octets(bytes(info[0]))
    if (found.status == N.FAILED) != (found.fail is not None):
        raise Wrong(f"status {found.status} with failInfo {found.fail}")
    return found


class Door:
    """url: of the authority; directory: its files."""

    def __init__(self, url: str, directory: str, burin: str, sign: str):
        self.url, self.dir = urlsplit(url), directory
        self.burin, self.sign = burin, sign
        self.context = ssl.create_default_context(
            cafile=os.path.join(directory, "ca.pem"))
        self.line: http.client.HTTPSConnection | None = None
        self.blocked = 0  # addresses that have to wait
        self.ca = self.load("ca.pem")
        self.cmc = self.load("cmc.pem")
        self.pop = self.load("pop.pem")
        self.db = sqlite3.connect(
            f"file:{os.path.join(directory, 'authority.db')}?mode=ro",
            uri=True)
        self.check_signer()

    def load(self, name: str) -> Certificate:
        with open(os.path.join(self.dir, name), "rb") as f:
            return Certificate(from_pem(f.read()))

    def check_signer(self) -> None:
        """Of the CA's name, with id-kp-cmcCA, signed by the CA, and another
        key (RFC 6402 sections 2.9, 2.10; RFC 6403)."""
        eku = self.cmc.extension(N.EKU) or b""
        if (self.cmc.subject != self.ca.subject or
                der.oid(N.KP_CMC_CA) not in eku or
                self.cmc.spki == self.ca.spki):
            raise Wrong("cmc.pem is not the CA's signer of CMC")
        self.issued_here(self.cmc)

    def issued_here(self, cert: Certificate) -> None:
        if cert.issuer != self.ca.subject:
            raise Wrong("a certificate of somebody else")
        verify(self.ca.spki, cert.algorithm, cert.tbs, cert.signature)

    # --- what the operator sees ---------------------------------------------

    def invite(self, name: str, profile: str) -> str:
        return subprocess.run(
            [self.burin, "authority", "invite", self.dir, name, "--profile",
             profile], check=True, capture_output=True,
            text=True).stdout.strip()

    def approve_all(self) -> None:
        for (number,) in self.db.execute(
                "SELECT id FROM requests WHERE state = 'waiting'").fetchall():
            subprocess.run([self.burin, "authority", "approve", self.dir,
                            str(number)], check=True, capture_output=True)

    def expired_holder(self) -> Holder:
        """One whose certificate this CA made, and that ran out: nobody can
        wait for it. --ca-sign is a program that signs as the CA what it
        reads. The row in the store is as the authority would have written
        it."""
        key = new_key("ec")
        spki = public_der(key)
        start, end = now() - 3 * DAY, now() - DAY
        tbs = der.seq(
            der.context(0, der.integer(2)), der.integer(new_serial()),
            der.algorithm(N.ECDSA_SHA256), self.ca.subject,
            der.seq(der.utc_time(start), der.utc_time(end)),
            common_name("expired"), spki,
            der.context(3, der.seq(
                extension(N.SKI, der.octets(key_id(spki))),
                extension(N.AKI, der.seq(der.primitive(0, self.ca.ski))))))
        signature = subprocess.run([self.sign], input=tbs, check=True,
                                   capture_output=True).stdout
        cert = Certificate(der.seq(tbs, der.algorithm(N.ECDSA_SHA256),
                                   der.bits(signature)))
        self.issued_here(cert)
        with sqlite3.connect(os.path.join(self.dir, "authority.db"),
                             timeout=30) as db:
            db.execute(
                "INSERT INTO certificates (serial, subject, key_sha256, der,"
                " principal, request_sha256, profile, via, issued, not_after)"
                " VALUES (?, 'CN=expired', ?, ?, 'invite:0', ?, 'default',"
                " 'cmc', ?, ?)",
                (f"{cert.serial:x}", hashlib.sha256(spki).digest(), cert.der,
                 os.urandom(32), int(start.timestamp()),
                 int(end.timestamp())))
        return Holder(key, cert)

    def count(self) -> int:
        return self.db.execute("SELECT count(*) FROM certificates"
                               ).fetchone()[0]

    def revoked(self, cert: Certificate) -> bool:
        row = self.db.execute("SELECT status FROM certificates WHERE der = ?",
                              (cert.der,)).fetchone()
        return row is not None and row[0] == "revoked"

    def last_line(self) -> int:
        return self.db.execute("SELECT coalesce(max(seq), 0) FROM audit"
                               ).fetchone()[0]

    def lines(self, after: int) -> list[str]:
        return [f"{event} {detail}" for event, detail in self.db.execute(
            "SELECT event, detail FROM audit WHERE seq > ? ORDER BY seq",
            (after,))]

    # --- what the client sees -----------------------------------------------

    def post(self, data: bytes, type_: str = FULL, path: str = "/cmc",
             user: tuple[str, str] | None = None) -> Answer:
        headers = {"Content-Type": type_}
        if user:
            headers["Authorization"] = "Basic " + base64.b64encode(
                ":".join(user).encode()).decode()
        for again in (2, 1, 0):
            try:
                answer = self.post_once(path, data, headers)
                if answer.code != 429:
                    return answer
                self.blocked += 1
            except (http.client.RemoteDisconnected, ConnectionError):
                if not again:
                    raise
            self.hang_up()
        return answer

    def post_once(self, path: str, data: bytes, headers: dict) -> Answer:
        """Who gave too many wrong secrets comes again from another
        address."""
        if self.line is None:
            self.line = http.client.HTTPSConnection(
                self.url.hostname, self.url.port, timeout=60,
                context=self.context,
                source_address=(f"127.0.0.{2 + self.blocked}", 0))
        self.line.request("POST", path, data, headers)
        got = self.line.getresponse()
        return Answer(got.status, got.getheader("Content-Type", ""),
                      got.read())

    def hang_up(self) -> None:
        self.line.close()
        self.line = None

    def talk(self, data: bytes, draft=None, **how) -> Answer:
        """Sends it and holds the answer against what was sent."""
        answer = self.post(data, **how)
        if answer.code != 200:
            raise Wrong(f"HTTP status {answer.code}: {answer.body[:200]!r}")
        self.read(answer, draft)
        return answer

    def read(self, answer: Answer, draft=None) -> None:
        message = answer.message = Message(answer.body)
        kind = {"certs-only": "certs-only",
                "full-response": "cmc-response"}.get(message.kind)
        if kind is None or kind not in answer.type.lower():
            raise Wrong(f"{message.kind} as {answer.type}")
        answer.certs = [Certificate(c) for c in message.certificates()]
        if message.kind == "certs-only":
            if message.layers[0].value["signerInfos"]:
                raise Wrong("a Simple response that is signed")
            return
        self.check_answer(message)
        answer.statuses = [read_status(c)
                           for c in message.body.all("statusInfoV2")]
        auth = message.body.value("authData")
        auth = None if auth is None else int.from_bytes(auth[2:])
        for number, part in message.body.cms.items():
            if number == auth:
                continue  # anchors, MACed for who has the secret
            answer.inside.append(Answer(200, "; cmc-response certs-only",
                                        part))
            self.read(answer.inside[-1])
        if draft is not None:
            self.check_thread(message, draft)

    def check_answer(self, message: Message) -> None:
        """One signature, by the CMC key."""
        layer = message.layers[0]
        infos = layer.value["signerInfos"]
        if layer.kind != "signed" or len(infos) != 1:
            raise Wrong("the answer has not one signature")
        named, _ = sid_text(infos[0])
        name = verify_signer(infos[0], layer, self.cmc.spki)
        if name == "no-signature" or named not in ("ski", "issuer"):
            raise Wrong("the answer is not signed")
        flaws = message.body.flaws()
        if flaws:
            raise Wrong(f"the answer: {flaws[0]}")

    @staticmethod
    def check_thread(message: Message, draft) -> None:
        """transactionId and nonces (RFC 10002 section 6.6)."""
        body = message.body
        if body.value("transactionId") != der.integer(draft.transaction):
            raise Wrong("another transactionId")
        if body.value("recipientNonce") != der.octets(draft.nonce):
            raise Wrong("recipientNonce is not what was sent")
        ours = decode_octets(body.value("senderNonce") or b"")
        if len(ours) < 16:
            raise Wrong("a senderNonce of few octets")

    @staticmethod
    def find_any(answer: Answer, key_der: bytes) -> list[Certificate]:
        return [c for c in answer.certs if c.spki == key_der]

    def find(self, answer: Answer, key_der: bytes) -> Certificate:
        """The certificate for this key, which this CA issued."""
        found = self.find_any(answer, key_der)
        if len(found) != 1:
            raise Wrong(f"{len(found)} certificates for the key: "
                        f"{answer.words()}")
        self.issued_here(found[0])
        return found[0]
