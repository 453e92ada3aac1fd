#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Enrolments in CMC against an authority that shares no code with burin: every
# type of key, both forms of request, every transport, waiting, confirming,
# renewing, and two signatures of the token, never more.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need openssl pkcs11-tool

# enrol EXIT TOKEN [OPTION...]: a new key, alice's secret.
enrol() {
	local want=$1 token=$2
	shift 2
	b "$want" enroll --json -vv --token "$token" --ca "$peer_url" \
		--trust "$peer_ca" --subject "CN=$token" --user alice \
		--secret "file:$work/secret" --pin-source "file:$work/pin" "$@"
}
# Every token signs as often as is told.
signed() {
	local n
	n=$(grep -cE '\bC_Sign\b' "$work/err")
	[[ $n == "$1" ]] || die "the token signed $n times, not $1"
}
proved() { # by whom it says that the identity and the keys were proved
	[[ $(peer_log .identity) == alice ]] || die 'no identity was proved'
	peer_log '.proved | length > 0' >/dev/null || die 'no possession proved'
}

peer_start

# --- every type of key that signs, PKCS#10 and CRMF --------------------------
for type in rsa:2048 ec:P-256 ec:P-384 ec:P-521 ed25519; do
	token=key-${type//[:.]/-}
	softhsm_token "$token"
	enrol 0 "$token" --protocol cmc --type "$type"
	is .state 'done'
	signed 2
	proved
	[[ $(peer_log '.requests[0].form') == pkcs10 ]] || die 'not PKCS#10'
	b 0 verify --json --key "$(j .key.uri)" --trust "$peer_ca" \
		--pin-source "file:$work/pin"
	/usr/bin/python3 "$SOURCE_DIR/tests/cmc/decode.py" \
		"$work/peer/$(peer_log .in)" --secret "alice=$PEER_SECRET" \
		>"$work/decoded" || die "not as RFC 10002 has it: $(cat "$work/decoded")"
done
ok 'PKCS#10 in CMC: RSA, EC, Ed25519, each with two signatures'

for type in rsa:2048 ec:P-256 ed25519; do
	token=crmf-${type//[:.]/-}
	softhsm_token "$token"
	enrol 0 "$token" --protocol cmc --type "$type" --inner crmf
	is .state 'done'
	signed 2
	proved
	[[ $(peer_log '.requests[0].form') == crmf ]] || die 'not CRMF'
	/usr/bin/python3 "$SOURCE_DIR/tests/cmc/decode.py" \
		"$work/peer/$(peer_log .in)" --secret "alice=$PEER_SECRET" \
		>"$work/decoded" || die "not as RFC 10002 has it: $(cat "$work/decoded")"
done
ok 'CRMF in CMC: RSA, EC, Ed25519'

# --- the ways --------------------------------------------------------------------
softhsm_token est
enrol 0 est --protocol est-cmc --type ec:P-256 --ca "$peer_url" ||
	die 'fullcmc'
ok 'EST fullcmc'
