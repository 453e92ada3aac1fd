# SPDX-License-Identifier: BSD-2-Clause
"""What the authority does with a request, and its response."""
import datetime
import os
import secrets
import traceback
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

import controls
import der
import lies
import names as N
import services
from challenge import Challenges
from envelope import (authenticated_data, can_decrypt, certs_only,
                      enveloped_data, signed_data, signer_info)
from exchange import Exchange, Refusal
from issue import now, public_der
from messages import (BadMessage, Certificate, Control, Request,
                      read_content_info)
from proofs import Wrong, load_key
from subject import names_to_issue


@dataclass
class Status:
    status: int
    ids: list[int]
    text: str = ""
    other: bytes = b""


@dataclass
class Pending:
    """Requests that wait for a queryPending."""
    requests: list[Request]
    about: dict
    left: int
    info: bytes


@dataclass
class Answer:
    body: bytes
    kind: str  # CMC-response or certs-only
    refused: bool = False


@dataclass
class Response:
    """What goes into the response."""
    statuses: list[Status] = field(default_factory=list)
    controls: list[tuple[str, bytes]] = field(default_factory=list)
    certs: list[bytes] = field(default_factory=list)
    crls: list[bytes] = field(default_factory=list)
    cms: list[bytes] = field(default_factory=list)
    issued: list[Certificate] = field(default_factory=list)
    simple: bool = False
    refused: bool = False

    def add(self, status: int, ids: list[int], text: str = "",
            other: bytes = b"") -> None:
        self.statuses.append(Status(status, ids, text, other))


