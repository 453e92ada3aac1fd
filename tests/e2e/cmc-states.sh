#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Enrolments in CMC that take more than one message: pending, partial,
# confirmed; and those that the authority refuses: which can go on, which not.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need pkcs11-tool sqlite3

peer_start
softhsm_token card
count_calls

# due JOB: the time of coming back is now.
due() {
	sqlite3 "$work/state/state.db" \
		"UPDATE jobs SET retry_at = 1 WHERE id = '$1'"
}

# --- pending ------------------------------------------------------------------
# Every burin is a process of its own, and the authority begins anew as well.
peer_start --pending 2:3600
enrol 6 pending
is .status pending
is .error.code pending
job=$(j .id)
tid=$(peer_log '.controls[]|select(.name == "transactionId").values[0]')
before=$(peer_exchanges)
resume 6 "$job"
[[ $(peer_exchanges) == "$before" ]] || die 'asked before the time'
says 'come back at'
b 0 status --json "$job"
is '.jobs[0].state' pending
peer_start --pending 2:3600 --pending-bare
due "$job"
resume 6 "$job"
peer_says '.status[0].status' pending
peer_says '.status[0].other' ''
token=$(peer_log '."query-pending"')
peer_stop
due "$job"
resume 9 "$job" # nobody is there
signed 1
peer_start --pending 2:3600 --pending-bare
resume 0 "$job"
is .state 'done'
signed 0 # what could not be sent is sent
peer_says '."query-pending"' "$token"
peer_says '.controls[]|select(.name == "transactionId").values[0]' "$tid"
peer_says '.requests | length' 0
peer_says '.signers[0].kind' request-before
ok 'pending: the same transaction and token in other processes, after restarts'

peer_start --pending 1:2
enrol 0 waited --wait
is .state 'done'
peer_says '.signers[0].kind' request-before
ok '--wait stays until the certificate is there'

# --- confirming ------------------------------------------------------------------
# What the answer publishes is no replay when it is read once more.
peer_start --confirm --anchors 7
enrol 0 confirmed
is .state 'done'
signed 3 # a message more, and it is signed
peer_says .confirmed "$(j .certificate.serial | tr -d : | tr '[:upper:]' '[:lower:]')"
peer_says '."client-status"' success
peer_says '.signers[0].kind' certificate
ok 'confirmCertAcceptance, signed with the certificate itself'

# One that fails our checks is turned down.
peer_start --confirm --lie other-key
enrol 7 turned-down
is .error.code check-G1
peer_says '."client-status"' failed
issued=$(tail -n 2 "$work/peer/log.jsonl" | head -n 1 | jq -r '.issued[0]')
peer_says .rejected "$issued"
ok 'a certificate that fails the checks is rejected in a message'

# --- refused for good -------------------------------------------------------------
b 0 keygen --json --token card --label often --type ec:P-256 "${pin[@]}"
often=(--key "$(j .key.uri)" --protocol cmc --trust "$peer_ca"
	--subject CN=often --user alice --secret "file:$work/secret" "${pin[@]}")
for name in badAlg badMessageCheck badRequest badCertId unsupportedExt \
	mustArchiveKeys popRequired popFailed noKeyReuse authDataFail; do
	peer_start --refuse "$name"
	c 5 enroll --json --ca "$peer_url" "${often[@]}"
	is .error.code "cmc-$name"
	is .error.rule 'RFC 10002 section 6.1'
	says 'not today'
	[[ $(jq -r '.error.advice // ""' "$work/out") ]] || die 'no advice'
	job=$(j .id)
	b 0 status --json "$job"
	is '.jobs[0].state' refused
	before=$(peer_exchanges)
	resume 5 "$job"
	is .error.code "cmc-$name"
	[[ $(peer_exchanges) == "$before" ]] || die 'asked once more'
done
ok 'ten failInfos: exit 5, named, and the job is closed'

# What nobody knows counts as internalCAError.
peer_start --refuse 99
c 5 enroll --json --ca "$peer_url" "${often[@]}"
is .error.code cmc-internalCAError
says 99
peer_start --ext-fail
c 5 enroll --json --ca "$peer_url" "${often[@]}"
is .error.code cmc-internalCAError
ok 'an unknown failInfo, extendedFailInfo of both generations'

# --- refused for now ----------------------------------------------------------------
for name in badTime internalCAError tryLater; do
	peer_start --refuse "$name"
	enrol 5 "later-$name"
	is .error.code "cmc-$name"
	job=$(j .id)
	peer_start
	resume 0 "$job"
	is .state 'done'
	signed 2 # another message, another request in it
done
ok 'badTime, internalCAError, tryLater: the same job, a new message, done'

printf 'not the secret at all' >"$work/secret"
enrol 5 secret
is .error.code cmc-badIdentity
job=$(j .id) uri=$(j .key.uri)
grep -q 'not the secret' "$work/out" "$work/err" && die 'a secret was told'
resume 5 "$job"
is .error.code cmc-badIdentity
printf '%s' "$PEER_SECRET" >"$work/secret"
resume 0 "$job"
is .state 'done'
is .key.uri "$uri"
[[ $(object_list card | grep -cE '^ *label: *secret$') == 3 ]] ||
	die 'not one pair and one certificate'
ok 'a wrong secret, then the right one: one job, one key'

peer_decoded
