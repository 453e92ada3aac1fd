#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The other ways over EST: first contact by fingerprint, an operator who
# approves, renewal authenticated by the token's key.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 openssl pkcs11-tool

authority_start
pin=(--pin-source "file:$work/pin")
ca=$work/ca/ca.pem

# --- first contact -----------------------------------------------------------
softhsm_token first
invite first default
print=$(openssl x509 -in "$ca" -noout -fingerprint -sha256 | cut -d= -f2)
wrong=$(tr 0-9 1-90 <<<"$print")
b 7 enroll --json --token first --profile default --subject CN=first \
	--ca "$url" --ca-fingerprint "$wrong" \
	--user first --secret "file:$work/secret-first" "${pin[@]}"
is .error.code fingerprint-mismatch
object_list first | grep -q Key && die 'a key was made for a stranger'
b 0 enroll --json --token first --profile default --subject CN=first \
	--type ec:P-256 --ca "$url" --ca-fingerprint "$print" \
	--user first --secret "file:$work/secret-first" "${pin[@]}"
is .state 'done'
ok 'first contact: believed by its fingerprint only'

# --- renewal by the token's own key -------------------------------------------
uri=$(j .key.uri) old=$(j .certificate.serial)
b 0 enroll --json --key "$uri" --reenroll --profile default --ca "$url" \
	--trust "$ca" "${pin[@]}"
is .state 'done'
[[ $(j .certificate.serial) != "$old" ]] || die 'the old certificate again'
is .key.uri "$uri"
[[ $(object_list first | grep -c '^Certificate') == 1 &&
	$(object_list first | grep -c '^Private Key') == 1 ]] ||
	die "renewal piles up: $(object_list first)"
b 0 verify --json --key "$uri" --trust "$ca" "${pin[@]}"
ok 'renewed: same key, authenticated by its certificate'

b 0 enroll --json --token first --reenroll="$uri" --profile default \
	--type ec:P-256 --label second --ca "$url" --trust "$ca" "${pin[@]}"
is .state 'done'
[[ $(j .key.uri) != "$uri" ]] || die 'not a new key'
is .certificate.subject CN=first
[[ $(object_list first | grep -c '^Certificate') == 2 ]] ||
	die 'the old pair must stay until somebody removes it'
ok 'rekeyed: a new key, authenticated by the old one'

# --- an operator who approves ---------------------------------------------------
kill "$authority_pid"
wait "$authority_pid"
sed -i 's/^approve = auto/approve = manual/; s/^retry_after = .*/retry_after = 1/' \
	"$work/ca/authority.cnf"
authority_serve
softhsm_token slow
invite slow default
b 6 enroll --json --token slow --profile default --type ec:P-256 \
	--subject CN=slow --ca "$url" --trust "$ca" \
	--user slow --secret "file:$work/secret-slow" "${pin[@]}"
is .status pending
job=$(j .id)
sleep 2
b 6 resume --json "$job" "${pin[@]}"
b 0 authority pending --json "$work/ca"
request=$(j '.requests[0].id')
b 0 authority approve "$work/ca" "$request"
sleep 2
b 0 resume --json "$job" "${pin[@]}"
is .state 'done'
count=$(issued_count "WHERE subject = 'CN=slow'")
[[ $count == 1 ]] || die "issued $count"
ok 'pending until the operator approves, then one certificate'
