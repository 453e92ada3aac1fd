# SPDX-License-Identifier: BSD-2-Clause
"""Identity, its link to the proof of possession, that proof, signatures and
MACs: RFC 10002 sections 3.2, 6.2, 6.3, 6.7."""
import hashlib
import os

import der
import names as N
from client import new_key
from draft import (Draft, crmf, flipped, no_signature_pkcs10, pkcs10,
                   signer_info, tagged, witness, wrapped)
from forgeries import row, stolen
from honest import decrypted_pop, next_draft
from issue import key_id, public_der
from proofs import mac


def remade(draft, data: bytes, key=None):
    """The one request is another, and the proofs are made anew."""
    new = stolen(draft)
    new.requests = [data]
    if key is not None:
        new.key = key
    return new


# --- identityProof: section 6.2 ---------------------------------------------

@row("identityProofV2 corrupted", "badIdentity")
def _(w):
    """One bit of its witness is another."""
    d = stolen(w.alice)
    return d.with_value("identityProofV2",
                        flipped(d.part("identityProofV2")[2])).signed()


@row("proof without the secret", "badIdentity")
def _(w):
    """Link and proof are made with a guessed secret."""
    d = Draft("alice", "AAAAAAAAAAAAAAAAAAAAAAAAAA")
    return d.signed()


@row("proof under another's name", "badIdentity")
def _(w):
    """identification says bob; the proof is made with alice's secret."""
    d = Draft("alice", w.secrets["alice"])
    d.identification = "bob"
    return d.signed()


@row("proof under nobody's name", "badIdentity")
def _(w):
    """identification says somebody who was not invited."""
    d = Draft("alice", w.secrets["alice"])
    d.identification = "nobody"
    return d.signed()


@row("proof without a name", "badIdentity")
def _(w):
    """identification is missing, and the proof is made without it."""
    d = Draft("alice", w.secrets["alice"])
    d.identification = None
    return d.signed()


@row("identity proof left out", "badIdentity")
def _(w):
    """The link is there, the proof is not."""
    return stolen(w.alice).without("identityProofV2").signed()


@row("identity, and nothing that proves it", "badIdentity")
def _(w):
    """identification alone, signed by the request's key."""
    d = Draft("alice")
    d.identification = "alice"
    return d.signed()


@row("proof over no requests", "badIdentity")
def _(w):
    """The proof covers an empty reqSequence."""
    d = stolen(w.alice)
    d.proof_over = der.seq()
    return d.signed()


@row("reqSequence changed after the proof", "badIdentity")
def _(w):
    """A second, linked and signed request is put behind the proved one."""
    d = stolen(w.alice)
    d.controls()
    d.requests.append(tagged(pkcs10(new_key("ec"), "root", d.link()), 2))
    return d.signed()


@row("request exchanged after the proof", "badIdentity")
def _(w):
    """Another linked request in the place of the proved one."""
    d = stolen(w.alice)
    d.controls()
    d.requests = [tagged(pkcs10(d.key, "root", d.link()))]
    return d.signed()


@row("identity proofs of two people exchanged", "badIdentity")
def _(w):
    """bob's identityProofV2 in alice's message."""
    return stolen(w.alice).with_value(
        "identityProofV2", w.bob.part("identityProofV2")[2]).signed()


@row("identityProof of RFC 2797", "badAlg")
def _(w):
    """The first version, right, but SHA-1."""
    d = stolen(w.alice)
    key = hashlib.sha1((d.secret + "alice").encode()).digest()
    p = d.part("identityProofV2")
    p[1], p[2] = "identityProof", der.octets(mac("sha1", key, d.sequence()))
    return d.signed()


@row("identityProofV2 with SHA-1", "badAlg")
def _(w):
    """Right, with SHA-1 and HMAC-SHA1."""
    d = stolen(w.alice)
    return d.with_value("identityProofV2", d.identity("sha1")).signed()


@row("identityProofV2 with an unknown hash", "badAlg")
def _(w):
    """hashAlgID is an OID of nobody."""
    d = stolen(w.alice)
    alg = der.algorithm("1.3.6.1.4.1.55555.7")
    return d.with_value("identityProofV2", der.seq(
        alg, der.algorithm(N.MAC_OIDS["sha256"]),
        der.octets(bytes(32)))).signed()


@row("secret used twice", "badIdentity")
def _(w):
    """mallory's one-time secret, used before, proves a second request."""
    return Draft("mallory", w.secrets["mallory"]).signed()


# --- the link: section 6.3 --------------------------------------------------

@row("popLinkWitnessV2 corrupted", "popFailed", about=[1])
def _(w):
    """One bit of it is another; request and proof are made over it."""
    d = stolen(w.alice)
    return remade(d, tagged(pkcs10(d.key, "alice",
                                   flipped(d.link())))).signed()


@row("popLinkWitnessV2 without the secret", "popFailed", about=[1])
def _(w):
    """Made with a guessed secret, under a right identity proof."""
    d = stolen(w.alice)
    return remade(d, tagged(pkcs10(
        d.key, "alice", witness("guessed", d.random)))).signed()


