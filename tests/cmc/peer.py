#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A CMC authority (RFC 10002, 10003) for tests, which shares no code with
burin. See README.md."""
import argparse
import os
import signal
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

try:
    import lies
    import names as N
    from issue import Authority, from_pem
    from messages import Certificate
    from server import Peer, make_server
except ModuleNotFoundError as e:
    if e.name.split(".")[0] not in ("pyasn1", "pyasn1_modules",
                                    "cryptography"):
        raise
    print(f"SKIPPED: python has no {e.name}", file=sys.stderr)
    sys.exit(77)


def fail_info(text: str) -> int:
    return N.FAIL[text] if text in N.FAIL else int(text)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    flag = lambda name, text: p.add_argument(  # noqa: E731
        name, action="store_true", help=text)
    p.add_argument("--dir", required=True, help="the authority's folder")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    flag("--tcp", "raw BER over TCP in place of HTTP")
    p.add_argument("--secret", action="append", default=[],
                   metavar="IDENT=SECRET")
    p.add_argument("--name", action="append", default=[], metavar="IDENT=CN",
                   help="this name goes with the secret: no witness needed")
    p.add_argument("--trust", action="append", default=[], metavar="CERT",
                   help="this certificate may ask for any name")
    flag("--anyone", "no identity is asked for")
    flag("--simple", "answer success with a simple response")
    flag("--mac-response", "answer a MACed request with a MAC")
    flag("--encrypt-response", "encrypt to the key of the request")
    p.add_argument("--pending", metavar="N[:SECONDS]",
                   help="certificates on the N-th queryPending")
    flag("--pending-bare", "no pendInfo in answers to queryPending")
    flag("--poll-identity", "queryPending needs an identity proof")
    flag("--challenge", "encryptedPOP when no proof came")
    p.add_argument("--pop-y", type=int, default=32, metavar="LEN")
    flag("--pop-untagged", "decryptedPOP covers the untagged request")
    flag("--pop-status6", "status popRequired, not failed")
    flag("--oaep", "encrypt to RSA keys with OAEP (SHA-256)")
    p.add_argument("--gcm", type=int, nargs="?", const=12, default=0,
                   metavar="ICV", help="AuthEnvelopedData for encryptedPOP, "
                   "with an ICV of 12 octets or so many")
    flag("--confirm", "certificates must be confirmed")
    flag("--partial", "of two certificates one comes later")
    p.add_argument("--anchors", type=int, metavar="SEQ")
    p.add_argument("--auth-anchors", type=int, metavar="SEQ")
    flag("--status-v1", "statusInfo beside statusInfoV2")
    flag("--legacy", "SHA-1 proofs and nothing else")
    flag("--swap", "33 and 34 change places")
    flag("--ext-fail", "refuse with extendedFailInfo, old and new")
    flag("--ber", "indefinite lengths, strings in pieces")
    p.add_argument("--refuse", type=fail_info, metavar="FAILINFO")
    p.add_argument("--lie", choices=lies.NAMES)
    p.add_argument("--lie-from", type=int, default=1, metavar="N",
                   help="honest until the N-th message after the start")
    opts = p.parse_args(argv)
    times, _, seconds = (opts.pending or "0").partition(":")
    opts.pending, opts.pending_seconds = int(times), int(seconds or 1)
    return opts


def main(argv: list[str] | None = None) -> None:
    opts = arguments(argv)
    os.makedirs(opts.dir, exist_ok=True)
    trusted = []
    for path in opts.trust:
        with open(path, "rb") as f:
            trusted.append(Certificate(from_pem(f.read())))
    peer = Peer(opts, Authority(opts.dir),
                dict(s.split("=", 1) for s in opts.secret),
                dict(s.split("=", 1) for s in opts.name), trusted)
    server, url = make_server(peer)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(
        target=server.shutdown).start())
    print(f"ready: {url}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
