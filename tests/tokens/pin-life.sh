#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# burin pin status, change and unblock, and PINs that init makes: what is
# sent, how often, and what is written down before.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl sqlite3
kind=${1:-mock}
calls=$work/calls

# new KEY=VALUE...: a new token in a new world that has no memory of it.
new() {
	rm -rf "$BURIN_STATE_DIR" "$work/mock.conf.state" "$work/tokens"
	case $kind in
	mock) mock_token scene ;;
	softhsm)
		unset SOFTHSM2_CONF
		softhsm_token scene
		export BURIN_MOCK=$work/mock.conf BURIN_SHIM_MODULE=$SOFTHSM
		: >"$BURIN_MOCK"
		module=(--module "$BUILD_DIR/mock/burin-shim.so")
		;;
	esac
	printf '%s\n' "calls_file=$calls" "$@" >>"$BURIN_MOCK"
	: >"$calls"
}
# sent FUNCTION N: it was called N times since the last question.
sent() {
	local got
	got=$(grep -c "^$1 " "$calls")
	[[ $got == "$2" ]] || die "$got calls of $1, not $2"
}
# tries WHO N: the mock has counted N wrong tries; SoftHSM does not tell.
tries() {
	local got
	[[ $kind == mock ]] || return 0
	got=$(sed -n "s/^$1 //p" "$work"/mock.conf.state/tries-0-*)
	[[ $got == "$2" ]] || die "$got wrong tries of $1, not $2"
}
put() { printf '%s\n' "$2" >"$work/$1"; }
# pin EXIT [CODE] -- ARGUMENTS of burin pin
pin() {
	local want=$1 code=
	shift
	if [[ $1 != -- ]]; then
		code=$1
		shift
	fi
	shift
	b "$want" pin "$1" --json --token scene "${@:2}"
	[[ -z $code ]] || is .error.code "$code"
}
works() { # works PIN: it is the user PIN
	put probe "$1"
	b 0 tokens --json --token scene --pin-source "file:$work/probe"
}
put new 24681357
put so 12345678
put bad 999999
put badso 99999999
old=(--pin-source "file:$work/pin" --new-pin-source "file:$work/new")

# --- change -----------------------------------------------------------------

new
pin 0 -- change "${old[@]}"
is .changed pin
sent C_SetPIN 1
works 24681357
pin 4 pin-incorrect -- change "${old[@]}"
tries user 1
sent C_SetPIN 1
ok 'the PIN is changed by its present one'

new
: >"$calls"
put same 123456
pin 4 pin-same -- change --pin-source "file:$work/pin" \
	--new-pin-source "file:$work/same"
for new in 1 "$(printf '%0300d' 0)"; do
	put odd "$new"
	pin 4 pin-length -- change --pin-source "file:$work/pin" \
		--new-pin-source "file:$work/odd"
done
pin 2 secret-open -- change --pin-source "file:$work/pin" \
	--new-pin-source "file:$work/nothing"
pin 0 -- change "${old[@]}" --dry-run
says '"changed":"pin"'
sent C_Login 0
sent C_SetPIN 0
b 0 pin status --json --token scene
is .pin.remembered.wrong 0
is .pin.remembered.unknown 0
ok 'a new PIN that cannot be is known before anything is sent'

new
pin 0 -- change --so --so-pin-source "file:$work/so" \
	--new-pin-source "file:$work/badso"
is .changed so-pin
pin 4 pin-incorrect -- change --so --so-pin-source "file:$work/so" \
	--new-pin-source "file:$work/new"
pin 4 pin-known-wrong -- change --so --so-pin-source "file:$work/so" \
	--new-pin-source "file:$work/new"
tries so 1
works 123456
ok 'the SO PIN is changed by its present one'

# A PIN that was wrong may be the right one afterwards.
new
pin 4 pin-incorrect -- change --pin-source "file:$work/new" \
	--new-pin-source "file:$work/bad"
pin 0 -- change "${old[@]}"
works 24681357
tries user 0
new
pin 4 pin-incorrect -- change --pin-source "file:$work/new" \
	--new-pin-source "file:$work/bad"
