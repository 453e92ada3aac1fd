#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Enrolment by files: the request goes out, the answer comes back later, the
# journal holds the two together.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl pkcs11-tool

softhsm_token card
pin=(--pin-source "file:$work/pin")
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca.key" \
	-subj '/CN=Paper CA' -out "$work/ca.pem" 2>/dev/null

b 6 enroll --json --token card --profile default --type ec:P-256 \
	--subject CN=paper --san dns:paper.example.org --protocol file \
	--request-file "$work/req.der" --trust "$work/ca.pem" "${pin[@]}"
is .status pending
job=$(j .id)
b 0 status --json
is '.jobs[0].state' pending
b 6 resume --json "$job" "${pin[@]}"

# An answer for somebody else is refused, and the job is closed to it.
openssl req -inform DER -in "$work/req.der" -out "$work/req.pem" ||
	die 'the request is not one'
openssl x509 -req -in "$work/req.pem" -CA "$work/ca.pem" \
	-CAkey "$work/ca.key" -CAcreateserial -days 30 -copy_extensions copy \
	-out "$work/cert.pem" 2>/dev/null || die 'openssl x509'
cat "$work/ca.pem" "$work/cert.pem" >"$work/bundle.pem"
openssl crl2pkcs7 -nocrl -certfile "$work/bundle.pem" -out "$work/answer.p7c" \
	-outform DER

b 0 resume --json "$job" --response-file "$work/answer.p7c" "${pin[@]}"
is .state 'done'
is .certificate.issuer 'CN=Paper CA'
b 0 verify --json --key "$(j .key.uri)" --trust "$work/ca.pem" "${pin[@]}"
b 0 show --json "$work/answer.p7c"
b 0 show "$work/req.der"
says paper.example.org
ok 'request out, answer in, installed'
