#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# wait.sh mock|piv|pcscd: --wait waits for a token that comes, for the right
# one of several, and for one that was pulled in the middle of an enrolment;
# without it a pulled token ends in exit 9 and words. On our own module, and on
# an emulated card in a real pcscd, which is restarted, and has rivals.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl
kind=$1
case $kind in
mock) mock_token r7 ;;
piv) piv_token -n 2 ;;
pcscd) piv_token serial=12345678 ;;
esac

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Wait CA' -out "$work/ca.pem" \
	2>/dev/null || die 'openssl req'

# later VERB...: burin in the background; $pid, and $got after ended.
later() {
	# The prompt of the run before is not this one's.
	: >"$work/err"
	burin "${module[@]}" "$@" "${pins[@]}" >"$work/out" 2>"$work/err" \
		</dev/null &
	pid=$!
}
ended() {
	got=0
	wait "$pid" || got=$?
	[[ $got == "$1" ]] || die "$what: exit $got, not $1"
}
# prompted N TEXT: until TEXT was said for the Nth time.
prompted() {
	local i
	for ((i = 0; i < 300; i++)); do
		(($(grep -cF -- "$2" "$work/err") >= $1)) && return
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	die "$what: does not say: $2"
}
# It does nothing else than wait.
asleep() {
	local i
	for ((i = 0; i < 12; i++)); do
		kill -0 "$pid" 2>/dev/null || die "$what: it does not wait"
		sleep 0.1
	done
}
enrolment() {
	verb=(enroll --json --profile default --subject CN=wait
		--protocol file --request-file "$work/req.der"
		--trust "$work/ca.pem" "$@")
}
certify() {
	openssl x509 -req -in "$work/req.der" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days 30 \
		-copy_extensions copy -out "$work/cert.pem" 2>"$work/err" ||
		die "$what: openssl x509"
}

# --- our own module -------------------------------------------------------

