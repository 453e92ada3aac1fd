# SPDX-License-Identifier: BSD-2-Clause
"""Messages that break the rules of their form: RFC 10002 sections 3.2 and
6.6."""
import der
import names as N
from client import new_key, sign
from draft import Draft, pkcs10, signer_info, tagged, wrapped
from forgeries import row, stolen
from issue import key_id, public_der
from messages import read_content_info

MANY = 100_000


@row("two controls with one bodyPartID", "badRequest")
def _(w):
    """senderNonce has the bodyPartID of transactionId."""
    d = stolen(w.alice)
    d.part("senderNonce")[0] = d.part("transactionId")[0]
    return d.signed()


@row("two requests with one bodyPartID", "badRequest")
def _(w):
    """Both are 1; the identity proof covers both."""
    d = stolen(w.alice)
    d.requests.append(tagged(pkcs10(new_key("ec"), "alice", d.link()), 1))
    return d.signed()


@row("a control with the bodyPartID of a request", "badRequest")
def _(w):
    """senderNonce is 1, and so is the request."""
    d = stolen(w.alice)
    d.part("senderNonce")[0] = 1
    return d.signed()


@row("bodyPartID 0", "badRequest")
def _(w):
    """0 is the message itself (section 3.2.2)."""
    d = stolen(w.alice)
    d.requests = [tagged(pkcs10(d.key, "alice", d.link()), 0)]
    return d.signed()


@row("bodyPartID of 33 bits", "badRequest")
def _(w):
    """2^32 + 1, which a careless reader takes for 1."""
    d = stolen(w.alice)
    d.requests = [tagged(pkcs10(d.key, "alice", d.link()), (1 << 32) + 1)]
    return d.signed()


@row("negative bodyPartID", "badRequest")
def _(w):
    """-1, which a careless reader takes for 2^32 - 1."""
    d = stolen(w.alice)
    d.requests = [tagged(pkcs10(d.key, "alice", d.link()), -1)]
    return d.signed()


@row("control that nobody knows", "badRequest", about=[160])
def _(w):
    """A final server knows all controls (section 3.2.1.1); the request is
    right."""
    d = stolen(w.alice)
    d.controls().append([160, "1.3.6.1.4.1.55555.9", der.octets(b"pay me")])
    return d.signed()


@row("request of another kind", "noSupport", about=[9])
def _(w):
    """An orm beside a right request: no request is looked at (section
    3.2.1.2.3)."""
    d = stolen(w.alice)
    d.requests.append(der.context(
        2, der.integer(9), der.oid("1.3.6.1.4.1.55555.10"), der.null()))
    return d.signed()


@row("transactionId twice", "badRequest")
def _(w):
    """Two conversations in one message."""
    d = stolen(w.alice)
    d.controls().append([150, "transactionId", der.integer(5)])
    return d.signed()


@row("identification twice", "badRequest")
def _(w):
    """alice, and mallory."""
    d = stolen(w.alice)
    d.controls().append([150, "identification", der.utf8("mallory")])
    return d.signed()


@row("identityProofV2 twice", "badRequest")
def _(w):
    """alice's, and a wrong one."""
    d = stolen(w.alice)
    d.controls().append([150, "identityProofV2",
                         w.bob.part("identityProofV2")[2]])
    return d.signed()


@row("control with two values", "badRequest")
def _(w):
    """senderNonce has two."""
    d = stolen(w.alice)
    p = d.part("senderNonce")
    p[2] = der.octets(b"a" * 16) + der.octets(b"b" * 16)
    return d.signed()


@row("control of a response", "badRequest")
def _(w):
    """responseBody in a request."""
    d = stolen(w.alice)
    d.controls().append([150, "responseBody", der.seq(der.integer(1))])
    return d.signed()


@row("control of another type", "badRequest")
def _(w):
    """transactionId is an OCTET STRING."""
    return stolen(w.alice).with_value("transactionId",
                                      der.octets(b"7")).signed()


@row("senderNonce of a mebibyte's kin", "badRequest")
def _(w):
    """200,000 octets that would have to be given back."""
    return stolen(w.alice).with_value(
        "senderNonce", der.octets(bytes(200_000))).signed()


@row("100,000 requests", "badRequest")
def _(w):
    """As many TaggedRequests as fit into a message, signed."""
    d = Draft("mallory", ask=False)
    d.requests = [der.context(0, der.integer(1000 + i), der.null())
                  for i in range(MANY)]
    return d.by(w.holders["mallory"])


@row("300 requests", "badRequest")
def _(w):
    """More parts than are taken, the first of them right."""
    d = Draft("mallory")
    d.requests += [der.context(0, der.integer(1000 + i), der.null())
                   for i in range(300)]
    return d.by(w.holders["mallory"])


@row("trailing octets behind the message", "badRequest")
def _(w):
    """A right message, and one octet."""
    return stolen(w.alice).signed() + b"\0"


@row("trailing octets behind the PKIData", "badRequest")
def _(w):
    """One octet that is signed as well."""
    d = stolen(w.alice)
    data = d.body() + b"\0"
    return wrapped(data, [signer_info(data, d.key)])


@row("trailing octets behind the request", "badRequest")
def _(w):
    """NULL behind the PKCS#10 in its TaggedRequest."""
    d = stolen(w.alice)
    d.requests = [der.context(0, der.integer(1), pkcs10(
        d.key, "alice", d.link()), der.null())]
    return d.signed()


@row("message cut off", "badRequest")
def _(w):
    """The last octet is missing."""
    return stolen(w.alice).signed()[:-1]


@row("no message", "badRequest")
def _(w):
    """A text."""
    return b"let me in"


@row("a response as a request", "badRequest")
def _(w):
    """PKIData under the type of a PKIResponse."""
    d = stolen(w.alice)
    data = d.body()
    return wrapped(data, [signer_info(data, d.key, type_=N.PKI_RESPONSE)],
                   type_=N.PKI_RESPONSE)


@row("signatures nested 1000 deep", "badRequest")
def _(w):
    """SignedData in SignedData, and the request in the middle."""
    data = stolen(w.alice).signed()
    for _ in range(1000):
        inner = read_content_info(data)[1]
        data = wrapped(inner, [], type_=N.SIGNED)
    return data


@row("PKCS#10 of version 2", "badRequest", about=[1])
def _(w):
    """CertificationRequestInfo has a version that is not defined."""
    d = stolen(w.alice)
    good = pkcs10(d.key, "alice", d.link())
    start = der.content_start(good, 0)
    info = good[start:der.element_end(good, start)]
    inside = info[der.content_start(info, 0):]
    info = der.seq(der.integer(2), inside[3:])
    alg, signature = sign(d.key, info)
    d.requests = [tagged(der.seq(info, alg, der.bits(signature)))]
    return d.signed()


@row("popLinkWitnessV2 twice in a request", "badRequest", about=[1])
def _(w):
    """A right one and a wrong one."""
    d = stolen(w.alice)
    d.requests = [tagged(pkcs10(d.key, "alice", d.link(), more=[
        (N.OIDS["popLinkWitnessV2"], w.bob.link())]))]
    return d.signed()


@row("one key id, two keys", "badRequest")
def _(w):
    """Two requests ask for the signer's SKI, with two keys: whose signature
    is it?"""
    d = stolen(w.alice)
    other = new_key("ec")
    d.requests.append(tagged(pkcs10(
        other, "alice", d.link(), ski=key_id(public_der(d.key))), 2))
    return d.signed()
