# SPDX-License-Identifier: BSD-2-Clause
"""Whose message, whose certificate: stolen requests, strangers, certificates
that count no more, keys that nobody should have."""
import os

import controls
import der
import names as N
import weak
from client import new_key
from door import Holder
from draft import Draft, flipped, pkcs10, signer_info, tagged, wrapped
from envelope import enveloped_data
from forgeries import row, stolen
from honest import asks, polling, revocation
from issue import (common_name, extension, key_id, make_certificate,
                   new_serial, public_der)
from messages import Certificate, read_content_info
from proofs import load_key


# --- stolen -----------------------------------------------------------------

@row("stolen request signed by a holder", "badIdentity")
def _(w):
    """mallory signs alice's request with the certificate she has: the names
    are not hers (RFC 6402 section 2.4)."""
    d = Draft("mallory", ask=False)
    d.requests = list(w.alice.requests)
    return d.by(w.holders["mallory"])


@row("stolen request under another's proof", "popFailed", about=[1])
def _(w):
    """mallory proves herself with bob's invite, over alice's request: the
    link is alice's."""
    d = Draft("bob", w.secrets["bob"], ask=False)
    d.requests = list(w.alice.requests)
    d.random = w.alice.random
    return d.maced()


@row("stolen message signed again", "badMessageCheck")
def _(w):
    """alice's PKIData, octet by octet, signed by a key of mallory's."""
    data = stolen(w.alice).body()
    return wrapped(data, [signer_info(data, new_key("ec"))])


@row("stolen message signed by a holder", "badIdentity")
def _(w):
    """alice's PKIData, signed with mallory's certificate."""
    d = stolen(w.alice)
    return d.without("identityProofV2").without("popLinkRandom").by(
        w.holders["mallory"])


@row("certificate for another's name", "badIdentity")
def _(w):
    """mallory renews under alice's name, with a key of her own."""
    return Draft("alice").by(w.holders["mallory"])


@row("new name without a certificate", "badRequest")
def _(w):
    """changeSubjectName with a secret: it changes the names of a
    certificate, and there is none (RFC 6402 section 2.8)."""
    d = stolen(w.alice)
    d.requests = [tagged(pkcs10(d.key, "alice", d.link(), more=[
        (N.OIDS["changeSubjectName"], der.seq(common_name("root")))]))]
    return d.signed()


@row("key of another", "badRequest")
def _(w):
    """A request for erin's certified key, signed by erin, in alice's
    name."""
    d = stolen(w.alice)
    d.key = w.holders["erin"].key
    d.requests = [tagged(pkcs10(d.key, "alice", d.link()))]
    return d.signed()


# --- signers ----------------------------------------------------------------

@row("revoked signer", "badMessageCheck")
def _(w):
    """A renewal by a certificate that its holder revoked."""
    return Draft("gone").by(w.holders["gone"])


@row("expired signer", "badMessageCheck")
def _(w):
    """A renewal by a certificate that ran out yesterday."""
    return Draft("expired").by(w.expired)


def made_up(w, serial: int, issuer: bytes, signer=None) -> Holder:
    key = new_key("ec")
    cert = make_certificate(
        signer or new_key("ec"), issuer, common_name("erin"),
        public_der(key),
        [extension(N.SKI, der.octets(key_id(public_der(key))))], serial)
    return Holder(key, Certificate(cert))


@row("signer of a CA of the same name", "badMessageCheck")
def _(w):
    """The certificate is made by a forger's CA with our CA's name."""
    return Draft("erin").by(made_up(w, new_serial(), w.door.ca.subject))


@row("signer with the serial number of another", "badMessageCheck")
def _(w):
    """The same, with the serial number of erin's certificate."""
    return Draft("erin").by(made_up(w, w.holders["erin"].cert.serial,
                                    w.door.ca.subject))


@row("signer of another CA", "badMessageCheck")
def _(w):
    """A certificate of an authority that nobody here knows."""
    return Draft("erin").by(made_up(w, new_serial(),
                                    common_name("Another CA")))


@row("holder's certificate, another's key", "badMessageCheck")
def _(w):
    """erin's certificate is named, mallory's key signs."""
    return Draft("erin").by(Holder(w.holders["mallory"].key,
                                   w.holders["erin"].cert))


@row("renewal corrupted", "badMessageCheck")
def _(w):
    """One bit of a holder's signature."""
    return Draft("erin").by(w.holders["erin"], damage=flipped)


# --- polls, acceptance, revocation ------------------------------------------

@row("poll by a stranger", "badIdentity")
def _(w):
    """mallory asks for frank's certificate, with his token."""
    poll = polling(*w.polls["frank"])
    return poll.by(w.holders["mallory"])


@row("poll by an unknown key", "badMessageCheck")
def _(w):
    """The same, signed by a key that nothing was asked for with."""
    poll = polling(*w.polls["frank"])
    poll.key = new_key("ec")
    return poll.signed()


@row("poll in another transaction", "badRequest")
def _(w):
    """frank's token, by frank, in a transaction that never was."""
    poll = polling(*w.polls["frank"])
    poll.transaction += 1
    poll.recipient = None
    return poll.by(w.holders["frank"])


@row("poll with a guessed token", "badRequest")
def _(w):
    """A pendToken that the authority never gave."""
    poll = polling(*w.polls["frank"])
    poll.more = [("queryPending", der.octets(bytes(16)))]
    return poll.by(w.holders["frank"])


@row("poll with requests beside it", "badRequest")
def _(w):
    """A new request travels with a queryPending (section 6.13)."""
    poll = polling(*w.polls["frank"])
    poll.requests = list(Draft("frank").requests)
    return poll.by(w.holders["frank"])


