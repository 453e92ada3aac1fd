#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients that do not behave, for serving.sh.

clients.py drip HOST:PORT CA      a byte of a request now and then; seconds
                                  until the server had enough
clients.py crowd HOST:PORT CA N   N connections at once; how many are served
clients.py finish HOST:PORT CA PID  half a request, SIGTERM to PID, the rest
                                  of it; the HTTP status, then that of another
                                  connection that was open and silent
clients.py activate NAMES PROGRAM...  PROGRAM with listening sockets as a
                                  service manager hands them over, one for
                                  each name of a list with colons; their ports
                                  on stderr
"""
import fcntl
import os
import signal
import socket
import ssl
import sys
import time

HEAD = (b"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/pkcs10\r\nContent-Length: 8\r\n\r\n")
PING = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(where, ca):
    host, port = where.rsplit(":", 1)
    context = ssl.create_default_context(cafile=ca)
    plain = socket.create_connection((host, int(port)), timeout=60)
    return context.wrap_socket(plain, server_hostname=host)


def status(sock):
    """The number in the first line; 0: closed without one."""
    try:
        data = sock.recv(4096)
    except OSError:
        return 0
    return int(data.split()[1]) if data.startswith(b"HTTP/1.1 ") else 0


def drip(where, ca):
    sock = connect(where, ca)
    begun = time.monotonic()
    sock.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    sock.settimeout(1)
    while time.monotonic() - begun < 90:
        try:
            sock.sendall(b"x")
            if sock.recv(1) == b"":
                break
        except socket.timeout:
            continue
        except OSError:
            break
    print(int(time.monotonic() - begun))


def crowd(where, ca, number):
    open_ones, served = [], 0
    for _ in range(int(number)):
        try:
            sock = connect(where, ca)
            sock.sendall(PING)
            served += status(sock) == 200
            open_ones.append(sock)
        except OSError:
            pass
    print(served)


def finish(where, ca, pid):
    busy, idle = connect(where, ca), connect(where, ca)
    idle.sendall(PING)
    assert status(idle) == 200
    busy.sendall(HEAD + b"MIIB")
    time.sleep(0.5)
    os.kill(int(pid), signal.SIGTERM)
    time.sleep(0.5)
    try:
        idle.sendall(PING)
    except OSError:
        pass
    late = status(idle)
    busy.sendall(b"AAAA")
    print(status(busy), late)


def activate(names, *program):
    sockets = []
    for _ in names.split(":"):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(16)
        print(sock.getsockname()[1], file=sys.stderr, flush=True)
        # Above those that are about to be taken.
        sockets.append(fcntl.fcntl(sock, fcntl.F_DUPFD, 10))
        sock.close()
    for i, fd in enumerate(sockets):
        os.dup2(fd, 3 + i)
        os.close(fd)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(sockets))
    os.environ["LISTEN_FDNAMES"] = names
    os.execvp(program[0], program)


{"drip": drip, "crowd": crowd, "finish": finish,
 "activate": activate}[sys.argv[1]](*sys.argv[2:])
