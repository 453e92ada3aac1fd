#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An independent reader of certs-only messages (pyasn1, RFC 5652).

Prints the SHA-256 of every certificate in the DER file, in its order. Exits
with 1 when the message is not a SignedData without signers and content, with
77 when pyasn1 is missing.
"""
import hashlib
import sys

try:
    from pyasn1.codec.der import decoder, encoder
    from pyasn1_modules import rfc5652
except ImportError:
    sys.exit(77)


def main(path):
    with open(path, "rb") as f:
        data = f.read()
    info, rest = decoder.decode(data, asn1Spec=rfc5652.ContentInfo())
    if rest or info["contentType"] != rfc5652.id_signedData:
        return 1
    signed, rest = decoder.decode(info["content"], asn1Spec=rfc5652.SignedData())
    if rest or len(signed["signerInfos"]) != 0:
        return 1
    if signed["encapContentInfo"]["eContentType"] != rfc5652.id_data:
        return 1
    if signed["encapContentInfo"]["eContent"].isValue:
        return 1
    for choice in signed["certificates"]:
        print(hashlib.sha256(encoder.encode(choice["certificate"])).hexdigest())
    return 0


sys.exit(main(sys.argv[1]))
