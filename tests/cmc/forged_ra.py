# SPDX-License-Identifier: BSD-2-Clause
"""What only a registration authority may say, said by others; and what even
one may not say: RFC 10002 sections 6.5, 6.8, 6.17, 6.19, RFC 6402 section
2.5, RFC 6403."""
import controls
import der
import names as N
from client import new_key
from draft import Draft, crmf, pkcs10, signer_info, tagged, wrapped
from forgeries import row
from honest import asks
from issue import common_name, extension, key_usage, public_der

CLIENT = 50  # bodyPartID of the message inside


def pop_witness(requests: list[int], message: int = 0) -> tuple[str, bytes]:
    return ("lraPOPWitness", der.seq(der.integer(message), der.seq(
        *map(der.integer, requests))))


def path(*ids: int) -> bytes:
    return der.seq(*map(der.integer, ids))


def template(*fields: bytes, where: tuple = (0,), requests: tuple = (1,)
             ) -> tuple[str, bytes]:
    return ("modCertTemplate", der.seq(
        path(*where), path(*requests), der.seq(*fields)))


def says(w, holder: str, *more, draft=None) -> bytes:
    """A request of mallory's own key, and a statement of hers about it."""
    d = draft or Draft(holder)
    d.more = list(more)
    return d.by(w.holders[holder])


def around(w, holder: str, inner: bytes, *more) -> bytes:
    """The message of somebody, inside one of a holder."""
    d = asks(holder, *more)
    d.cms = [controls.tagged_content(CLIENT, inner)]
    return d.by(w.holders[holder])


# --- by who is none ---------------------------------------------------------

@row("lraPOPWitness by an end entity", "popFailed")
def _(w):
    """mallory says herself that an RA has seen the possession of victim's
    key."""
    d = Draft("mallory", ask=False)
    d.requests = [tagged(pkcs10(new_key("ec"), "mallory",
                                spki=public_der(w.victim.key)))]
    return says(w, "mallory", pop_witness([1]), draft=d)


@row("lraPOPWitness by an invite", "popFailed")
def _(w):
    """The same, proved with a secret."""
    d = Draft("alice", w.secrets["alice"])
    d.requests = [crmf(d.key, "alice", 1, d.link(), "raVerified")]
    d.more = [pop_witness([1])]
    return d.maced()


@row("raIdentityWitness by an end entity", "badIdentity")
def _(w):
    """mallory says that somebody knows alice."""
    return says(w, "mallory", ("raIdentityWitness", path(1)),
                draft=Draft("alice"))


@row("raIdentityWitness about a message inside", "badIdentity")
def _(w):
    """alice's message with a guessed proof, in one of mallory's who vouches
    for it."""
    inner = Draft("alice", "AAAAAAAAAAAAAAAAAAAAAAAAAA").signed()
    return around(w, "mallory", inner, ("raIdentityWitness", path(CLIENT)))


@row("modCertTemplate by an end entity", "badRequest")
def _(w):
    """mallory gives herself alice's name."""
    return says(w, "mallory", template(
        der.context(5, common_name("alice"))))


@row("addExtensions by an end entity", "badRequest")
def _(w):
    """mallory gives herself alice's mail address."""
    san = extension(N.SAN, der.seq(der.primitive(1, b"alice@example.com")))
    return says(w, "mallory", ("addExtensions", der.seq(
        der.integer(0), path(1), der.seq(san))))


@row("controlProcessed by an end entity", "badRequest")
def _(w):
    """mallory says that somebody has dealt with a control nobody knows."""
    return says(w, "mallory", ("controlProcessed",
                               der.seq(der.seq(der.integer(100)))))


@row("batchRequests by an end entity", "badRequest")
def _(w):
    """mallory batches erin's renewal."""
    inner = Draft("erin").by(w.holders["erin"])
    return around(w, "mallory", inner, ("batchRequests", path(CLIENT)))


# --- by an RA that says too much --------------------------------------------

@row("modCertTemplate with another key", "unsupportedExt")
def _(w):
    """An RA exchanges the key whose possession was proved."""
    key = der.retag(public_der(new_key("ec")), 0xa6)
    return says(w, "ra", ("raIdentityWitness", path(1)), template(key),
                draft=Draft("erin"))


@row("modCertTemplate with another keyUsage", "unsupportedExt")
def _(w):
    """An RA makes a key for signatures one for certificates."""
    usage = der.context(9, extension(N.KEY_USAGE, key_usage(5), True))
    return says(w, "ra", ("raIdentityWitness", path(1)), template(usage),
                draft=Draft("erin"))


