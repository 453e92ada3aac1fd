# SPDX-License-Identifier: BSD-2-Clause
"""People who enrol honestly at an authority, each in a way of its own; the
forgers of forgeries.py steal from them."""
import controls
import der
import names as N
from decrypt import open_pop
from door import Answer, Door, Holder
from draft import Draft, pkcs10, tagged, wrapped
from issue import common_name, public_der
from messages import decode, decode_octets, encode
from proofs import Wrong, mac, verify
from pyasn1_modules import rfc5280

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "mallory",
         "victim", "gone", "late")


class People:
    """Everybody's secrets, drafts and certificates."""

    def __init__(self, door: Door):
        self.door = door
        self.secrets = {name: door.invite(name, "default")
                        for name in NAMES}
        self.secrets["ra"] = door.invite("ra", "ra")
        self.holders: dict[str, Holder] = {}
        self.answers: dict[str, Answer] = {}
        self.polls: dict[str, tuple] = {}

    def draft(self, name: str, **how) -> Draft:
        return Draft(name, self.secrets[name], **how)

    def took(self, name: str, draft: Draft, answer: Answer) -> Holder:
        cert = self.door.find(answer, public_der(draft.key))
        self.holders[name] = Holder(draft.key, cert)
        self.answers[name] = answer
        return self.holders[name]


def want(answer: Answer, word: str, what: str) -> None:
    if word not in answer.words():
        raise Wrong(f"{what}: {answer.words()}, not {word}: "
                    f"{[s.text for s in answer.statuses]}")


def next_draft(draft: Draft, answer: Answer, ask: bool = False) -> Draft:
    """The next message of a transaction (RFC 10002 section 6.6)."""
    new = Draft(draft.name, draft.secret if ask else None, key=draft.key,
                ask=False)
    new.transaction = draft.transaction
    new.recipient = decode_octets(answer.value("senderNonce"))
    if ask:
        new.requests, new.random = draft.requests, draft.random
        new.linked, new.identification = draft.linked, draft.identification
    return new


# --- acceptance, section 6.14 -----------------------------------------------

def confirmation(draft: Draft, answer: Answer, cert,
                 status: int = N.SUCCESS) -> Draft:
    new = next_draft(draft, answer)
    new.more = [("confirmCertAcceptance", controls.cert_id(cert)),
                ("statusInfoV2", controls.status_info(status, [0]))]
    return new


def confirm(people: People, name: str, draft: Draft, answer: Answer) -> None:
    want(answer, "confirmRequired", f"enrolment of {name}")
    holder = people.took(name, draft, answer)
    new = confirmation(draft, answer, holder.cert)
    want(people.door.talk(new.by(holder), new), "success",
         f"confirmation of {name}")
    print(f"enrolled: {name}")


# --- encryptedPOP, section 6.7 ----------------------------------------------

def decrypted_pop(draft: Draft, answer: Answer, y: bytes | None = None,
                  number: int = 1) -> bytes:
    """Value of decryptedPOP; y: guessed, not decrypted."""
    if y is None:
        y, request = open_pop(answer.value("encryptedPOP"), draft.key)
        if request != draft.requests[0]:
            raise Wrong("the challenge is about another request")
    return der.seq(der.integer(number), der.algorithm(N.MAC_OIDS["sha256"]),
                   der.octets(mac("sha256", y[:64], draft.requests[0])))


def challenged(people: People, draft: Draft, data: bytes) -> Answer:
    answer = people.door.talk(data, draft)
    want(answer, "popRequired", f"request of {draft.name}")
    if people.door.find_any(answer, public_der(draft.key)):
        raise Wrong("a certificate beside a challenge")
    return answer


def enrol_encryption(people: People, name: str, way) -> tuple:
    """A key that only derives: noSignature or a MAC, then the challenge."""
    draft = people.draft(name, form="pkcs10" if name == "carol" else "crmf",
                         popo="challenge")
    answer = challenged(people, draft, way(draft))
    second = next_draft(draft, answer, ask=True)
    second.more = [("decryptedPOP", decrypted_pop(draft, answer))]
    done = people.door.talk(way(second), second)
    confirm(people, name, second, done)
    return draft, answer, second


# --- what holders ask -------------------------------------------------------

def named(cert) -> bytes:
    """getCert: issuer as a GeneralName."""
    return der.seq(der.context(4, cert.issuer), der.integer(cert.serial))


def revocation(cert, secret: bytes | None = None, reason: int = 4) -> bytes:
    return der.seq(cert.issuer, der.integer(cert.serial),
                   der.enumerated(reason),
                   der.octets(secret) if secret is not None else b"")


def asks(name: str, *more: tuple[str, bytes]) -> Draft:
    draft = Draft(name, ask=False)
    draft.more = list(more)
    return draft


def get_cert(people: People) -> None:
    cert = people.holders["bob"].cert
    draft = asks("alice", ("getCert", named(cert)))
    answer = people.door.talk(draft.by(people.holders["alice"]), draft)
    if cert.der not in [c.der for c in answer.certs]:
        raise Wrong("getCert brings no certificate")


