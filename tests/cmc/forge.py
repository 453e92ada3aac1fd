#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Enrols at an authority of burin as an honest client, then as many forgers.

forge.py URL DIRECTORY --ca-sign PROGRAM [--burin PROGRAM] [--only TEXT]
forge.py --list

DIRECTORY is the authority's, for its certificates, its invites, its store and
its audit log. For each row of forgeries.py: the answer is verified, it says
the CMCFailInfo of the row, nothing was issued, and the audit log names the
failInfo. Ends with 0 when all rows hold, with 77 when a package is missing.
"""
import argparse
import sys
import traceback

try:
    import forgeries
    import honest
    from door import Door
    from proofs import Wrong
except ImportError as e:
    print(f"skipped: {e}", file=sys.stderr)
    sys.exit(77)


def arguments():
    p = argparse.ArgumentParser(description="honest and forged CMC requests")
    p.add_argument("url", nargs="?")
    p.add_argument("directory", nargs="?")
    p.add_argument("--burin", default="burin")
    p.add_argument("--ca-sign", help="reads octets, signs them as the CA")
    p.add_argument("--list", action="store_true", help="the rows, in Markdown")
    p.add_argument("--only", default="", help="rows whose name has this")
    return p.parse_args()


def told(answer) -> list[str]:
    """What the answers say, through the layers of an RA's batch."""
    words = answer.words()
    for inside in answer.inside:
        words += told(inside)
    return words


def check(people, row) -> None:
    """One forgery; raises Wrong when it got anything."""
    door = people.door
    made = row.make(people)
    data, how = made if isinstance(made, tuple) else (made, {})
    before, line = door.count(), door.last_line()
    answer = door.talk(data, **how)
    words = told(answer)
    if row.fail not in words:
        raise Wrong(f"answered {words}, not {row.fail}: "
                    f"{[s.text for s in answer.statuses]}")
    if "success" in words and not row.nested:
        raise Wrong(f"and something was a success: {words}")
    if row.about is not None:
        found = [s.ids for s in answer.statuses if s.word() == row.fail]
        if sorted(sum(found, [])) != sorted(row.about):
            raise Wrong(f"it is about {found}, not {row.about}")
    if door.count() != before:
        raise Wrong("a certificate was issued")
    log = door.lines(line)
    if not any(entry.startswith("refused ") and row.fail in entry
               for entry in log):
        raise Wrong(f"the audit log does not say {row.fail}: {log}")


def run_rows(people, rows) -> int:
    bad = 0
    for row in rows:
        try:
            check(people, row)
            print(f"refused: {row.name}: {row.fail}")
        except Exception as e:  # noqa: B902 the next row is tried as well
            bad += 1
            print(f"FAILED: {row.name}: {e}", flush=True)
            if not isinstance(e, Wrong):
                traceback.print_exc()
    return bad


def run(door: Door, only: str) -> int:
    people = honest.People(door)
    honest.enrol(people)
    rows = [row for row in forgeries.ROWS if only in row.name]
    bad = run_rows(people, rows)
    if not only:
        honest.still_good(people)
        if door.blocked == 0:
            raise Wrong("nobody was told to wait after so many wrong proofs")
    print(f"rows: {len(rows)}, failed: {bad}")
    return 1 if bad else 0


def main() -> int:
    opts = arguments()
    if not opts.list and None in (opts.url, opts.directory, opts.ca_sign):
        print("URL, DIRECTORY and --ca-sign are needed", file=sys.stderr)
        return 2
    if opts.list:
        for row in forgeries.ROWS:
            print(f"| {row.name} | {row.fail} | {row.why} |")
        return 0
    door = Door(opts.url, opts.directory, opts.burin, opts.ca_sign)
    return run(door, opts.only)


if __name__ == "__main__":
    sys.exit(main())
