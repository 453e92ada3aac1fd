#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# worker.sh SCENE: a module that hangs or crashes costs one job and loses nothing: the program
# ends it at its deadline, says what was and where, gives the terminal back,
# and resume takes the job to its end.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl pkcs11-tool python3
scene=$1

mock_token scene
state=$BURIN_MOCK.state
mock=$BUILD_DIR/mock/burin-mock.so
pin=(--pin-source "file:$work/pin")
# A crash of the module is the kernel's business, not the sanitizer's.
export ASAN_OPTIONS=$ASAN_OPTIONS:handle_segv=0
# Only while something is to hang: a busy machine is slow without that.
seconds=5
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Scene CA' -out "$work/ca.pem" \
	2>/dev/null

faults() {
	unset BURIN_CALL_TIMEOUT
	[[ "$*" != *hang=* ]] || export BURIN_CALL_TIMEOUT=$seconds
	{
		echo label=scene
		(($# == 0)) || printf '%s\n' "$@"
	} >"$BURIN_MOCK"
}
new() { rm -rf "$state" "$BURIN_STATE_DIR"; }
run() {
	got=0
	burin "${module[@]}" "$@" >"$work/out" 2>"$work/err" \
		</dev/null || got=$?
	! grep -qE 'Sanitizer|runtime error' "$work/err" ||
		die "$what: found by a sanitizer"
}
enrolment=(enroll --json --token scene --type ec:P-256 --profile default
	--subject CN=scene --label scene --protocol file
	--request-file "$work/req.der" --trust "$work/ca.pem")
enrol() { run "${enrolment[@]}" "${pin[@]}" "$@"; }
install() { run resume --json "$job" --response-file "$work/cert.pem" "${pin[@]}"; }
certify() {
	openssl x509 -req -in "$work/req.der" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days 30 \
		-copy_extensions copy -out "$work/cert.pem" 2>"$work/err" ||
		die "$what: openssl x509"
}
# What another program sees, content PRIVATE PUBLIC CERTIFICATES.
printf 'label=scene\ndir=%s\n' "$state" >"$work/whole.conf"
content() {
	local list
	list=$(BURIN_MOCK=$work/whole.conf pkcs11-tool --module "$mock" --token-label scene --login \
		--pin 123456 -O 2>/dev/null)
	[[ $(grep -c '^Private Key' <<<"$list") == "$1" &&
		$(grep -c '^Public Key' <<<"$list") == "$2" &&
		$(grep -c '^Certificate' <<<"$list") == "$3" ]] ||
		die "$what: not $1 $2 $3 but: $list"
}
# One object, and in it what the program says of the worker's end.
told() {
	local code=$1 function=$2
	[[ $got == 9 ]] || die "$what: exit $got, not 9"
	[[ $(jq -s length "$work/out") == 1 ]] || die "$what: not one object"
	is .status interrupted
	is .error.code "$code"
	is .error.exit 9
	[[ $(j .error.reason) == *"$mock"*" $function"* ]] ||
		die "$what: $(j .error.reason)"
	says "$function"
}
# The token is whole again: the job that there is, or a new one, to its end.
recover() {
	faults
	job=
	if [[ -e $BURIN_STATE_DIR ]]; then
		b 0 status --json
		job=$(jq -r '.jobs[0].id // empty' "$work/out")
	fi
	if [[ -n $job ]]; then
		run resume --json "$job" "${pin[@]}"
	else
		content 0 0 0
		enrol
		job=$(j .id)
	fi
	[[ $got == 6 ]] || die "$what: exit $got of resume"
	certify
	install
	finished
}
finished() {
	[[ $got == 0 ]] || die "$what: exit $got at the end"
	is .state 'done'
	content 1 1 1
}
# --- hanging and crashing -------------------------------------------------

# each FAULT CODE: in every kind of call.
each() {
	local fault=$1 code=$2 function
	for function in C_Initialize C_GetSlotList C_GetTokenInfo C_Login \
		C_GenerateKeyPair C_SetAttributeValue C_Sign; do
		what="$fault in $function"
		new
		faults "$fault=$function:1"
		SECONDS=0
		enrol
		told "$code" "$function"
		if [[ $fault == hang ]]; then
			says "did not come back from $function within $seconds s"
			((SECONDS >= seconds)) || die "$what: after $SECONDS s"
		else
			says 'signal 11'
		fi
		case $function in
		C_Initialize | C_GetSlotList | C_GetTokenInfo)
			[[ ! -e $BURIN_STATE_DIR ]] || die "$what: a job"
			;;
		*)
			[[ $(j .error.token) == *scene* ]] ||
				die "$what: which token?"
			says "burin resume $(j .id)"
			;;
		esac
		recover
	done
	first_half
	what="$fault in C_CreateObject"
	faults "$fault=C_CreateObject:1"
	install
	told "$code" C_CreateObject
	is .id "$job"
	is .state checked
	says "burin resume $job"
	faults
	install
	finished
	ok "$fault: said, and nothing lost"
}
# A job that waits for its certificate, which is there.
first_half() {
	what=first
	new
	faults
	enrol
	[[ $got == 6 ]] || die "exit $got"
	job=$(j .id)
	certify
}
scene_hang() { each hang module-hung; }
scene_crash() { each crash module-died; }

