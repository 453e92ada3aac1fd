#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 around every durable write of the journal and around every PKCS#11
# call of an enrolment; then resume must end done, with one key pair and one
# certificate on the token and one certificate issued.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 pkcs11-tool

authority_start
pin=(--pin-source "file:$work/pin")
export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
shim=$BUILD_DIR/mock/burin-shim.so
[[ -e $shim ]] || die 'no shim'
n=0

# try LABEL: enrols on a new token; $got is the exit status.
try() {
	got=0
	burin "${module[@]}" enroll --json --token "$1" --profile default \
		--type ec:P-256 --subject "CN=$1" --ca "$url" \
		--trust "$work/ca/ca.pem" --user "$1" \
		--secret "file:$work/secret-$1" "${pin[@]}" \
		>"$work/out" 2>"$work/err" </dev/null || got=$?
}

# after LABEL: resume what was left and count what there is.
after() {
	local label=$1 job state keys
	module=(--module "$SOFTHSM")
	b 0 status --json
	job=$(jq -r '.jobs[0].id // empty' "$work/out")
	keys=$(object_list "$label" | grep -c '^Private Key')
	if [[ -z $job ]]; then
		((keys == 0)) || die "$label: a key that no job names"
		try "$label"
		((got == 0)) || die "$label: exit $got at the second start"
	else
		state=$(j '.jobs[0].state')
		b 0 resume --json "$job" "${pin[@]}"
		is .state 'done'
		printf '%s: killed in state %s, resumed\n' "$label" "$state"
	fi
	[[ $(object_list "$label" | grep -c '^Private Key') == 1 &&
		$(object_list "$label" | grep -c '^Public Key') == 1 &&
		$(object_list "$label" | grep -c '^Certificate') == 1 ]] ||
		die "$label: $(object_list "$label")"
	[[ $(object_list "$label" | sed -n 's/^ *ID: *//p' | sort -u | wc -l) == 1 ]] ||
		die "$label: IDs differ"
	[[ $(issued_count "WHERE subject = 'CN=$label'") == 1 ]] ||
		die "$label: issued more than one certificate"
}

fresh() {
	((n += 1))
	rm -rf "$BURIN_STATE_DIR"
	label=k$n
	softhsm_token "$label"
	invite "$label" default
}

killed=0
for side in '' +; do
	for ((i = 1; i < 60; i++)); do
		fresh
		KILL_SYNC=$i$side LD_PRELOAD=$BUILD_DIR/mock/kill_sync.so \
			try "$label" 2>/dev/null
		((got == 0)) && break
		((got == 137)) || die "exit $got, not killed"
		after "$label"
		((killed += 1))
	done
done
((killed >= 16)) || die "only $killed durable writes"
ok "killed around $killed durable writes"

killed=0
for key in kill kill_after; do
	for ((i = 1; i < 60; i++)); do
		fresh
		printf '%s=%d\n' "$key" "$i" >"$work/shim.conf"
		module=(--module "$shim")
		BURIN_MOCK=$work/shim.conf BURIN_SHIM_MODULE=$SOFTHSM \
			try "$label" 2>/dev/null
		((got == 0)) && break
		((got == 137)) || die "exit $got, not killed"
		after "$label"
		((killed += 1))
	done
	module=(--module "$SOFTHSM")
done
((killed >= 30)) || die "only $killed PKCS#11 calls"
ok "killed around $killed PKCS#11 calls"
