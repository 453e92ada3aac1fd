# SPDX-License-Identifier: BSD-2-Clause
"""encryptedPOP and decryptedPOP (RFC 10002 section 6.7)."""
import hashlib
import os
from dataclasses import dataclass

from pyasn1.type import univ
from pyasn1_modules import rfc5280

import controls
import der
import names as N
from envelope import can_decrypt, enveloped_data
from exchange import Refusal
from messages import BadMessage, Request, decode, sequence
from proofs import Wrong, load_key, mac, mac_algorithm

DECRYPTED_POP = sequence(("id", univ.Integer()),
                         ("algorithm", rfc5280.AlgorithmIdentifier()),
                         ("pop", univ.OctetString()))
KEY_MAX = 64  # octets of y that are the key


@dataclass
class Sent:
    """A challenge that waits for its answer."""
    tagged: bytes
    y: bytes
    mac: str


class Challenges:
    def __init__(self, handler):
        self.h, self.opts = handler, handler.opts
        self.waiting: dict[bytes, Sent] = handler.peer.challenges

    def settle(self, later: list[Request]) -> bool:
        """Whether every request has its proof now; else challenges went
        into the response. One that is missing holds all of them up."""
        answers = self.answers()
        self.h.log["decrypted-pops"] = []
        missing = []
        for request in later:
            if request.id in answers:
                self.check(request, answers.pop(request.id))
            else:
                missing.append(request)
        if answers:
            raise Refusal("badRequest", list(answers),
                          "decryptedPOP of no request that needs it")
        for request in missing:
            self.challenge(request)
        return not missing

    def answers(self) -> dict[int, object]:
        found = {}
        for control in self.h.x.body.all("decryptedPOP"):
            try:
                value = decode(control.value, DECRYPTED_POP, "decryptedPOP")
            except BadMessage as e:
                raise Refusal("badRequest", [control.id], str(e)) from e
            found[int(value["id"])] = value
        return found

    def check(self, request: Request, value) -> None:
        sent = self.waiting.get(request.spki)
        result = self.compare(sent, value)
        self.h.log["decrypted-pops"].append({"id": request.id,
                                             "result": result})
        if result != "ok":
            raise Refusal("popFailed", [request.id], result)
        del self.waiting[request.spki]
        self.h.x.proved[request.id] = "challenge"

    def compare(self, sent: Sent | None, value) -> str:
        if sent is None:
            return "nothing was challenged"
        try:
            hash_ = mac_algorithm(value["algorithm"])
        except Wrong as e:
            return str(e)
        if hash_ != sent.mac:
            return f"thePOPAlgID is not the {sent.mac} that was asked for"
        data = sent.tagged
        if self.opts.pop_untagged:
            data = untagged(data)
        expected = mac(hash_, sent.y[:KEY_MAX], data)
        return ("ok" if expected == value["pop"].asOctets()
                else "decryptedPOP does not verify")

    def challenge(self, request: Request) -> None:
        """failed with popRequired and the challenge, or without one."""
        key = load_key(request.spki)
        status = N.POP_REQUIRED if self.opts.pop_status6 else N.FAILED
        other = b"" if self.opts.pop_status6 else der.integer(
            N.FAIL["popRequired"])
        self.h.out.add(status, [request.id], "show the key", other)
        if not self.opts.challenge or not can_decrypt(key):
            self.h.out.refused = True
            return
        hash_ = "sha1" if self.opts.legacy else "sha256"
        y = os.urandom(self.opts.pop_y)
        shown = y if self.opts.lie != "wrong-witness" else y + b"!"
        cms = enveloped_data(key, request.ski, request.id, y,
                             oaep=self.opts.oaep, gcm=self.opts.gcm)
        self.h.out.controls.append(("encryptedPOP", controls.encrypted_pop(
            request.tagged, cms, hash_, hashlib.new(hash_, shown).digest())))
        self.waiting[request.spki] = Sent(request.tagged, y, hash_)
        self.h.log.setdefault("challenged", []).append(request.id)


def untagged(tagged: bytes) -> bytes:
    """The request in its TaggedRequest: the SEQUENCE that [n] stands for."""
    return der.retag(tagged, 0x30)
