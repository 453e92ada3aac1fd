#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# burin show of CMC and CRMF: DER, PEM and standard input, JSON that scripts
# ask for, and what was changed on the way.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl
golden=$SOURCE_DIR/tests/golden/data

b 0 show --json "$golden/cmc-pair.der"
is .type cmc-request
is '.objects[0].signers | length' 1
is '[.objects[0].requests[].form] | join(" ")' 'pkcs10 crmf'
is '[.objects[0].requests[].pop_verified] | join(" ")' 'yes later'
is '[.objects[0].checked[] | select(.result == "fail")] | length' 0
ok 'a request of two forms'

# What people see is the same from PEM and from standard input.
b 0 show "$golden/cmc-pair.der"
cp "$work/out" "$work/der"
{
	echo '-----BEGIN CMS-----'
	openssl base64 -in "$golden/cmc-pair.der"
	echo '-----END CMS-----'
} >"$work/pair.pem"
b 0 show "$work/pair.pem"
cmp "$work/der" "$work/out" || die 'PEM is shown in another way'
burin show - <"$golden/cmc-pair.der" >"$work/out" || die 'standard input'
cmp "$work/der" "$work/out" || die 'standard input is shown in another way'
ok 'PEM and standard input'

# The last byte is of the signature.
size=$(stat -c %s "$golden/cmc-pkcs10.der")
head -c $((size - 1)) "$golden/cmc-pkcs10.der" >"$work/bad.der"
last=$(tail -c 1 "$golden/cmc-pkcs10.der" | od -An -tu1)
printf '%b' "\\x$(printf %02x $((last ^ 1)))" >>"$work/bad.der"
b 0 show --json "$work/bad.der"
is '[.objects[0].checked[] | select(.result == "fail") | .what] | join(" ")' \
	signature
b 0 show "$work/bad.der"
says 'WRONG: signature: '
ok 'a wrong signature'

b 0 show --json "$golden/cmc-revoke-secret.der"
is '.objects[0].controls[] | select(.name == "revokeRequest").value.secret' \
	present
b 0 show "$golden/cmc-revoke-secret.der"
! grep -q 'correct horse' "$work/out" || die 'the secret is shown'
ok 'a secret stays a secret'

b 0 show --json "$golden/cmc-encrypted.der"
is .type envelope
is '.objects[0].recipients[0].kind' 'key transport'
b 0 show --json "$golden/crmf/p256.der"
is .type crmf
is '.objects[0].requests[0].pop' verified
b 0 show --json "$golden/crmf/by-ra.der"
is '.objects[0].requests[0].pop_kind' by-ra
is '.objects[0].requests[0].pop_verified' no
ok 'encrypted messages and CRMF'
