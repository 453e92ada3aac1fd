#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What burin must refuse, with which exit status, and that nothing changed.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 pkcs11-tool openssl

authority_start
pin=(--pin-source "file:$work/pin")

# --- which token? ----------------------------------------------------------
softhsm_token twin
softhsm_token twin
b 3 keygen --json --token twin --type ec:P-256 "${pin[@]}"
is .error.code token-ambiguous
for serial in $(softhsm2-util --show-slots |
	awk '/Serial number/ {s = $3} /Label: *twin/ {print s}'); do
	says "$serial"
done
b 3 keygen --json --token nobody --type ec:P-256 "${pin[@]}"
is .error.code token-missing
says twin
object_list twin | grep -q Key && die 'a key on an ambiguous token'
ok 'two tokens with one label, and none: exit 3, both named'

# --- a foreign certificate ---------------------------------------------------
softhsm_token card
b 0 keygen --json --token card --type ec:P-256 --label mine "${pin[@]}"
uri=$(j .key.uri)
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/other.key" \
	-subj /CN=other -out "$work/other.pem" 2>/dev/null
before=$(object_list card)
b 7 install --json --key "$uri" "$work/other.pem" \
	--trust "$work/other.pem" "${pin[@]}"
is .error.code check-G1
[[ $(object_list card) == "$before" ]] || die 'the token changed'
ok 'foreign certificate: exit 7, token unchanged'

# Right key, wrong anchor.
b 0 request --key "$uri" --profile default --subject CN=mine \
	--out "$work/req.der" "${pin[@]}"
openssl req -inform DER -in "$work/req.der" -out "$work/req.pem"
openssl x509 -req -in "$work/req.pem" -CA "$work/other.pem" \
	-CAkey "$work/other.key" -CAcreateserial -days 1 \
	-out "$work/mine.pem" 2>/dev/null
b 7 install --json --key "$uri" "$work/mine.pem" \
	--trust "$work/ca/ca.pem" "${pin[@]}"
is .error.code check-G2
[[ $(object_list card) == "$before" ]] || die 'the token changed'
b 0 install --json --dry-run --key "$uri" "$work/mine.pem" \
	--trust "$work/other.pem" "${pin[@]}"
[[ $(object_list card) == "$before" ]] || die 'a dry run changed the token'
b 0 install --json --key "$uri" "$work/mine.pem" \
	--trust "$work/other.pem" "${pin[@]}"
is .certificate.subject CN=mine
b 0 install --json --key "$uri" "$work/mine.pem" \
	--trust "$work/other.pem" "${pin[@]}"
says nothing was written
b 10 verify --json --key "$uri" --trust "$work/ca/ca.pem" "${pin[@]}"
b 2 verify --json --key "$uri" --profile nosuch "${pin[@]}"
ok 'wrong anchor refused, right one installed, verify tells them apart'

# Another certificate for the same key wants --replace.
openssl x509 -req -in "$work/req.pem" -CA "$work/other.pem" \
	-CAkey "$work/other.key" -CAcreateserial -days 2 \
	-out "$work/mine2.pem" 2>/dev/null
b 8 install --json --key "$uri" "$work/mine2.pem" \
	--trust "$work/other.pem" "${pin[@]}"
is .error.code certificate-present
b 0 install --json --replace --key "$uri" "$work/mine2.pem" \
	--trust "$work/other.pem" "${pin[@]}"
[[ $(object_list card | grep -c '^Certificate') == 1 ]] ||
	die 'certificates pile up'
ok 'a second certificate needs --replace and does not pile up'

# --- PINs --------------------------------------------------------------------
printf '654321\n' >"$work/wrong"
b 4 keygen --json --token card --type ec:P-256 \
	--pin-source "file:$work/wrong"
is .error.code pin-incorrect
grep -q 654321 "$work/out" "$work/err" && die 'the PIN is in the output'
b 4 keygen --json --token card --type ec:P-256 \
	--pin-source "file:$work/wrong"
is .error.code pin-known-wrong
b 0 keygen --json --token card --type ec:P-256 --label second "${pin[@]}"
b 2 keygen --json --token card --type ec:P-256 --pin-source '|cat /etc/passwd'
b 2 keygen --json --token "pkcs11:token=card?pin-value=123456" \
	--type ec:P-256
ok 'wrong PIN: exit 4, never sent twice, right one still works'

# --- the authority says no -----------------------------------------------------
softhsm_token refused
printf 'not-the-secret\n' >"$work/secret"
b 5 enroll --json --token refused --profile default --subject CN=refused \
	--ca "$url" --trust "$work/ca/ca.pem" --user refused \
	--secret "file:$work/secret" "${pin[@]}"
is .error.code http-401
says 401
job=$(j .id)
b 0 status --json "$job"
b 0 abandon --json "$job" "${pin[@]}"
object_list refused | grep -q Key && die 'abandon left a key'
ok 'authority refuses: exit 5, abandon leaves nothing'

# --- dry runs and usage ------------------------------------------------------
b 0 enroll --json --dry-run --token refused --profile im \
	--identity im:a@example.com --ca "$url" --trust "$work/ca/ca.pem" \
	--user a --secret "file:$work/secret"
object_list refused | grep -q Key && die 'a dry run made a key'
b 2 enroll --json --tokn refused
is .error.exit 2
b 2 enroll --json --token refused --profile nosuch --ca "$url"
b 2 frobnicate
b 3 status nosuchjob
b 2 export --json --key "$uri" --out - "${pin[@]}"
is .error.code option-conflict
printf '[burin]\njson = yes\n' >"$work/json.cnf"
b 2 show --config "$work/json.cnf"
is .error.code word-missing
for verb in serve pending 'approve 1' 'invite x' 'invite x --profile im'; do
	read -r verb words <<<"$verb"
	# shellcheck disable=SC2086
	b 2 authority "$verb" --json "$work/nowhere" $words
	is .error.code authority-missing
done
ok 'dry run changes nothing; usage errors are exit 2'

# --- a key that cannot prove itself ------------------------------------------
softhsm_token decrypter
b 0 keygen --json --token decrypter --type rsa:2048 --usage decrypt \
	--label dec "${pin[@]}"
uri=$(j .key.uri)
b 2 request --json --key "$uri" --profile default --subject CN=dec \
	--out "$work/dec.der" "${pin[@]}"
is .error.code key-cannot-sign
[[ ! -e $work/dec.der ]] || die 'a request without proof'
for what in "--key $uri" '--token decrypter --type rsa:2048 --usage decrypt'; do
	# shellcheck disable=SC2086
	b 2 enroll --json $what --profile default --subject CN=dec \
		--ca "$url" --trust "$work/ca/ca.pem" --user a \
		--secret "file:$work/secret" "${pin[@]}"
	is .error.code key-cannot-sign
	is .error.rule 'RFC 2986 section 4.2'
done
ok 'a decrypt-only key is refused with the reason: exit 2'
