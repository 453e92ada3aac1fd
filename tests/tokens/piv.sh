#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A YubiKey-like PIV card (tests/pivcard) through the real ykcs11: slots by
# name, what takes the place of what, the management key for writes only.
# And through the real OpenSC, which cannot write.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq
# shellcheck disable=SC2119 # a card with its defaults
piv_token
authority_start
token='pkcs11:serial=12345678'
pins=(--pin-source "file:$work/pin" --so-pin-source "file:$work/mgm")

# identity NAME [arguments]: one enrolment; $1 is the exit status.
identity() {
	local want=$1 name=$2
	shift 2
	invite "$name" im --identity "im:$name@example.com"
	b "$want" enroll --json --token "$token" --profile im \
		--identity "im:$name@example.com" --subject "CN=$name" \
		--ca "$url" --trust "$work/ca/ca.pem" --user "$name" \
		--secret "file:$work/secret-$name" "${pins[@]}" "$@"
}
# slot NAME FILTER: of what is in a slot.
slot() {
	burin "${module[@]}" tokens --json --token "$token" 2>/dev/null |
		jq -r "[.tokens[].objects[] | select(.slot == \"$1\")] | $2"
}
# What is in F9, which nobody may touch.
f9() {
	burin "${module[@]}" tokens --json --token "$token" 2>/dev/null |
		jq -r '.tokens[].objects[] | select(.id == "19") | .certificate.sha256'
}

attestation=$(f9)
[[ -n $attestation ]] || die 'no attestation certificate'

b 0 tokens -v --token "$token"
says 'YubiKey PIV (ykcs11)'
says 'makes        rsa:2048, ec:P-256, ec:P-384'
says 'management key'
ok 'what it can do, in words'

# --- slots ----------------------------------------------------------------

identity 0 alice --slot 9a
is .state 'done'
is .key.id 01
(($(j .calls) <= 35)) || die "$(j .calls) calls"
b 0 verify --json --key "$(j .key.uri)" --trust "$work/ca/ca.pem" \
	--profile im "${pins[@]}"
# The only key in the slots: the device's own one does not count.
b 0 verify --json --key 12345678 --trust "$work/ca/ca.pem" "${pins[@]}"
is .key.id 01
ok "9a: enrolled, verified, used by a consumer"

# What the device says of the key: with its maker's root, it was made on it.
key=$(j .key.uri)
b 0 attest --json --key "$key" --trust "$work/piv/attestation-root.pem" \
	"${pins[@]}"
is .attestation.slot 9a
is .attestation.serial 12345678
is .attestation.pin_policy once
is .attestation.verified true
b 10 attest --json --key "$key" --trust "$work/ca/ca.pem" "${pins[@]}"
b 10 attest --json --key "$key" "${pins[@]}"
identity 0 attested --slot 95 --attestation
(($(j .calls) <= 44)) || die "$(j .calls) calls with the attestation"
ok 'attested by the device, in words and in the request'

# PIN for each signature.
identity 0 carol --slot 9c --type ec:P-384
is .state 'done'
is .key.id 02
is .key.always_authenticate true
(($(j .calls) <= 36)) || die "$(j .calls) calls"
b 0 verify --json --key "$(j .key.uri)" --trust "$work/ca/ca.pem" "${pins[@]}"
ok '9c: a login for each use'

identity 0 dora --slot 82 --type rsa:2048
is .state 'done'
is .key.id 05
ok '82: a retired slot'

# --- what is there stays, unless it may go --------------------------------

before=$(slot 9a '.[].certificate.sha256 // empty')
identity 8 bob --slot 9a
is .error.code slot-occupied
says 'CN=alice'
[[ $(slot 9a '.[].certificate.sha256 // empty') == "$before" ]] ||
	die 'the slot was touched'
identity 8 bob # 9a is the usual one
is .error.code slot-occupied
b 8 keygen --json --token "$token" --slot 9c --type ec:P-256 "${pins[@]}"
is .error.code slot-occupied
b 8 keygen --json --token "$token" --id 01 --type ec:P-256 "${pins[@]}"
is .error.code slot-occupied
b 0 status --json
is '[.jobs[]|select(.state == "planned")]|length' 0
b 0 enroll --dry-run --replace --slot 9a --token "$token" --profile im \
	--identity im:bob@example.com --ca "$url" --trust "$work/ca/ca.pem"
says 'it would be lost'
ok 'an occupied slot is refused, with what is in it'