@row("popLinkWitnessV2 left out", "popFailed", about=[1])
def _(w):
    """The request has none; popLinkRandom is there."""
    d = stolen(w.alice)
    return remade(d, tagged(pkcs10(d.key, "alice"))).signed()


@row("popLinkWitnesses of two people exchanged", "popFailed", about=[1])
def _(w):
    """bob's witness in alice's request."""
    d = stolen(w.alice)
    return remade(d, tagged(pkcs10(d.key, "alice", w.bob.link()))).signed()


@row("popLinkRandom corrupted", "popFailed", about=[1])
def _(w):
    """One bit is another than when the witness was made."""
    d = stolen(w.alice)
    return d.with_value("popLinkRandom",
                        der.octets(flipped(d.random))).signed()


@row("popLinkRandom left out", "popFailed", about=[1])
def _(w):
    """Proof of identity, and nothing links it to the request."""
    return stolen(w.alice).without("popLinkRandom").signed()


@row("popLinkRandom twice", "badRequest")
def _(w):
    """The right one, and one of the forger's."""
    d = stolen(w.alice)
    d.controls().append([150, "popLinkRandom", der.octets(os.urandom(64))])
    return d.signed()


@row("popLinkWitnessV2 with SHA-1", "badAlg")
def _(w):
    """Right, with SHA-1 and HMAC-SHA1."""
    d = stolen(w.alice)
    return remade(d, tagged(pkcs10(d.key, "alice",
                                   d.link("sha1")))).signed()


@row("popLinkWitnessV2 among the controls", "badRequest")
def _(w):
    """Its place is in the request (section 6.3.1.1)."""
    d = stolen(w.alice)
    d.controls().append([150, "popLinkWitnessV2", d.link()])
    return d.signed()


@row("one of two requests is not linked", "popFailed", about=[1, 2])
def _(w):
    """The second request of the message has no witness."""
    d = stolen(w.alice)
    d.requests.append(tagged(pkcs10(new_key("ec"), "alice"), 2))
    return d.signed()


# --- possession -------------------------------------------------------------

@row("PKCS#10 signature corrupted", "popFailed", about=[1])
def _(w):
    """One bit; everything else is made over it."""
    d = stolen(w.alice)
    return remade(d, tagged(pkcs10(
        d.key, "alice", d.link(),
        damage=flipped))).signed()


@row("CRMF signature corrupted", "popFailed", about=[1])
def _(w):
    """One bit of the POPOSigningKey."""
    d = stolen(w.bob)
    return remade(d, crmf(d.key, "bob", 1, d.link(),
                          damage=flipped)).signed()


@row("POP of another key", "popFailed", about=[1])
def _(w):
    """mallory asks for victim's public key, signs with her own, and proves
    herself by a MAC."""
    d = Draft("alice", w.secrets["alice"])
    return remade(d, tagged(pkcs10(
        d.key, "alice", d.link(), spki=public_der(w.victim.key)))).maced()


@row("POP of another key, CRMF", "popFailed", about=[1])
def _(w):
    """The same with a CertReqMsg: the proof of bob's request beside
    another template."""
    d = stolen(w.bob)
    other = crmf(new_key("ec"), "bob", 1, d.link())
    mine = crmf(d.key, "bob", 1, d.link())
    start = der.content_start(other, 0)
    request = other[start:der.element_end(other, start)]
    start = der.content_start(mine, 0)
    proof = mine[der.element_end(mine, start):]
    return remade(d, der.context(1, request, proof)).maced()


@row("raVerified by an end entity", "popFailed", about=[1])
def _(w):
    """The proof of possession says that an RA has seen it."""
    d = stolen(w.bob)
    return remade(d, crmf(d.key, "bob", 1, d.link(), "raVerified")).maced()


@row("no proof of possession", "popRequired", about=[1])
def _(w):
    """A CertReqMsg without popo."""
    d = stolen(w.bob)
    return remade(d, crmf(d.key, "bob", 1, d.link(), "none")).maced()


@row("signed by a key without proof of possession", "badRequest")
def _(w):
    """The signer's request is one that is not signed itself (section 3.2)."""
    d = stolen(w.bob)
    return remade(d, crmf(d.key, "bob", 1, d.link(), "challenge")).signed()


# --- encryptedPOP: section 6.7 ----------------------------------------------

def challenge(w, name: str, number: int = 1):
    """A fresh challenge for a request in name's name."""
    d = Draft(name, w.secrets[name], popo="challenge")
    answer = w.door.talk(d.maced(), d)
    second = next_draft(d, answer, ask=True)
    return d, answer, second


@row("decryptedPOP guessed", "popFailed", about=[1])
def _(w):
    """The challenge is answered with a y that was not decrypted."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer, bytes(32)))]
    return second.maced()


@row("decryptedPOP after a wrong one", "popFailed", about=[1])
def _(w):
    """A wrong answer uses the challenge up: the right one comes too late."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer, bytes(32)))]
    w.door.talk(second.maced())
    third = next_draft(d, answer, ask=True)
    third.more = [("decryptedPOP", decrypted_pop(d, answer))]
    return third.maced()


