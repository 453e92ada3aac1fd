#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The operator of an authority: what it issued, revoking and holding, CRLs as
# openssl takes them, requests that are denied, the log.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl openssl sqlite3 jq

authority_start
dir=$work/ca
ca=$dir/ca.pem
kill "$authority_pid"
wait "$authority_pid"
sed -i 's,^#url = .*,url = http://ca.example:8080/,; s/^approve = .*/approve = manual/' \
	"$dir/authority.cnf"
authority_serve
module=("${ca_module[@]}")
pin=(--pin-source "file:$work/pin")

# --- what init made --------------------------------------------------------------

for name in cmc tls pop; do
	openssl verify -x509_strict -CAfile "$ca" "$dir/$name.pem" \
		>/dev/null || die "$name.pem"
done
[[ $(openssl x509 -in "$dir/cmc.pem" -noout -subject) == \
	"$(openssl x509 -in "$ca" -noout -subject)" ]] || die 'name of cmc.pem'
openssl x509 -in "$dir/cmc.pem" -noout -text |
	grep -qE 'CMC Certificate Authority|1\.3\.6\.1\.5\.5\.7\.3\.27' ||
	die 'cmc.pem is not for CMC'
openssl x509 -in "$dir/pop.pem" -noout -ext keyUsage |
	grep -q 'Key Agreement' || die 'pop.pem is not to agree with'
[[ $(stat -c %a "$dir/secrets.key") == 600 ]] || die 'mode of secrets.key'
ok 'keys and certificates of the authority'

# --- issue, one approved and one denied ---------------------------------------------

# ask NAME: one simpleenroll; the HTTP status in $code.
ask() {
	code=$(curl -sS --cacert "$ca" -o "$work/answer" -w '%{http_code}' \
		-H 'Content-Type: application/pkcs10' --basic \
		-u "$1:$(<"$work/secret-$1")" --data-binary "@$work/$1.der" \
		"$url/.well-known/est/simpleenroll") || die curl
}
for name in alice bob carol; do
	openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-keyout "$work/$name.key" -subj "/CN=$name" -outform DER \
		-out "$work/$name.der" 2>/dev/null
	invite "$name" default --subject "CN=$name"
	ask "$name"
	[[ $code == 202 ]] || die "$name: $code"
done
b 0 authority pending "$dir" --json
is '.requests | length' 3
is '.requests[0].form' pkcs10
is '.requests[0].via' est
b 0 authority deny "$dir" 3 --dry-run
b 0 authority deny "$dir" 3 --why 'no badge'
b 2 authority deny "$dir" 3
b 0 authority approve "$dir" 1
b 0 authority approve "$dir" 2
ask carol
[[ $code == 403 ]] || die "denied: $code"
grep -q 'no badge' "$work/answer" || die "why is not told"
for name in alice bob; do
	ask "$name"
	[[ $code == 200 ]] || die "approved: $code"
	base64 -d "$work/answer" | openssl pkcs7 -inform DER -print_certs |
		openssl x509 -out "$work/$name.pem"
done
openssl x509 -in "$work/alice.pem" -noout -text >"$work/text"
grep -q 'URI:http://ca.example:8080/ca.crl' "$work/text" || die 'no CRLDP'
grep -q 'CA Issuers - URI:http://ca.example:8080/ca.cer' "$work/text" ||
	die 'no AIA'
ok 'approved, denied, and where the CRL is'

# --- CRLs --------------------------------------------------------------------------

serial() { openssl x509 -in "$work/$1.pem" -noout -serial | cut -d= -f2; }
crl() { b 0 authority crl "$dir" --out "$work/ca.crl" "${pin[@]}"; }
# check NAME: as openssl sees it with everything on.
check() {
	openssl verify -x509_strict -crl_check_all -CAfile "$ca" \
		-CRLfile "$work/ca.crl" "$work/$1.pem" >"$work/verify" 2>&1
}
b 0 authority crl "$dir" --dry-run
crl
for name in alice bob; do
	check "$name" || die "$name is good: $(<"$work/verify")"
done
b 2 authority revoke "$dir" 00ff
b 2 authority revoke "$dir" nonsense
b 2 authority revoke "$dir" "$(serial alice)" --reason boredom
b 0 authority revoke "$dir" "$(serial alice)" --dry-run
b 0 authority revoke "$dir" "$(serial alice)" --reason keyCompromise --json
is .reason keyCompromise
b 2 authority revoke "$dir" "$(serial alice)"
says 'revoked already'
b 0 authority revoke "$dir" "$(serial bob)" --reason certificateHold
crl
check alice && die 'a revoked one verifies'
grep -q 'certificate revoked' "$work/verify" || die "$(<"$work/verify")"
check bob && die 'a held one verifies'
b 0 authority revoke "$dir" "$(serial bob)" --reason removeFromCRL
b 0 authority crl "$dir" --out - "${pin[@]}"
cp "$work/out" "$work/ca.crl"
check bob || die "let go: $(<"$work/verify")"
openssl crl -in "$work/ca.crl" -noout -text >"$work/text"
# An authority with IP resources: RFC 6487 section 5.
grep -q 'CRL Number' "$work/text" || die 'no number'
grep -A1 'CRL Number' "$work/text" | grep -q '3$' || die 'wrong number'
grep -q 'Authority Key Identifier' "$work/text" || die 'no AKI'
grep -q 'Reason Code' "$work/text" && die 'a reason in an RPKI list'
ok 'CRLs verify with -x509_strict -crl_check_all'

# --- list and log -------------------------------------------------------------------

b 0 authority list "$dir" --json
is '[.certificates[] | select(.subject == "CN=alice")][0].state' revoked
is '[.certificates[] | select(.subject == "CN=alice")][0].reason' keyCompromise
is '[.certificates[] | select(.subject == "CN=bob")][0].state' good
b 0 authority list "$dir"
says CN=alice
b 0 authority log "$dir" --json
for event in issued pending approved denied refused revoked held released \
	crl invited initialized; do
	j "[.log[] | select(.event == \"$event\")] | length > 0" >/dev/null ||
		die "no $event in the log"
done
b 0 authority log "$dir" --verify --json
lines=$(j .lines)
[[ $(j .head) =~ ^[0-9a-f]{64}$ ]] || die 'no head'
sqlite3 "$dir/authority.db" "DROP TRIGGER audit_no_delete;
	DELETE FROM audit WHERE seq = $lines"
b 1 authority log "$dir" --verify
says 'is not its end'
ok 'list, log, and a log that was cut'
