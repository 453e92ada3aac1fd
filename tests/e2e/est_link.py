#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Send a request over TLS 1.2 that is linked to its session by tls-unique.

est_link.py HOST:PORT CA PATH USER:SECRET COMMAND...

COMMAND, with the value to link by as its last word, prints the request (DER)
and is run while the connection is open. Prints the HTTP status.
"""
import base64
import http.client
import ssl
import subprocess
import sys

where, ca, path, user = sys.argv[1:5]
context = ssl.create_default_context(cafile=ca)
context.maximum_version = ssl.TLSVersion.TLSv1_2
peer = http.client.HTTPSConnection(where, context=context, timeout=60)
peer.connect()
value = base64.b64encode(peer.sock.get_channel_binding("tls-unique")).decode()
der = subprocess.run(sys.argv[5:] + [value], stdout=subprocess.PIPE,
                     check=True).stdout
peer.request("POST", path, body=base64.b64encode(der), headers={
    "Content-Type": "application/pkcs10",
    "Authorization": "Basic " + base64.b64encode(user.encode()).decode()})
answer = peer.getresponse()
print(answer.status, answer.read().decode())
