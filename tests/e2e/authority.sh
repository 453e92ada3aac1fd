#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The authority as curl and openssl meet it: EST operations, credentials,
# what it refuses, TLS versions, stopping.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl openssl sqlite3

authority_start

# Basic alone unless the operator asks for Digest as well.
curl -sS --cacert "$work/ca/ca.pem" -D "$work/headers" -o /dev/null \
	-H 'Content-Type: application/pkcs10' --data-binary x \
	"$url/.well-known/est/simpleenroll"
grep -qi '^www-authenticate: basic' "$work/headers" || die 'no Basic'
grep -qi '^www-authenticate: digest' "$work/headers" && die 'Digest unasked'
sed -i 's/^digest = no$/digest = yes/' "$work/ca/authority.cnf"
kill "$authority_pid"
wait "$authority_pid"
authority_serve
ca=$work/ca/ca.pem
est=$url/.well-known/est
address=${url#https://}

# post FILE URL [curl options]: status in $code, answer in $work/answer.
post() {
	local file=$1 to=$2
	shift 2
	code=$(curl -sS --cacert "$ca" -o "$work/answer" -w '%{http_code}' \
		-H "Content-Type: ${type:-application/pkcs10}" \
		--data-binary "@$file" "$@" "$to") || die "curl"
}
want() {
	[[ $code == "$1" ]] ||
		die "$2: status $code, not $1: $(head -c 300 "$work/answer")"
}
answer_says() {
	grep -qF -- "$1" "$work/answer" ||
		die "answer does not say '$1': $(<"$work/answer")"
}
# request NAME KEY-OPTIONS...: key and base64 request of CN=NAME.
request() {
	local name=$1
	shift
	openssl req -new -nodes -newkey "$@" -keyout "$work/$name.key" \
		-subj "/CN=$name" -addext "subjectAltName=DNS:$name.example" \
		-outform DER -out "$work/$name.der" 2>"$work/err" ||
		die "openssl req"
	base64 "$work/$name.der" >"$work/$name.b64"
}
user() { printf '%s:%s' "$1" "$(<"$work/secret-$1")"; }
certificate() {
	base64 -d "$work/answer" | openssl pkcs7 -inform DER -print_certs |
		openssl x509 -out "$1" || die "no certificate in the answer"
}
ec=(ec -pkeyopt ec_paramgen_curve:P-256)

# --- cacerts, TLS --------------------------------------------------------------

curl -sS --cacert "$ca" "$est/cacerts" | base64 -d |
	openssl pkcs7 -inform DER -print_certs | openssl x509 >"$work/got.pem"
cmp -s <(openssl x509 -in "$work/got.pem" -outform DER) \
	<(openssl x509 -in "$ca" -outform DER) || die "cacerts is not ca.pem"
for version in tls1_2 tls1_3; do
	openssl s_client -connect "$address" "-$version" -CAfile "$ca" \
		-verify_return_error -verify_ip 127.0.0.1 </dev/null \
		>"$work/out" 2>&1 || die "$version"
done
openssl s_client -connect "$address" -tls1_1 -cipher DEFAULT@SECLEVEL=0 \
	</dev/null >"$work/out" 2>&1 && die "TLS 1.1 is answered"
openssl verify -CAfile "$ca" -purpose sslserver "$work/ca/tls.pem" \
	>/dev/null || die "tls.pem"
[[ $(stat -c %a "$work/ca") == 700 && $(stat -c %a \
	"$work/ca/authority.db") == 600 ]] || die "modes"
ok 'cacerts over TLS 1.2 and 1.3'

# --- every key type, both ways to show the secret ------------------------------

request rsa rsa:2048
request p256 "${ec[@]}"
request p384 ec -pkeyopt ec_paramgen_curve:P-384
request p521 ec -pkeyopt ec_paramgen_curve:P-521
request ed25519 ed25519
auth=(--basic --digest)
i=0
for name in rsa p256 p384 p521 ed25519; do
	invite "$name" default
	post "$work/$name.b64" "$est/simpleenroll" \
		"${auth[i++ % 2]}" -u "$(user "$name")"
	want 200 "$name"
	certificate "$work/$name.pem"
	openssl verify -CAfile "$ca" "$work/$name.pem" >/dev/null ||
		die "$name does not verify"
	cmp -s <(openssl x509 -in "$work/$name.pem" -noout -pubkey) \
		<(openssl pkey -in "$work/$name.key" -pubout) ||
		die "$name has another key"
	openssl x509 -in "$work/$name.pem" -noout -ext subjectAltName |
		grep -q "DNS:$name.example" || die "$name lacks its name"
done
ok 'simpleenroll: every key type, Basic and Digest'

# --- once, and the same again ----------------------------------------------------

cp "$work/answer" "$work/first"
post "$work/ed25519.b64" "$est/simpleenroll" -u "$(user ed25519)"
want 200 again
cmp -s "$work/first" "$work/answer" || die "another certificate"
post "$work/ed25519.der" "$est/default/simpleenroll" --anyauth \
	-u "$(user ed25519)"
want 200 'raw DER with a label'
cmp -s "$work/first" "$work/answer" || die "another certificate"
request other "${ec[@]}"
post "$work/other.b64" "$est/simpleenroll" -u "$(user ed25519)"
want 403 'used secret'
answer_says invite-used
ok 'a secret counts once; the same request gets the same certificate'

# --- refusals ----------------------------------------------------------------------

invite other default
post "$work/other.b64" "$est/simpleenroll"
want 401 'no secret'
post "$work/other.b64" "$est/simpleenroll" -u other:wrong
want 401 'wrong secret'
post "$work/other.b64" "$est/simpleenroll" --digest -u other:wrong
want 401 'wrong secret by Digest'
post "$work/other.b64" "$est/simpleenroll" -u nobody:wrong
want 401 'unknown name'
cp "$work/other.der" "$work/pop.der"
size=$(stat -c %s "$work/pop.der")
last=$(tail -c 1 "$work/pop.der" | od -An -tu1 | tr -d ' ')
# shellcheck disable=SC2059 # the byte is made here
printf "\\x$(printf %02x $((last ^ 1)))" |
	dd of="$work/pop.der" bs=1 seek=$((size - 1)) conv=notrunc 2>/dev/null
post "$work/pop.der" "$est/simpleenroll" -u "$(user other)"
want 400 'bad proof of possession'
head -c $((size - 1)) "$work/other.der" >"$work/short.der"
post "$work/short.der" "$est/simpleenroll" -u "$(user other)"
want 400 'truncated request'
printf 'MIIB****' >"$work/bad.b64"
post "$work/bad.b64" "$est/simpleenroll" -u "$(user other)"
want 400 'bad base64'
request weak rsa:1024
post "$work/weak.b64" "$est/simpleenroll" -u "$(user other)"
want 403 'weak key'
answer_says weak-key
openssl req -new -key "$work/rsa.key" -subj /CN=thief -outform DER \
	-out "$work/thief.der"
post "$work/thief.der" "$est/simpleenroll" -u "$(user other)"
want 403 'key of another'
answer_says key-of-another
head -c 70000 /dev/zero >"$work/big"
post "$work/big" "$est/simpleenroll" -u "$(user other)"
want 413 'too long'
post "$work/big" "$est/simpleenroll" -u "$(user other)" \
	-H 'Transfer-Encoding: chunked'
want 413 'too long in chunks'
type=text/plain post "$work/other.b64" "$est/simpleenroll" -u "$(user other)"
want 415 'content type'
post "$work/other.b64" "$est/cacerts"
want 405 'method'
post "$work/other.b64" "$est/serverkeygen"
want 404 'operation'
post "$work/other.b64" "$est/im/simpleenroll" -u "$(user other)"
want 403 'another profile'
post "$work/other.b64" "$est/nosuch/simpleenroll" -u "$(user other)"
want 404 'unknown profile'
post "$work/other.b64" "$est/simpleenroll" -u "$(user other)"
want 200 'none of it used the secret'
ok 'refusals'

# --- the identity of an invite -------------------------------------------------------

invite carol im --identity im:carol@example.com
openssl req -new -nodes -newkey "${ec[@]}" -keyout "$work/carol.key" \
	-subj /CN=carol -outform DER -out "$work/mallory.der" -addext \
	'subjectAltName=URI:im:carol@example.com,URI:im:bob@example.com' \
	2>/dev/null
post "$work/mallory.der" "$est/simpleenroll" -u "$(user carol)"
want 403 'one name too many'
answer_says im:bob@example.com
openssl req -new -key "$work/carol.key" -subj /CN=carol -outform DER \
	-out "$work/carol.der" -addext \
	'subjectAltName=URI:im:carol@example.com'
post "$work/carol.der" "$est/simpleenroll" -u "$(user carol)"
want 200 'the agreed name'
ok 'identities are held to'

# --- renewal -----------------------------------------------------------------------------

openssl req -new -nodes -newkey "${ec[@]}" -keyout "$work/new.key" \
	-subj /CN=p256 -addext subjectAltName=DNS:p256.example -outform DER \
	-out "$work/new.der" 2>/dev/null
client=(--cert "$work/p256.pem" --key "$work/p256.key")
post "$work/new.der" "$est/simplereenroll" "${client[@]}" --tls-max 1.2
want 200 'renewal over TLS 1.2'
cp "$work/answer" "$work/first"
post "$work/new.der" "$est/simplereenroll" "${client[@]}" --tlsv1.3
want 200 'the same renewal over TLS 1.3'
cmp -s "$work/first" "$work/answer" || die "another certificate"
certificate "$work/new.pem"
openssl verify -CAfile "$ca" "$work/new.pem" >/dev/null || die "renewal"
post "$work/other.der" "$est/simplereenroll" "${client[@]}"
want 403 'renewal of another name'
answer_says renewal-changes-name
post "$work/new.der" "$est/simplereenroll"
want 403 'renewal without a certificate'
openssl req -x509 -nodes -newkey "${ec[@]}" -keyout "$work/self.key" \
	-subj /CN=p256 -out "$work/self.pem" 2>/dev/null
post "$work/new.der" "$est/simplereenroll" --cert "$work/self.pem" \
	--key "$work/self.key"
want 403 'renewal with a foreign certificate'
sqlite3 "$work/ca/authority.db" "UPDATE certificates SET status = 'revoked'
	WHERE subject = 'CN=p384'"
openssl req -new -key "$work/p384.key" -subj /CN=p384 -addext \
	subjectAltName=DNS:p384.example -outform DER -out "$work/rev.der"
post "$work/rev.der" "$est/simplereenroll" --cert "$work/p384.pem" \
	--key "$work/p384.key"
want 403 'renewal of a revoked certificate'
answer_says certificate-revoked
ok 'simplereenroll'

# --- many at once ----------------------------------------------------------------------

for i in {1..20}; do
	request "many$i" "${ec[@]}"
	invite "many$i" default
done
for i in {1..20}; do
	curl -sS --cacert "$ca" -o "$work/many$i.out" -w '%{http_code}\n' \
		-H 'Content-Type: application/pkcs10' --basic \
		-u "$(user "many$i")" --data-binary "@$work/many$i.b64" \
		"$est/simpleenroll" >"$work/many$i.code" &
	pids[i]=$!
done
wait "${pids[@]}"
[[ $(cat "$work"/many*.code | sort | uniq -c | tr -s ' ') == ' 20 200' ]] ||
	die "of 20 at once: $(cat "$work"/many*.code | sort | uniq -c)"
[[ $(sqlite3 "$work/ca/authority.db" "SELECT count(DISTINCT serial)
	FROM certificates WHERE subject LIKE 'CN=many%'") == 20 ]] ||
	die "not 20 certificates"
ok '20 enrolments at once'

# --- the operator approves --------------------------------------------------------------

stop() {
	kill "-$1" "$authority_pid"
	wait "$authority_pid" || die "exit $? after $1"
	authority_pid=
}
stop TERM
sed -i 's/^approve = .*/approve = manual/; s/^retry_after = .*/retry_after = 7/
	s/^waiting = .*/waiting = 1/' \
	"$work/ca/authority.cnf"
authority_serve
est=$url/.well-known/est
invite late default
request late "${ec[@]}"
post "$work/late.b64" "$est/simpleenroll" -u "$(user late)" \
	-D "$work/headers"
want 202 'pending'
grep -qi '^retry-after: 7' "$work/headers" || die "Retry-After"
id=$(sqlite3 "$work/ca/authority.db" 'SELECT id FROM requests')
b 0 authority pending "$work/ca"
says CN=late
b 0 authority approve "$work/ca" "$id"
b 2 authority approve "$work/ca" "$id"
post "$work/late.b64" "$est/simpleenroll" -u "$(user late)"
want 200 'approved'
for i in 1 2; do
	openssl req -new -nodes -newkey "${ec[@]}" -keyout "$work/wait.key" \
		-subj /CN=p256 -addext subjectAltName=DNS:p256.example \
		-outform DER -out "$work/wait$i.der" 2>/dev/null
	post "$work/wait$i.der" "$est/simplereenroll" "${client[@]}" \
		-D "$work/headers"
	((i == 2)) || want 202 'one that waits'
done
want 429 'two that wait'
answer_says too-many-waiting
grep -qi '^retry-after: 7' "$work/headers" || die "Retry-After"
stop INT
ok 'pending until approved; SIGTERM and SIGINT stop it'

# --- too many wrong secrets; a log that was changed ----------------------------------------

authority_serve
est=$url/.well-known/est
for i in {1..21}; do
	post "$work/late.b64" "$est/simpleenroll" -u late:wrong
done
want 429 'too many wrong secrets'
grep -qF -f <(cat "$work"/secret-*) "$work/authority.log" &&
	die "a secret is in the log"
stop TERM
sqlite3 "$work/ca/authority.db" "UPDATE audit SET detail = 'x'" \
	2>/dev/null && die "the audit log can be changed"
sqlite3 "$work/ca/authority.db" 'DROP TRIGGER audit_no_update;
	UPDATE audit SET detail = "x" WHERE seq = 3'
b 1 authority serve "$work/ca" --listen 127.0.0.1:0 \
	--pin-source "file:$work/pin"
says does not fit the one before
ok 'wrong secrets are slowed down; a changed log is found'
