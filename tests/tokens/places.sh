#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# places.sh: a process dies before or after C_GenerateKeyPair on a token whose
# keys have places. resume knows its own key from the one that was there
# before: a key that was not yet replaced is never taken for the new one.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl pkcs11-tool

mock_token places
calls=$work/calls
mgm=010203040506070801020304050607080102030405060708
printf '%s\n' "$mgm" >"$work/mgm"
pins=(--pin-source "file:$work/pin" --so-pin-source "file:$work/mgm")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Places CA' -out "$work/ca.pem" \
	2>/dev/null

# like_piv KEY=VALUE...: from now on; the token itself stays.
like_piv() {
	cat >"$BURIN_MOCK" <<-END
		label=places
		manufacturer=Yubico (www.yubico.com)
		model=YubiKey YK5
		writer=so
		places=1
		so_pin=$mgm
		refuse_template=0x162,0x170,0x202
		calls_file=$calls
	END
	(($# == 0)) || printf '%s\n' "$@" >>"$BURIN_MOCK"
	: >"$calls"
}
run() {
	got=0
	burin "${module[@]}" "$@" "${pins[@]}" >"$work/out" 2>"$work/err" \
		</dev/null || got=$?
}
enrol() {
	run enroll --json --token places --slot 9a --type ec:P-256 \
		--profile default --subject CN=places --protocol file \
		--request-file "$work/req.der" --trust "$work/ca.pem" "$@"
}
certify() {
	openssl x509 -req -in "$work/req.der" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days 30 \
		-copy_extensions copy -out "$work/cert.pem" 2>"$work/err" ||
		die 'openssl x509'
}
# The public key in the place, as another program reads it.
printf 'dir=%s\nlabel=places\nplaces=1\n' "$BURIN_MOCK.state" >"$work/whole.conf"
key_there() {
	BURIN_MOCK=$work/whole.conf pkcs11-tool --module "$BUILD_DIR/mock/burin-mock.so" --token-label \
		places --read-object --type pubkey --id 01 2>/dev/null |
		openssl pkey -pubin -inform DER -outform DER 2>/dev/null |
		sha256sum
}
key_asked() {
	openssl req -in "$work/req.der" -inform DER -noout -pubkey |
		openssl pkey -pubin -outform DER | sha256sum
}
made() { grep -c '^C_GenerateKeyPair CKR_OK' "$calls"; }
# before KEY: the token as a scene begins: none, placeholder or certificate.
before() {
	rm -rf "$BURIN_MOCK.state" "$BURIN_STATE_DIR"
	like_piv
	old=none
	[[ $1 != none ]] || return 0
	enrol
	[[ $got == 6 ]] || die "$1: exit $got"
	if [[ $1 == certificate ]]; then
		certify
		run resume --json "$(j .id)" --response-file "$work/cert.pem"
		[[ $got == 0 ]] || die "$1: exit $got"
	fi
	old=$(key_there)
	rm -rf "$BURIN_STATE_DIR" "$work/req.der"
}
# The number of C_GenerateKeyPair among all calls of such an enrolment.
count() {
	before "$1"
	like_piv
	enrol --replace
	[[ $got == 6 ]] || die "$1: exit $got"
	nth=$(grep -n -m 1 '^C_GenerateKeyPair' "$calls")
	nth=${nth%%:*}
}

for there in none placeholder certificate; do
	count "$there"
	for how in kill kill_after; do
		before "$there"
		like_piv "$how=$nth"
		enrol --replace
		[[ $got != 6 ]] || die "$there, $how: not killed"
		between=$(key_there)
		if [[ $how == kill ]]; then
			[[ $(made) == 0 ]] || die "$there: it was made"
			[[ $old == none || $between == "$old" ]] ||
				die "$there: the key before is gone"
		else
			[[ $(made) == 1 && $between != "$old" ]] ||
				die "$there: it was not made"
		fi
		like_piv
		b 0 status --json
		job=$(j '.jobs[0].id')
		run resume --json "$job"
		[[ $got == 6 ]] || die "$there, $how: exit $got of resume"
		[[ $(key_asked) == "$(key_there)" ]] ||
			die "$there, $how: a request for another key"
		[[ $(key_there) != "$old" ]] ||
			die "$there, $how: the key before was taken for ours"
		if [[ $how == kill ]]; then
			[[ $(made) == 1 ]] || die "$there: none was made"
		else
			[[ $(made) == 0 && $(key_there) == "$between" ]] ||
				die "$there: one more was made"
		fi
		certify
		run resume --json "$job" --response-file "$work/cert.pem"
		[[ $got == 0 ]] || die "$there, $how: exit $got at the end"
		is .state 'done'
	done
	ok "$there in the place: killed before and after, resumed with its own key"
done

before certificate
like_piv
enrol
[[ $got != 0 ]] || die 'an occupied place was used'
is .error.code slot-occupied
says 'slot 9a'
[[ $(made) == 0 && $(key_there) == "$old" ]] || die 'something was made'
ok 'a place with a key is refused without --replace'