pin 0 -- unblock --so-pin-source "file:$work/so" \
	--new-pin-source "file:$work/new"
works 24681357
ok 'what is remembered of wrong PINs ends with a new one'

# --- unblock ------------------------------------------------------------------

new
pin 0 -- unblock --so-pin-source "file:$work/so" \
	--new-pin-source "file:$work/new"
is .by so-pin
works 24681357
pin 4 pin-incorrect -- unblock --so-pin-source "file:$work/badso" \
	--new-pin-source "file:$work/new"
tries so 1
if [[ $kind == mock ]]; then
	new tries=2
	for wrong in 111111 222222; do
		put wrong "$wrong"
		b 4 tokens --json --token scene --last-try \
			--pin-source "file:$work/wrong"
	done
	b 0 pin status --json --token scene
	is .pin.locked true
	is .pin.remembered.wrong 2
	is .pin.remembered.refused true
	pin 4 pin-locked -- change "${old[@]}"
	pin 0 -- unblock --so-pin-source "file:$work/so" \
		--new-pin-source "file:$work/new"
	works 24681357
	b 0 pin status --token scene
	says 'no wrong try is told of'
	for rv in CKR_PIN_LEN_RANGE CKR_FUNCTION_NOT_SUPPORTED; do
		new "fail=C_InitPIN:*:$rv"
		sed -i "s/^fail.*/fail=C_InitPIN:*:$rv/" "$BURIN_MOCK"
		pin 8 unblock-not-here -- unblock \
			--so-pin-source "file:$work/so" \
			--new-pin-source "file:$work/new"
		says "the tool of the token's vendor"
	done
fi
pin 8 not-a-yubikey -- unblock --puk-source "file:$work/so" \
	--new-pin-source "file:$work/new"
ok 'a PIN is set anew by the SO PIN'

# --- five stored wrong PINs, five processes, one try ----------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Scene CA' -out "$work/ca.pem" \
	2>/dev/null
# five WHO FUNCTION VERB...: the first is wrong, the others are not sent.
five() {
	local who=$1 i
	shift
	new
	b 0 keygen --json --token scene --type ec:P-256 --label held \
		--pin-source "file:$work/pin"
	: >"$calls"
	for i in 1 2 3 4 5; do
		b 4 "${@:2}"
		is .error.code "$( ((i == 1)) && echo pin-incorrect ||
			echo pin-known-wrong)"
	done
	tries "$who" 1
	sent "$1" 1
	b 0 pin status --json --token scene
	is ".${who/so/so_pin}.remembered.wrong // .pin.remembered.wrong" 1
}
wrong=(--pin-source "file:$work/bad")
five user C_Login keygen --json --token scene --type ec:P-256 "${wrong[@]}"
# One login file behind all: the slower token sees some of them.
if [[ $kind == mock ]]; then
	five user C_Login enroll --json --token scene --type ec:P-256 \
		--profile default --subject CN=x --protocol file \
		--request-file "$work/x.der" --trust "$work/ca.pem" "${wrong[@]}"
	five user C_Login verify --json --key 'pkcs11:token=scene;object=held' \
		--trust "$work/ca.pem" "${wrong[@]}"
	five user C_Login request --json --key 'pkcs11:token=scene;object=held' \
		--profile default --subject CN=x --out "$work/x.der" "${wrong[@]}"
	five user C_Login tokens --json --token scene "${wrong[@]}"
fi
five user C_Login pin change --json --token scene "${wrong[@]}" \
	--new-pin-source "file:$work/new"
five so C_Login pin change --so --json --token scene \
	--so-pin-source "file:$work/badso" --new-pin-source "file:$work/new"
five so C_Login pin unblock --json --token scene \
	--so-pin-source "file:$work/badso" --new-pin-source "file:$work/new"
five so C_InitToken init --reinit --json --token scene --label scene \
	--so-pin-source "file:$work/badso" --pin-source "file:$work/new"
ok 'five stored wrong PINs in five processes use one try, on every way in'

# --- kill -9 between the login and its record -----------------------------------

