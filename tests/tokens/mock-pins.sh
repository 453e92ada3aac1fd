#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# PINs on a token that locks after three wrong tries: whatever stored PINs a
# user has, no run of burin and no row of runs may lock it.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl sqlite3
calls=$work/calls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Scene CA' -out "$work/ca.pem" \
	2>/dev/null

# new KEY=VALUE...: a new token in a new world that has no memory of it.
new() {
	rm -rf "$work/mock.conf.state" "$BURIN_STATE_DIR"
	mock_token scene
	printf '%s\n' "calls_file=$calls" "$@" >>"$BURIN_MOCK"
	: >"$calls"
}
# tries WHO N: the token has counted N wrong tries.
tries() {
	local got
	got=$(sed -n "s/^$1 //p" "$work"/mock.conf.state/tries-0-*)
	[[ $got == "$2" ]] || die "$got wrong tries of $1, not $2"
}
# logins N: C_Login was called N times since the last question.
logins() {
	local got
	got=$(grep -c '^C_Login ' "$calls")
	[[ $got == "$1" ]] || die "$got calls of C_Login, not $1"
	: >"$calls"
}
# stored PIN: a source with it.
stored() { printf '%s\n' "$1" >"$work/stored" && pin=(--pin-source "file:$work/stored"); }
# keygen EXIT [CODE]: the verb that wants the user PIN here.
keygen() {
	b "$1" keygen --json --token scene --type ec:P-256 "${pin[@]}" \
		"${@:3}"
	[[ -z ${2:-} ]] || is .error.code "$2"
	[[ -z ${2:-} ]] || [[ $(j .error.token) == *scene* ]] ||
		die 'the token has no name'
}

# --- five wrong stored PINs in five processes -----------------------------

for flags in truthful silent; do
	new "flags=$flags"
	n=0
	for wrong in 111111 222222 333333 444444 555555; do
		stored "$wrong"
		if ((++n <= 2)); then
			keygen 4 pin-incorrect
			logins 1
		else
			keygen 4 pin-final-try
			logins 0
		fi
		tries user $((n < 2 ? n : 2))
	done
	stored 123456
	keygen 4 pin-final-try
	tries user 2
	keygen 0 '' --last-try
	tries user 0
	# After a success there are two tries again.
	stored 111111
	keygen 4 pin-incorrect
	stored 123456
	keygen 0
	tries user 0
	ok "$flags: five wrong PINs do not lock the token"

	new "flags=$flags"
	stored 111111
	keygen 4 pin-incorrect
	keygen 4 pin-known-wrong
	keygen 4 pin-known-wrong --last-try
	tries user 1
	logins 1
	keygen 4 pin-incorrect --retry-pin
	tries user 2
	keygen 4 pin-final-try --retry-pin
	tries user 2
	ok "$flags: the same wrong PIN is one try"

	stored 222222
	case $flags in
	truthful) keygen 4 pin-locked --last-try ;;
	silent) keygen 4 pin-incorrect --last-try ;;
	esac
	tries user 3
	stored 123456
	keygen 4 pin-locked --last-try
	ok "$flags: --last-try is a person's own doing"
done

# Stations that share a journal and start at once, each with another PIN.
for flags in truthful silent; do
	new "flags=$flags"
	runs=()
	for wrong in 111111 222222 333333 444444 555555; do
		printf '%s\n' "$wrong" >"$work/stored-$wrong"
		burin "${module[@]}" keygen --token scene --type ec:P-256 \
			--pin-source "file:$work/stored-$wrong" \
			>/dev/null 2>"$work/err-$wrong" </dev/null &
		runs+=($!)
	done
	for run in "${runs[@]}"; do
		got=0
		wait "$run" || got=$?
		[[ $got == 4 ]] || die "exit $got of one of five at once"
	done
	tries user 2
	ok "$flags: five at once do not lock the token"
done

# Other verbs that log in keep to the same memory.
new
stored 111111
keygen 4 pin-incorrect
b 4 tokens --json --token scene "${pin[@]}"
is .error.code pin-known-wrong
b 4 enroll --json --token scene --type ec:P-256 --profile default \
	--subject CN=x --protocol file --request-file "$work/x.der" \
	--trust "$work/ca.pem" "${pin[@]}"
is .error.code pin-known-wrong
tries user 1
ok 'one memory for all verbs'

# --- SO PIN ---------------------------------------------------------------

# reinit EXIT [CODE]
reinit() {
	b "$1" init --json --reinit --token scene --label scene \
		--so-pin-source "file:$work/stored" \
		--pin-source "file:$work/pin" "${@:3}"
	[[ -z ${2:-} ]] || is .error.code "$2"
}
for flags in truthful silent; do
	new "flags=$flags"
	stored 123456
	keygen 0
	stored 11111111
	reinit 4 pin-incorrect
	reinit 4 pin-known-wrong
	tries so 1
	stored 22222222
	reinit 4 pin-incorrect
	for wrong in 33333333 44444444 55555555 12345678; do
		stored "$wrong"
		reinit 4 pin-final-try
		tries so 2
	done
	tries user 0
	stored 123456
	b 0 tokens --json --token scene "${pin[@]}"
	is '[.tokens[].objects[]|select(.class=="private")]|length' 1
	stored 12345678
	reinit 0 '' --last-try
	tries so 0
	ok "$flags: five wrong SO PINs neither lock nor wipe the token"
