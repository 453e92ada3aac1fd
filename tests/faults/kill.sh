#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# kill.sh WHO STEP: kill -9 of the worker, around every STEPth durable write of
# the journal and PKCS#11 call of an enrolment, or of the program that looks
# after it, which takes the worker along; then resume must end done, with one
# key pair and one certificate on the token and one certificate issued.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 pkcs11-tool flock
who=$1 step=$2

authority_start
pin=(--pin-source "file:$work/pin")
export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
shim=$BUILD_DIR/mock/burin-shim.so
[[ -e $shim ]] || die 'no shim'
n=0

# try LABEL: enrols on a new token; $got is the exit status. Comes back when
# the program and its worker are both gone.
try() {
	got=0
	enrol_it "$1" 8>"$work/alive" || got=$?
	flock "$work/alive" true
}
enrol_it() {
	flock 8
	burin "${module[@]}" enroll --json --token "$1" --profile default \
		--type ec:P-256 --subject "CN=$1" --ca "$url" \
		--trust "$work/ca/ca.pem" --user "$1" \
		--secret "file:$work/secret-$1" "${pin[@]}" \
		>"$work/out" 2>"$work/err" </dev/null
}
# The worker's end is explained; nobody is left to explain the program's.
killed_as_meant() {
	if [[ $who == program ]]; then
		[[ $got == 137 ]] || die "exit $got, not killed"
		# The journal is put away when all was said.
		[[ ! -s $work/out || $(j .state) == 'done' ]] ||
			die "said before it was done"
	else
		[[ $got == 9 ]] || die "exit $got, not killed"
		[[ $(jq -s length "$work/out") == 1 ]] || die 'not one object'
		[[ $(j .error.code) =~ ^(worker|module)-died$ &&
			$(j .error.reason) == *'signal 9'* ]] ||
			die "$(j .error.reason)"
	fi
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
	# Each token is a call more in every enrolment.
	((n == 0)) ||
		softhsm2-util --delete-token --token "k$n" >/dev/null 2>&1
	((n += 1))
	rm -rf "$BURIN_STATE_DIR"
	label=k$n
	softhsm_token "$label"
	invite "$label" default
}

killed=0
case $who in
worker) sides=('' +) keys=(kill kill_after) ;;
program) sides=(p) keys=(kill_parent) ;;
*) die "kill whom?" ;;
esac
for side in "${sides[@]}"; do
	for ((i = 1; i < 60; i += step)); do
		fresh
		KILL_SYNC=$i$side LD_PRELOAD=$BUILD_DIR/mock/kill_sync.so \
			try "$label" 2>/dev/null
		((got == 0)) && break
		killed_as_meant
		after "$label"
		((killed += 1))
	done
done
((killed * step >= 8 * ${#sides[@]})) || die "only $killed durable writes"
ok "$who killed around $killed durable writes"

killed=0
for key in "${keys[@]}"; do
	for ((i = 1; i < 60; i += step)); do
		fresh
		printf '%s=%d\n' "$key" "$i" >"$work/shim.conf"
		module=(--module "$shim")
		BURIN_MOCK=$work/shim.conf BURIN_SHIM_MODULE=$SOFTHSM \
			try "$label" 2>/dev/null
		((got == 0)) && break
		killed_as_meant
		after "$label"
		((killed += 1))
	done
	module=(--module "$SOFTHSM")
done
((killed * step >= 15 * ${#keys[@]})) || die "only $killed PKCS#11 calls"
ok "$who killed around $killed PKCS#11 calls"
