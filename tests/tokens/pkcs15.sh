#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# pkcs15.sh: the mock as OpenSC 0.23 on a PKCS#15 card: mute about how keys
# are protected, one certificate for a CKA_ID, no word for "full". A new
# certificate never costs the old one, whenever the process dies.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl pkcs11-tool

mock_token card
calls=$work/calls
pin=(--pin-source "file:$work/pin")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Card CA' -out "$work/ca.pem" \
	2>/dev/null
printf 'dir=%s\nlabel=card\n' "$BURIN_MOCK.state" >"$work/whole.conf"

# card KEY=VALUE...: how the card is from now on; what is on it stays.
like_card() {
	cat >"$BURIN_MOCK" <<-END
		label=card
		manufacturer=www.CardContact.de
		model=PKCS#15
		library=OpenSC Project
		sensitive=mute
		one_cert=1
		cert_renames_key=1
		auth_key_blocks=1
		calls_file=$calls
	END
	(($# == 0)) || printf '%s\n' "$@" >>"$BURIN_MOCK"
	: >"$calls"
}
run() {
	got=0
	burin "${module[@]}" "$@" "${pin[@]}" >"$work/out" 2>"$work/err" \
		</dev/null || got=$?
}
# expect EXIT VERB...
expect() {
	local want=$1
	shift
	run "$@"
	[[ $got == "$want" ]] || die "exit $got, not $want: burin $*"
}
request=(--subject CN=card --protocol file --profile default
	--request-file "$work/req.der" --trust "$work/ca.pem")
# certify FILE: for the last request.
certify() {
	openssl x509 -req -in "$work/req.der" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days 30 \
		-copy_extensions copy -out "$1" 2>"$work/err" ||
		die 'openssl x509'
}
other() {
	BURIN_MOCK=$work/whole.conf pkcs11-tool \
		--module "$BUILD_DIR/mock/burin-mock.so" --token-label card \
		--login --pin 123456 "$@" 2>/dev/null
}
# there CERTIFICATE: it is on the card, and it is the only one.
there() {
	local id
	[[ $(other -O | grep -c '^Certificate') == 1 ]] ||
		die "not one certificate: $(other -O)"
	id=$(other -O --type cert | sed -n 's/^ *ID: *//p')
	other --read-object --type cert --id "$id" |
		openssl x509 -inform DER -outform DER |
		cmp -s - <(openssl x509 -in "$1" -outform DER) ||
		die "another certificate than ${1##*/} is there"
}
keys() { other -O | grep -c '^Private Key'; }
save() {
	rm -rf "$work/saved"
	mkdir "$work/saved"
	cp -a "$BURIN_MOCK.state" "$BURIN_STATE_DIR" "$work/saved"
}
restore() {
	rm -rf "$BURIN_MOCK.state" "$BURIN_STATE_DIR"
	cp -a "$work/saved/"* "$work"
}
# nth FUNCTION: its number among all calls of the last run.
nth() {
	local n
	n=$(grep -n -m 1 "^$1 CKR_OK" "$calls") || die "no $1"
	echo "${n%%:*}"
}

# --- the first certificate ---------------------------------------------------
like_card
expect 6 enroll --json --token card --type ec:P-256 "${request[@]}"
job=$(j .id)
certify "$work/old.pem"
expect 0 resume --json "$job" --response-file "$work/old.pem"
is .state 'done'
there "$work/old.pem"
key=$(j .key.uri | sed 's/;object=[^;]*//')
expect 0 verify --json --key "$key" --trust "$work/ca.pem"
is '.checks[] | select(.id == "V1") | .level' pass
b 0 tokens --json
says 'PKCS#15 card (OpenSC)'
ok 'enrolled and verified, though the card is mute about protection'

# --- another one in its place --------------------------------------------------
expect 6 enroll --json --key "$key" --replace "${request[@]}"
certify "$work/new.pem"
rm -rf "$BURIN_STATE_DIR"
expect 8 install --json --key "$key" --trust "$work/ca.pem" "$work/new.pem"
is .error.code certificate-present
there "$work/old.pem"
save
like_card
expect 0 install --json --key "$key" --trust "$work/ca.pem" --replace \
	"$work/new.pem"
there "$work/new.pem"
[[ $(nth C_DestroyObject) -lt $(nth C_CreateObject) ]] ||
	die 'the old one did not go first'
destroy=$(nth C_DestroyObject)
restore
like_card "kill_after=$destroy"
run install --json --key "$key" --trust "$work/ca.pem" --replace \
	"$work/new.pem"
[[ $got != 0 ]] || die 'not killed'
[[ $(other -O | grep -c '^Certificate') == 0 ]] || die 'killed too late'
like_card
expect 0 install --json --key "$key" --trust "$work/ca.pem" --replace \
	"$work/new.pem"
there "$work/new.pem"
[[ $(keys) == 1 ]] || die 'the key is gone'
ok 'install --replace: the old one first; killed in between, done again'

# --- the same as a job, which remembers the old one -----------------------------
restore
like_card
expect 6 enroll --json --key "$key" --replace "${request[@]}"
job=$(j .id)
certify "$work/new.pem"
save
like_card
expect 0 resume --json "$job" --response-file "$work/new.pem"
there "$work/new.pem"
destroy=$(nth C_DestroyObject)
create=$(nth C_CreateObject)
for end in resume abandon 'abandon twice'; do
	for at in "kill=$destroy" "kill_after=$destroy" "kill_after=$create"; do
		restore
		like_card "$at"
		run resume --json "$job" --response-file "$work/new.pem"
		[[ $got != 0 ]] || die "$at: not killed"
		like_card
		if [[ $end == resume ]]; then
			expect 0 resume --json "$job"
			is .state 'done'
			there "$work/new.pem"
			continue
		fi
		if [[ $end == 'abandon twice' ]]; then
			save_calls=$(mktemp -p "$work")
			cp -a "$BURIN_MOCK.state" "$save_calls.state"
			cp -a "$BURIN_STATE_DIR" "$save_calls.jobs"
			expect 0 abandon --json "$job"
			if first=$(nth C_DestroyObject 2>/dev/null); then
				rm -rf "$BURIN_MOCK.state" "$BURIN_STATE_DIR"
				cp -a "$save_calls.state" "$BURIN_MOCK.state"
				cp -a "$save_calls.jobs" "$BURIN_STATE_DIR"
				like_card "kill_after=$first"
				run abandon --json "$job"
				[[ $got != 0 ]] || die "$at: not killed again"
				like_card
				expect 0 abandon --json "$job"
			fi
		else
			expect 0 abandon --json "$job"
		fi
		there "$work/old.pem"
		[[ $(keys) == 1 ]] || die "$at: the key is gone"
	done
	ok "killed before, between and after: $end"
done

# --- no room ---------------------------------------------------------------------
restore
like_card full=1
run resume --json "$job" --response-file "$work/new.pem"
[[ $got != 0 ]] || die 'a full card took a certificate'
says C_CreateObject
says CKR_GENERAL_ERROR
[[ $(j .error.advice) == *"burin resume $job"* ]] || die 'no way out is told'
like_card
expect 0 abandon --json "$job"
there "$work/old.pem"
run enroll --json --token card --type ec:P-256 "${request[@]}"
[[ $got == 6 ]] || die "exit $got"
job=$(j .id)
like_card full=1
run enroll --json --token card --type ec:P-256 "${request[@]}"
[[ $got != 6 ]] || die 'a full card made a key'
says CKR_GENERAL_ERROR
# Without a job nobody else remembers the old one.
restore
like_card fail=C_CreateObject:1:CKR_GENERAL_ERROR
run install --json --key "$key" --trust "$work/ca.pem" --replace \
	"$work/new.pem"
[[ $got != 0 ]] || die 'a full card took a certificate'
says 'the certificate before it is back'
there "$work/old.pem"
like_card full=1
run install --json --key "$key" --trust "$work/ca.pem" --replace \
	"$work/new.pem"
says 'could not be put back'
ok 'a full card is said to have failed, with what to do'

# --- gone, in vague words ----------------------------------------------------------
restore
like_card
again=(install --json --key "$key" --trust "$work/ca.pem" --replace
	"$work/new.pem")
expect 0 "${again[@]}"
mapfile -t list < <(grep -n \
	'^C_\(FindObjectsInit\|DestroyObject\|CreateObject\) ' "$calls" |
	cut -d: -f1)
((${#list[@]} >= 4)) || die "only ${#list[@]} calls"
for at in "${list[@]}"; do
	restore
	like_card "remove_at=$at" removed=CKR_GENERAL_ERROR
	run "${again[@]}"
	[[ $got != 0 ]] || die "call $at: nothing was missed"
	is .error.code token-removed
	says 'CKR_GENERAL_ERROR, and the token is gone'
done
ok 'GENERAL_ERROR of a card that is gone: burin looks again and says so'

# --- one key that would stop all writing ---------------------------------------------
restore
like_card
run keygen --json --token card --type ec:P-256 --always-authenticate
[[ $got != 0 ]] || die 'made'
is .error.code always-authenticate-harms
[[ $(grep -c '^C_GenerateKeyPair' "$calls") == 0 ]] || die 'it was asked for'
# Another program has made one.
BURIN_MOCK=$work/whole.conf pkcs11-tool --always-auth \
	--module "$BUILD_DIR/mock/burin-mock.so" --token-label card --login \
	--pin 123456 --keypairgen --key-type EC:prime256v1 --id 77 \
	>/dev/null 2>"$work/err" || die 'pkcs11-tool --always-auth'
like_card
run keygen --json --token card --type ec:P-256
[[ $got != 0 ]] || die 'made'
says CKR_FUNCTION_NOT_SUPPORTED
there "$work/old.pem"
ok 'ALWAYS_AUTHENTICATE is refused with the reason'
