#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# mock-faults.sh SCENE: tokens that break in the middle: pulled out, short of sessions, picky about
# templates, failing at any call, hanging. burin says what happened, leaves
# nothing that it does not name, and resume takes the job to its end.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/tokens/suite.sh
. "$SOURCE_DIR/tests/tokens/suite.sh"
need jq openssl pkcs11-tool
scene=$1

mock_token scene
state=$BURIN_MOCK.state
calls=$work/calls
pin=(--pin-source "file:$work/pin")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Scene CA' -out "$work/ca.pem" \
	2>/dev/null

# faults KEY=VALUE...: how the token misbehaves from now on.
faults() {
	{
		echo label=scene
		echo "calls_file=$calls"
		(($# == 0)) || printf '%s\n' "$@"
	} >"$BURIN_MOCK"
	: >"$calls"
}
# An empty token and no memory of it.
new() { rm -rf "$state" "$BURIN_STATE_DIR"; }
save() {
	rm -rf "$work/saved"
	mkdir "$work/saved"
	cp -a "$state" "$BURIN_STATE_DIR" "$work/cert.pem" "$work/saved"
	saved_job=$job
}
restore() {
	new
	job=$saved_job
	cp "$work/saved/cert.pem" "$work"
	cp -a "$work/saved/${state##*/}" "$work/saved/${BURIN_STATE_DIR##*/}" \
		"$work"
}
# run VERB...: any exit status is fine here, but not any end.
run() {
	got=0
	unwind fast
	# What the mock leaks then is known by its name alone: tests/lsan.supp.
	[[ $what != *C_Finalize* ]] || unwind slow
	burin "${module[@]}" "$@" "${pin[@]}" >"$work/out" 2>"$work/err" \
		</dev/null || got=$?
	((got <= 9)) || die "$what: exit $got"
	! grep -qE 'Sanitizer|runtime error' "$work/err" ||
		die "$what: found by a sanitizer"
	((got == 0 || got == 6)) && return
	jq -e '.error | (.step, .code, .reason) | length > 0' "$work/out" \
		>/dev/null || die "$what: an error without step, code or reason"
}
enrol() {
	run enroll --json --token scene --type ec:P-256 --profile default \
		--subject CN=scene --label scene --protocol file \
		--request-file "$work/req.der" --trust "$work/ca.pem"
}
install() { run resume --json "$job" --response-file "$work/cert.pem"; }
certify() {
	openssl x509 -req -in "$work/req.der" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days 30 \
		-copy_extensions copy -out "$work/cert.pem" 2>"$work/err" ||
		die "$what: openssl x509"
}
# What another program sees.
printf 'label=scene\ndir=%s\n' "$state" >"$work/whole.conf"
objects() {
	BURIN_MOCK=$work/whole.conf pkcs11-tool --module "$BUILD_DIR/mock/burin-mock.so" --token-label \
		scene --login --pin 123456 -O 2>/dev/null
}
# content PRIVATE PUBLIC CERTIFICATES, all of one CKA_ID.
content() {
	local list
	list=$(objects)
	[[ $(grep -c '^Private Key' <<<"$list") == "$1" &&
		$(grep -c '^Public Key' <<<"$list") == "$2" &&
		$(grep -c '^Certificate' <<<"$list") == "$3" ]] ||
		die "$what: not $1 $2 $3 but: $list"
	(($1 == 0)) || [[ $(sed -n 's/^ *ID: *//p' <<<"$list" |
		sort -u | wc -l) == 1 ]] || die "$what: IDs differ: $list"
}
protected() {
	objects | grep -q 'Access:.*sensitive.*never extractable' ||
		die "$what: the key is not protected: $(objects)"
}
recovered=0
# The token is whole again: a job that there is, or a new one, to its end.
# $key tells whether a key was on the token although nobody had a job for it.
recover() {
	faults
	job=
	if [[ -e $BURIN_STATE_DIR ]]; then
		b 0 status --json
		job=$(jq -r '.jobs[0].id // empty' "$work/out")
	fi
	if [[ -n $job ]]; then
		run resume --json "$job"
	else
		content 0 0 0
		enrol
		job=$(j .id)
	fi
	[[ $got == 6 ]] || die "$what: exit $got of resume"
	is .state pending
	content 1 1 0
	# The second half is the same for all: some of them must do.
	((++recovered % 4 == 1)) || return 0
	certify
	install
	finished
}
finished() {
	[[ $got == 0 ]] || die "$what: exit $got at the end"
	is .state 'done'
	content 1 1 1
}
# calls_of FILE: the functions of a run and which call of its kind each is.
calls_of() { awk '{ print $1 ":" ++n[$1] }' "$1"; }

# --- how it should go -----------------------------------------------------

what=plain
faults
enrol
[[ $got == 6 ]] || die "exit $got"
job=$(j .id)
calls_of "$calls" >"$work/calls-enrol"
certify
save
: >"$calls"
install
finished
protected
calls_of "$calls" >"$work/calls-install"
ok "plain: $(wc -l <"$work/calls-enrol") and $(wc -l <"$work/calls-install") calls"

# --- pulled out -----------------------------------------------------------

scene_removal() {
	# gone N FILE: what must be said when the token goes at the Nth call.
	gone() {
		local seen
		((got != 0 && got != 6)) || {
			# Only the goodbye was left.
			tail -n +"$1" "$2" | grep -qvE 'C_(Close|Finalize|Logout)' ||
				return 0
			die "$what: no failure"
		}
		seen=$(head -n $(($1 - 1)) "$2" | grep -c C_GetTokenInfo)
		if ((seen == 0)); then
			[[ $got == 3 || $got == 9 ]] || die "$what: exit $got"
			return
		fi
		[[ $got == 9 ]] || die "$what: exit $got, not 9"
		[[ $(j .error.token) == *scene* ]] || die "$what: which token?"
	}
	total=$(wc -l <"$work/calls-enrol")
	for ((i = 1; i <= total; i++)); do
		what="enrol, removed at $i"
		new
		faults "remove_at=$i"
		enrol
		gone "$i" "$work/calls-enrol"
		recover
	done
	ok "removed at each of $total calls of an enrolment"
	total=$(wc -l <"$work/calls-install")
	for ((i = 1; i <= total; i++)); do
		what="install, removed at $i"
		restore
		faults "remove_at=$i"
		install
		gone "$i" "$work/calls-install"
		faults
		install
		finished
	done
	ok "removed at each of $total calls of an installation"
}

# --- few sessions, picky templates ----------------------------------------

scene_templates() {
	whole() {
		what=$*
		new
		faults "$@"
		enrol
		[[ $got == 6 ]] || die "$what: exit $got"
		job=$(j .id)
		certify
		install
		finished
		protected
	}
	whole max_sessions=1
	whole max_sessions=2
	ok 'one or two sessions are enough'
	# EXTRACTABLE, SIGN, DECRYPT, DERIVE, ALWAYS_AUTHENTICATE, LABEL,
	# SENSITIVE, PRIVATE.
	for list in 0x162 0x108 0x105 0x10c 0x202 0x162,0x105,0x10c 0x3 \
		0x103 0x2; do
		whole "refuse_template=$list"
	done
	ok 'templates with less in them'

	what=extractable
	new
	faults extractable=1
	enrol
	[[ $got == 8 ]] || die "exit $got, not 8"
	is .error.code key-not-protected
	faults
	content 0 0 0
	ok 'a key that may leave the token is not kept'

	what=point
	new
	faults bad_point=1
	enrol
	[[ $got == 8 ]] || die "exit $got, not 8"
	is .error.code public-key-wrong
	faults
	content 0 0 0
	ok 'a pair whose public half is none is not kept'

	what=always
	new
	faults refuse_template=0x202
	run keygen --json --token scene --type ec:P-256 --always-authenticate
	[[ $got == 8 ]] || die "exit $got, not 8"
	is .error.code always-authenticate-refused
	faults
	content 0 0 0
	ok 'what was asked for is not left out'

	for fate in damaged lost; do
		what="certificate $fate"
		restore
		faults "certificate=$fate"
		install
		[[ $got == 8 ]] || die "$what: exit $got, not 8"
		is .error.code certificate-not-kept
		faults
		content 1 1 0
		install
		finished
	done
	ok 'what the token keeps is compared with what was written'
}

# --- any call fails -------------------------------------------------------

scene_calls() {
	common='CKR_GENERAL_ERROR CKR_DEVICE_ERROR CKR_HOST_MEMORY CKR_FUNCTION_FAILED'
	read -ra rotation <<<"$common"
	turn=0
	# codes CALL: what it answers: everything when it changes the token.
	codes() {
		case $1 in
		C_GenerateKeyPair:* | C_CreateObject:* | C_SetAttributeValue:*)
			echo "$common CKR_TOKEN_WRITE_PROTECTED"
			;;
		*)
			echo "${rotation[turn++ % 4]}"
			;;
		esac
	}
	tried=0
	while read -r call; do
		codes "$call" >"$work/codes"
		for ckr in $(<"$work/codes"); do
			what="enrol, $call $ckr"
			new
			faults "fail=$call:$ckr"
			enrol
			recover
			((tried += 1))
		done
	done <"$work/calls-enrol"
	while read -r call; do
		codes "$call" >"$work/codes"
		for ckr in $(<"$work/codes"); do
			what="install, $call $ckr"
			restore
			faults "fail=$call:$ckr"
			install
			if [[ $call == C_CreateObject:* && $got == 0 ]]; then
				die "$what: no failure"
			fi
			faults
			install
			finished
			((tried += 1))
		done
	done <"$work/calls-install"
	ok "$tried failing calls"
}

