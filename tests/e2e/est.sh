#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# EST beyond enrolling: what a client should ask for (csrattrs), and requests
# that are linked to their TLS session. Clients are curl, openssl s_client and
# Python's ssl, which know the value of a session without our help.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl openssl python3 sqlite3

authority_start
ca=$work/ca/ca.pem

# again KEY VALUE...: the authority anew with other settings.
again() {
	local -a edit=()
	while (($#)); do
		edit+=(-e "s/^$1 = .*/$1 = $2/")
		shift 2
	done
	kill "$authority_pid"
	wait "$authority_pid"
	sed -i "${edit[@]}" "$work/ca/authority.cnf"
	authority_serve
	est=$url/.well-known/est
	address=${url#https://}
}
est=$url/.well-known/est
address=${url#https://}
secret() { printf '%s:%s' "$1" "$(<"$work/secret-$1")"; }

# --- csrattrs ----------------------------------------------------------------

# attributes PATH: asn1parse of what is answered, in $work/asn1.
attributes() {
	curl -sS --fail --cacert "$ca" -D "$work/headers" "$est/$1" \
		>"$work/answer" 2>"$work/err" || die "csrattrs"
	base64 -d "$work/answer" | openssl asn1parse -inform DER \
		>"$work/asn1" || die "no DER"
}
attributes csrattrs
grep -qi '^content-type: application/csrattrs' "$work/headers" || die 'type'
grep -q ':prime256v1' "$work/asn1" || die 'no key type'
grep -q ':Extension Request' "$work/asn1" || die 'no extensions'
grep -q ':1.2.840.113549.1.9.16.2.61' "$work/asn1" || die 'no template'
grep -q ':challengePassword' "$work/asn1" && die 'linking unasked'
cp "$work/asn1" "$work/default"
attributes send-router/csrattrs
grep -q ':rsaEncryption' "$work/asn1" || die 'not of the profile'
grep -q ':sbgp-ipAddrBlock' "$work/asn1" || die 'no resources to fill in'
cmp -s "$work/asn1" "$work/default" && die 'one answer for all profiles'
for path in nosuch/csrattrs nosuch/cacerts; do
	code=$(curl -sS --cacert "$ca" -o "$work/answer" -w '%{http_code}' \
		"$est/$path")
	[[ $code == 404 ]] || die "$path: $code"
	grep -q 'no profile nosuch' "$work/answer" || die "says nothing"
done
code=$(curl -sS --cacert "$ca" -I -o "$work/answer" -w '%{http_code}' \
	"$est/csrattrs")
[[ $code == 200 ]] || die "HEAD: $code"
curl -sS --cacert "$ca" "$url/ca.cer" | cmp -s - \
	<(openssl x509 -in "$ca" -outform DER) || die 'ca.cer'
[[ $(curl -sS --cacert "$ca" "$url/healthz") == ok ]] || die 'healthz'
ok 'csrattrs by profile; ca.cer'

# --- linked requests -----------------------------------------------------------

# make-request NAME ATTRIBUTES VALUE: DER of a request of NAME's key, linked
# by one or both attributes ("challengePassword", "estIdentityLinking").
cat >"$work/make-request" <<END
#!/usr/bin/env bash
{
	printf 'oid_section = oids\n[oids]\nestIdentityLinking = '
	printf '1.2.840.113549.1.9.16.2.58\n[req]\nprompt = no\n'
	printf 'distinguished_name = dn\nattributes = attributes\n'
	printf 'req_extensions = exts\n[dn]\nCN = %s\n[attributes]\n' "\$1"
	for a in \$2; do printf '%s = "%s"\n' "\$a" "\$3"; done
	printf '[exts]\nsubjectAltName = DNS:%s.example\n' "\$1"
} >"$work/link.cnf"
exec openssl req -new -config "$work/link.cnf" -key "$work/\$1.key" \
	-outform DER
END
chmod +x "$work/make-request"
user() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out "$work/$1.key" 2>"$work/err" || die genpkey
	invite "$1" default
}

# linked_12 NAME COMMAND...: the status, over TLS 1.2.
linked_12() {
	local name=$1
	shift
	code=$(python3 "$SOURCE_DIR/tests/e2e/est_link.py" "$address" "$ca" \
		/.well-known/est/simpleenroll "$(secret "$name")" "$@" \
		2>"$work/err") || die "est_link.py"
	printf '%s\n' "${code#* }" >"$work/answer"
	code=${code%% *}
}
# linked_13 NAME COMMAND...: the same over TLS 1.3, by the exporter.
linked_13() {
	local name=$1 i hex body client
	shift
	rm -f "$work/in"
	mkfifo "$work/in"
	openssl s_client -connect "$address" -tls1_3 -CAfile "$ca" -ign_eof \
		-verify_return_error -keymatexportlen 32 \
		-keymatexport EXPORTER-Channel-Binding \
		<"$work/in" >"$work/session" 2>&1 &
	client=$!
	exec 9>"$work/in"
	for ((i = 0; i < 200; i++)); do
		hex=$(sed -n 's/^ *Keying material: //p' "$work/session")
		[[ -z $hex ]] || break
		sleep 0.1
	done
	[[ ${#hex} == 64 ]] || die "s_client: $(<"$work/session")"
	body=$("$@" "$(printf '%s' "$hex" | tr -d ' ' |
		python3 -c 'import base64, sys
print(base64.b64encode(bytes.fromhex(sys.stdin.read())).decode())')" |
		base64 -w 0)
	printf 'POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s: %s\r\n%s: Basic %s\r\n%s: %d\r\n\r\n%s' \
		/.well-known/est/simpleenroll \
		Content-Type application/pkcs10 \
		Authorization "$(printf %s "$(secret "$name")" | base64 -w 0)" \
		Content-Length "${#body}" "$body" >&9
	wait "$client"
	exec 9>&-
	code=$(sed -n 's/^HTTP\/1.1 \([0-9]*\).*/\1/p' "$work/session")
	sed -n '/^HTTP\/1.1/,$p' "$work/session" >"$work/answer"
}
want() {
	[[ $code == "$1" ]] || die "$2: $code: $(head -c 600 "$work/answer")"
}
wrong() { "$work/make-request" "$1" "$2" AAAAAAAAAAAAAAAA; }

for name in u12 u13 v12 v13 both mix plain pending; do user "$name"; done
linked_12 u12 "$work/make-request" u12 challengePassword
want 200 'tls-unique'
linked_13 u13 "$work/make-request" u13 challengePassword
want 200 'tls-exporter'
linked_12 v12 "$work/make-request" v12 estIdentityLinking
want 200 'tls-unique in estIdentityLinking'
linked_13 v13 "$work/make-request" v13 estIdentityLinking
want 200 'tls-exporter in estIdentityLinking'
linked_13 both "$work/make-request" both 'challengePassword estIdentityLinking'
want 200 'both'
ok 'linked by tls-unique and tls-exporter'

# What does not fit is refused, asked for or not (RFC 7030 section 3.5).
export -f wrong
export work
linked_12 mix bash -c 'wrong mix challengePassword' --
want 400 'a link to no session over TLS 1.2'
grep -q link-wrong "$work/answer" || die 'link-wrong'
linked_13 mix bash -c 'wrong mix estIdentityLinking' --
want 400 'a link to no session over TLS 1.3'
# One session's value on another one.
"$work/make-request" mix challengePassword "$(openssl rand -base64 32)" \
	>"$work/mix.der"
code=$(curl -sS --cacert "$ca" -o "$work/answer" -w '%{http_code}' \
	-H 'Content-Type: application/pkcs10' -u "$(secret mix)" \
	--data-binary "@$work/mix.der" "$est/simpleenroll")
want 400 'a link to another session'
# Both attributes, one of them wrong (RFC 7894 section 4).
cat >"$work/half" <<'END'
#!/usr/bin/env bash
"$work/make-request" mix challengePassword "$1" >/dev/null
sed -i '/^challengePassword/a estIdentityLinking = "AAAA"' "$work/link.cnf"
exec openssl req -new -config "$work/link.cnf" -key "$work/mix.key" -outform DER
END
chmod +x "$work/half"
linked_12 mix "$work/half"
want 400 'one of two is wrong'
[[ $(issued_count "WHERE subject = 'CN=mix'") == 0 ]] || die 'issued'
linked_12 mix "$work/make-request" mix challengePassword
want 200 'none of them used the secret'
ok 'what is linked elsewhere is refused'

again link require
attributes csrattrs
[[ $(grep -c ':challengePassword' "$work/asn1") == 2 ]] ||
	die 'linking is not asked for in both forms'
"$work/make-request" plain '' '' >"$work/plain.der"
code=$(curl -sS --cacert "$ca" -o "$work/answer" -w '%{http_code}' \
	-H 'Content-Type: application/pkcs10' -u "$(secret plain)" \
	--data-binary "@$work/plain.der" "$est/simpleenroll")
want 400 'not linked'
grep -q link-missing "$work/answer" || die 'link-missing'
linked_13 plain "$work/make-request" plain challengePassword
want 200 'linked, as required'
ok 'link = require'

# A request that waits is linked anew each time, and is the same request.
again approve manual
linked_12 pending "$work/make-request" pending challengePassword
want 202 'waits'
linked_13 pending "$work/make-request" pending challengePassword
want 202 'still waits'
[[ $(sqlite3 "$work/ca/authority.db" 'SELECT count(*) FROM requests') == 1 ]] ||
	die 'the same request twice'
b 0 authority approve "$work/ca" 1
linked_12 pending "$work/make-request" pending estIdentityLinking
want 200 'approved'
[[ $(issued_count "WHERE subject = 'CN=pending'") == 1 ]] || die 'not one'
ok 'pending requests are linked to whichever session brings them'