# --- the end, and verbs without a job --------------------------------------

scene_end() {
	local late rc=0
	# A library that does not let go: half a minute, while the rest is tried.
	cp "$BURIN_MOCK" "$work/late.conf"
	printf 'dir=%s\nunload=hang\n' "$work/late" >>"$work/late.conf"
	BURIN_MOCK=$work/late.conf burin "${module[@]}" tokens --json \
		>"$work/late.out" 2>"$work/late.err" </dev/null &
	late=$!

	# What was done stays done, whatever the module does at its end.
	for fault in hang=C_Finalize:1 crash=C_Finalize:1 unload=crash; do
		first_half
		what=$fault
		faults "$fault"
		install
		finished
		[[ $(jq -s length "$work/out") == 1 ]] || die "$what: not one object"
		says 'after everything was done'
		[[ $fault == unload* ]] || says 'C_Finalize'
	done
	new
	enrol
	[[ $got == 6 ]] || die "$what: exit $got, not 6"
	says 'after everything was done'
	ok 'a module that ends badly does not undo success'

	what=keygen
	new
	faults hang=C_GenerateKeyPair:1
	run keygen --token scene --type ec:P-256 "${pin[@]}"
	[[ $got == 9 && ! -s $work/out ]] || die "$what: exit $got"
	says 'burin tokens'
	what=tokens
	faults crash=C_GetSlotList:1
	run tokens --json
	told module-died C_GetSlotList
	what='C_Initialize fails'
	faults fail=C_Initialize:1:CKR_DEVICE_ERROR
	run tokens --json
	[[ $got == 3 ]] || die "$what: exit $got"
	what='number of seconds'
	BURIN_CALL_TIMEOUT=soon run tokens --json
	[[ $got == 2 ]] || die "$what: exit $got"
	is .error.code call-timeout
	what='closed streams'
	faults
	got=0
	burin "${module[@]}" tokens <&- 2>&- >"$work/out" || got=$?
	[[ $got == 0 ]] || die "$what: exit $got"
	says scene
	burin "${module[@]}" tokens </dev/null 2>"$work/err" >&- || got=$?
	[[ $got == 1 ]] || die "$what: exit $got"
	ok 'verbs without a job'

	what='hangs when it is unloaded'
	wait "$late" || rc=$?
	[[ $rc == 0 ]] || die "$what: exit $rc"
	[[ $(jq -s length "$work/late.out") == 1 ]] || die "$what: not one object"
	grep -q 'after everything was done.*hung' "$work/late.err" ||
		die "$what: not said"
	ok 'a library that does not let go is left behind'
}

scene_touch() {
	what='touch'
	new
	faults hang=C_Sign:1
	enrol
	says 'touch the token if it blinks'
	[[ $(grep -c touch "$work/err") == 1 ]] || die "$what: more than once"
	enrol -q
	! grep -q touch "$work/err" || die "$what: with -q"
	enrol --progress=json
	grep '^{"event"' "$work/err" | jq -e '.event == "touch" and
		.function == "C_Sign" and (.token | contains("scene")) and
		(.job | length > 0)' >/dev/null || die "$what: no event"
	new
	faults hang=C_GenerateKeyPair:1
	enrol
	! grep -q touch "$work/err" || die "$what: for a key that is made"
	ok 'a signature that takes long may want a finger'
}

