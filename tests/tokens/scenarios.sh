#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# scenarios.sh KIND [SCENE...]: the scenes of suite.sh on one kind of token;
# without names all, but the long one (removal). A later scene uses the keys
# that an earlier one made. What cannot be on a kind is said, with its reason.
# shellcheck disable=SC2317 # scenes are called by their names
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/tokens/suite.sh
. "$SOURCE_DIR/tests/tokens/suite.sh"
# shellcheck source=tests/tokens/kinds.sh
. "$SOURCE_DIR/tests/tokens/kinds.sh"
kind=$1
shift
if (($# == 0)); then
	set -- "${scenes[@]}"
	[[ $kind != softhsm && $kind != mock ]] || set -- "${@/removal/}"
fi
results=$BUILD_DIR/scenes

skip() {
	local scene
	for scene in "${wanted[@]}"; do
		cannot "$kind" "$scene" >/dev/null ||
			record "$results" "$kind" "$scene" "skipped $*"
	done
	printf 'SKIPPED: %s\n' "$*"
	exit 77
}
wanted=()
for scene; do
	[[ -z $scene ]] || wanted+=("$scene")
done
need jq openssl pkcs11-tool

# --- the token ------------------------------------------------------------

args=(--login --pin 123456) # of pkcs11-tool
token=scene label=scene fill=ec empty=0
case $kind in
softhsm)
	softhsm_token scene
	types='rsa:2048 ec:P-256 ec:P-384 ec:P-521 ed25519 ed448'
	unwind slow
	args+=(--module "$SOFTHSM" --token-label scene)
	;;
nss)
	nss_token
	token='pkcs11:token=NSS%20Certificate%20DB'
	label='NSS Certificate DB'
	types='rsa:2048 ec:P-256 ec:P-384 ec:P-521'
	;;
remote)
	remote_token scene
	types='rsa:2048 ec:P-256 ec:P-384'
	args+=(--module "${module[1]}" --token-label scene)
	;;
tpm2)
	tpm_token scene
	types='rsa:2048 ec:P-256 ec:P-384'
	args+=(--module "$TPM" --token-label scene)
	;;
opencryptoki)
	in_own_machine -mip "$0" "$kind" "${wanted[@]}"
	opencryptoki_slots scene one two
	opencryptoki_init 0 scene
	types='rsa:2048' fill=rsa
	args+=(--module "$OPENCRYPTOKI" --token-label scene)
	;;
mock)
	mock_token scene
	types='rsa:2048 ec:P-256 ec:P-384'
	args+=(--module "${module[1]}" --token-label scene)
	;;
ykcs11 | opensc-piv)
	piv_token -n 2
	card @2 remove >/dev/null
	token='pkcs11:serial=12345678' label='YubiKey PIV #12345678'
	types='rsa:2048 ec:P-256 ec:P-384' empty=1 # the placeholder
	# OpenSC sees no retired slot without a key history, and signs with no
	# 9d; 9c has the third type there.
	[[ $kind == ykcs11 ]] || types='rsa:2048 ec:P-256'
	args+=(--module "${module[1]}")
	;;
*) die "no token kind $kind" ;;
esac
user=(--pin-source "file:$work/pin")
pin=("${user[@]}")
[[ ! -e $work/mgm ]] || pin+=(--so-pin-source "file:$work/mgm")
plain=("${module[@]}")
# in_slot NAME: $where, the place of a new key where a token has places.
declare -A slots=([rsa:2048]=82 [ec:P-256]=9a [ec:P-384]=83 [renewed]=84
	[gone]=85 [budget]=86 [after]=87 [always]=9c [few]=88 [many]=89)
