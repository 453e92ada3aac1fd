# SPDX-License-Identifier: BSD-2-Clause
"""One request before the authority: what it is, who sent it, what it says."""
from pyasn1.type import char

import der
import names as N
import proofs
from envelope import open_envelope
from issue import common_name
from messages import (BadMessage, Certificate, Message, Request, decode,
                      decode_octets)
from proofs import Wrong

# What a final server understands in a PKIData. The rest is for RAs.
KNOWN = {"statusInfo", "statusInfoV2", "identification", "identityProof",
         "identityProofV2", "dataReturn", "transactionId", "senderNonce",
         "recipientNonce", "decryptedPOP", "getCert", "getCRL",
         "revokeRequest", "regInfo", "queryPending", "popLinkRandom",
         "confirmCertAcceptance", "publishCert"}


class Refusal(Exception):
    """The answer is statusInfoV2 failed."""

    def __init__(self, fail: str | int, ids: list[int], text: str,
                 status: int = N.FAILED):
        super().__init__(text)
        self.fail = N.FAIL[fail] if isinstance(fail, str) else fail
        self.ids, self.text, self.status = ids or [0], text, status


class Exchange:
    """Reads and checks; log says what came out."""

    def __init__(self, peer, log: dict):
        self.peer, self.log = peer, log
        self.opts, self.authority = peer.opts, peer.authority
        self.body = None
        self.identification: str | None = None
        self.identity: str | None = None  # whose secret was proved
        self.signer_cert: Certificate | None = None
        self.signed_by_request = False
        self.mac_password: bytes | None = None
        self.proved: dict[int, str] = {}

    # --- reading ------------------------------------------------------------

    def read(self, data: bytes) -> None:
        self.log["bytes"] = len(data)
        keys = [self.authority.encrypt, self.authority.agree]
        try:
            self.message = Message(
                data, lambda kind, value: open_envelope(kind, value, keys))
        except BadMessage as e:
            raise Refusal("badRequest", [0], str(e)) from e
        except Wrong as e:
            raise Refusal("badMessageCheck", [0], str(e)) from e
        self.log["kind"] = self.message.kind
        self.log["layers"] = [layer.kind for layer in self.message.layers]
        self.body = self.message.body
        if self.message.kind == "full-request":
            self.log_body()
        elif self.message.kind != "simple-request":
            raise Refusal("badRequest", [0], f"a {self.message.kind}")

    def log_body(self) -> None:
        self.log["controls"] = [
            {"id": c.id, "oid": c.oid, "name": c.name,
             # holds a passphrase
             "values": ["hidden" if c.name == "revokeRequest" else v.hex()
                        for v in c.values]}
            for c in self.body.controls]
        self.log["requests"] = [self.describe(r) for r in self.body.requests]

    @staticmethod
    def describe(r: Request) -> dict:
        return {"id": r.id, "form": r.form, "subject": r.subject.hex(),
                "popo": r.popo, "pop-algorithm": r.algorithm[0],
                "ski": r.ski.hex() if r.ski else None,
                "extensions": [oid for oid, _, _ in r.extensions],
                "attributes": [N.control_name(a) for a in r.attributes]}

    def value(self, name: str) -> bytes | None:
        try:
            return self.body.value(name)
        except BadMessage as e:
            raise Refusal("badRequest",
                          [c.id for c in self.body.all(name)],
                          str(e)) from e

    # --- structure ----------------------------------------------------------

    def check_structure(self) -> None:
        flaws = self.body.flaws()
        if flaws:
            self.log["flaws"] = flaws
            raise Refusal("badRequest", [0], "; ".join(flaws))
        known = set(KNOWN)
        if self.opts.swap:
            known = known - {"identityProofV2"} | {"popLinkWitnessV2"}
        unknown = [c for c in self.body.controls if c.name not in known]
        if unknown:
            raise Refusal("badRequest", [c.id for c in unknown],
                          "unknown control " + unknown[0].name)
        misplaced = N.OIDS["popLinkWitnessV2" if self.opts.swap
                           else "identityProofV2"]
        for r in self.body.requests:
            if misplaced in r.attributes:
                raise Refusal("badRequest", [r.id],
                              "identityProofV2 inside a request")
            if r.form == "other":
                raise Refusal(None, [r.id], "other request", N.NO_SUPPORT)
        text = self.value("identification")
        if text is not None:
            self.identification = str(decode(text, char.UTF8String(),
                                             "identification"))
            self.log["identification"] = self.identification

    def check_chain(self) -> None:
        """transactionId and nonces (RFC 10002 section 6.6)."""
        self.transaction = self.value("transactionId")
        nonce = self.value("recipientNonce")
        if self.transaction is not None:
            known = self.transaction in self.peer.transactions
            expected = self.peer.transactions.get(self.transaction)
            if known and nonce != expected:
                raise Refusal("badRequest", [0], "recipientNonce is not the "
                              "nonce of the last response")
            if not known and nonce is not None:
                raise Refusal("badRequest", [0],
                              "recipientNonce in a first message")
        elif nonce is not None and nonce not in self.peer.nonces:
            raise Refusal("badRequest", [0], "recipientNonce of nobody")
        self.log["first"] = nonce is None

    # --- wrappers -----------------------------------------------------------

    def check_wrappers(self) -> None:
        self.log["signers"] = []
        try:
            for layer in self.message.layers:
                if layer.kind == "signed":
                    self.check_signed(layer)
                elif layer.kind == "authenticated":
                    self.check_mac(layer)
        except (Wrong, BadMessage) as e:
            self.log["signers"].append({"result": str(e)})
            raise Refusal("badMessageCheck", [0], str(e)) from e

    def check_signed(self, layer) -> None:
        infos = list(layer.value["signerInfos"])
        proofs.check_version(layer)
        for info in infos:
            kind, name = proofs.sid_text(info)
            by, spki, cert = self.find_signer(kind, name)
            if by == "request" and len(infos) != 1:
                raise Wrong("more than one SignerInfo")
            alg = proofs.verify_signer(info, layer, spki)
            if alg == "no-signature":
                if kind != "ski":
                    raise Wrong("id-alg-noSignature needs a key id")
                by, cert = "no-signature", None
            self.signed_by_request |= by == "request"
            self.signer_cert = cert or self.signer_cert
            self.log["signers"].append(
                {"kind": by, "sid": kind, "algorithm": alg, "result": "ok",
                 "cert-included": bool(cert and cert.der
                                       in layer.certificates())})

    def find_signer(self, kind: str, name: bytes):
        """(kind of signer, its public key, its certificate)"""
        if kind == "ski":
            for request in self.body.requests:
                if request.ski == name:
                    return "request", request.spki, None
            cert = self.authority.find_ski(name)
            asked = self.peer.keys.get(name)
            # a certificate that lies about the key has this id as well
            if asked is not None and (cert is None or cert.spki != asked):
                return "request-before", asked, None
        else:
            cert = next((c for c in [*self.authority.issued.values(),
                                     *self.peer.trusted]
                         if c.issuer + der.integer(c.serial) == name), None)
        if cert is None:
            raise Wrong("the signer is neither a key of a request nor a "
                        "certificate of the authority")
        if self.authority.is_revoked(cert):
            raise Wrong("the signer's certificate is revoked")
        return "certificate", cert.spki, cert

    def check_mac(self, layer) -> None:
        names = ([self.identification] if self.identification is not None
                 else list(self.peer.secrets))
        problem = "nobody's secret"
        for name in names:
            if name not in self.peer.secrets:
                continue
            password = (name + self.peer.secrets[name]).encode()
            try:
                info = proofs.verify_mac(layer, password)
            except Wrong as e:
                problem = str(e)
                continue
            if self.opts.legacy and info["mac"] != "sha1":
                raise Refusal("badAlg", [0], "SHA-1 is all that is known "
                              "here")
            self.identity, self.mac_password = name, password
            self.log["signers"].append(
                {"kind": "mac", "identification": name, "result": "ok",
                 **info})
            return
        raise Wrong(problem)

    # --- identity and linking -----------------------------------------------

    def proof_controls(self) -> list[tuple]:
        v2 = "popLinkWitnessV2" if self.opts.swap else "identityProofV2"
        found = []
        for name, check in ((v2, proofs.identity_v2),
                            ("identityProof", proofs.identity_v1)):
            value = self.value(name)
            if value is not None:
                found.append((name, check, value))
        return found

    def check_identity(self) -> None:
        found = self.proof_controls()
        self.log["identity-proofs"] = []
        if self.identification is not None:
            candidates = [self.identification]
        else:
            candidates = list(self.peer.secrets)
        for name, check, value in found:
            ids = [c.id for c in self.body.all(name)]
            result, who = self.try_secrets(candidates, lambda secret: check(
                value, secret, self.identification, self.body.req_sequence))
            self.log["identity-proofs"].append({"control": name, **result})
            if who is None:
                raise Refusal("badIdentity", ids, result["result"])
            if self.opts.legacy and result["hash"] != "sha1":
                raise Refusal("badAlg", ids, "SHA-1 is all that is known here")
            self.identity = who

    def try_secrets(self, candidates: list[str], check) -> tuple:
        problem = "nobody of this name"
        for who in candidates:
            if who not in self.peer.secrets:
                continue
            try:
                return {"result": "ok", **check(self.peer.secrets[who])}, who
            except (Wrong, BadMessage) as e:
                problem = str(e)
        return {"result": problem}, None

    def check_links(self) -> None:
        random = self.value("popLinkRandom")
        if random is not None:
            random = decode_octets(random)
            self.log["pop-link-random"] = len(random)
        self.log["links"] = []
        for request in self.body.requests:
            links = self.witnesses(request)
            if links and random is None:
                raise Refusal("badRequest", [request.id],
                              "a witness, but no popLinkRandom")
            for name, check, values in links:
                self.check_link(request, name, check, values, random)
            if random is not None and not links:
                raise Refusal("badIdentity", [request.id],
                              "popLinkRandom, but no witness")
            if (self.identity is not None and not links and
                    self.mac_password is None and
                    not self.bound_name(request)):
                raise Refusal("badIdentity", [request.id],
                              "nothing links this request to the identity")

    def bound_name(self, request: Request) -> bool:
        """The name was handed out with the secret (RFC 10002 section 6.3)."""
        name = self.peer.names.get(self.identity)
        if name is None or request.subject != common_name(name):
            return False
        self.log["links"].append({"id": request.id, "control": "name",
                                  "result": "ok"})
        return True

    def witnesses(self, request: Request) -> list[tuple]:
        v2 = "identityProofV2" if self.opts.swap else "popLinkWitnessV2"
        return [(name, check, request.attributes[N.OIDS[name]])
                for name, check in ((v2, proofs.pop_link_v2),
                                    ("popLinkWitness", proofs.pop_link_v1))
                if N.OIDS[name] in request.attributes]

    def check_link(self, request, name, check, values, random) -> None:
        if len(values) != 1:
            raise Refusal("badRequest", [request.id], f"{name}: many values")
        who = self.identity if self.identity is not None else ""
        result, found = self.try_secrets([who], lambda secret: check(
            values[0], secret, self.identification, random))
        self.log["links"].append({"id": request.id, "control": name,
                                  **result})
        if found is None:
            raise Refusal("badIdentity", [request.id], result["result"])
        if self.opts.legacy and result["keygen"] != "sha1":
            raise Refusal("badAlg", [request.id],
                          "SHA-1 is all that is known here")

    def check_names(self) -> None:
        """Who may have a certificate (RFC 10002 section 6.3)."""
        if self.identity is not None or self.opts.anyone:
            return
        if self.signer_cert is None:
            raise Refusal("badIdentity", [0], "neither a shared secret nor a "
                          "certificate says who this is")
        if self.signer_cert in self.peer.trusted:
            return
        for request in self.body.requests:
            if (request.subject != self.signer_cert.subject or
                    request.extension(N.SAN) !=
                    self.signer_cert.extension(N.SAN)):
                raise Refusal("badIdentity", [request.id], "names are not "
                              "those of the signer's certificate")
        self.log["linked-by-certificate"] = f"{self.signer_cert.serial:x}"

    def check_pops(self) -> list[Request]:
        """The requests whose proof must come later."""
        later = []
        self.log["pops"] = []
        for request in self.body.requests:
            try:
                result = proofs.verify_pop(request, self.authority.agree.key,
                                           self.authority.agree.cert)
            except (Wrong, BadMessage) as e:
                self.log["pops"].append({"id": request.id, "result": str(e)})
                raise Refusal("popFailed", [request.id], str(e)) from e
            self.log["pops"].append({"id": request.id, "result": result})
            if result == "later":
                later.append(request)
            else:
                self.proved[request.id] = result
        return later