done

# --- length ---------------------------------------------------------------

new
for wrong in 1 123 "$(printf '%064d' 0)" "$(printf '%0200d' 0)"; do
	stored "$wrong"
	keygen 4 pin-length
done
: >"$work/stored"
keygen 2 secret-empty
logins 0
tries user 0
stored 123
reinit 4 pin-length
tries so 0
ok 'a PIN of a wrong length costs no try'

# --- PIN pad --------------------------------------------------------------

pin=()
enrol() {
	b "$1" enroll --json --token scene --type ec:P-256 --profile default \
		--subject CN=pad --protocol file --request-file \
		"$work/req.der" --trust "$work/ca.pem" "${@:2}"
}
new pad=1
enrol 6
job=$(j .id)
logins 1
grep -q 'on the reader' "$work/err" || die 'nobody is told to type'
openssl x509 -req -in "$work/req.der" -inform DER -CA "$work/ca.pem" \
	-CAkey "$work/ca.key" -CAcreateserial -days 30 -copy_extensions copy \
	-out "$work/cert.pem" 2>"$work/err" || die 'openssl x509'
# A stored PIN is of no use here: one that is sent would be refused.
b 0 resume --json "$job" --response-file "$work/cert.pem" \
	--pin-source "file:$work/pin"
is .state 'done'
logins 1
tries user 0
ok 'PIN pad: enrolled, no PIN asked or sent'

new pad_pin=wrong
enrol 4
is .error.code pin-incorrect
logins 1
tries user 1
enrol 4
enrol 4
is .error.code pin-final-try
logins 1
tries user 2
ok 'PIN pad: a wrong PIN is one try, the last one is not taken'

new pad_pin=cancel
enrol 9
is .error.code cancelled
logins 1
tries user 0
ok 'PIN pad: cancelled is cancelled, not tried again'

# --- a login for each use -------------------------------------------------

request() {
	b "$1" request --json --key "$uri" --profile default \
		--subject CN=always --out "$work/always.der" "${pin[@]}" \
		"${@:2}"
}
stored 123456
softhsm_token scene
for kind in mock softhsm; do
	new
	if [[ $kind == softhsm ]]; then
		export BURIN_SHIM_MODULE=$SOFTHSM
		module=(--module "$BUILD_DIR/mock/burin-shim.so")
	fi
	for type in ec:P-256 rsa:2048; do
		b 0 keygen --json --token scene --type "$type" \
			--always-authenticate "${pin[@]}"
		uri=$(j .key.uri)
		logins 1
		for n in 1 2; do
			request 0
			logins 2
			openssl req -in "$work/always.der" -inform DER \
				-verify -noout 2>"$work/err" ||
				die "$kind: $type: not signed"
		done
	done
	ok "$kind: one login for each signature"

	# The token takes the PIN and then says that it is wrong for the key.
	printf 'fail=C_Login:2:CKR_PIN_INCORRECT\n' >>"$BURIN_MOCK"
	request 4
	is .error.code pin-incorrect
	logins 2
	sed -i '/^fail=/d' "$BURIN_MOCK"
	b 0 tokens --json --token scene "${pin[@]}"
	logins 1
	request 4
	is .error.code pin-known-wrong
	logins 1
	request 0 --retry-pin
	request 0
	ok "$kind: a wrong PIN for one use leaves the others alone"
done

# --- nothing is told ------------------------------------------------------

secret=73c1e8a5d2
new "pin=$secret" "so_pin=so$secret"
all=$work/all
# loud EXIT VERB...: everything that burin says goes to $all.
loud() {
	b "$@" -vv
	cat "$work/out" "$work/err" >>"$all"
}
stored "bad$secret"
loud 4 keygen --json --token scene --type ec:P-256 "${pin[@]}"
loud 4 keygen --token scene --type ec:P-256 "${pin[@]}"
stored "$secret"
loud 0 keygen --token scene --type ec:P-256 --label loud "${pin[@]}"
loud 6 enroll --token scene --type ec:P-256 --profile default \
	--subject CN=loud --protocol file --request-file "$work/req.der" \
	--trust "$work/ca.pem" "${pin[@]}" --progress=json
loud 0 status --json
printf '%s\n' "$secret" >"$work/pin"
stored "worse$secret"
loud 4 init --reinit --token scene --label scene \
	--so-pin-source "file:$work/stored" --pin-source "file:$work/pin"
stored "so$secret"
loud 0 init --reinit --token scene --label scene \
	--so-pin-source "file:$work/stored" --pin-source "file:$work/pin"
grep -q 'C_Login' "$all" || die 'the log is not there'
hex=$(printf '%s' "$secret" | od -An -tx1 | tr -d ' \n')
for word in "$secret" "$hex" "${hex^^}" "$(printf '%s' "$secret" | base64)"; do
	! grep -aqF -- "$word" "$all" || die "the PIN is in what burin says"
	! grep -raqF -- "$word" "$BURIN_STATE_DIR" ||
		die "the PIN is in the journal"
done
ok 'no PIN in output, log or journal'
