# SPDX-License-Identifier: BSD-2-Clause
"""Which names and extensions a request asks for."""
from pyasn1.type import univ
from pyasn1_modules import rfc5280

import der
import names as N
from issue import common_name
from messages import BadMessage, Request, decode

CHANGE = "changeSubjectName"


def names_to_issue(request: Request, about: dict,
                   deaf: bool = False) -> tuple[bytes, list]:
    """(subject, extensions), changeSubjectName and empty subjects obeyed;
    deaf: as by one who does not know changeSubjectName."""
    subject = request.subject
    extensions = [e for e in request.extensions]
    values = request.attributes.get(N.OIDS[CHANGE])
    if values is not None and not deaf:
        if len(values) != 1:
            raise BadMessage(f"{CHANGE}: {len(values)} values")
        subject, san = read_change(values[0])
        extensions = [e for e in extensions if e[0] != N.SAN]
        if san is not None:
            extensions.append((N.SAN, subject == der.seq(), san))
    if subject == der.seq() and not any(e[0] == N.SAN for e in extensions):
        if "identification" not in about:
            raise BadMessage("neither a subject nor an alternative name")
        subject = common_name(about["identification"])
    return subject, extensions


def read_change(data: bytes) -> tuple[bytes, bytes | None]:
    """(subject, alternative names); absent: empty, none. RFC 10002 tags
    subjectAlt [1], RFC 6402 does not: there only the content tells them."""
    parts = [bytes(p) for p in decode(
        data, univ.SequenceOf(componentType=univ.Any()), CHANGE)]
    if not parts:
        raise BadMessage(f"{CHANGE} is empty")
    subject, san = der.seq(), None
    if is_name(parts[0]):
        subject = parts.pop(0)
        decode(subject, rfc5280.Name(), CHANGE)
    if parts:
        san = der.retag(parts.pop(0), 0x30)
        decode(san, rfc5280.GeneralNames(), CHANGE)
    if parts:
        raise BadMessage(f"{CHANGE} has too many parts")
    return subject, san


def is_name(part: bytes) -> bool:
    """An RDNSequence: empty, or of SETs."""
    if part[0] != 0x30:
        return False
    start = der.content_start(part, 0)
    return part[start:start + 1] in (b"", b"\x31")