[[ $kind != opensc-piv ]] || slots[rsa:2048]=9e
in_slot() {
	where=()
	[[ $kind != ykcs11 ]] || where=(--slot "${slots[$1]}")
}
type=${types##* }
[[ $types != *ec:P-256* ]] || type=ec:P-256

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/ca.key" -subj '/CN=Scene CA' -out "$work/ca.pem" \
	2>/dev/null
# certify REQUEST CERTIFICATE DAYS [EXTENSION FILE]
certify() {
	openssl x509 -req -in "$1" -inform DER -CA "$work/ca.pem" \
		-CAkey "$work/ca.key" -CAcreateserial -days "$3" \
		-copy_extensions copy ${4:+-extfile "$4"} -out "$2" \
		2>"$work/err" || die "openssl does not certify $1"
}
uri_of() { cat "$work/uri-$1" 2>/dev/null || die "there is no key $1"; }

# What is on the token: as burin sees it, in lines of class, ID and label.
content() {
	b 0 tokens --json "${user[@]}" --token "$token"
	jq -r '.tokens[].objects[] | "\(.class) \(.id) \(.label)"' \
		"$work/out" | sort
}
# others: what another program sees, in $work/others. NSS wants a string at
# C_Initialize that pkcs11-tool cannot give: there certutil sees keys.
others() {
	if [[ $kind == nss ]]; then
		certutil -K -d "sql:$work/nss" -f "$work/pin"
		certutil -L -d "sql:$work/nss"
	else
		pkcs11-tool "${args[@]}" -O
	fi >"$work/others" 2>"$work/err" || die "$kind: another program fails"
}
# seen ID N: one private key, one public key, N certificates of this ID, not
# counting the attestation that ykcs11 makes up of each key.
seen() {
	local got
	if [[ $kind == nss ]]; then
		[[ $(grep -c " $1 " "$work/others") == 1 ]] ||
			die "certutil does not see $1"
		return
	fi
	got=$(awk -v id="$1" '
		/^Private Key/ { c = 1 } /^Public Key/ { c = 2 }
		/^Certificate/ { c = 3 }
		/label:.*PIV Attestation/ { c = 4 }
		$1 == "ID:" && $2 == id { n[c]++ }
		END { printf "%d %d %d", n[1], n[2], n[3] }' "$work/others")
	[[ $got == "1 1 $2" ]] || die "pkcs11-tool sees $got of $1, not 1 1 $2"
}
# protected: so says pkcs11-tool of each private key.
protected() {
	[[ $kind == nss ]] || awk '
		/^[A-Z].*Object/ { private = /^Private/; n += private }
		private && /Access:.*sensitive.*never extractable/ { n-- }
		END { exit n != 0 }' "$work/others" ||
		die "a key is not protected: $(<"$work/others")"
}

# enrol NAME ARGUMENT...: by files, as far as the request; $job.
enrol() {
	local name=$1
	shift
	b 6 enroll --json --profile default --subject "CN=$name" \
		--san "dns:${name//:/-}.example.org" --protocol file \
		--request-file "$work/$name.der" --trust "$work/ca.pem" \
		"${pin[@]}" "$@"
	job=$(j .id)
}
# answered NAME [DAYS]: the answer comes, the job ends.
answered() {
	certify "$work/$1.der" "$work/$1.pem" "${2:-30}"
	b 0 resume --json "$job" --response-file "$work/$1.pem" "${pin[@]}"
	is .state 'done'
}

# faults LINE...: from now on the shim is between burin and the module, and
# does as the lines say. Our own mock is told the same by itself.
calls=$work/calls
faults() {
	if [[ $kind == mock ]]; then
		{
			echo label=scene
			printf '%s\n' "calls_file=$calls" "$@"
		} >"$BURIN_MOCK"
	else
		export BURIN_SHIM_MODULE=${plain[1]} BURIN_MOCK=$work/shim.conf
		module=(--module "$SHIM" "${plain[@]:2}")
		printf '%s\n' "calls_file=$calls" "$@" >"$BURIN_MOCK"
	fi
	: >"$calls"
}
called() { grep -c "^$1 " "$calls"; }

# --- the scenes -----------------------------------------------------------

scene_inventory() {
	b 0 tokens --json
	is "[.tokens[] | select(.label == \"$label\")] | length" 1
	is ".tokens[] | select(.label == \"$label\") | .initialized and .pin_set" \
		true
	for t in $types; do
		is ".tokens[] | select(.label == \"$label\") |
			.can_generate | index(\"$t\") != null" true
	done
	b 3 keygen --json --token nobody --type "$type" "${pin[@]}"
	says "$label"
	case $kind in
	tpm2) # made wrong by the module
		b 0 tokens --json --token "$token"
		b 0 tokens --json
		is '.tokens[0].can_generate | index("ec:P-521")' null
		b 8 keygen --json --token "$token" --type ec:P-521 "${pin[@]}"
		is .error.code type-not-offered
		;;
	ykcs11) # two cards: by serial number
		card @2 insert >/dev/null
		b 3 keygen --json --token 'pkcs11:model=YubiKey%20YK5' \
			--type "$type" "${pin[@]}"
		says 12345678
		says 12345679
		b 0 tokens --json --token 12345679
		is '[.tokens[].serial] | join(" ")' 12345679
		card @2 remove >/dev/null
		;;
	esac
}

scene_keygen() {
	for t in $types; do
		in_slot "$t"
		b 0 keygen --json --token "$token" "${where[@]}" --type "$t" \
			--label "scene $t" "${pin[@]}"
		is .key.type "$t"
		j .key.uri >"$work/uri-$t"
		j .key.id >"$work/id-$t"
	done
	b 0 tokens --json "${user[@]}" --token "$token"
	others
	for t in $types; do
		id=$(<"$work/id-$t")
		[[ ${#id} == 40 || $kind == ykcs11 ]] ||
			die "$t: CKA_ID $id is no hash"
		is "[.tokens[].objects[] | select(.id == \"$id\" and
			(.class | startswith(\"p\"))) | .class] |
			sort | join(\" \")" 'private public'
		is ".tokens[].objects[] | select(.id == \"$id\" and
			.class == \"private\") | .protected" true
		seen "$id" $empty
	done
	protected
}

scene_request() {
	for t in $types; do
		b 0 request --json --key "$(uri_of "$t")" --profile default \
			--subject "CN=$t" --out "$work/req-$t.der" "${pin[@]}"
		openssl req -in "$work/req-$t.der" -inform DER -verify -noout \
			2>"$work/err" || die "$t: openssl does not verify it"
	done
}

scene_install() {
	for t in $types; do
		certify "$work/req-$t.der" "$work/cert-$t.pem" 30
		b 0 install --json --key "$(uri_of "$t")" --trust \
			"$work/ca.pem" "${pin[@]}" "$work/cert-$t.pem"
		is .state 'done'
	done
	others
	for t in $types; do
		seen "$(<"$work/id-$t")" 1
	done
	b 0 tokens --json "${user[@]}" --token "$token"
	is '[.tokens[].objects[] |
		select(.certificate.issuer == "CN=Scene CA")] | length' \
		"$(wc -w <<<"$types")"
}

# libp11 0.4.12 is blind to a token that holds an Ed25519 key: the first key
# and the last one show that.
scene_consumer() {
	want=pass ask=$types
	[[ $types != *ed25519* ]] || want=warn ask="${types%% *} ${types##* }"
	for t in $ask; do
		b 0 verify --json --key "$(uri_of "$t")" --trust "$work/ca.pem" \
			"${pin[@]}"
		is '.checks[] | select(.id == "V4") | .level' "$want"
		[[ $want == pass ]] || says 'libp11'
	done
}

scene_replace() {
	uri=$(uri_of "$type")
	content >"$work/before"
	certify "$work/req-$type.der" "$work/newer.pem" 60
	b 8 install --json --key "$uri" --trust "$work/ca.pem" "${pin[@]}" \
		"$work/newer.pem"
	is .error.code certificate-present
	b 0 install --json --replace --key "$uri" --trust "$work/ca.pem" \
		"${pin[@]}" "$work/newer.pem"
	b 0 install --json --key "$uri" --trust "$work/ca.pem" "${pin[@]}" \
		"$work/newer.pem"
	content | cmp -s - "$work/before" || die 'certificates pile up'
}

scene_renew() {
	in_slot renewed
	enrol first --token "$token" "${where[@]}" --type "$type" --label renewed
	answered first
	uri=$(j .key.uri)
	first=$(j .certificate.serial)
	content >"$work/before"
	# As renewals are: for the same subject. NSS keeps one label for one.
	enrol first --key "$uri" --replace
	answered first 60
	is .key.uri "$uri"
	[[ $(j .certificate.serial) != "$first" ]] || die 'the old certificate'
	id=$(j .key.id)
	content | diff "$work/before" - >"$work/err" || die 'not one for one'
	others
	seen "$id" 1
}

scene_abandon() {
	in_slot gone
	content >"$work/before"
	enrol gone --token "$token" "${where[@]}" --type "$type"
	! content | cmp -s - "$work/before" || die 'no key was made'
	b 0 abandon --json "$job" "${pin[@]}"
	if [[ $kind == ykcs11 ]]; then
		says 'cannot delete'
		[[ $(content | diff "$work/before" - | sed -n 's/^[<>] //p' |
			grep -c ' 08 ') == 4 ]] ||
			die 'more than the key, its placeholder and object 85'
		return
	fi
	content | cmp -s - "$work/before" || die 'something stayed'
}

# All in one process, from an authority of our own.
scene_budget() {
	trap '[[ -z $authority_pid ]] || kill "$authority_pid"' EXIT
	authority_start
	in_slot budget
	invite budget im --identity im:budget@example.com
	b 0 enroll --json --token "$token" "${where[@]}" --type "$type" \
		--profile im --identity im:budget@example.com \
		--subject CN=budget --ca "$url" --trust "$work/ca/ca.pem" \
		--user budget --secret "file:$work/secret-budget" "${pin[@]}"
	is .state 'done'
	(($(j .calls) <= 36)) || die "$(j .calls) calls"
	echo "$kind: $(j .calls) calls"
}

# login_with EXIT ARGUMENT...: what needs the PIN, and nothing but the PIN on
# a token that one cannot write to.
login_with() {
	local want=$1
	shift
	if [[ $kind == opensc-piv ]]; then
		b "$want" request --json --key "$(uri_of "$type")" --profile \
			default --subject CN=pin --out "$work/pin.der" "$@"
	else
		in_slot after
		((${#where[@]} == 0)) || where+=(--replace)
		b "$want" keygen --json --token "$token" "${where[@]}" --type \
			"$type" --label after "$@"
	fi
}

scene_wrong_pin() {
	printf '999999\n' >"$work/wrong"
	for code in pin-incorrect pin-known-wrong pin-known-wrong; do
		login_with 4 "${pin[@]/#file:*pin/file:$work/wrong}"
		is .error.code "$code"
	done
	login_with 0 "${pin[@]}"
}

# The last of all: the token stays locked. A TPM gives the code and no flag.
scene_locked_pin() {
	n=0
	for code in pin-incorrect pin-incorrect pin-locked pin-locked; do
		((n += 1))
		printf '91111%d\n' "$n" >"$work/wrong"
		login_with 4 --last-try "${pin[@]/#file:*pin/file:$work/wrong}"
		is .error.code "$code"
	done
	[[ $kind != tpm2 ]] || says 'lock-out of the TPM'
	faults
	login_with 4 --last-try "${pin[@]}"
	is .error.code pin-locked
	# A TPM has no flag that says so beforehand.
	[[ $kind == tpm2 || $(called C_Login) == 0 ]] ||
		die 'a PIN was sent to a locked token'
}

scene_always() {
	faults
	if [[ $kind == opencryptoki ]]; then
		content >"$work/before"
		b 8 keygen --json --token "$token" --type "$type" \
			--always-authenticate "${pin[@]}"
		is .error.code always-authenticate-harms
		says 'would never sign'
		content | cmp -s - "$work/before" || die 'something was made'
		return
	fi
	if [[ $kind == opensc-piv ]]; then
		uri=$(uri_of always)
	else
		in_slot always
		b 0 keygen --json --token "$token" "${where[@]}" --type "$type" \
			--label always --always-authenticate "${pin[@]}"
		is .key.always_authenticate true
		uri=$(j .key.uri)
	fi
	for n in 1 2; do
		: >"$calls"
		b 0 request --json --key "$uri" --profile default --subject \
			CN=always --out "$work/always.der" "${pin[@]}"
		[[ $(called C_Login) == 2 && $(called C_Sign) == 1 ]] ||
			die "$(called C_Login) logins, $(called C_Sign) signatures"
		openssl req -in "$work/always.der" -inform DER -verify -noout \
			2>"$work/err" || die 'not signed'
	done
	[[ $kind != opensc-piv ]] || return 0
	: >"$calls"
	enrol always --key "$uri"
	[[ $(called C_Login) == 2 && $(called C_Sign) == 1 ]] ||
		die "enrolled: $(called C_Login) logins, $(called C_Sign) signatures"
	answered always
}

# pulled INS WHEN VERB...: the card goes at this command and is put in again.
pulled() {
	local i got=0 at="$1 $2"
	card drop-ins "$1" "$2" >/dev/null
	shift 2
	burin "${module[@]}" "$@" "${pin[@]}" >"$work/out" 2>"$work/err" \
		</dev/null || got=$?
	[[ $got == 9 ]] || die "$at: exit $got, not 9"
	[[ $(card state) == absent ]] || die "$at: the card is there"
	# pcscd looks every half second. What comes back before it was missed
	# may never get power, and then goes once more.
	for i in 1 2 3; do
		sleep 0.7
		card insert >/dev/null 2>&1 && return
		card remove >/dev/null
	done
	die "$at: not back"
}
# At a signature (87), a key (47), its placeholder and a certificate (DB):
# before and after the card acted.
card_removal() {
	local when at place=(8b 8c 8d 8e) n=0
	for at in 47 db; do
		for when in before after; do
			pulled "$at" "$when" enroll --json --token "$token" --slot \
				"${place[n]}" --type "$type" --profile default \
				--subject CN=pulled --protocol file \
				--request-file "$work/pulled.der" \
				--trust "$work/ca.pem"
			b 0 status --json
			job=$(jq -r '[.jobs[] | select(.state != "done" and
				.state != "abandoned")][0].id' "$work/out")
			b 6 resume --json "$job" "${pin[@]}"
			is .state pending
			answered pulled
			((n += 1))
		done
	done
	uri=$(j .key.uri)
	for when in before after; do
		pulled 87 "$when" enroll --json --key "$uri" --replace --profile \
			default --subject CN=pulled --protocol file \
			--request-file "$work/pulled.der" --trust "$work/ca.pem"
		b 0 status --json
		job=$(jq -r '[.jobs[] | select(.state != "done" and
			.state != "abandoned")][0].id' "$work/out")
		b 6 resume --json "$job" "${pin[@]}"
		certify "$work/pulled.der" "$work/pulled.pem" 30
		pulled db "$when" resume --json "$job" --response-file \
			"$work/pulled.pem"
		b 0 resume --json "$job" --response-file "$work/pulled.pem" \
			"${pin[@]}"
		is .state 'done'
	done
}

# Every call of an enrolment by files, and of its second half: the token goes
# right there, comes back, and resume takes the job to where it belongs.
scene_removal() {
	if [[ $kind == ykcs11 ]]; then
		card_removal
		return
	fi
	clean() {
		rm -rf "$BURIN_STATE_DIR" "$work/tokens"
		cp -a "$work/tokens.empty" "$work/tokens"
	}
	# gone WHAT: at this call the exit status says that one can resume, or
	# that the token was not there to begin with.
	gone() {
		((got == 9 || got == 3)) && return
		((got == 0 || got == 6)) || die "$1: exit $got"
		tail -n "+$n" "$calls" |
			grep -qvE 'C_(Close|Finalize|Logout)' || return 0
		die "$1: no failure"
	}
	try() {
		got=0
		burin "${module[@]}" "$@" "${pin[@]}" >"$work/out" \
			2>"$work/err" </dev/null || got=$?
	}
	no_leaks # tests/tokens/mock-faults.sh looks for them
	first=(enroll --json --token scene --type ec:P-256 --profile default
		--subject CN=scene --protocol file --request-file
		"$work/gone.der" --trust "$work/ca.pem")
	cp -a "$work/tokens" "$work/tokens.empty"
	faults
	try "${first[@]}"
	total=$(wc -l <"$calls")
	for ((n = 1; n <= total; n++)); do
		clean
		faults "remove_at=$n"
		try "${first[@]}"
		gone "enrol, removed at $n"
		faults
		job=
		[[ ! -e $BURIN_STATE_DIR ]] || {
			b 0 status --json
			job=$(jq -r '.jobs[0].id // empty' "$work/out")
		}
		if [[ -n $job ]]; then
			b 6 resume --json "$job" "${pin[@]}"
		else
			b 6 "${first[@]}" "${pin[@]}"
		fi
		is .state pending
		list=$(object_list scene)
		[[ $(grep -c '^Private' <<<"$list") == 1 &&
			$(grep -c '^Public' <<<"$list") == 1 ]] ||
			die "enrol, removed at $n: $list"
	done
	echo "removed at each of $total calls of an enrolment"
	job=$(j .id)
	certify "$work/gone.der" "$work/gone.pem" 30
	rm -rf "$work/state.half" "$work/tokens.half"
	cp -a "$BURIN_STATE_DIR" "$work/state.half"
	cp -a "$work/tokens" "$work/tokens.half"
	second=(resume --json "$job" --response-file "$work/gone.pem")
	try "${second[@]}"
	((got == 0)) || die "exit $got"
	total=$(wc -l <"$calls")
	for ((n = 1; n <= total; n++)); do
		rm -rf "$BURIN_STATE_DIR" "$work/tokens"
		cp -a "$work/state.half" "$BURIN_STATE_DIR"
		cp -a "$work/tokens.half" "$work/tokens"
		faults "remove_at=$n"
		try "${second[@]}"
		gone "install, removed at $n"
		faults
		b 0 "${second[@]}" "${pin[@]}"
		is .state 'done'
	done
	list=$(object_list scene)
	[[ $(grep -c '^Certificate' <<<"$list") == 1 ]] || die "$list"
	echo "removed at each of $total calls of an installation"
}

scene_fifty() {
	# cost NAME: $made and $written, the calls of an enrolment.
	cost() {
		in_slot "$1"
		enrol "$1" --token "$token" "${where[@]}" --type "$type" \
			--label "$1"
		made=$(j .calls)
		answered "$1"
		written=$(j .calls)
	}
	cost few
	few="$made and $written"
	if [[ $kind == ykcs11 ]]; then
		# All other slots, and each has three objects at least.
		before=$(content | wc -l)
		for ((i = 13; i <= 24; i++)); do
			pkcs11-tool --module "${plain[1]}" --login --login-type \
				so --so-pin "$(<"$work/mgm")" --keypairgen \
				--key-type EC:prime256v1 --id "$(printf %02x "$i")" \
				>"$work/err" 2>&1 || die 'cannot fill the token'
		done
		more=$(($(content | wc -l) - before))
		cost many
		[[ $few == "$made and $written" ]] ||
			die "$few calls before, $made and $written after"
		echo "$kind: $few calls, with $more objects more as well: 24" \
			'slots hold no fifty'
		return
	fi
	# A few at a time: a TPM has places for no more in one process.
	for ((i = 0; i < 25; i += 5)); do
		printf 'pair%d\n' "$i" $((i + 1)) $((i + 2)) $((i + 3)) $((i + 4)) |
			"$BUILD_DIR/bin/fill_token" "${plain[1]}" "$label" \
				"$work/pin" "$fill" "${plain[3]:-}" ||
			die 'cannot fill the token'
	done
	[[ $(content | grep -c ' pair[0-9]*$') == 50 ]] ||
		die "not fifty objects more"
	cost many
	[[ $few == "$made and $written" ]] ||
		die "$few calls before, $made and $written after"
	echo "$kind: $few calls for an enrolment, with fifty objects more as well"
}

# twins: two more tokens, both labelled twin.
twins() {
	case $kind in
	softhsm | remote)
		softhsm_token twin
		softhsm_token twin
		;;
	opencryptoki)
		opencryptoki_init 1 twin
		opencryptoki_init 2 twin
		;;
	opensc-piv)
		# A label is the name in the certificate of 9a.
		twin='ec:P-256' module=(--module "$ykcs11")
		card @2 insert >/dev/null
		both=("${pin[@]}" --so-pin-source "file:$work/mgm")
		b 0 keygen --json --token 12345679 --type "$twin" --slot 9a \
			"${both[@]}"
		uri=$(j .key.uri)
		b 0 request --json --key "$uri" --profile default --subject \
			"CN=$twin" --out "$work/twin.der" "${both[@]}"
		certify "$work/twin.der" "$work/twin.pem" 30
		b 0 install --json --key "$uri" --trust "$work/ca.pem" \
			"${both[@]}" "$work/twin.pem"
		module=("${plain[@]}")
		;;
	mock)
		export BURIN_MOCK=$work/twins.conf
		printf '%s\n' token=twin:0000000000000007 \
			token=twin:0000000000000008 >"$BURIN_MOCK"
		;;
	esac
}
scene_labels() {
	twin=twin
	twins
	b 0 tokens --json
	is "[.tokens[] | select(.label == \"$twin\")] | length" 2
	jq -r --arg twin "$twin" '.tokens[] | select(.label == $twin) |
		"serial \(.serial) (\(.model)) in slot \(.slot)"' "$work/out" \
		>"$work/twins"
	b 3 keygen --json --token "pkcs11:token=$twin" --type "$type" "${pin[@]}"
	jq -r '.error | .reason, .advice, .cause, .token' "$work/out" \
		>"$work/said"
	while read -r twin; do
		grep -qF "$twin" "$work/said" || die "does not name $twin"
	done <"$work/twins"
	slot=$(sed -n 's/.* slot //;2p' "$work/twins")
	b 0 tokens --json --token "pkcs11:slot-id=$slot"
	is '[.tokens[] | .slot] | join(" ")' "$slot"
}

# comment N: an extension of that many bytes, in $work/large.cnf.
comment() {
	{
		printf 'nsComment=ASN1:UTF8String:'
		head -c "$1" /dev/zero | tr '\0' x
		echo
	} >"$work/large.cnf"
}
scene_large() {
	uri=$(uri_of "$type")
	content >"$work/before"
	# Over our limit: nothing reaches the token.
	comment 66000
	certify "$work/req-$type.der" "$work/large.pem" 30 "$work/large.cnf"
	b 2 install --json --replace --key "$uri" --trust "$work/ca.pem" \
		"${pin[@]}" "$work/large.pem"
	says 'longer than 65536 bytes'
	enrol large --key "$uri" --replace
	b 7 resume --json "$job" --response-file "$work/large.pem" "${pin[@]}"
	says 'longer than 65536 bytes'
	b 0 abandon --json "$job" "${pin[@]}"
	content | cmp -s - "$work/before" || die 'the token has changed'
	# Over the token's: as ykcs11 says it, and as a full card does.
	certify "$work/req-$type.der" "$work/newer.pem" 90
	for ckr in CKR_DATA_LEN_RANGE CKR_FUNCTION_FAILED CKR_DEVICE_MEMORY; do
		faults "fail=C_CreateObject:*:$ckr"
		b 8 install --json --replace --key "$uri" --trust \
			"$work/ca.pem" "${pin[@]}" "$work/newer.pem"
		says "$ckr"
	done
	faults
	content | cmp -s - "$work/before" || die 'the token has changed'
	size=6000
	if [[ $kind == ykcs11 ]]; then
		comment 3000
		certify "$work/req-$type.der" "$work/large.pem" 30 \
			"$work/large.cnf"
		size=$(openssl x509 -in "$work/large.pem" -outform DER | wc -c)
		b 8 install --json --replace --key "$uri" --trust \
			"$work/ca.pem" "${pin[@]}" "$work/large.pem"
		says "$size bytes"
		size=1800
		says 'about 3000'
		content | cmp -s - "$work/before" || die 'the token has changed'
	fi
	# Large, but not too large.
	comment "$size"
	certify "$work/req-$type.der" "$work/large.pem" 30 "$work/large.cnf"
	b 0 install --json --replace --key "$uri" --trust "$work/ca.pem" \
		"${pin[@]}" "$work/large.pem"
	content | diff "$work/before" - >"$work/err" || die 'not one for one'
}

# --- a module that only reads ----------------------------------------------

refused_write() {
	b 8 "$@" "${pin[@]}"
	is .error.code module-cannot-write
	says "${plain[1]##*/}"
	says ykcs11
}
read_only_inventory() {
	b 0 tokens --json
	is '.tokens | length' 1
	is '.tokens[0].family' 'PIV card (OpenSC)'
	is '.tokens[0] | .initialized and .pin_set' true
	is '.tokens[0].can_write' false
	is '.tokens[0].can_generate | length' 0
}
read_only_keygen() {
	refused_write keygen --json --token "$token" --type "$type"
	refused_write enroll --json --token "$token" --profile default \
		--subject CN=none --protocol file --request-file \
		"$work/none.der" --trust "$work/ca.pem"
	[[ ! -e $work/none.der ]] || die 'there is a request'
}
read_only_install() {
	content >"$work/before"
	certify "$work/req-$type.der" "$work/newer.pem" 30
	refused_write install --json --replace --key "$(uri_of "$type")" \
		--trust "$work/ca.pem" "$work/newer.pem"
	content | cmp -s - "$work/before" || die 'the token has changed'
}
# What ykcs11 wrote, one key of each type, and in 9c one that wants a login
# for each use.
written_before() {
	kind=ykcs11
	scene_keygen
	scene_request
	scene_install
	b 0 keygen --json --token "$token" --slot 9c --type ec:P-384 "${pin[@]}"
	b 0 request --json --key "$(j .key.uri)" --profile default --subject \
		CN=9c --out "$work/always.der" "${pin[@]}"
	certify "$work/always.der" "$work/always.pem" 30
	b 0 install --json --key "$(j .key.uri)" --trust "$work/ca.pem" \
		"${pin[@]}" "$work/always.pem"
	kind=opensc-piv ykcs11=${module[1]}
	piv_opensc
	plain=("${module[@]}") pin=("${user[@]}")
	b 0 tokens --json
	token="pkcs11:slot-id=$(j '.tokens[0].slot')"
	for t in $types; do
		echo "$token;id=%$(<"$work/id-$t");type=private" >"$work/uri-$t"
	done
	echo "$token;id=%02;type=private" >"$work/uri-always"
	scene_inventory() { read_only_inventory; }
	scene_keygen() { read_only_keygen; }
	scene_install() { read_only_install; }
}

# --- all of them ----------------------------------------------------------

[[ $kind != opensc-piv ]] || written_before
failed=0
for scene in "${wanted[@]}"; do
	if why=$(cannot "$kind" "$scene"); then
		printf 'not here: %s %s: %s\n' "$kind" "$scene" "$why"
		continue
	fi
	start=$SECONDS
	if ("scene_${scene//-/_}"); then
		ok "$kind: $scene ($((SECONDS - start)) s)"
		record "$results" "$kind" "$scene" ok
	else
		record "$results" "$kind" "$scene" FAILED
		failed=1
	fi
done
exit $failed
