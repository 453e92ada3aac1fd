#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail as Python's email module reads and writes it, for test_mime.c.

mail.py check MAIL DER KIND   MAIL is one of ours, with DER in it
mail.py reply MAIL DER KIND   and it answers one that test_mime.c knows
mail.py make SHAPE DER MAIL   writes a mail with DER in it
"""

import email
import email.policy
import sys
from email.message import EmailMessage

KINDS = {
    "full": ("application/pkcs7-mime", "CMC-request", "smime.p7m"),
    "simple": ("application/pkcs10", None, "smime.p10"),
    "response": ("application/pkcs7-mime", "CMC-response", "smime.p7m"),
    "certs": ("application/pkcs7-mime", "certs-only", "smime.p7c"),
}


def check(path, der, kind):
    with open(path, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    media, smime, name = KINDS[kind]
    assert not m.defects, m.defects
    assert m["MIME-Version"] == "1.0"
    assert m.get_content_type() == media
    assert m.get_param("smime-type") == smime
    assert m.get_param("name") == name
    assert m.get_filename() == name
    assert m.get_content_disposition() == "attachment"
    assert m["Content-Transfer-Encoding"].lower() == "base64"
    assert m.get_content() == der
    with open(path, "rb") as f:
        assert all(len(line) < 79 for line in f)


def reply(path):
    with open(path, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    assert m["To"] == "Alice <a@example.org>", m["To"]
    assert m["Subject"] == "Re: B\u00f6hm asks", m["Subject"]
    assert m["In-Reply-To"] == "<one.two@example.org>", m["In-Reply-To"]
    assert m["References"] == m["In-Reply-To"]


def new(subject):
    m = EmailMessage()
    m["From"] = "ca@example.org"
    m["To"] = "alice@example.org"
    m["Subject"] = subject
    return m


def attach(m, der, smime="CMC-response", name="smime.p7m", **more):
    m.add_attachment(der, maintype="application", subtype="pkcs7-mime",
                     filename=name, params={"smime-type": smime}, **more)


def make(shape, der):
    m = new("your request")
    policy = email.policy.SMTP
    if shape == "only":
        m.set_content(der, maintype="application", subtype="pkcs7-mime",
                      filename="smime.p7m",
                      params={"smime-type": "cmc-Response"})
        policy = email.policy.default
    elif shape == "text":
        m.set_content("here it is\n")
        attach(m, der, "certs-only", "smime.p7c")
    elif shape == "quoted":
        m.set_content("here it is\n")
        attach(m, der, cte="quoted-printable")
    elif shape == "forwarded":
        m.set_content("here it is\n")
        attach(m, der)
        outer = new("Fwd: your request")
        outer.set_content("see below\n")
        outer.add_attachment(m)
        m = outer
    elif shape == "two":
        m.set_content("here they are\n")
        attach(m, der)
        attach(m, der, name="again.p7m")
    elif shape == "none":
        m.set_content("nothing today\n")
    elif shape == "signed":
        attach(m, der, "signed-data")
    elif shape == "octets":
        m.add_attachment(der, maintype="application",
                         subtype="octet-stream", filename="smime.p7m")
    elif shape == "damaged":
        attach(m, der[:-7])
    elif shape == "deep":
        attach(m, der)
        for _ in range(12):
            outer = new("Fwd: your request")
            outer.set_content("see below\n")
            outer.add_attachment(m)
            m = outer
    elif shape in ("request", "simple"):
        m = EmailMessage()
        m["From"] = "Alice <alice@example.org>, b@example.org"
        m["Sender"] = "alice@example.org"
        m["Subject"] = "B\u00f6hm asks"
        m["Message-ID"] = "<one.two@example.org>"
        m.set_content("please\n")
        if shape == "request":
            attach(m, der, "CMC-Request")
        else:
            m.add_attachment(der, maintype="application", subtype="pkcs10",
                             filename="smime.p10")
    else:
        sys.exit("no such shape: " + shape)
    return m.as_bytes(policy=policy)


def main(args):
    with open(args[2], "rb") as f:
        der = f.read()
    if args[0] != "make":
        check(args[1], der, args[3])
        if args[0] == "reply":
            reply(args[1])
    else:
        with open(args[3], "wb") as f:
            f.write(make(args[1], der))


main(sys.argv[1:])
