#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scenarios.sh KIND: the same scenes on every kind of token: inventory, key
# generation, enrolment by files, install, replace, verify, wrong PIN.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl
kind=$1

case $kind in
softhsm)
	softhsm_token scene
	token=scene types='rsa:2048 ec:P-256 ec:P-384 ec:P-521 ed25519 ed448'
	;;
nss)
	nss_token
	token='pkcs11:token=NSS%20Certificate%20DB'
	types='rsa:2048 ec:P-256 ec:P-384'
	;;
remote)
	remote_token scene
	token=scene types='rsa:2048 ec:P-256 ec:P-384'
	;;
mock)
	mock_token scene
	token=scene types='rsa:2048 ec:P-256 ec:P-384'
	;;
*) die "no token kind $kind" ;;
esac
pin=(--pin-source "file:$work/pin")

# objects CLASS: how many of a class burin sees on the token.
objects() {
	b 0 tokens --json "${pin[@]}" --token "$token"
	jq "[.tokens[].objects[] | select(.class == \"$1\")] | length" \
		"$work/out"
}

b 0 tokens --json
is '[.tokens[]|select(.label=="scene" or (.label|startswith("NSS Cert")))]|length' 1
ok "$kind: inventory"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Scene CA' -out "$work/ca.pem" \
	2>/dev/null
certify() {
	openssl x509 -req -in "$1" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days "$3" \
		-copy_extensions copy -out "$2" 2>"$work/err" ||
		die "openssl does not certify $1"
}

count=0
for type in $types; do
	b 6 enroll --json --token "$token" --type "$type" --profile default \
		--subject "CN=$type" --san "dns:${type/:/-}.example.org" \
		--label "scene $type" --protocol file \
		--request-file "$work/req.der" --trust "$work/ca.pem" \
		"${pin[@]}"
	job=$(j .id)
	certify "$work/req.der" "$work/cert.pem" 30
	b 0 resume --json "$job" --response-file "$work/cert.pem" "${pin[@]}"
	is .state 'done'
	is .key.type "$type"
	uri=$(j .key.uri)
	((count += 1))
	[[ $(objects private) == "$count" && $(objects certificate) == "$count" ]] ||
		die "$type: not $count keys and certificates"
	b 0 verify --json --key "$uri" --trust "$work/ca.pem" "${pin[@]}"
	ok "$kind: $type enrolled and verified"
done

# Renewal of the last one by hand: refused without --replace, then in place.
certify "$work/req.der" "$work/newer.pem" 60
b 8 install --json --key "$uri" --trust "$work/ca.pem" "${pin[@]}" \
	"$work/newer.pem"
b 0 install --json --replace --key "$uri" --trust "$work/ca.pem" \
	"${pin[@]}" "$work/newer.pem"
[[ $(objects certificate) == "$count" ]] || die 'certificates pile up'
b 0 install --json --key "$uri" --trust "$work/ca.pem" "${pin[@]}" \
	"$work/newer.pem"
ok "$kind: replaced, and the same again is no error"

# Abandoned: the key made for it goes, nothing else.
b 6 enroll --json --token "$token" --type ec:P-256 --profile default \
	--subject CN=gone --protocol file --request-file "$work/gone.der" \
	--trust "$work/ca.pem" "${pin[@]}"
b 0 abandon --json "$(j .id)" "${pin[@]}"
[[ $(objects private) == "$count" ]] || die 'abandon left a key'
ok "$kind: abandoned without a trace"

printf '999999\n' >"$work/wrong"
b 4 keygen --json --token "$token" --type ec:P-256 \
	--pin-source "file:$work/wrong"
is .error.code pin-incorrect
b 4 keygen --json --token "$token" --type ec:P-256 \
	--pin-source "file:$work/wrong"
is .error.code pin-known-wrong
b 0 keygen --json --token "$token" --type ec:P-256 --label after "${pin[@]}"
ok "$kind: wrong PIN tried once"