# --- modules that hang ----------------------------------------------------

scene_hang() {
	# ended CALL LAST SIGNAL...: hangs in CALL once LAST was made; ended by
	# the last signal at the latest.
	ended() {
		local pid i signal workers
		what="hangs in $1"
		faults "hang=$1"
		burin "${module[@]}" "${verb[@]}" "${pin[@]}" >"$work/out" \
			2>"$work/err" </dev/null &
		pid=$!
		for ((i = 0; i < 200; i++)); do
			[[ $(<"$calls") == *"$2"* ]] && break
			sleep 0.05
		done
		sleep 0.2
		shift 2
		workers=$(grep -ls "^PPid:[[:space:]]*$pid\$" \
			/proc/[0-9]*/status | grep -o '[0-9]*')
		[[ -n $workers ]] || die "$what: no worker"
		for signal in "$@"; do
			kill -0 "$pid" 2>/dev/null || break
			if [[ $signal == WORKER ]]; then
				kill -KILL "$workers"
			else
				kill -s "$signal" "$pid"
			fi
			sleep 0.2
		done
		# Neither is there without the other.
		for ((i = 0; i < 20; i++)); do
			grep -qs '^State:[[:space:]]*[^ZX]' \
				"/proc/$pid/status" "/proc/$workers/status" ||
				break
			sleep 0.1
		done
		((i < 20)) || {
			kill -KILL "$pid"
			die "$what: does not end by $*"
		}
		wait "$pid" 2>/dev/null
		faults
	}
	verb=(enroll --json --token scene --type ec:P-256 --profile default --subject
		CN=scene --label scene --protocol file --request-file "$work/req.der"
		--trust "$work/ca.pem")
	for signals in 'INT INT' 'TERM TERM' KILL WORKER; do
		for call in C_GenerateKeyPair:1 C_Sign:1 C_Login:1; do
			new
			# shellcheck disable=SC2086 # a list
			ended "$call" C_GetTokenInfo $signals
			recover
		done
	done
	for signals in 'INT INT' KILL WORKER; do
		restore
		verb=(resume --json "$job" --response-file "$work/cert.pem")
		# shellcheck disable=SC2086 # a list
		ended C_CreateObject:1 C_Login $signals
		install
		finished
	done
	ok 'a module that hangs can be ended, and the job resumed'
}

case $scene in
removal | templates | calls | hang) "scene_$scene" ;;
*) die "no scene $scene" ;;
esac
[[ $scene != removal ]] || record "$BUILD_DIR/scenes" mock removal ok
