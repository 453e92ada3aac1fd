#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The server and those who want too much of it: slow ones, many at once, fast
# ones; how it stops, and the socket that a service manager hands over.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl jq openssl python3

authority_start
ca=$work/ca/ca.pem
address=${url#https://}
clients() { python3 "$SOURCE_DIR/tests/e2e/clients.py" "$@"; }
get() {
	curl -sS --cacert "$ca" -D "$work/headers" -o "$work/answer" \
		-w '%{http_code}' "$@"
}
again() {
	kill "$authority_pid" 2>/dev/null
	wait "$authority_pid"
	sed -i "s/^$1 = .*/$1 = $2/" "$work/ca/authority.cnf"
	authority_serve
	address=${url#https://}
}

# A byte a second keeps a connection from being idle, and does not keep it.
clients drip "$address" "$ca" >"$work/drip" 2>&1 &
drip=$!

# --- many at once ------------------------------------------------------------

# 64 connections of one address, the dripping one among them; others get in.
served=$(clients crowd "$address" "$ca" 80)
((served >= 60 && served <= 64)) || die "$served of 80 connections served"
[[ $(get "$url/healthz" --interface 127.0.0.2) == 200 ]] ||
	die 'one address keeps others out'
ok 'connections of one address are limited'

wait "$drip"
((35 >= $(<"$work/drip") && $(<"$work/drip") >= 25)) ||
	die "a slow client was closed after $(<"$work/drip") s"
[[ $(get "$url/healthz") == 200 ]] || die 'not well after it'
ok 'a request takes half a minute at most'

# --- fast ones ----------------------------------------------------------------

again rate 6
for i in 1 2 3 4 5 6; do
	[[ $(get "$url/healthz") == 200 ]] || die "request $i"
done
[[ $(get "$url/healthz") == 429 ]] || die 'a seventh request is served'
grep -qi '^retry-after: 11' "$work/headers" || die 'Retry-After'
grep -q 'more than 6 requests' "$work/answer" || die 'says nothing'
[[ $(get "$url/healthz" --interface 127.0.0.2) == 200 ]] ||
	die 'one address uses up the rate of others'
sleep 11
[[ $(get "$url/healthz") == 200 ]] || die 'no room after a while'
again rate 0
for i in {1..12}; do
	[[ $(get "$url/healthz") == 200 ]] || die "request $i of any number"
done
ok 'requests of an address have a rate'

# --- stopping ---------------------------------------------------------------------

# What is under way is answered, nothing new is begun.
read -r busy idle < <(clients finish "$address" "$ca" "$authority_pid")
[[ $busy == 401 ]] || die "the request under way: $busy"
[[ $idle == 503 || $idle == 0 ]] || die "a request after the signal: $idle"
wait "$authority_pid" || die "exit $?"
authority_pid=
ok 'stops when it has answered'

# --- what needs no TLS ------------------------------------------------------------------

# The place that certificates name for the CRL cannot need the CRL.
sed -i 's,^#http_url = .*,http_url = http://127.0.0.1:18080,' \
	"$work/ca/authority.cnf"
: >"$work/ready"
burin "${ca_module[@]}" authority serve "$work/ca" --json \
	--listen 127.0.0.1:0 --http-listen 127.0.0.1:0 \
	--pin-source "file:$work/pin" >"$work/ready" \
	2>>"$work/authority.log" &
authority_pid=$!
for ((i = 0; i < 200; i++)); do
	[[ ! -s $work/ready ]] || break
	sleep 0.1
done
url=$(jq -r .url "$work/ready")
plain=$(jq -r .http_url "$work/ready")
[[ $plain == http://127.0.0.1:* ]] || die "no http_url: $(<"$work/ready")"
invite plain smime-sign
openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	-keyout "$work/plain.key" -subj /CN=plain -outform DER \
	-addext subjectAltName=email:plain@example.com \
	-out "$work/plain.der" 2>/dev/null
enrol() {
	get "$1/.well-known/est/simpleenroll" -u "plain:$(<"$work/secret-plain")" \
		-H 'Content-Type: application/pkcs10' \
		--data-binary "@$work/plain.der"
}
[[ $(enrol "$plain") == 404 ]] || die 'enrols without TLS'
grep -q '/ca.crl and /ca.cer only' "$work/answer" || die 'says nothing'
[[ $(enrol "$url") == 200 ]] || die "no certificate: $(<"$work/answer")"
base64 -d "$work/answer" | openssl pkcs7 -inform DER -print_certs |
	openssl x509 -out "$work/plain.pem"
# Where the certificate says, with the port that was free here.
place() {
	openssl x509 -in "$work/plain.pem" -noout -ext "$1" |
		sed -n 's/.*URI:\(.*\)/\1/p'
}
crl_at=$(place crlDistributionPoints) ca_at=$(place authorityInfoAccess)
[[ $crl_at == http://127.0.0.1:18080/ca.crl ]] || die "CRLDP: $crl_at"
[[ $ca_at == http://127.0.0.1:18080/ca.cer ]] || die "AIA: $ca_at"
fetch() { get "$plain/${1##*/}"; }
[[ $(fetch "$crl_at") == 200 ]] || die 'no CRL'
grep -qi '^content-type: application/pkix-crl' "$work/headers" || die 'type'
openssl crl -inform DER -in "$work/answer" -out "$work/plain.crl" ||
	die 'not a CRL'
[[ $(fetch "$ca_at") == 200 ]] || die 'no CA certificate'
openssl x509 -inform DER -in "$work/answer" -out "$work/plain-ca.pem"
verify() {
	openssl verify -crl_check_all -x509_strict -CAfile "$work/plain-ca.pem" \
		-CRLfile "$work/plain.crl" "$work/plain.pem" >"$work/verify" 2>&1
}
verify || die "$(<"$work/verify")"
b 0 authority revoke "$work/ca" "$(openssl x509 -in "$work/plain.pem" -noout \
	-serial | cut -d= -f2)" --reason superseded
[[ $(fetch "$crl_at") == 200 ]] || die 'no CRL'
openssl crl -inform DER -in "$work/answer" -out "$work/plain.crl"
! verify || die 'a revoked one verifies'
grep -q 'certificate revoked' "$work/verify" || die "$(<"$work/verify")"
[[ $(get -d x "$plain/ca.crl") == 405 ]] || die 'a POST to the CRL'
grep -qi '^allow: GET' "$work/headers" || die 'no Allow'
for path in / /metrics /healthz /cmc /cmc/default /.well-known/est/cacerts; do
	[[ $(get "$plain$path") == 404 ]] || die "$path without TLS"
	[[ $(get -d x "$plain$path") == 404 ]] || die "POST $path without TLS"
done
[[ $(get "$url/ca.crl") == 200 ]] || die 'no CRL by HTTPS'
kill "$authority_pid"
wait "$authority_pid" || die "exit $?"
authority_pid=
ok 'CRL and CA certificate over plain HTTP, and nothing else'

# --- settings, sockets of a service manager ------------------------------------------

for setting in 'rate = -1' 'rate = 100001' 'link = maybe' 'page = some'; do
	sed -i.bak "s/^${setting%% *} = .*/$setting/" "$work/ca/authority.cnf"
	b 2 authority serve "$work/ca" --listen 127.0.0.1:0 \
		--pin-source "file:$work/pin"
	says "authority.cnf: ${setting%% *} is"
	mv "$work/ca/authority.cnf.bak" "$work/ca/authority.cnf"
done
ok 'settings that make no sense are refused'

pkg-config --exists libsystemd || skip 'libsystemd-dev is not installed'
# activated NAMES: serves with sockets of these names.
activated() {
	local i
	: >"$work/ready"
	python3 "$SOURCE_DIR/tests/e2e/clients.py" activate "$1" \
		burin "${ca_module[@]}" authority serve "$work/ca" \
		--pin-source "file:$work/pin" >"$work/ready" \
		2>"$work/activated" &
	authority_pid=$!
	for ((i = 0; i < 200; i++)); do
		[[ ! -s $work/ready ]] || break
		sleep 0.1
	done
	mapfile -t port < <(grep -E '^[0-9]+$' "$work/activated")
}
over() {
	kill "$authority_pid"
	wait "$authority_pid" || die "exit $?"
	authority_pid=
}
activated burin-authority@lab.socket
# The certificate names localhost, the first of the hosts.
[[ $(<"$work/ready") == "ready https://localhost:${port[0]}" ]] ||
	die "not on the socket: $(<"$work/ready"); $(<"$work/activated")"
[[ $(get "https://127.0.0.1:${port[0]}/healthz") == 200 ]] ||
	die 'no answer there'
over
activated http:https
[[ $(<"$work/ready") == "ready https://localhost:${port[1]} http://localhost:${port[0]}" ]] ||
	die "not on both: $(<"$work/ready"); $(<"$work/activated")"
[[ $(get "https://127.0.0.1:${port[1]}/healthz") == 200 ]] ||
	die 'no answer by HTTPS'
[[ $(get "http://127.0.0.1:${port[0]}/ca.crl") == 200 ]] ||
	die 'no CRL by HTTP'
over
for names in https:https http:http https:http:more; do
	got=0
	clients activate "$names" burin "${ca_module[@]}" authority serve \
		"$work/ca" --pin-source "file:$work/pin" >"$work/out" \
		2>"$work/err" || got=$?
	[[ $got == 2 ]] || die "$names: exit $got"
	says 'one listening stream socket'
done
ok 'takes the sockets of a service manager'
