#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of the worker in a conversation of CMC that has everything: a
# challenge, "pending", a certificate to be confirmed. Before each durable write
# of the journal, so that what was done is done and not written down; then
# resume must end done, with one key pair and one certificate, issued once and
# confirmed once. An old certificate signs, so that nobody derives keys from
# secrets, which takes long under sanitizers.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need pkcs11-tool flock sqlite3
# Leaks on these ways are looked for where nobody is killed.
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0

peer_start
softhsm_token card
enrol 0 signer
signer=$(j .key.uri)
peer_start --challenge --pending 1:0 --confirm

# try NAME: $got is the exit status. Comes back when the program and its worker
# are both gone.
try() {
	got=0
	try_it "$1" 8>"$work/alive" || got=$?
	flock "$work/alive" true
}
try_it() {
	flock 8
	burin "${module[@]}" enroll --json --wait --token card --label "$1" \
		--type ec:P-256 --usage derive --reenroll="$signer" \
		--protocol cmc --ca "$peer_url" --trust "$peer_ca" "${pin[@]}" \
		>"$work/out" 2>"$work/err" </dev/null
}
# objects NAME: the kinds that the token has of this name, in one line.
objects() {
	pkcs11-tool --module "$SOFTHSM" --token-label card --login \
		--pin 123456 -O 2>/dev/null | awk -v "name=$1" '
		/^[^ ]/ { kind = $1 }
		$1 == "label:" && $2 == name { print kind }' |
		sort | tr '\n' ' '
}
confirmed() {
	jq -s '[.[]|select(.confirmed)]|length' "$work/peer/log.jsonl"
}

# after NAME: resume what was left and count what there is.
after() {
	local name=$1 job
	job=$(sqlite3 "$BURIN_STATE_DIR/state.db" 'SELECT id FROM jobs')
	if [[ -z $job ]]; then
		[[ -z $(objects "$name") ]] ||
			die "$name: a key that no job names"
		stood='no job'
		try "$name"
		((got == 0)) || die "$name: exit $got at the second start"
	else
		stood=$(sqlite3 "$BURIN_STATE_DIR/state.db" \
			'SELECT state FROM jobs')
		b 0 resume --json --wait "$job" "${pin[@]}"
	fi
	is .state 'done'
	printf '%s: killed at %s, went on\n' "$name" "$stood"
}

# Each begins with a journal that is there and empty.
rm -rf "$BURIN_STATE_DIR"
b 0 status --json
cp -a "$BURIN_STATE_DIR" "$work/empty"
seen=()
for ((i = 1; i < 60; i++)); do
	name=k$i issued=$(peer_issued) told=$(confirmed)
	rm -rf "$BURIN_STATE_DIR"
	cp -a "$work/empty" "$BURIN_STATE_DIR"
	KILL_SYNC=$i LD_PRELOAD=$BUILD_DIR/mock/kill_sync.so try "$name" \
		2>/dev/null
	killed=$got
	if ((killed == 0)); then
		is .state 'done'
	else
		[[ $killed == 9 && $(j .error.reason) == *'signal 9'* ]] ||
			die "exit $killed, not killed"
		after "$name"
		seen+=("$stood")
	fi
	[[ $(objects "$name") == 'Certificate Private Public ' ]] ||
		die "$name: on the token: $(objects "$name")"
	[[ $(($(peer_issued) - issued)) == 1 ]] || die 'not issued once'
	[[ $(($(confirmed) - told)) == 1 ]] || die 'not confirmed once'
	((killed != 0)) || break
done
((killed == 0)) || die 'no end of durable writes'

missed=$(comm -13 <(printf '%s\n' "${seen[@]}" | sort -u) \
	<(printf '%s\n' planned key-made requested sent pending received \
		checked written confirmed | sort))
[[ -z $missed ]] || die "never killed at: $missed"
# Of two: the answer to a challenge, and the confirmation.
for state in sent received written; do
	(($(printf '%s\n' "${seen[@]}" | grep -cx "$state") >= 2)) ||
		die "killed at $state once"
done
ok "killed before ${#seen[@]} durable writes"
peer_decoded
