#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Other people's code reads every golden request and answer of CMC: pyasn1 decodes it
# and encodes it again, octet by octet the same; identity proof, witnesses,
# proofs of possession, signatures and MAC are computed anew by python
# (tests/cmc/decode.py). What is encrypted, openssl decrypts first.
set -uo pipefail
shopt -s nullglob
cd "$(dirname "$0")" || exit 1

decode=../cmc/decode.py
secret='r7=correct horse battery staple' # as in test_cmc.c
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# unwrap FILE: the message inside, as a ContentInfo of its own
unwrap() {
	openssl cms -decrypt -inform DER -in "$1" -outform DER -binary \
		-inkey data/pkcs10/rsa.pem -out "$work/inside" &&
		/usr/bin/python3 - "$work/inside" >"$work/message" <<-'PY'
			import sys
			def tlv(tag, data):
			    n = len(data)
			    size = (n.bit_length() + 7) // 8
			    head = bytes([n]) if n < 128 else \
			        bytes([128 + size]) + n.to_bytes(size, "big")
			    return bytes([tag]) + head + data
			signed = bytes.fromhex("06092a864886f70d010702")
			inside = open(sys.argv[1], "rb").read()
			sys.stdout.buffer.write(
			    tlv(0x30, signed + tlv(0xa0, inside)))
		PY
}

# reads FILE
reads() {
	/usr/bin/python3 "$decode" "$1" --secret "$secret" \
		--cert data/cmc-signer.pem
}

failed=0 n=0
for der in data/cmc-*.der; do
	((n += 1))
	message=$der
	if [[ $der == *-encrypted.der ]]; then
		message=$work/message
		unwrap "$der" || failed=1
	fi
	out=$(reads "$message" 2>&1)
	status=$?
	((status == 77)) && exit 77
	((status == 0)) || {
		printf '%s: status %d:\n%s\n' "$der" "$status" "$out"
		failed=1
	}
done
((n > 0)) || {
	echo 'no golden message found'
	exit 1
}
# A changed octet of a request is noticed, or all of this proves nothing.
/usr/bin/python3 - data/cmc-pkcs10.der >"$work/changed" <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
sys.stdout.buffer.write(data.replace(b"r7.example", b"r8.example"))
PY
reads "$work/changed" >/dev/null && {
	echo 'a changed message is believed'
	failed=1
}
exit "$failed"
