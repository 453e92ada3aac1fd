#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# cmp_relay.py PORTFILE SEEN TARGET [CERT KEY]: passes connections on to
# 127.0.0.1:TARGET and keeps what the client sent; with TLS when there is a
# certificate, which openssl's mock server cannot. When TARGET is a file, its
# bytes are the answer to whatever comes.
import socket
import ssl
import sys
import threading

portfile, seen, target = sys.argv[1:4]
context = None
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(sys.argv[4], sys.argv[5])


def pump(source, sink, keep):
    try:
        while data := source.recv(65536):
            if keep:
                with open(seen, "ab") as f:
                    f.write(data)
            sink.sendall(data)
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    try:
        if context is not None:
            client = context.wrap_socket(client, server_side=True)
        if not target.isdigit():
            client.recv(65536)
            with open(target, "rb") as f:
                client.sendall(f.read())
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", int(target)))
    except OSError:
        client.close()
        return
    back = threading.Thread(target=pump, args=(server, client, False))
    back.start()
    pump(client, server, True)
    back.join()
    client.close()
    server.close()


listener = socket.create_server(("127.0.0.1", 0))
with open(portfile, "w", encoding="ascii") as f:
    f.write(f"{listener.getsockname()[1]}\n")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],),
                     daemon=True).start()