new
b 0 tokens --json --token scene --pin-source "file:$work/pin"
at=$(grep -n '^C_Login ' "$calls" | cut -d: -f1)
killed() { # killed PIN-FILE: dies when the token has answered
	local got=0
	printf 'kill_after=%d\n' "$at" >>"$BURIN_MOCK"
	burin "${module[@]}" tokens --token scene --pin-source "file:$1" \
		>"$work/out" 2>"$work/err" </dev/null || got=$?
	[[ $got == 9 ]] || die "exit $got, not killed"
	says 'signal 9'
	sed -i '/^kill_after/d' "$BURIN_MOCK"
}
killed "$work/bad"
tries user 1
b 0 pin status --json --token scene
is .pin.remembered.unknown 1
b 0 pin status --token scene
says 'ended without an answer'
killed "$work/bad"
tries user 2
: >"$calls"
b 4 tokens --json --token scene "${wrong[@]}"
is .error.code pin-final-try
b 4 tokens --json --token scene --pin-source "file:$work/pin"
is .error.code pin-final-try
sent C_Login 0
tries user 2
b 0 tokens --json --token scene --pin-source "file:$work/pin" --last-try
b 0 pin status --json --token scene
is .pin.remembered.unknown 0
# The right PIN and a crash: nothing of it is kept, and it is not refused.
killed "$work/pin"
b 0 tokens --json --token scene --pin-source "file:$work/pin"
[[ $(sqlite3 "$BURIN_STATE_DIR/state.db" \
	'SELECT count(*) FROM wrong_pins WHERE length(verifier) > 0') == 0 ]] ||
	die 'a verifier of a right PIN'
# An error in between is an orderly end.
printf 'fail=C_OpenSession:*:CKR_SESSION_COUNT\n' >>"$BURIN_MOCK"
for _ in 1 2 3; do
	b 8 pin change --json --token scene "${old[@]}"
done
sed -i '/^fail=/d' "$BURIN_MOCK"
b 0 pin status --json --token scene
is .pin.remembered.unknown 0
works 123456
ok 'a login whose end nobody saw counts as a wrong try'

# --- PINs that burin makes --------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/keeper.key" \
	-subj '/CN=keeper' -out "$work/keeper.pem" 2>/dev/null
unseal() {
	openssl cms -decrypt -inform DER -in "$1" -recip "$work/keeper.pem" \
		-inkey "$work/keeper.key" 2>"$work/err" || die 'openssl cms'
}
new
out=$work/made
pin 0 -- change --pin-source "file:$work/pin" --generate \
	--secrets-out "$out" --seal-to "$work/keeper.pem"
is .secrets_out "$out"
is .sealed true
[[ $(stat -c %a "$out") == 600 ]] || die 'others may read the sealed file'
made=$(unseal "$out" | jq -r .pin)
[[ $made =~ ^[0-9]{8}$ ]] || die 'no PIN of 8 digits'
! grep -qF -e "$made" "$work/out" "$work/err" "$out" || die 'told the PIN'
works "$made"
pin 2 secrets-exist -- change --pin-source "file:$work/probe" --generate \
	--secrets-out "$out"
rm "$out"
pin 4 pin-incorrect -- change --pin-source "file:$work/bad" --generate \
	--secrets-out "$out"
[[ ! -e $out ]] || die 'a PIN that was never set is left over'
pin 0 -- change --pin-source "file:$work/probe" --generate --secrets-out -
works "$(j .secrets.pin)"
pin 0 -- change --so --so-pin-source "file:$work/so" --generate \
	--secrets-out "$out"
[[ $(jq -r .so_pin "$out") =~ ^[0-9]{24}$ ]] || die 'no SO PIN of 24 digits'
jq -r .so_pin "$out" >"$work/so.made"
rm "$out"
pin 0 -- unblock --so-pin-source "file:$work/so.made" --generate \
	--secrets-out "$out"
works "$(jq -r .pin "$out")"
pin 2 option-missing -- change --pin-source "file:$work/pin" --generate
pin 2 option-conflict -- change "${old[@]}" --secrets-out "$out.2"
pin 2 option-conflict -- change "${old[@]}" --generate --secrets-out "$out.2"
ok 'a made PIN is where it was asked to be, and nowhere else'

