#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""decode.py FILE [--secret IDENT=SECRET]... [--cert FILE]... [--key FILE]...
    [--dir DIR]

Reads any CMC message with pyasn1, says what it is as JSON, encodes all of it
again, and recomputes what it proves. Exit status 0: every octet is DER and
every proof holds; 1: something does not; 77: pyasn1 or cryptography missing.
"""
import argparse
import base64
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

try:
    import names as N
    import proofs
    import specs
    from envelope import BareKey, open_envelope
    from exchange import Exchange
    from issue import Signer, from_pem
    from messages import BadMessage, Certificate, Message, decode
    from proofs import Wrong
    from pyasn1.type import char, univ
except ModuleNotFoundError as e:
    if e.name.split(".")[0] not in ("pyasn1", "pyasn1_modules",
                                    "cryptography"):
        raise
    print(f"SKIPPED: python has no {e.name}", file=sys.stderr)
    sys.exit(77)


class Check:
    """A message, and what was found out about it."""

    def __init__(self, data: bytes, opts):
        self.data, self.opts = data, opts
        self.problems: list[str] = []
        self.secrets = dict(s.split("=", 1) for s in opts.secret)
        self.certs = [Certificate(read_file(c)) for c in opts.cert]
        self.out: dict = {}
        self.identification: str | None = None

    def note(self, what: str, check) -> None:
        """Runs a check; gives its result, or the problem, to the output."""
        try:
            result = check()
        except (Wrong, BadMessage) as e:
            self.problems.append(f"{what}: {e}")
            result = str(e)
        self.out.setdefault("checks", []).append({what: result or "ok"})

    def run(self) -> None:
        signers = [BareKey(read_raw(path)) for path in self.opts.key]
        if self.opts.dir:
            signers += [Signer(self.opts.dir, n)
                        for n in ("encrypt", "agree")]
        self.message = Message(self.data, (
            lambda kind, value: open_envelope(kind, value, signers))
            if signers else None)
        self.out["kind"] = self.message.kind
        self.out["layers"] = [la.kind for la in self.message.layers]
        self.problems += specs.not_der(self.message)
        if self.message.kind == "simple-request":
            self.pop(self.message.request)
        if self.message.body is not None:
            self.body(self.message.body)
        self.layers(self.message)

    def layers(self, message: Message) -> None:
        for layer in message.layers:
            if layer.kind == "signed":
                self.signatures(layer)
            elif layer.kind == "authenticated":
                self.mac(layer)

    def body(self, body) -> None:
        self.problems += body.flaws()
        self.out["controls"] = [
            {"id": c.id, "name": c.name, "oid": c.oid,
             "values": ["hidden" if c.name == "revokeRequest" else v.hex()
                        for v in c.values]} for c in body.controls]
        self.out["requests"] = [Exchange.describe(r) for r in body.requests]
        text = body.value("identification")
        self.identification = None if text is None else str(
            decode(text, char.UTF8String(), "identification"))
        for request in body.requests:
            self.pop(request)
        self.identity(body)
        self.links(body)
        self.places(body)
        for part in body.cms.values():
            self.layers(Message(part))

    def places(self, body) -> None:
        """33 belongs into requests, 34 into the controls."""
        if body.one("popLinkWitnessV2"):
            self.problems.append("popLinkWitnessV2 among the controls")
        for request in body.requests:
            if N.OIDS["identityProofV2"] in request.attributes:
                self.problems.append("identityProofV2 inside a request")

    def pop(self, request) -> None:
        agree = Signer(self.opts.dir, "agree") if self.opts.dir else None
        self.note(f"possession of request {request.id}",
                  lambda: proofs.verify_pop(
                      request, agree.key if agree else None,
                      agree.cert if agree else None))

    def with_secret(self, check):
        """The first secret that does; those of other names do not count."""
        names = [n for n in self.secrets
                 if self.identification in (None, n)]
        problem = Wrong("no --secret for this identification")
        for name in names:
            try:
                return check(self.secrets[name])
            except Wrong as e:
                problem = e
        raise problem

    def identity(self, body) -> None:
        for name, check in (("identityProofV2", proofs.identity_v2),
                            ("identityProof", proofs.identity_v1)):
            value = body.value(name)
            if value is not None:
                self.note(name, lambda: self.with_secret(
                    lambda secret: check(value, secret, self.identification,
                                         body.req_sequence)))

    def links(self, body) -> None:
        random = body.value("popLinkRandom")
        if random is not None:
            random = decode(random, univ.OctetString(), "R").asOctets()
        for request in body.requests:
            for name, check in (("popLinkWitnessV2", proofs.pop_link_v2),
                                ("popLinkWitness", proofs.pop_link_v1)):
                for value in request.attributes.get(N.OIDS[name], []):
                    self.note(f"{name} of request {request.id}",
                              lambda: self.link(check, value, random))
            if random is not None and not any(
                    N.OIDS[n] in request.attributes
                    for n in ("popLinkWitnessV2", "popLinkWitness")):
                self.problems.append(f"request {request.id} has no witness")

    def link(self, check, value: bytes, random: bytes | None) -> dict:
        if random is None:
            raise Wrong("no popLinkRandom")
        return self.with_secret(lambda secret: check(
            value, secret, self.identification, random))

    def signatures(self, layer) -> None:
        self.note("version", lambda: proofs.check_version(layer))
        if layer.content is None:
            return
        infos = layer.value["signerInfos"]
        if len(infos) > 1 and self.message.kind == "full-request":
            self.problems.append("more than one SignerInfo")
        for info in infos:
            kind, name = proofs.sid_text(info)
            self.note(f"signature by {kind} {name.hex()}",
                      lambda: proofs.verify_signer(
                          info, layer, self.signer_key(kind, name)))
        self.out["signers"] = len(infos)

    def signer_key(self, kind: str, name: bytes) -> bytes:
        requests = self.message.body.requests if self.message.body else []
        for request in requests:
            if kind == "ski" and request.ski == name:
                return request.spki
        certs = self.certs + [Certificate(c)
                              for c in self.message.certificates()]
        for cert in certs:
            if name == (cert.ski if kind == "ski"
                        else specs.issuer_and_serial(cert)):
                return cert.spki
        raise Wrong("neither a request nor a certificate (--cert) is its")

    def mac(self, layer) -> None:
        names = [n for n in self.secrets if self.identification in (None, n)]

        def check():
            problem = Wrong("no --secret for this identification")
            for n in names:
                try:
                    return proofs.verify_mac(
                        layer, (n + self.secrets[n]).encode())
                except Wrong as e:
                    problem = e
            raise problem
        self.note("MAC", check)


def read_raw(path: str) -> bytes:
    with open(path, "rb") as f:
        return f.read()


def read_file(path: str) -> bytes:
    """DER, PEM, or bare base64 as EST has it."""
    data = read_raw(path)
    if data[:1] == b"M":
        return base64.b64decode(data)
    return from_pem(data)


def main(argv: list[str] | None = None) -> tuple[int, dict]:
    """(exit status, what is printed)"""
    p = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                formatter_class=argparse.
                                RawDescriptionHelpFormatter)
    p.add_argument("file")
    p.add_argument("--secret", action="append", default=[],
                   metavar="IDENT=SECRET")
    p.add_argument("--cert", action="append", default=[], metavar="FILE",
                   help="a certificate that may have signed")
    p.add_argument("--key", action="append", default=[], metavar="FILE",
                   help="a private key that opens what is encrypted")
    p.add_argument("--dir", help="the authority's folder, for its keys")
    opts = p.parse_args(argv)
    check = Check(read_file(opts.file), opts)
    try:
        check.run()
    except (BadMessage, Wrong) as e:
        check.problems.append(str(e))
    check.out["problems"] = check.problems
    check.out["der"] = not any("DER" in p for p in check.problems)
    return 1 if check.problems else 0, check.out


if __name__ == "__main__":
    status, out = main()
    print(json.dumps(out, indent=1))
    sys.exit(status)