# --- killed from outside --------------------------------------------------

# begin CALL BEFORE: burin hangs in CALL, which comes after BEFORE; $parent
# and $worker are its processes.
begin() {
	local i
	new
	faults "hang=$1:1" "calls_file=$work/calls"
	: >"$work/calls"
	BURIN_CALL_TIMEOUT=0 burin "${module[@]}" "${enrolment[@]}" \
		"${pin[@]}" >"$work/out" 2>"$work/err" </dev/null &
	parent=$!
	for ((i = 0; i < 400; i++)); do
		[[ $(<"$work/calls") == *"$2 "* ]] && break
		sleep 0.05
	done
	sleep 0.3
	worker=$(grep -ls "^PPid:[[:space:]]*$parent\$" /proc/[0-9]*/status |
		grep -o '[0-9]*')
	[[ -n $worker ]] || die "$what: no worker"
}
# Within a second; who has the dead of others may take longer to bury them.
gone() {
	local i
	for ((i = 0; i < 20; i++)); do
		grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$worker/status" ||
			return 0
		sleep 0.05
	done
	die "$what: the worker is there after a second"
}
# outside CALL BEFORE
outside() {
	local signal i
	what="program killed, $1"
	begin "$@"
	kill -KILL "$parent"
	wait "$parent" 2>/dev/null
	gone
	recover
	what="worker killed, $1"
	begin "$@"
	kill -KILL "$worker"
	got=0
	wait "$parent" || got=$?
	told module-died "$1"
	says 'signal 9'
	recover
	for signal in INT TERM HUP; do
		what="$signal to the program, $1"
		begin "$@"
		for ((i = 0; i < 10; i++)); do
			kill -s "$signal" "$parent" 2>/dev/null || break
			sleep 0.5
		done
		((i <= 3)) || die "$what: $i times"
		got=0
		wait "$parent" 2>/dev/null || got=$?
		((got == 128 + $(kill -l "$signal"))) || die "$what: exit $got"
		[[ ! -s $work/out ]] || die "$what: $(<"$work/out")"
		gone
		recover
	done
}
scene_outside() {
	outside C_Sign C_SignInit
	outside C_GenerateKeyPair C_Login
	ok 'neither is there without the other'
}

# --- the terminal ---------------------------------------------------------

on_terminal() {
	new
	faults
	"$SOURCE_DIR/tests/faults/terminal.py" "$1" 123456 "$work/out" burin \
		"${module[@]}" "${@:2}" >"$work/seen" 2>"$work/err" ||
		die "$what: $(<"$work/seen")"
}
seen() { [[ $(<"$work/seen") == "$1" ]] || die "$what: $(<"$work/seen")"; }

scene_terminal() {
	what='typed PIN'
	on_terminal type "${enrolment[@]}"
	seen 'exit 6, echo on'
	is .state pending
	what='Ctrl-C at the prompt'
	on_terminal interrupt "${enrolment[@]}"
	seen 'exit 9, echo on'
	[[ $(jq -s length "$work/out") == 1 ]] || die "$what: not one object"
	is .error.code interrupted
	what='Ctrl-C at the prompt of a verb without a job'
	on_terminal interrupt keygen --token scene --type ec:P-256
	seen 'signal 2, echo on'
	what='SIGTERM at the prompt'
	on_terminal term "${enrolment[@]}"
	seen 'exit 9, echo on'
	is .error.code interrupted
	what='Ctrl-Z at the prompt'
	on_terminal suspend "${enrolment[@]}"
	seen $'stopped, echo on\nexit 6, echo on'
	is .state pending
	what='worker killed at the prompt'
	on_terminal worker "${enrolment[@]}"
	seen 'exit 9, echo on'
	[[ $(jq -s length "$work/out") == 1 ]] || die "$what: not one object"
	is .error.code worker-died
	says 'signal 9'
	ok 'the terminal is given back'
}

case $scene in
hang | crash | end | touch | outside | terminal) "scene_$scene" ;;
*) die "no scene $scene" ;;
esac
