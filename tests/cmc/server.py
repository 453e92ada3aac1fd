# SPDX-License-Identifier: BSD-2-Clause
"""The authority's doors: CMC over HTTP (RFC 10003), EST's fullcmc,
simplereenroll and cacerts (RFC 7030), CMC over TCP."""
import base64
import binascii
import hashlib
import http.server
import json
import os
import pickle
import socketserver
import ssl
import threading
import time

import der
import lies
from answer import Answer, Handler
from envelope import certs_only
from issue import now

MAX_REQUEST = 1 << 20


class Peer:
    """The authority's memory, which outlives a restart, and its log."""

    MEMORY = ("transactions", "nonces", "keys", "challenges", "pending",
              "unconfirmed", "answered")

    def __init__(self, opts, authority, secrets: dict[str, str],
                 names: dict[str, str], trusted: list):
        self.opts, self.authority = opts, authority
        self.secrets, self.names, self.trusted = secrets, names, trusted
        self.transactions: dict[bytes, bytes | None] = {}
        self.nonces: set[bytes] = set()
        self.keys: dict[bytes, bytes] = {}
        self.challenges: dict = {}
        self.pending: dict = {}
        self.unconfirmed: set[int] = set()
        self.answered: dict[bytes, Answer] = {}
        self.lock = threading.Lock()
        self.lie, self.served = opts.lie, 0
        self.exchanges = len([n for n in os.listdir(
            authority.path("messages")) if n.endswith("-in.der")])
        self.remember()

    def remember(self) -> None:
        try:
            with open(self.authority.path("memory"), "rb") as f:
                self.__dict__.update(pickle.load(f))
        except FileNotFoundError:
            pass

    def handle(self, data: bytes, transport: str, type_: str = "",
               renewed: bytes | None = None) -> Answer:
        log = {"time": now().isoformat(), "transport": transport,
               "content-type": type_}
        with self.lock:
            try:
                return self.handle_locked(data, log, renewed)
            finally:
                with open(self.authority.path("log.jsonl"), "a") as f:
                    f.write(json.dumps(log) + "\n")

    def handle_locked(self, data: bytes, log: dict,
                      renewed: bytes | None) -> Answer:
        """A client that was killed says the same once more, and gets the
        same answer."""
        self.served += 1
        self.opts.lie = (self.lie if self.served >= self.opts.lie_from
                         else None)
        digest = hashlib.sha256(data).digest()
        self.keep(log, "in", data)
        if digest in self.answered:
            log["repeated"] = True
        else:
            self.answered[digest] = Handler(self, log, renewed).handle(
                data)
            self.authority.write("memory", pickle.dumps(
                {name: getattr(self, name) for name in self.MEMORY}))
        self.keep(log, "out", self.answered[digest].body)
        return self.answered[digest]

    def keep(self, log: dict, way: str, data: bytes) -> None:
        """For decode.py, and for a look at it."""
        if way == "in":
            self.exchanges += 1
        log[way] = f"messages/{self.exchanges:04}-{way}.der"
        self.authority.write(log[way], data)


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    peer: Peer

    def log_message(self, *args) -> None:
        pass

    def reply(self, status: int, type_: str, body: bytes,
              est: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", type_)
        if est:
            self.send_header("Content-Transfer-Encoding", "base64")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path == "/.well-known/est/cacerts":
            body = certs_only([self.peer.authority.ca.cert.der])
            self.reply(200, "application/pkcs7-mime",
                       base64.encodebytes(body), True)
        else:
            self.reply(404, "text/plain", b"nothing here\n")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_REQUEST:
            self.close_connection = True
            self.reply(411, "text/plain", b"how long?\n")
            return
        data = self.rfile.read(int(length))
        type_ = self.headers.get("Content-Type", "")
        operation = self.path.removeprefix("/.well-known/est/")
        est = operation in ("fullcmc", "simplereenroll")
        renewed = None
        if not self.type_is_right(type_, est, operation):
            self.reply(415, "text/plain", b"wrong Content-Type\n")
            return
        if operation == "simplereenroll":
            renewed = (self.connection.getpeercert(True)
                       if self.peer.opts.tls else None)
            if renewed is None:
                self.reply(401, "text/plain", b"whose certificate?\n")
                return
        if est:
            try:
                data = base64.b64decode(b"".join(data.split()),
                                        validate=True)
            except binascii.Error:
                self.reply(400, "text/plain", b"no base64\n")
                return
        answer = self.peer.handle(data, "est" if est else "http", type_,
                                  renewed)
        if operation == "simplereenroll" and answer.refused:
            self.reply(403, "text/plain", b"not so\n")
            return
        self.send(answer, est)

    @staticmethod
    def type_is_right(type_: str, est: bool, operation: str) -> bool:
        parts = [p.strip().lower() for p in type_.split(";")]
        if parts[0] == "application/pkcs10":
            return not est or operation == "simplereenroll"
        return (parts[0] == "application/pkcs7-mime" and
                operation != "simplereenroll" and
                "smime-type=cmc-request" in
                [p.replace('"', "") for p in parts[1:]])

    def send(self, answer: Answer, est: bool) -> None:
        lie = self.peer.opts.lie
        name = "response.p7c" if answer.kind == "certs-only" \
            else "response.p7m"
        type_ = (f"application/pkcs7-mime; smime-type={answer.kind}; "
                 f"name={name}")
        if lie == "wrong-type":
            type_ = "text/html"
        if lie == "http-500":
            self.reply(500, "text/plain", b"out of order\n")
        elif lie == "huge":
            self.send_huge(type_)
        elif lie == "drip":
            self.send_drip(type_, answer.body)
        else:
            body = base64.encodebytes(answer.body) if est else answer.body
            self.reply(400 if est and answer.refused else 200, type_, body,
                       est)

    def begin(self, type_: str, length: int) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def send_huge(self, type_: str) -> None:
        self.begin(type_, lies.HUGE)
        block = b"\x30" * 65536
        try:
            for _ in range(lies.HUGE // len(block)):
                self.wfile.write(block)
        except OSError:
            pass

    def send_drip(self, type_: str, body: bytes) -> None:
        self.begin(type_, len(body))
        try:
            for octet in body:
                self.wfile.write(bytes([octet]))
                self.wfile.flush()
                time.sleep(1)
        except OSError:
            pass


class Tcp(socketserver.BaseRequestHandler):
    """BER messages back to back (RFC 10003 section 5)."""
    peer: Peer

    def handle(self) -> None:
        self.request.settimeout(60)
        data = b""
        try:
            while len(data) < MAX_REQUEST:
                end = der.element_end(data)
                if end is not None:
                    self.answer(data[:end])
                    data = data[end:]
                    continue
                more = self.request.recv(65536)
                if not more:
                    return
                data += more
        except OSError:
            pass

    def answer(self, message: bytes) -> None:
        body = self.peer.handle(message, "tcp").body
        lie = self.peer.opts.lie
        if lie == "huge":
            self.request.sendall(b"\x30\x84" + lies.HUGE.to_bytes(4, "big"))
            for _ in range(lies.HUGE // 65536):
                self.request.sendall(b"\x30" * 65536)
        elif lie == "drip":
            for octet in body:
                self.request.sendall(bytes([octet]))
                time.sleep(1)
        else:
            self.request.sendall(body)
            if lie in ("truncated", "empty"):
                self.request.close()


class HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is no news."""


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is no news."""


def make_server(peer: Peer):
    """(server, URL)"""
    opts = peer.opts
    address = ("127.0.0.1", opts.port)
    if opts.tcp:
        Tcp.peer = peer
        server = TcpServer(address, Tcp)
        return server, f"tcp://127.0.0.1:{server.server_address[1]}"
    Http.peer = peer
    server = HttpServer(address, Http)
    scheme = "http"
    if opts.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*opts.tls)
        # for simplereenroll; others need none
        context.load_verify_locations(peer.authority.path("ca.pem"))
        context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        scheme = "https"
    return server, f"{scheme}://127.0.0.1:{server.server_address[1]}/"
