#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tries peer.py and decode.py with a small client made of the same parts, so
that a test of burin that fails with them fails for burin's reasons."""
import os
import shutil
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

try:
    import scenes
    import scenes_flows  # noqa: F401 adds its own
    from issue import Authority
except ModuleNotFoundError as e:
    if e.name.split(".")[0] not in ("pyasn1", "pyasn1_modules",
                                    "cryptography"):
        raise
    print(f"SKIPPED: python has no {e.name}")
    sys.exit(77)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="cmc-peer.") as work:
        return run(os.path.join(work, "keys"), sys.argv[1:])


def run(keys: str, wanted: list[str]) -> int:
    """The scenes that are wanted, or all; the authority's keys are made
    once, for making them takes longest."""
    failed = 0
    Authority(keys)
    for name, scene in scenes.ALL.items():
        if wanted and name not in wanted:
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="cmc-peer.") as work:
                shutil.copytree(keys, os.path.join(work, "ca"))
                scene(work)
            print(f"{name}: ok", flush=True)
        except Exception:  # noqa: B902 whatever it is, the next scene counts
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