@row("decryptedPOP replayed in another transaction", "popFailed", about=[1])
def _(w):
    """The right answer to a challenge, in a transaction that had none, from
    a client that knows no nonces."""
    d, answer, _ = challenge(w, "alice")
    other = stolen(d)
    other.transaction += 1
    other.more = [("decryptedPOP", decrypted_pop(d, answer))]
    return other.without("senderNonce").maced()


@row("decryptedPOP replayed", "popFailed", about=[1])
def _(w):
    """The message that carol got her certificate for, once more."""
    return w.challenge[2].maced()


@row("decryptedPOP of another request", "popFailed", about=[1])
def _(w):
    """The answer to a challenge of a forger's key, beside victim's key."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer))]
    second.requests = [tagged(no_signature_pkcs10(
        w.victim.key, "alice", second.link()))]
    return second.maced()


@row("decryptedPOP twice", "badRequest")
def _(w):
    """A wrong one and the right one for one request."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer, bytes(32))),
                   ("decryptedPOP", decrypted_pop(d, answer))]
    return second.maced()


@row("decryptedPOP of no request", "badRequest")
def _(w):
    """It refers to a body part that is not there."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer, number=77))]
    return second.maced()


@row("decryptedPOP with SHA-1", "popFailed", about=[1])
def _(w):
    """thePOPAlgID is not the one of the challenge."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", der.seq(
        der.integer(1), der.algorithm(N.MAC_OIDS["sha1"]),
        der.octets(bytes(20))))]
    return second.maced()


@row("wrong recipientNonce", "badRequest")
def _(w):
    """The answer to a challenge with a nonce of the forger's."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer))]
    second.recipient = flipped(second.recipient)
    return second.maced()


@row("recipientNonce of another transaction", "badRequest")
def _(w):
    """One that the authority gave, but to somebody else."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer))]
    second.recipient = next_draft(w.challenge[0], w.challenge[1]).recipient
    return second.maced()


@row("recipientNonce left out", "badRequest")
def _(w):
    """The answer to a challenge without the nonce that came with it."""
    d, answer, second = challenge(w, "alice")
    second.more = [("decryptedPOP", decrypted_pop(d, answer))]
    second.recipient = None
    return second.maced()


# --- signatures and MACs: section 3.2 ---------------------------------------

@row("signature corrupted", "badMessageCheck")
def _(w):
    """One bit of the SignerInfo's."""
    return stolen(w.alice).signed(damage=flipped)


@row("message-digest of another content", "badMessageCheck")
def _(w):
    """What is signed is the digest of another PKIData."""
    d = stolen(w.alice)
    return d.signed(covered=d.body() + b"\0")


@row("content-type of a response", "badMessageCheck")
def _(w):
    """The content-type attribute says PKIResponse (RFC 5652 section 11.1)."""
    return stolen(w.alice).signed(type_=N.PKI_RESPONSE)


@row("signed with SHA-1", "badAlg")
def _(w):
    """ecdsa-with-SHA1, right."""
    return stolen(w.alice).signed(sha1=True)


@row("key id that nobody has", "badMessageCheck")
def _(w):
    """The signer's SKI is in no request of the message."""
    return stolen(w.alice).signed(ski=bytes(20))


@row("signed by another key", "badMessageCheck")
def _(w):
    """The SKI is that of the request; a forger's key signs."""
    d = stolen(w.alice)
    data = d.body()
    return wrapped(data, [signer_info(
        data, new_key("ec"), ski=key_id(public_der(d.key)))])


@row("two SignerInfos", "badMessageCheck")
def _(w):
    """The request's key, and a forger's, which is in it as well."""
    d = stolen(w.alice)
    key = new_key("ec")
    d.requests.append(tagged(pkcs10(key, "alice", d.link()), 2))
    data = d.body()
    return wrapped(data, [signer_info(data, d.key), signer_info(data, key)])


@row("nobody signed", "badMessageCheck")
def _(w):
    """A request for a certificate without any SignerInfo."""
    return wrapped(stolen(w.alice).body(), [])


@row("noSignature and no identity", "badIdentity")
def _(w):
    """id-alg-noSignature, and nothing says who asks."""
    return Draft("alice", popo="challenge").not_signed()


@row("MAC corrupted", "badMessageCheck")
def _(w):
    """One bit; it is the last element of AuthenticatedData."""
    return flipped(stolen(w.alice).maced())


@row("MAC without the secret", "badMessageCheck")
def _(w):
    """A right identity proof was overheard; the MAC is of a guess."""
    return stolen(w.alice).maced(secret="guessed, sixteen letters")


@row("MAC of another", "badMessageCheck")
def _(w):
    """mallory's MAC around alice's message."""
    return stolen(w.alice).maced(w.secrets["mallory"], "mallory")


@row("MAC that takes hours", "badAlg")
def _(w):
    """Two thousand million rounds of PBKDF2 are asked for."""
    data = stolen(w.alice).maced(rounds=100_000)
    old, new = der.integer(100_000), b"\x02\x03\x7f\xff\xff"
    if data.count(old) != 1 or len(old) != len(new):
        raise ValueError("rounds")
    return data.replace(old, new)