class Handler:
    """One exchange, from the octets that came to the octets that go."""

    def __init__(self, peer, log: dict, renewed: bytes | None = None):
        self.peer, self.opts, self.log = peer, peer.opts, log
        self.renewed = renewed  # simplereenroll: whose connection it is
        self.authority = peer.authority
        self.x = Exchange(peer, log)
        self.out = Response()

    def handle(self, data: bytes) -> Answer:
        try:
            self.x.read(data)
            if self.x.message.kind == "simple-request":
                return self.simple_request(self.x.message.request)
            self.x.check_structure()
            self.x.check_wrappers()
            self.x.check_chain()
            self.x.check_identity()
            self.remember_keys()
            self.serve()
        except Refusal as e:
            self.refuse(e)
        except BadMessage as e:
            self.refuse(Refusal("badRequest", [0], str(e)))
        except Exception as e:  # noqa: B902 ours to mend, theirs to see
            self.log["crash"] = traceback.format_exc()
            self.refuse(Refusal("internalCAError", [0], repr(e)))
        return self.answer()

    def refuse(self, e: Refusal) -> None:
        other = b"" if e.fail is None else der.integer(e.fail)
        self.out.refused = True
        self.out.add(e.status, e.ids, e.text, other)

    def remember_keys(self) -> None:
        """Later messages may be signed by the key of this request."""
        for request in self.x.body.requests:
            if request.ski is not None:
                self.peer.keys[request.ski] = request.spki

    # --- what was asked for -------------------------------------------------

    def serve(self) -> None:
        query = self.x.body.one("queryPending")
        if query and self.x.body.requests:
            raise Refusal("badRequest", [query.id],
                          "queryPending beside requests")
        aborted = services.confirm_or_abort(self)
        if self.x.body.requests and not aborted:
            self.enrol()
        if query:
            self.poll(query)
        services.serve_others(self)
        if not self.out.statuses and not self.out.simple:
            self.out.add(N.SUCCESS, [0])

    def enrol(self) -> None:
        requests = self.x.body.requests
        if not self.log["signers"] and not self.opts.anyone:
            raise Refusal("badMessageCheck", [0], "nobody signed this")
        self.x.check_links()
        self.x.check_names()
        later = self.x.check_pops()
        if not Challenges(self).settle(later):
            return
        if self.opts.refuse is not None or self.opts.ext_fail:
            self.refuse_enrolment([r.id for r in requests])
            return
        about = self.about()
        if self.opts.pending:
            self.put_off(requests, about, N.PENDING, self.opts.pending)
        elif self.opts.partial and len(requests) > 1:
            self.issue(requests[:1], about, said=False)
            self.put_off(requests, about, N.PARTIAL, 1)
        else:
            self.issue(requests, about)

    def refuse_enrolment(self, ids: list[int]) -> None:
        self.out.refused = True
        if self.opts.ext_fail:
            for new in (True, False):
                self.out.add(N.FAILED, ids, "", controls.extended_fail(new))
        fail = (self.opts.refuse if self.opts.refuse is not None
                else N.FAIL["internalCAError"])
        self.out.add(N.FAILED, ids, "not today", der.integer(fail))

    def about(self) -> dict:
        if self.x.identity is not None:
            return {"identification": self.x.identity}
        if self.x.signer_cert is not None:
            return dict(self.authority.about.get(
                f"{self.x.signer_cert.serial:x}", {}))
        return {}

    def issue(self, requests: list[Request], about: dict,
              ids: list[int] | None = None, said: bool = True) -> None:
        """ids: the parts of this message which the status is about."""
        for request in requests:
            spki = request.spki
            if self.opts.lie == "other-key":
                spki = public_der(ec.generate_private_key(ec.SECP256R1()))
            try:
                subject, extensions = names_to_issue(
                    request, about, self.opts.lie == "other-names")
            except (BadMessage, Wrong) as e:
                raise Refusal("badRequest", [request.id], str(e)) from e
            cert = self.authority.issue(
                subject, spki, extensions,
                {**about, **services.passphrase_of(request)})
            self.out.issued.append(cert)
            self.out.certs.append(cert.der)
            if self.opts.confirm:
                self.peer.unconfirmed.add(cert.serial)
                self.out.controls.append(
                    ("confirmCertAcceptance", controls.cert_id(cert)))
        if said:
            self.out.add(N.CONFIRM_REQUIRED if self.opts.confirm
                         else N.SUCCESS, ids or [r.id for r in requests])
        self.out.simple = self.opts.simple and not self.opts.confirm

    # --- pending (RFC 10002 section 6.13) -----------------------------------

    def put_off(self, requests: list[Request], about: dict, status: int,
                times: int) -> None:
        token = secrets.token_bytes(16)
        when = now() + datetime.timedelta(seconds=self.opts.pending_seconds)
        info = controls.pend_info(token, when)
        rest = requests[1:] if status == N.PARTIAL else requests
        self.peer.pending[token] = Pending(rest, about, times, info)
        self.out.add(status, [r.id for r in requests], "", info)
        self.log["pend-token"] = token.hex()

    def poll(self, control: Control) -> None:
        token = services.octets_of(control)
        self.log["query-pending"] = token.hex()
        strong = [s for s in self.log["signers"]
                  if s["kind"] != "no-signature"]
        if not strong and self.x.identity is None:
            raise Refusal("badIdentity", [control.id], "who asks?")
        if self.opts.poll_identity and self.x.identity is None:
            raise Refusal("badIdentity", [control.id],
                          "who asks? say it with an identity proof")
        pending = self.peer.pending.get(token)
        if pending is None:
            raise Refusal("badRequest", [control.id], "unknown pendToken")
        pending.left -= 1
        if pending.left > 0:
            self.out.add(N.PENDING, [control.id], "",
                         b"" if self.opts.pending_bare else pending.info)
            return
        del self.peer.pending[token]
        self.issue(pending.requests, pending.about, [control.id])

    # --- simple requests ----------------------------------------------------

    def simple_request(self, request: Request) -> Answer:
        self.log["requests"] = [self.x.describe(request)]
        self.x.body = SimpleBody([request])
        try:
            self.check_renewed()
            if self.x.check_pops():
                raise Refusal("popRequired", [1], "a simple request cannot")
            self.issue([request], {})
            self.out.simple = True
        except Refusal as e:
            self.refuse(e)
        return self.answer()

    def check_renewed(self) -> None:
        """RFC 7030 section 4.2.2."""
        if self.renewed is None:
            return
        self.x.signer_cert = Certificate(self.renewed)
        if self.x.signer_cert.serial not in self.authority.issued:
            raise Refusal("badIdentity", [1], "no certificate of ours")
        self.x.check_names()

    # --- the response -------------------------------------------------------

    def answer(self) -> Answer:
        self.log["identity"] = self.x.identity
        self.log["proved"] = self.x.proved
        self.log["issued"] = [f"{c.serial:x}" for c in self.out.issued]
        chain = [self.authority.ca.cert.der]
        if self.out.simple and not self.out.refused:
            self.log["answer"] = "simple"
            return Answer(lies.damage(self.opts.lie, certs_only(
                self.out.certs + chain, self.out.crls, self.opts.ber)),
                "certs-only")
        if not self.out.refused:
            services.add_anchors(self)
        content = self.pki_response()
        if self.x.mac_password is not None and self.opts.mac_response:
            self.log["answer"] = "mac"
            body = authenticated_data(N.PKI_RESPONSE, content,
                                      self.x.mac_password,
                                      self.out.certs + chain,
                                      "sha1" if self.opts.legacy
                                      else "sha256")
        else:
            self.log["answer"] = "full"
            body = self.sign(content, chain)
        if self.opts.encrypt_response:
            body = self.encrypt(body)
        self.log["status"] = [
            {"status": N.STATUS[s.status], "ids": s.ids, "text": s.text,
             "other": s.other.hex()} for s in self.out.statuses]
        return Answer(lies.damage(self.opts.lie, body), "CMC-response",
                      self.out.refused)

    def sign(self, content: bytes, chain: list[bytes]) -> bytes:
        signer = lies.signer(self.opts.lie, self.authority)
        type_ = lies.content_type(self.opts.lie)
        info = signer_info(signer, type_, content,
                           lies.signing_time(self.opts.lie))
        info = lies.signature(self.opts.lie, info)
        return signed_data(type_, content, info,
                           self.out.certs + chain + [signer.cert.der],
                           self.out.crls, self.opts.ber)

    def encrypt(self, body: bytes) -> bytes:
        """To the key of the first request, when that can decrypt."""
        request = next(iter(self.x.body.requests), None) \
            if self.x.body else None
        if request is None or not can_decrypt(load_key(request.spki)):
            return body
        self.log["answer-encrypted"] = True
        type_, content = read_content_info(body)
        return enveloped_data(load_key(request.spki), request.ski,
                              request.id, content, type_, self.opts.oaep)

    def pki_response(self) -> bytes:
        found = []
        for s in self.out.statuses:
            value = controls.status_info(s.status, s.ids, s.text, s.other)
            found.append(("statusInfoV2", value))
            if self.opts.status_v1:
                found.append(("statusInfo", value))
        found += self.echoes() + self.out.controls
        ids = lies.body_ids(self.opts.lie, len(found))
        # ids of cmsSequence lie above those of the controls
        return der.seq(
            der.seq(*[controls.tagged_attribute(i, name, value)
                      for i, (name, value) in zip(ids, found)]),
            der.seq(*self.out.cms), der.seq())

    def echoes(self) -> list[tuple[str, bytes]]:
        """What a response copies from its request (RFC 10002 section 6.6,
        6.4, 6.12)."""
        if self.x.body is None or isinstance(self.x.body, SimpleBody):
            return []
        first = {c.name: c.values[0] for c in reversed(self.x.body.controls)
                 if c.values}
        found = []
        tid, nonce = first.get("transactionId"), first.get("senderNonce")
        if tid is not None:
            found.append(("transactionId", lies.transaction(self.opts.lie,
                                                            tid)))
        ours = None
        if nonce is not None:
            ours = der.octets(os.urandom(16))
            found.append(("senderNonce", ours))
            found += lies.recipient_nonce(self.opts.lie, nonce)
            self.peer.nonces.add(ours)
        if tid is not None and self.chain_goes_on():
            self.peer.transactions[tid] = ours
        for theirs, our in (("dataReturn", "dataReturn"),
                            ("regInfo", "responseInfo")):
            if theirs in first:
                found.append((our, first[theirs]))
        return found

    def chain_goes_on(self) -> bool:
        """A message refused for its place in the chain is not in it."""
        return self.log.get("first") is not None


class SimpleBody:
    """A simple request in the place of a PKIData."""

    def __init__(self, requests: list[Request]):
        self.requests, self.controls = requests, []
