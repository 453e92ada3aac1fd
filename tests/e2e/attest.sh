#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Attestation: read from the token, verified locally, put into requests, read
# by others. The token is the mock, which shows it as ykcs11 does.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl

mock_token card
echo attest=1 >>"$BURIN_MOCK"
state=$BURIN_MOCK.state root=$state/attest-root.pem
pin=(--pin-source "file:$work/pin")
b 0 keygen --json --token card --type ec:P-256 --label one "${pin[@]}"
key=$(j .key.uri)

# --- attest ----------------------------------------------------------------
b 0 attest --json --key "$key" --trust "$root" --out "$work/attest.pem" \
	"${pin[@]}"
is .attestation.verified true
is .attestation.firmware 5.4.3
is .attestation.serial 12345678
is .attestation.slot 9a
is .attestation.pin_policy once
is .attestation.touch_policy never
is .attestation.form_factor usb-a-keychain
is .attestation.fips false
is '[.checks[] | .id + .level] | join(" ")' 'A1pass A2pass A3pass A4pass'
b 0 attest --key "$key" --trust "$root" "${pin[@]}"
says 'made on the device'
[[ $(grep -c BEGIN "$work/attest.pem") == 2 ]] || die 'not two certificates'
openssl verify -CAfile "$root" -untrusted "$work/attest.pem" \
	"$work/attest.pem" >"$work/out" 2>&1 || die 'openssl verify'
b 0 show --json "$work/attest.pem"
is '.objects[0].attestation.firmware' 5.4.3
is '.objects[0].attestation.slot' 9a
b 0 show "$work/attest.pem"
says 'Attestation:  slot 9a, firmware 5.4.3, serial 12345678, PIN once'
ok 'attested, verified, written, read by openssl'

# --- nobody vouches ----------------------------------------------------------
b 10 attest --json --key "$key" "${pin[@]}"
is .attestation.verified false
is .error.code check-A2
is '.checks[1].detail' "not verified: give the maker's root"
is '.checks[3].level' skip
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Mock PIV Root CA' \
	-out "$work/ca.pem" 2>/dev/null
b 10 attest --json --key "$key" --trust "$work/ca.pem" "${pin[@]}"
is .attestation.verified false
is .error.code check-A2
b 2 attest --json --key "$key" --trust "$work/none.pem" "${pin[@]}"
ok 'no root, a wrong root of the same name'

# --- requests ----------------------------------------------------------------
b 0 request --json --key "$key" --subject CN=one --attestation \
	--out "$work/yubico.der" "${pin[@]}"
b 0 request --json --key "$key" --subject CN=one --attestation=draft \
	--out "$work/draft.der" "${pin[@]}"
b 2 request --json --key "$key" --subject CN=one --attestation=other \
	--out "$work/other.der" "${pin[@]}"
is .error.code attestation-form
for form in yubico draft; do
	b 0 show --json "$work/$form.der"
	is '.objects[0].pop' verified
	is '.objects[0].attestation.form' "$form"
	is '.objects[0].attestation.serial' 12345678
	is '.objects[0].attestation.key_matches' true
	is '.objects[0].attestation.certificates | length' 2
	openssl req -inform DER -in "$work/$form.der" -noout -verify \
		>"$work/out" 2>&1 || die "openssl req: $form"
done
openssl req -inform DER -in "$work/yubico.der" -noout -text >"$work/out"
says 1.3.6.1.4.1.41482.3.11
says 1.3.6.1.4.1.41482.3.2
openssl req -inform DER -in "$work/draft.der" -noout -text >"$work/out"
says 1.2.840.113549.1.9.16.2.59
b 0 show "$work/yubico.der"
says 'in the form yubico'
says 'certificate of CN=YubiKey PIV Attestation 9a'
ok 'both forms, read by burin and by openssl'

# --- enroll: a new key; the job is stopped and resumed ------------------------
echo 'fail=C_Sign:1:CKR_DEVICE_REMOVED' >>"$BURIN_MOCK"
got=0
burin "${module[@]}" enroll --json --token card --type ec:P-256 \
	--subject CN=two --label two --attestation=draft --protocol file \
	--request-file "$work/two.der" --trust "$work/ca.pem" "${pin[@]}" \
	>"$work/out" 2>"$work/err" </dev/null || got=$?
((got != 0 && got != 6)) || die "the signature did not fail: $got"
job=$(j .id)
sed -i '/^fail=/d' "$BURIN_MOCK"
b 6 resume --json "$job" "${pin[@]}"
b 0 show --json "$work/two.der"
is '.objects[0].attestation.form' draft
is '.objects[0].attestation.key_matches' true
openssl req -inform DER -in "$work/two.der" -out "$work/two.pem" || die req
openssl x509 -req -in "$work/two.pem" -CA "$work/ca.pem" -CAkey \
	"$work/ca.key" -CAcreateserial -days 30 -copy_extensions copy \
	-out "$work/cert.pem" 2>/dev/null || die 'openssl x509'
b 0 resume --json "$job" --response-file "$work/cert.pem" "${pin[@]}"
is .state 'done'
b 0 attest --json --key "$(j .key.uri)" --trust "$root" "${pin[@]}"
is .attestation.verified true
ok 'enrolled with an attestation, through an interruption'

# --- an attestation key's certificate without basicConstraints -----------------
rm -rf "$state" "$BURIN_STATE_DIR"
sed -i 's/^attest=.*/attest=old/' "$BURIN_MOCK"
b 0 keygen --json --token card --type rsa:2048 --label old "${pin[@]}"
key=$(j .key.uri)
b 0 attest --json --key "$key" --trust "$root" --out "$work/old.pem" "${pin[@]}"
is .attestation.verified true
is '.checks[1].detail | contains("not marked as CA")' true
openssl verify -CAfile "$root" -untrusted "$work/old.pem" "$work/old.pem" \
	>"$work/out" 2>&1 && die 'openssl takes it: then so may we, in words'
says 'invalid CA certificate'
ok 'old firmware: what openssl refuses to name a CA'

# --- none -----------------------------------------------------------------------
rm -rf "$state" "$BURIN_STATE_DIR"
sed -i '/^attest=/d' "$BURIN_MOCK"
b 0 keygen --json --token card --type ec:P-256 --label none "${pin[@]}"
key=$(j .key.uri)
b 3 attest --json --key "$key" "${pin[@]}"
is .error.code attestation-missing
b 3 request --json --key "$key" --subject CN=none --attestation \
	--out "$work/none.der" "${pin[@]}"
is .error.code attestation-missing
[[ ! -e $work/none.der ]] || die 'a request without what was asked for'
ok 'none: said so, exit 3'