scene_mock() {
	local serial=0000000000000007 here=$work/here calls=$work/calls i n
	local functions
	pins=(--pin-source "file:$work/pin")
	token() {
		{
			printf 'token=r7:%s\n' "$serial"
			printf 'present_file=%s\ncalls_file=%s\n' \
				"$here" "$calls"
			(($# == 0)) || printf '%s\n' "$@"
		} >"$BURIN_MOCK"
		: >"$calls"
	}
	# Twice a second, and nothing but the list of slots.
	idle() {
		: >"$calls"
		sleep 3
		functions=$(sort -u "$calls")
		n=$(wc -l <"$calls")
		[[ $functions == 'C_GetSlotList CKR_OK' ]] ||
			die "$what: makes calls: $functions"
		((n >= 2 && n <= 7)) || die "$what: $n calls in 3 seconds"
	}

	what='not there'
	token
	b 3 keygen --json --token r7 --type ec:P-256 "${pins[@]}"
	is .error.code token-missing
	b 3 keygen --json --token r7 --type ec:P-256 --wait --wait-limit 1 \
		"${pins[@]}"
	is .error.code token-missing
	says 'insert the token r7'
	says 'waited 1 seconds'
	ok 'a limit, then exit 3'

	what='comes later'
	later keygen --json --token r7 --type ec:P-256 --label k1 --wait
	prompted 1 'insert the token r7'
	idle
	touch "$here"
	ended 0
	[[ $(grep -c insert "$work/err") == 1 ]] || die 'more than one prompt'
	is .token.serial "$serial"
	uri=$(j .key.uri)
	ok "waited with $n calls in three seconds"

	what='by its serial number'
	rm "$here"
	later keygen --json --type ec:P-256 --label k2 --wait="$serial" \
		--progress=json
	prompted 1 '"event":"wait"'
	jq -e '.event == "wait" and (.token | contains("'"$serial"'")) and
		.limit == 300' <"$work/err" >/dev/null || die 'which event?'
	touch "$here"
	ended 0
	is .token.serial "$serial"
	later keygen --json --type ec:P-256 --wait=0000000000000008 -q \
		--wait-limit 1
	ended 3
	grep -q insert "$work/err" && die 'a prompt in spite of -q'
	b 3 keygen --json --token other --type ec:P-256 --wait="$serial" \
		"${pins[@]}"
	is .error.code token-other
	b 2 keygen --json --token r7 --type ec:P-256 --wait --wait-limit x
	ok 'a serial number names the token, or must be its own'

	what='a key that comes later'
	rm "$here"
	later verify --json --key "$uri" --wait
	prompted 1 'insert the token'
	touch "$here"
	ended 10
	is .key.uri "$uri"
	ok 'a key'

	what=Ctrl-C
	rm "$here"
	later keygen --json --token r7 --type ec:P-256 --wait
	prompted 1 'insert the token r7'
	kill -TERM "$pid"
	ended 9
	is .error.code interrupted
	ok 'a signal ends it'

	what='slots cannot be listed'
	touch "$here"
	token 'fail=C_GetSlotList:1:CKR_DEVICE_ERROR' \
		'fail=C_GetSlotList:2:CKR_DEVICE_ERROR'
	later keygen --json --token r7 --type ec:P-256 --wait
	ended 0
	ok 'a module whose service is down is waited for'

	# --- pulled in the middle

	enrolment --token r7 --type ec:P-256
	what='how it should go'
	token
	b 6 "${verb[@]}" "${pins[@]}"
	n=$(awk '/C_GenerateKeyPair/ { print NR }' "$calls")
	total=$(wc -l <"$calls")

	what='pulled at the key generation'
	token "remove_at=$n"
	b 9 "${verb[@]}" "${pins[@]}"
	is .state planned
	says 'maybe a new key, whole or in part'
	says 'burin resume'
	is .on_token 'maybe a new key, whole or in part, and no certificate for it'
	job=$(j .id)
	token
	later resume --json "$job" --wait
	prompted 1 "insert the token with serial $serial"
	touch "$here"
	ended 6
	is .state pending
	b 0 abandon "$job" "${pins[@]}"
	ok 'pulled: exit 9, what is on it, and resume --wait goes on'

	# It asks, and ends as if nothing had been. mock-faults.sh pulls at
	# each call, which takes its time.
	for ((i = 1; i <= total; i += 3)); do
		what="pulled at call $i of $total"
		touch "$here"
		token "remove_at=$i"
		later "${verb[@]}" --wait
		# Only the goodbye may be left.
		while kill -0 "$pid" 2>/dev/null; do
			! grep -qs insert "$work/err" || touch "$here"
			sleep 0.05
		done
		ended 6
		is .state pending
		job=$(j .id)
		token
		touch "$here"
		b 0 abandon "$job" "${pins[@]}"
	done
	ok "enroll --wait went on after a pull at every third of $total calls"

	what='pulled again and again'
	touch "$here"
	token
	b 0 status --json
	token 'fail=C_GenerateKeyPair:*:CKR_DEVICE_ERROR'
	b 9 "${verb[@]}" --wait "${pins[@]}"
	n=$(grep -c '^C_GenerateKeyPair' "$calls")
	[[ $n == 6 ]] || die "tried $n times, not once and five times more"
	job=$(j .id)
	ok 'five times, then exit 9'

	what='another token is in'
	printf 'token=r8:0000000000000008\ndir=%s\n' "$work/other" \
		>"$BURIN_MOCK"
	later resume --json "$job" --wait --wait-limit 1
	ended 3
	says 'r8'
	b 3 resume --json "$job" --wait=0000000000000008 "${pins[@]}"
	is .error.code token-other
	ok 'the token of the job, no other'

	what='a wrong PIN'
	token
	printf '999999\n' >"$work/wrong"
	b 4 resume --json "$job" --wait --pin-source "file:$work/wrong"
	n=$(grep -c '^C_Login' "$calls")
	[[ $n == 1 ]] || die "a wrong PIN was sent $n times"
	ok 'a refused PIN is not sent again'
}

# --- a card in a reader -----------------------------------------------------

scene_piv() {
	pins=(--pin-source "file:$work/pin" --so-pin-source "file:$work/mgm")

	what='inserted later'
	card remove >/dev/null
	card @2 remove >/dev/null
	later keygen --json --wait=12345678 --slot 9a --type ec:P-256
	prompted 1 'insert the token with serial 12345678'
	card @2 insert >/dev/null
	prompted 1 12345679
	asleep
	card insert >/dev/null
	ended 0
	is .token.serial 12345678
	ok 'a card that is inserted later, after another one'

	what='without --wait'
	enrolment --token pkcs11:serial=12345678 --slot 82 --type ec:P-256
	card drop-ins 47 after >/dev/null # GENERATE ASYMMETRIC KEY PAIR
	b 9 "${verb[@]}" "${pins[@]}"
	is .state planned
	says 'maybe a new key'
	job=$(j .id)
	later resume --json "$job" --wait
	prompted 1 'insert the token with serial 12345678'
	card insert >/dev/null
	ended 6
	is .state pending
	certify
	card drop-ins db before >/dev/null # PUT DATA: the certificate
	later resume --json "$job" --response-file "$work/cert.pem" --wait
	prompted 1 'insert the token with serial 12345678'
	asleep
	card insert >/dev/null
	ended 0
	is .state 'done'
	ok 'pulled while the key was made and while the certificate was written'

	what='enroll --wait'
	enrolment --token pkcs11:serial=12345678 --slot 83 --type ec:P-256
	card drop-ins 47 after >/dev/null
	later "${verb[@]}" --wait
	prompted 1 'insert the token with serial 12345678'
	card insert >/dev/null
	ended 6
	is .state pending
	certify
	b 0 resume --json "$(j .id)" --response-file "$work/cert.pem" "${pins[@]}"
	b 0 pin status --json --token pkcs11:serial=12345678
	ok 'enroll --wait goes on by itself'
}

# --- pcscd and its other users ---------------------------------------------

pcscd_end() {
	kill "${piv_pids[-1]}"
	wait "${piv_pids[-1]}" 2>/dev/null
	unset 'piv_pids[-1]'
}
pcscd_start() {
	PCSCLITE_HP_DROPDIR=$work/piv/no-drivers pcscd --foreground \
		--config "$work/piv/readers" >>"$work/piv/pcscd.log" 2>&1 &
	piv_pids+=($!)
	card wait >/dev/null || die 'no card after pcscd was restarted'
}

scene_pcscd() {
	local token=pkcs11:serial=12345678 i rc
	pins=(--pin-source "file:$work/pin" --so-pin-source "file:$work/mgm")

	what='pcscd comes later'
	pcscd_end
	later keygen --json --token "$token" --slot 9a --type ec:P-256 --wait
	prompted 1 'insert the token'
	asleep
	pcscd_start
	ended 0
	ok 'ykcs11: waits for pcscd'

	what='pcscd restarted while the key is made'
	enrolment --token "$token" --slot 82 --type ec:P-256
	card delay 30 >/dev/null
	card log on >/dev/null
	later "${verb[@]}" --wait
	for ((i = 0; i < 300; i++)); do
		grep -qs '00 *47' "$work/piv/card1/apdu.log" && break
		sleep 0.05
	done
	pcscd_end
	prompted 1 'insert the token'
	pcscd_start
	ended 6
	is .state pending
	certify
	b 0 resume --json "$(j .id)" --response-file "$work/cert.pem" \
		"${pins[@]}"
	ok 'ykcs11: pcscd was restarted in the middle'

	need yubico-piv-tool
	what='another program resets the card'
	enrolment --token "$token" --slot 83 --type ec:P-256
	later "${verb[@]}"
	while kill -0 "$pid" 2>/dev/null; do
		yubico-piv-tool -a status >/dev/null 2>&1
		sleep 0.2
	done
	rc=0
	wait "$pid" || rc=$?
	# Reset at the first look, there was no token yet: nothing was begun.
	if ((rc == 3)); then
		[[ $(jq -r '.id // empty' "$work/out") == '' ]] ||
			die "$what: a job without a token"
		later "${verb[@]}"
		rc=0
		wait "$pid" || rc=$?
	fi
	[[ $rc == 6 || $rc == 9 ]] || die "$what: exit $rc"
	((rc == 6)) || b 6 resume --json "$(j .id)" "${pins[@]}"
	is .state pending
	certify
	b 0 resume --json "$(j .id)" --response-file "$work/cert.pem" \
		"${pins[@]}"
	card delay 0 >/dev/null
	ok "ykcs11: another program reset the card (exit $rc)"

	need pcsc-hold
	what='another program has the reader for itself'
	card delay 0 >/dev/null
	pcsc-hold >"$work/held" &
	servers+=($!)
	for ((i = 0; i < 100; i++)); do
		[[ -s $work/held ]] && break
		sleep 0.1
	done
	[[ $(<"$work/held") == held ]] || die "$what: $(<"$work/held")"
	b 3 keygen --json --token "$token" --slot 84 --type ec:P-256 "${pins[@]}"
	says 'another program has it for itself'
	says "pcsc-hold (process $!)"
	later keygen --json --token "$token" --slot 84 --type ec:P-256 --wait
	prompted 1 'insert the token'
	asleep
	kill "${servers[-1]}"
	unset 'servers[-1]'
	ended 0
	ok 'a rival is named, and waited for'

	# OpenSC does not notice a new pcscd unless it is started again.
	piv_opensc
	what='OpenSC, pcscd restarted while it waits'
	card remove >/dev/null
	later request -vv --wait --key 'pkcs11:serial=00000000;id=%01' \
		--profile default --subject CN=wait --out "$work/req2.der"
	prompted 1 'insert the token'
	pcscd_end
	asleep
	pcscd_start &
	sleep 2
	card insert >/dev/null
	ended 0
	(($(grep -c 'C_Initialize CKR_OK' "$work/err") >= 2)) ||
		die "$what: the module was not started again"
	openssl req -in "$work/req2.der" -inform DER -verify -noout \
		2>"$work/err" || die "$what: no request"
	ok 'OpenSC: waits for a card, and for a pcscd'
}

case $kind in
mock) scene_mock ;;
piv) scene_piv ;;
pcscd) scene_pcscd ;;
esac