identity 0 bob --slot 9a --replace
says 'CN=alice'
is .state 'done'
is .certificate.subject CN=bob
(($(j .calls) <= 36)) || die "$(j .calls) calls"
[[ $(slot 9a 'map(select(.class == "certificate"))|length') == 1 ]] ||
	die 'not one certificate'
ok 'replaced when told to'

# --- places that are none -------------------------------------------------

for id in 19 00 20 0102 1901 "$(printf '19%.0s' {1..20})"; do
	b 8 keygen --json --token "$token" --id "$id" --type ec:P-256 \
		--replace "${pins[@]}"
	is .error.code id-is-no-slot
done
b 2 keygen --json --token "$token" --slot f9 --type ec:P-256 "${pins[@]}"
is .error.code slot-unknown
says '9a, 9c, 9d, 9e, 82'
[[ $(f9) == "$attestation" ]] || die 'the attestation key was touched'
ok 'F9 and everything that is no slot: refused'

# --- the placeholder ------------------------------------------------------

b 0 keygen --json --token "$token" --slot 83 --type ec:P-256 "${pins[@]}"
[[ $(slot 83 'map(select(.kind == "placeholder"))|length') == 1 ]] ||
	die 'no placeholder'
b 10 verify --json --key "$(j .key.uri)" "${pins[@]}"
identity 8 erin --slot 83
says 'nothing but the placeholder'
ok 'a placeholder is no certificate, and its key is a key'

# A key that is there, enrolled: the placeholder is written over.
uri=$(jq -r .key.uri "$work/out" 2>/dev/null || true)
b 0 tokens --json --token "$token" "${pins[@]:0:2}"
uri=$(jq -r '.tokens[].objects[] | select(.slot == "83" and .class == "private") | .uri' "$work/out")
invite fred im --identity im:fred@example.com
b 0 enroll --json --key "$uri" --profile im --identity im:fred@example.com \
	--subject CN=fred --ca "$url" --trust "$work/ca/ca.pem" --user fred \
	--secret "file:$work/secret-fred" "${pins[@]}"
is .state 'done'
ok 'the certificate of a key that is there takes the place of the placeholder'

# --- secrets --------------------------------------------------------------

printf '123456\n' >"$work/nokey"
b 4 keygen --json --token "$token" --slot 84 --type ec:P-256 \
	--pin-source "file:$work/pin" --so-pin-source "file:$work/nokey"
is .error.code pin-length
says 'management key'
printf '%048d\n' 7 >"$work/wrongkey"
b 4 keygen --json --token "$token" --slot 84 --type ec:P-256 \
	--pin-source "file:$work/pin" --so-pin-source "file:$work/wrongkey"
is .error.code pin-incorrect
b 4 keygen --json --token "$token" --slot 84 --type ec:P-256 \
	--pin-source "file:$work/pin" --so-pin-source "file:$work/wrongkey"
is .error.code pin-known-wrong
[[ $(slot 84 length) == 0 ]] || die 'something was made in 84'
ok 'a wrong management key: sent once, nothing made'

# --- giving up ------------------------------------------------------------

b 6 enroll --json --token "$token" --slot 85 --type ec:P-256 \
	--profile default --subject CN=gone --protocol file \
	--request-file "$work/gone.der" --trust "$work/ca/ca.pem" "${pins[@]}"
b 0 abandon --json "$(j .id)" "${pins[@]}"
says 'cannot delete'
ok 'abandoned: what stays is said'

# --- the same card through a module that cannot write ------------------------

piv_opensc
b 0 tokens --json -v
is '.tokens[0].family' 'PIV card (OpenSC)'
is '.tokens[0].can_write' false
slot_id=$(j '.tokens[0].slot')
b 8 enroll --json --token "pkcs11:slot-id=$slot_id" --profile im \
	--identity im:x@example.com --ca "$url" --trust "$work/ca/ca.pem" \
	"${pins[@]}"
is .error.code module-cannot-write
says opensc-pkcs11.so
says ykcs11
b 8 keygen --json --token "pkcs11:slot-id=$slot_id" --type ec:P-256 "${pins[@]}"
is .error.code module-cannot-write
ok 'OpenSC: refused before a PIN was asked for, with the way out'

# But it sees and uses what ykcs11 wrote.
b 0 tokens --json --token "pkcs11:slot-id=$slot_id" "${pins[@]:0:2}"
uri=$(jq -r '[.tokens[].objects[] | select(.class == "private" and .id == "01")][0].uri' "$work/out")
b 0 verify --json --key "$uri;slot-id=$slot_id" --trust "$work/ca/ca.pem" \
	"${pins[@]:0:2}"
ok 'OpenSC: verified and used'
