#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# An authority of CMC that lies, breaks or never ends: each lie is refused by
# its name, nothing comes onto the token, and little memory is taken.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need pkcs11-tool

peer_start
softhsm_token card
b 0 keygen --json --token card --label sign --type ec:P-256 "${pin[@]}"
sign=$(j .key.uri)
b 0 keygen --json --token card --label agree --type ec:P-256 --usage derive \
	"${pin[@]}"
agree=$(j .key.uri)
object_list card >"$work/before"

# burin and its worker: the larger of the two, in KiB, counts for both. What an
# instrumented program takes says nothing.
measured=yes
if instrumented; then
	measured=
fi
LIMIT=$((64 * 1024))
peak=0
weigh() { # weigh VERB...: as burin, with its peak in $peak
	local rc=0
	/usr/bin/python3 - "$work/peak" burin "$@" <<-'PY' || rc=$?
		import os, resource, subprocess, sys
		rc = subprocess.call(sys.argv[2:], stdin=subprocess.DEVNULL)
		used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
		with open(sys.argv[1], "w") as f:
		    print(used, file=f)
		sys.exit(rc)
	PY
	peak=$(cat "$work/peak")
	return "$rc"
}
most=0
# lied EXIT CODE KEY [OPTION...]: what is on the token stays what it was.
lied() {
	local want=$1 code=$2 key=$3 got=0
	shift 3
	weigh "${module[@]}" enroll --json --key "$key" --protocol cmc \
		--ca "$peer_url" --trust "$peer_ca" --subject CN=believer \
		--user alice --secret "file:$work/secret" "${pin[@]}" "$@" \
		>"$work/out" 2>"$work/err" || got=$?
	[[ $got == "$want" ]] || die "exit $got, not $want"
	is .error.code "$code"
	[[ -n $(jq -r '.error.reason' "$work/out") ]] || die 'no reason'
	is '.certificate' null
	object_list card | cmp -s - "$work/before" ||
		die "the token changed: $(object_list card)"
	[[ -z $measured || $((2 * peak)) -lt $LIMIT ]] ||
		die "it took up to $peak KiB, twice"
	((peak <= most)) || most=$peak
}

# --- what is in the answer -----------------------------------------------------
while read -r lie want code more; do
	peer_start --lie "$lie" ${more:+$more}
	for inner in pkcs10 crmf; do
		lied "$want" "$code" "$sign" --inner "$inner"
	done
	job=$(j .id)
	b 0 status --json "$job"
	is '.jobs[0].state' refused
done <<-'LIES'
	wrong-recipient-nonce 7 nonce-mismatch
	missing-recipient-nonce 7 nonce-mismatch
	wrong-transaction-id 7 transaction-mismatch
	duplicate-body-ids 7 cmc-malformed
	other-key 7 check-G1
	unsigned-success 7 unsigned-success
	wrong-signature 7 signature-wrong
	signer-not-authorised 7 cmc-signer
	foreign-ca 7 cmc-signer
	replayed-anchors 7 anchors-time --anchors=5
	wrong-content-type-oid 7 cmc-malformed
LIES
peer_start --lie wrong-signature --refuse badRequest
lied 7 signature-wrong "$sign"
ok 'false nonces, keys, signatures, signers, anchors, types: each by its name'

peer_start --challenge --lie wrong-witness
lied 7 pop-challenge "$agree"
ok 'a challenge that does not hold what it says'

# --- how it comes -----------------------------------------------------------------
while read -r lie want code; do
	peer_start --lie "$lie"
	lied "$want" "$code" "$sign"
done <<-'LIES'
	truncated 9 answer-truncated
	extra-trailing-bytes 5 answer-malformed
	empty 9 answer-truncated
	huge 5 answer-too-large
	wrong-type 5 answer-type
	http-500 5 http-500
LIES
while read -r lie want code; do
	peer_start --tcp --lie "$lie"
	lied "$want" "$code" "$sign"
done <<-'LIES'
	truncated 9 answer-truncated
	extra-trailing-bytes 5 answer-malformed
	empty 9 answer-truncated
	huge 5 answer-too-large
LIES
ok 'halves, more than all, nothing, 100 MB, HTML, a status of 500; TCP as well'

for way in '' --tcp; do
	peer_start ${way:+$way} --lie drip
	before=$(date +%s)
	lied 9 network-timeout "$sign" --timeout 4
	took=$(($(date +%s) - before))
	((took >= 4 && took < 30)) || die "it took $took seconds"
done
ok 'an octet a second: it ends with --timeout'

# --- and then the truth ------------------------------------------------------------
# What ended without a verdict goes on, with the same message.
peer_start --lie drip
lied 9 network-timeout "$sign" --timeout 2
job=$(j .id) issued=$(peer_issued)
peer_start
resume 0 "$job"
is .state 'done'
peer_says .repeated true
[[ $(object_list card | grep -c '^Certificate') == 1 ]] || die 'not one'
[[ $(peer_issued) == "$issued" ]] || die 'issued twice'
ok 'given up, and asked again: the same answer, one certificate'

[[ -z $measured ]] || ok "burin and its worker: at most $most KiB each"
