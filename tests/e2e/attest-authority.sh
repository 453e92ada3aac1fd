#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# An enrolment with an attestation in its request, both forms, at an authority
# that does not ask for one: it is certified all the same, and nothing of the
# device gets into the certificate.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl

authority_start
mock_token card
echo attest=1 >>"$BURIN_MOCK"
pin=(--pin-source "file:$work/pin")
for form in yubico draft; do
	invite "$form" default
	b 0 enroll --json --token card --profile default --type ec:P-256 \
		--subject "CN=$form" --label "$form" "--attestation=$form" \
		--ca "$url" --trust "$work/ca/ca.pem" --user "$form" \
		--secret "file:$work/secret-$form" "${pin[@]}"
	is .state 'done'
	(($(j .calls) <= 36)) || die "$(j .calls) calls"
	key=$(j .key.uri)
	b 0 attest --json --key "$key" \
		--trust "$BURIN_MOCK.state/attest-root.pem" "${pin[@]}"
	is .attestation.verified true
	b 0 export --key "$key" --certs-only --out "$work/chain.p7c" "${pin[@]}"
	openssl pkcs7 -inform DER -in "$work/chain.p7c" -print_certs -text \
		>"$work/out" || die 'openssl pkcs7'
	says "Subject: CN=$form"
	grep -q 1.3.6.1.4.1.41482 "$work/out" &&
		die 'the certificate tells what device it is on'
	ok "$form: certified, and the device's number stays out of it"
done
