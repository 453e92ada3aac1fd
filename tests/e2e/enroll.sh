#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The whole way over EST for every key type; then other people's programs
# look at what is on the token and use it.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 p11tool pkcs11-tool openssl certtool

authority_start

# The pair on the token, seen by p11tool and pkcs11-tool: one key, one
# certificate, one ID.
one_pair() {
	local id=$1 seen
	seen=$(GNUTLS_PIN=123456 p11tool --provider "$SOFTHSM" --login \
		--list-all "pkcs11:token=$2" 2>/dev/null)
	[[ $(grep -c 'Type: Private key' <<<"$seen") == 1 ]] ||
		die "p11tool sees not one private key"
	[[ $(grep -c 'Type: X.509 Certificate' <<<"$seen") == 1 ]] ||
		die "p11tool sees not one certificate"
	[[ $(grep 'ID: ' <<<"$seen" | tr -d ': \t' | sort -u) == "ID$id" ]] ||
		die "p11tool sees other IDs than $id"
	seen=$(object_list "$2")
	[[ $(grep -c '^Private Key' <<<"$seen") == 1 &&
		$(grep -c '^Certificate' <<<"$seen") == 1 ]] ||
		die "pkcs11-tool: $seen"
}

# The pair used through OpenSSL's pkcs11 engine: what the private key signs,
# the certificate on the token verifies.
use_by_engine() {
	local uri=$1
	date >"$work/data"
	cat >"$work/openssl.cnf" <<-CNF
		openssl_conf = init
		[init]
		engines = engines
		[engines]
		pkcs11 = pkcs11
		[pkcs11]
		engine_id = pkcs11
		MODULE_PATH = $SOFTHSM
		PIN = 123456
		init = 1
	CNF
	OPENSSL_CONF=$work/openssl.cnf openssl dgst -engine pkcs11 \
		-keyform engine -sign "$uri" -sha256 -out "$work/sig" \
		"$work/data" 2>"$work/err" || die "openssl cannot sign"
	openssl x509 -in "$work/cert.pem" -noout -pubkey >"$work/pub.pem"
	openssl dgst -verify "$work/pub.pem" -sha256 \
		-signature "$work/sig" "$work/data" >/dev/null ||
		die "the certificate does not verify what the key signed"
}

for type in rsa:2048 rsa:4096 ec:P-256 ec:P-384 ec:P-521 ed25519; do
	label=${type//:/-}
	[[ $type != ed25519 ]] || unwind slow # the last one
	softhsm_token "$label"
	invite "$label" default
	b 0 enroll --json --token "$label" --type "$type" --profile default \
		--subject "CN=$label" --san "dns:$label.example.org" \
		--ca "$url" --trust "$work/ca/ca.pem" --user "$label" \
		--secret "file:$work/secret-$label" \
		--pin-source "file:$work/pin"
	is .status 'done'
	is .state 'done'
	is .key.type "$type"
	is .token.label "$label"
	is .certificate.subject "CN=$label"
	is '.certificate.sans|join(" ")' "dns:$label.example.org"
	is '[.checks[]|select(.level=="fail")]|length' 0
	id=$(j .key.id) uri=$(j .key.uri) calls=$(j .calls)
	# 30 with one further slot, and one more for each of the others.
	slots=$(softhsm2-util --show-slots | grep -c '^Slot ')
	((calls <= 28 + slots)) ||
		die "$type took $calls PKCS#11 calls with $slots slots"
	job=$(j .id)
	one_pair "$id" "$label"

	b 0 export --key "$uri" --certs-only --out "$work/chain.p7c" \
		--pin-source "file:$work/pin"
	openssl pkcs7 -inform DER -in "$work/chain.p7c" -print_certs \
		-out "$work/cert.pem" || die "certs-only not read by openssl"
	certtool --p7-info --inder --infile "$work/chain.p7c" >/dev/null ||
		die "certs-only not read by certtool"
	[[ $type == ed25519 ]] || use_by_engine "$uri"

	b 0 verify --json --key "$uri" --trust "$work/ca/ca.pem" \
		--pin-source "file:$work/pin"
	is .status 'done'
	b 0 status --json "$job"
	is '.jobs[0].state' 'done'
	ok "$type: $calls calls"
done

issued=$(issued_count '')
[[ $issued == 6 ]] || die "the authority issued $issued"

# The requests, by eyes that are not ours.
sqlite3 "$work/state/state.db" \
	"SELECT id FROM jobs" >"$work/jobs"
while read -r job; do
	sqlite3 "$work/state/state.db" \
		"SELECT writefile('$work/req.der', request) FROM jobs
		 WHERE id = '$job'" >/dev/null
	openssl req -inform DER -in "$work/req.der" -noout -verify \
		2>"$work/err" || die "openssl refuses a request"
	certtool --crq-info --inder --infile "$work/req.der" >"$work/out" 2>&1 ||
		die "certtool refuses a request"
done <"$work/jobs"
ok 'every request verified by openssl and certtool'
