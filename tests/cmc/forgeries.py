# SPDX-License-Identifier: BSD-2-Clause
"""The list of forgeries: each is made from an honest message by one change,
and must be refused with its CMCFailInfo."""
import copy
from dataclasses import dataclass
from typing import Callable

ROWS: list["Row"] = []


@dataclass
class Row:
    name: str
    fail: str  # CMCFailInfo, or the name of a CMCStatus
    why: str   # how it is made, and what it tries
    make: Callable
    about: list[int] | None = None  # body part ids the refusal names
    nested: bool = False  # success around it is no success of it


def row(name: str, fail: str, about: list[int] | None = None,
        nested: bool = False):
    def note(make):
        ROWS.append(Row(name, fail, " ".join(make.__doc__.split()), make,
                        about, nested))
        return make
    return note


def stolen(draft):
    """A copy of somebody's draft to change."""
    new = copy.copy(draft)
    new.parts, new.requests = None, list(draft.requests)
    new.more, new.cms = list(draft.more), list(draft.cms)
    return new


# the rows
import forged_people  # noqa: E402,F401
import forged_proofs  # noqa: E402,F401
import forged_ra  # noqa: E402,F401
import forged_shape  # noqa: E402,F401
