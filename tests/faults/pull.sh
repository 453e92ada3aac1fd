#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# pull.sh STEP: a card that is pulled at the N-th APDU of an enrolment, for
# every STEP-th N, before or after the card acted on it. What was begun is
# brought to its end by resume once the card is back: one key, one
# certificate, no PIN try lost.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq yubico-piv-tool
step=$1
piv_token -n 1
authority_start
token='pkcs11:serial=12345678'
pins=(--pin-source "file:$work/pin" --so-pin-source "file:$work/mgm")

# PIN tries left, as the card itself tells another program.
tries() { yubico-piv-tool -a status 2>/dev/null | grep -i 'tries left'; }
whole=$(tries)
[[ $whole == *3* ]] || die "the card does not tell its tries: $whole"

# enrol NAME: its exit status; the JSON in $work/out.
enrol() {
	local got=0
	burin "${module[@]}" enroll --json --replace --slot 9a \
		--token "$token" --profile im \
		--identity "im:$1@example.com" --subject "CN=$1" --ca "$url" \
		--trust "$work/ca/ca.pem" --user "$1" \
		--secret "file:$work/secret-$1" "${pins[@]}" \
		>"$work/out" 2>"$work/err" </dev/null || got=$?
	printf '%s' "$got" >"$work/rc"
}

pulled=0 resumed=0 n=0
for ((n = 1; ; n += step)); do
	when=before
	((n / step % 2)) && when=after
	name=p$n
	invite "$name" im --identity "im:$name@example.com"
	card drop "$n" "$when" >/dev/null || die "card drop"
	enrol "$name"
	rc=$(<"$work/rc")
	[[ $(card state) == *absent* ]] || break
	((pulled += 1))
	# Gone before it was found: exit 3. Later: 9, and how far it is.
	[[ $rc == 9 || $rc == 3 || $rc == 0 ]] ||
		die "APDU $n, $when: exit $rc"
	id=$(jq -r '.id // empty' "$work/out")
	card insert >/dev/null || die 'card insert'
	if [[ $rc != 0 ]]; then
		if [[ -z $id ]]; then
			enrol "$name"
			[[ $(<"$work/rc") == 0 ]] ||
				die "APDU $n, $when: not even at first"
		else
			b 0 resume --json "$id" "${pins[@]}"
			((resumed += 1))
		fi
	fi
	is .state 'done'
	is .certificate.subject "CN=$name"
	[[ $(tries) == "$whole" ]] ||
		die "APDU $n, $when: tries lost: $(tries), were $whole"
	b 0 tokens --json --token "$token" "${pins[@]:0:2}"
	is '[.tokens[].objects[] | select(.slot == "9a" and .class == "private")] | length' 1
	is '[.tokens[].objects[] | select(.slot == "9a" and .class == "certificate") | .certificate.subject] | join(" ")' "CN=$name"
	[[ $(issued_count "WHERE subject LIKE '%$name%'") -le 1 ]] ||
		die "APDU $n, $when: issued twice"
done
[[ $(<"$work/rc") == 0 ]] || die "the last one ended with $(<"$work/rc")"
((pulled > 10 && resumed > 5)) || die "pulled $pulled times only"
ok "pulled at $pulled of $n APDUs, $resumed enrolments resumed, no try lost"