def get_crl(people: People, gone) -> None:
    """The list holds what was revoked, and the CA signed it."""
    draft = asks("erin", ("getCRL", der.seq(people.door.ca.subject)))
    answer = people.door.talk(draft.by(people.holders["erin"]), draft)
    lists = answer.message.layers[0].crls()
    if len(lists) != 1:
        raise Wrong(f"{len(lists)} CRLs")
    crl = decode(lists[0], rfc5280.CertificateList(), "CRL")
    verify(people.door.ca.spki, (N.ECDSA_SHA256, None),
           encode(crl["tbsCertList"]), crl["signature"].asOctets())
    serials = [int(r["userCertificate"])
               for r in crl["tbsCertList"]["revokedCertificates"]]
    if gone.serial not in serials:
        raise Wrong("the CRL lacks what was revoked")


def change_name(people: People) -> None:
    """A new name waits for the operator: the poll, section 6.13."""
    holder = people.holders["frank"]
    draft = Draft("frank", ask=False)
    draft.requests = [tagged(pkcs10(draft.key, "frank", more=[
        (N.OIDS["changeSubjectName"],
         der.seq(common_name("franklin")))]))]
    answer = people.door.talk(draft.by(holder), draft)
    want(answer, "pending", "changeSubjectName")
    people.polls["frank"] = (draft, answer)
    poll = polling(draft, answer)
    again = people.door.talk(poll.by(holder), poll)
    want(again, "pending", "the poll")


def polling(draft: Draft, answer: Answer) -> Draft:
    token = next(s.token for s in answer.statuses if s.token)
    poll = next_draft(draft, answer)
    poll.more = [("queryPending", der.octets(token))]
    return poll


def approve(people: People) -> None:
    """The operator approves: the next poll brings the certificate."""
    draft, answer = people.polls["frank"]
    people.door.approve_all()
    poll = polling(draft, answer)
    done = people.door.talk(poll.by(people.holders["frank"]), poll)
    want(done, "confirmRequired", "the poll after approval")
    cert = people.door.find(done, public_der(draft.key))
    if cert.subject != common_name("franklin"):
        raise Wrong("the new name is not in the certificate")


def revoke(people: People) -> None:
    """By its own signature; another by its challengePassword, unsigned."""
    gone = people.holders["gone"]
    draft = asks("gone", ("revokeRequest", revocation(gone.cert)))
    answer = people.door.talk(draft.by(gone), draft)
    want(answer, "success", "revokeRequest")
    if not people.door.revoked(gone.cert):
        raise Wrong("not revoked")
    get_crl(people, gone.cert)


def revoke_with_secret(people: People) -> None:
    late = people.holders["late"].cert
    draft = asks("late", ("revokeRequest", revocation(late, b"a word of late",
                                                      5)))
    answer = people.door.talk(wrapped(draft.body(), []), draft)
    want(answer, "success", "revokeRequest with a secret")
    if not people.door.revoked(late):
        raise Wrong("not revoked by its secret")
    revoke_with_guesses(people, late)


def revoke_with_guesses(people: People, cert) -> None:
    """A forger had one try; after four more the secret itself is too late."""
    words = []
    for guess in [b"guess %d" % n for n in range(4)] + [b"a word of late"]:
        draft = asks("late", ("revokeRequest", revocation(cert, guess, 5)))
        words += people.door.talk(wrapped(draft.body(), []), draft).words()
    if words != ["badIdentity"] * 4 + ["tryLater"]:
        raise Wrong(f"secrets can be guessed: {words}")


# --- all of them ------------------------------------------------------------

def enrol(people: People) -> None:
    """alice, bob and victim ask only at the end: their messages are what
    forgers work with."""
    door = people.door
    for name in ("erin", "frank", "mallory", "gone", "ra"):
        draft = people.draft(name)
        answer = door.talk(draft.signed(), draft)
        confirm(people, name, draft, answer)
    draft = people.draft("late", ask=False)
    draft.requests = [tagged(pkcs10(draft.key, "late", draft.link(), more=[
        (N.CHALLENGE_PASSWORD, der.utf8("a word of late"))]))]
    answer = door.talk(draft.signed(), draft)
    confirm(people, "late", draft, answer)
    people.challenge = enrol_encryption(people, "carol",
                                        lambda d: d.maced())
    enrol_encryption(people, "dave", lambda d: d.not_signed())
    people.alice, people.bob = people.draft("alice"), people.draft(
        "bob", form="crmf")
    people.victim = people.draft("victim")
    revoke(people)
    change_name(people)
    people.expired = door.expired_holder()


def still_good(people: People) -> None:
    """What the forgers took apart is accepted as it is."""
    door = people.door
    for name, draft in (("alice", people.alice), ("bob", people.bob),
                        ("victim", people.victim)):
        draft.parts = None
        confirm(people, name, draft, door.talk(draft.signed(), draft))
    get_cert(people)
    new = Draft("erin")
    confirm(people, "erin", new,
            door.talk(new.by(people.holders["erin"]), new))
    approve(people)
    revoke_with_secret(people)
    print("honest: PKCS#10, CRMF, MAC, noSignature, encryptedPOP, renewal, "
          "poll, acceptance, getCert, getCRL, revocation twice")