@row("modCertTemplate that makes a CA", "unsupportedExt")
def _(w):
    """An RA adds basicConstraints cA."""
    ca = der.context(9, extension(N.BASIC_CONSTRAINTS, der.seq(der.true()),
                                  True))
    return says(w, "ra", ("raIdentityWitness", path(1)), template(ca),
                draft=Draft("erin"))


@row("addExtensions that makes a CA", "unsupportedExt")
def _(w):
    """The same by the older control."""
    ca = extension(N.BASIC_CONSTRAINTS, der.seq(der.true()), True)
    return says(w, "ra", ("raIdentityWitness", path(1)),
                ("addExtensions", der.seq(
                    der.integer(0), path(1), der.seq(ca))),
                draft=Draft("erin"))


@row("modCertTemplate inside a batch with another key", "unsupportedExt",
     nested=True)
def _(w):
    """An RA exchanges the key of a message that it passes on."""
    inner = w.draft("alice").signed()
    key = der.retag(public_der(new_key("ec")), 0xa6)
    return around(w, "ra", inner, ("batchRequests", path(CLIENT)),
                  template(key, where=(CLIENT,)))


@row("lraPOPWitness about a wrong proof", "popFailed")
def _(w):
    """An RA stands for a signature that does not hold."""
    d = Draft("erin", ask=False)
    d.requests = [tagged(pkcs10(new_key("ec"), "erin",
                                spki=public_der(w.victim.key)))]
    return says(w, "ra", ("raIdentityWitness", path(1)), pop_witness([1]),
                draft=d)


@row("request in an RA's layer that nobody vouches for", "badIdentity")
def _(w):
    """An RA signs a request in alice's name and says nothing about it."""
    return says(w, "ra", draft=Draft("alice"))


# --- references that lead nowhere -------------------------------------------

@row("lraPOPWitness of no request", "badRequest")
def _(w):
    """An RA names a request that is not there."""
    return says(w, "ra", ("raIdentityWitness", path(1)), pop_witness([77]),
                draft=Draft("erin"))


@row("lraPOPWitness of no message", "badRequest")
def _(w):
    """An RA names a message that is not there."""
    return says(w, "ra", ("raIdentityWitness", path(1)),
                pop_witness([1], 77), draft=Draft("erin"))


@row("raIdentityWitness of nothing", "badRequest")
def _(w):
    """The path leads to no part."""
    return says(w, "ra", ("raIdentityWitness", path(77)),
                draft=Draft("erin"))


@row("modCertTemplate of no request", "badRequest")
def _(w):
    """certReferences names a request that is not there."""
    return says(w, "ra", ("raIdentityWitness", path(1)), template(
        der.context(5, common_name("erin")), requests=(77,)),
        draft=Draft("erin"))


@row("batchRequests of no message", "badRequest")
def _(w):
    """An RA batches a message that is not there."""
    return says(w, "ra", ("batchRequests", path(77)),
                ("raIdentityWitness", path(1)), draft=Draft("erin"))


@row("controlProcessed of nothing", "badRequest")
def _(w):
    """An RA has processed a control that is not there."""
    return says(w, "ra", ("raIdentityWitness", path(1)),
                ("controlProcessed", der.seq(der.seq(der.integer(77)))),
                draft=Draft("erin"))


@row("authData of nothing", "badRequest")
def _(w):
    """authData names a body part that is not there."""
    return says(w, "mallory", ("authData", der.integer(77)))


# --- depth ------------------------------------------------------------------

@row("messages nested 1000 deep", "badRequest", nested=True)
def _(w):
    """An RA's message in an RA's message, each batched and signed."""
    ra, data = w.holders["ra"], w.draft("alice").signed()
    for _ in range(1000):
        d = asks("ra", ("batchRequests", path(CLIENT)))
        d.cms = [controls.tagged_content(CLIENT, data)]
        body = d.body()
        data = wrapped(body, [signer_info(body, ra.key, ra.cert)])
    return data


@row("a stolen message in an RA's batch", "badIdentity", nested=True)
def _(w):
    """An RA passes on what mallory made of alice's request, without a word
    about who it is."""
    d = Draft("mallory", ask=False)
    d.requests = list(w.alice.requests)
    inner = d.by(w.holders["mallory"])
    return around(w, "ra", inner, ("batchRequests", path(CLIENT)))