# Written before it is set: killed at each call, one of the two PINs works.
if [[ $kind == mock ]]; then
	new
	pin 0 -- change --pin-source "file:$work/pin" --generate --secrets-out "$out.0"
	first=$(grep -n '^C_Login ' "$calls" | head -n 1 | cut -d: -f1)
	last=$(grep -c . "$calls")
	for ((i = first; i <= last; i++)); do
		new "kill_after=$i"
		rm -f "$out"
		{
			burin "${module[@]}" pin change --token scene --generate \
				--pin-source "file:$work/pin" --secrets-out "$out" \
				>"$work/out" 2>"$work/err" </dev/null
		} 2>/dev/null
		sed -i '/^kill_after/d' "$BURIN_MOCK"
		put probe "$(jq -r .pin "$out")"
		for probe in pin probe; do
			burin "${module[@]}" tokens --token scene \
				--pin-source "file:$work/$probe" >"$work/out" \
				2>"$work/err" </dev/null && break
			probe=
		done
		[[ -n $probe ]] || die "killed after call $i: no PIN works"
	done
	ok "killed at each of $((last - first + 1)) calls: no PIN is lost"
fi

# --- init --generate ---------------------------------------------------------------

new
[[ $kind == softhsm ]] || {
	rm -rf "$work/mock.conf.state"
	printf 'blank=1\n' >>"$BURIN_MOCK"
}
rm -f "$out"
b 0 init --json --label made --generate --secrets-out "$out" \
	--seal-to "$work/keeper.pem"
serial=$(j .token.serial)
unseal "$out" >"$work/made.json"
[[ $(jq -r .serial "$work/made.json") == "$serial" ]] || die 'another serial'
[[ $(jq -r .label "$work/made.json") == made ]] || die 'another label'
jq -r .pin "$work/made.json" >"$work/made.pin"
jq -r .so_pin "$work/made.json" >"$work/made.so"
b 0 tokens --json --token made --pin-source "file:$work/made.pin"
b 0 pin unblock --json --token made --so-pin-source "file:$work/made.so" \
	--new-pin-source "file:$work/pin"
b 0 init --json --token made --label again --reinit --generate \
	--secrets-out "$out.again" --so-pin-source "file:$work/made.so"
[[ $(jq -r 'has("so_pin")' "$out.again") == false ]] ||
	die 'the SO PIN stays and is not made'
jq -r .pin "$out.again" >"$work/made.pin"
b 0 tokens --json --token again --pin-source "file:$work/made.pin"
ok 'init makes PINs and writes them down'

[[ $kind == mock ]] || exit 0

# --- a pad, and tokens without a serial number ---------------------------------------

new pad=1 new_pin=777777
: >"$calls"
pin 0 -- change
sent C_Login 0
sent C_SetPIN 1
grep -q 'on the reader' "$work/err" || die 'nobody is told to type'
printf 'pin=777777\n' >>"$BURIN_MOCK"
b 0 tokens --json --token scene --pin-source "file:$work/pin"
pin 0 -- change --so
pin 2 option-conflict -- change --generate --secrets-out "$out.pad"
sed -i 's/^pad=1/pad_pin=wrong/' "$BURIN_MOCK"
pin 4 pin-incorrect -- change
tries user 1
ok 'on a PIN pad both are typed there, once'

new token=twin: token=twin:
wrong=(--pin-source "file:$work/bad")
twin() { b "$1" tokens --json --token "pkcs11:slot-id=$2;token=twin" "${@:3}"; }
twin 4 0 "${wrong[@]}"
is .error.code pin-incorrect
twin 4 0 "${wrong[@]}"
is .error.code pin-known-wrong
twin 4 1 "${wrong[@]}"
is .error.code pin-incorrect
twin 0 1 --pin-source "file:$work/pin"
twin 4 0 "${wrong[@]}"
is .error.code pin-known-wrong
ok 'two tokens without a serial number have two memories'