@row("acceptance by a stranger", "badIdentity")
def _(w):
    """mallory accepts erin's certificate."""
    d = asks("mallory",
             ("confirmCertAcceptance",
              controls.cert_id(w.holders["erin"].cert)),
             ("statusInfoV2", controls.status_info(N.SUCCESS, [0])))
    return d.by(w.holders["mallory"])


@row("rejection by a stranger", "badIdentity")
def _(w):
    """mallory rejects erin's certificate, which would revoke it."""
    d = asks("mallory",
             ("confirmCertAcceptance",
              controls.cert_id(w.holders["erin"].cert)),
             ("statusInfoV2", controls.status_info(
                 N.FAILED, [0], other=der.integer(N.FAIL["badRequest"]))))
    return d.by(w.holders["mallory"])


@row("acceptance by an unknown key", "badMessageCheck")
def _(w):
    """The same, signed by a key without a certificate."""
    d = asks("mallory",
             ("confirmCertAcceptance",
              controls.cert_id(w.holders["erin"].cert)),
             ("statusInfoV2", controls.status_info(N.SUCCESS, [0])))
    return d.signed()


@row("acceptance of what was never issued", "badCertId")
def _(w):
    """confirmCertAcceptance with a serial number of nobody."""
    d = asks("mallory",
             ("confirmCertAcceptance",
              der.seq(w.door.ca.subject, der.integer(4711))),
             ("statusInfoV2", controls.status_info(N.SUCCESS, [0])))
    return d.by(w.holders["mallory"])


@row("revocation by a stranger", "badIdentity")
def _(w):
    """mallory revokes erin's certificate with her own signature."""
    return asks("mallory", ("revokeRequest", revocation(
        w.holders["erin"].cert))).by(w.holders["mallory"])


@row("revocation with a wrong secret", "badIdentity")
def _(w):
    """Unsigned, with a secret that is not that of the certificate."""
    d = asks("late", ("revokeRequest", revocation(
        w.holders["late"].cert, b"a word of mallory")))
    return wrapped(d.body(), [])


@row("revocation with a secret where none is", "badIdentity")
def _(w):
    """Unsigned, of a certificate that no secret was given for."""
    d = asks("erin", ("revokeRequest", revocation(
        w.holders["erin"].cert, w.secrets["erin"].encode())))
    return wrapped(d.body(), [])


@row("revocation by nobody", "badMessageCheck")
def _(w):
    """Neither signed nor with a secret (section 6.11)."""
    d = asks("erin", ("revokeRequest", revocation(w.holders["erin"].cert)))
    return wrapped(d.body(), [])


@row("revocation of what was never issued", "badCertId")
def _(w):
    """A serial number of nobody."""
    d = asks("mallory", ("revokeRequest", der.seq(
        w.door.ca.subject, der.integer(4711), der.enumerated(1))))
    return d.by(w.holders["mallory"])


@row("getCert of what was never issued", "badCertId")
def _(w):
    """A serial number of nobody."""
    d = asks("mallory", ("getCert", der.seq(
        der.context(4, w.door.ca.subject), der.integer(4711))))
    return d.by(w.holders["mallory"])


@row("getCRL of another CA", "badCertId")
def _(w):
    """The list of an issuer that this authority is not."""
    d = asks("mallory", ("getCRL", der.seq(common_name("Another CA"))))
    return d.by(w.holders["mallory"])


# --- encryption, authData ---------------------------------------------------

def sealed(w, key) -> bytes:
    type_, content = read_content_info(stolen(w.alice).signed())
    return enveloped_data(key, w.door.pop.ski, 0, content, type_)


@row("encrypted to another key", "badMessageCheck")
def _(w):
    """The recipient is named as the authority, the key is not its."""
    return sealed(w, new_key("ec").public_key())


@row("encryption corrupted", "badMessageCheck")
def _(w):
    """One bit of the last block, which holds the padding."""
    return flipped(sealed(w, load_key(w.door.pop.spki)))


@row("authData with a wrong MAC", "authDataFail")
def _(w):
    """authData refers to AuthenticatedData by a guessed secret."""
    d = stolen(w.alice)
    inner = asks("alice")
    d.cms = [controls.tagged_content(50, inner.maced("guessed", "alice"))]
    d.more = [("authData", der.integer(50))]
    return d.signed()


# --- keys -------------------------------------------------------------------

def with_key(w, key) -> bytes:
    d = stolen(w.alice)
    d.key = key
    d.requests = [tagged(pkcs10(key, "alice", d.link()))]
    return d.signed()


@row("RSA key of 1024 bits", "badRequest", about=[1])
def _(w):
    """Everything is right but the strength."""
    return with_key(w, weak.small())


@row("RSA key with exponent 3", "badRequest", about=[1])
def _(w):
    """2048 bits, public exponent 3."""
    return with_key(w, weak.exponent_3())


@row("RSA key of ROCA", "badRequest", about=[1])
def _(w):
    """2048 bits whose primes are k*M + 65537^a mod M (CVE-2017-15361)."""
    return with_key(w, weak.roca())


@row("EC key that is not on its curve", "badRequest", about=[1])
def _(w):
    """One bit of the point's y."""
    d = stolen(w.alice)
    d.requests = [tagged(pkcs10(d.key, "alice", d.link(),
                                spki=flipped(public_der(d.key))))]
    return d.maced()


@row("key of no known kind", "badAlg", about=[1])
def _(w):
    """The SubjectPublicKeyInfo has an algorithm of nobody."""
    d = stolen(w.alice)
    spki = der.seq(der.algorithm("1.3.6.1.4.1.55555.8"),
                   der.bits(os.urandom(32)))
    d.requests = [tagged(pkcs10(d.key, "alice", d.link(), spki=spki,
                                ski=bytes(20)))]
    return d.maced()
