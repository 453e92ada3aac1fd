#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# CMP by OpenSSL's client with keys of the token, against openssl's mock
# server. It answers with the one certificate it was given, so the keys are
# there before it is.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl pkcs11-tool

pin=(--pin-source "file:$work/pin")
ca=$work/ca.pem
mock_log=$work/mock.log
printf 'correct horse\n' >"$work/secret"
printf 'wrong horse\n' >"$work/wrong"

ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
# certify NAME EXTENSIONS: NAME.pem of the key of the request NAME.csr.
certify() {
	openssl x509 -req -in "$work/$1.csr" -CA "$ca" -CAkey "$work/ca.key" \
		-out "$work/$1.pem" -days 30 "${@:2}" 2>"$work/err" ||
		die "openssl x509"
}
openssl req -x509 "${ec[@]}" -keyout "$work/ca.key" -out "$ca" -days 30 \
	-subj '/CN=CMP CA' -addext 'keyUsage=critical,keyCertSign' \
	2>"$work/err" || die "openssl req"
openssl req "${ec[@]}" -keyout "$work/srv.key" -out "$work/srv.csr" \
	-subj '/CN=CMP server' 2>"$work/err" || die "openssl req"
printf 'keyUsage=digitalSignature\nsubjectAltName=IP:127.0.0.1\n' >"$work/srv.ext"
certify srv -extfile "$work/srv.ext"
openssl req -x509 "${ec[@]}" -keyout "$work/other.key" -out "$work/other.pem" \
	-days 30 -subj '/CN=other' 2>"$work/err" || die "openssl req"

# mock NAME PORT [options]: the server that answers with NAME.pem, on $port.
mock_pid=
mock() {
	local i
	mock_stop
	: >"$mock_log"
	openssl cmp -config '' -port "$2" -srv_ref alice \
		-srv_secret "file:$work/secret" \
		-srv_cert "$work/srv.pem" -srv_key "$work/srv.key" \
		-srv_trusted "$ca" -rsp_cert "$work/$1.pem" "${@:3}" \
		>"$mock_log" 2>&1 &
	mock_pid=$!
	servers+=("$mock_pid")
	for ((i = 0; i < 200; i++)); do
		port=$(sed -nE 's/.*ACCEPT .*:([0-9]+) PID.*/\1/p' "$mock_log")
		[[ -z $port ]] || break
		kill -0 "$mock_pid" 2>/dev/null || die "mock: $(<"$mock_log")"
		sleep 0.05
	done
	[[ -n $port ]] || die "mock: $(<"$mock_log")"
	at=(--protocol cmp --ca "http://127.0.0.1:$port/pkix/" --trust "$ca")
}
mock_stop() {
	[[ -n $mock_pid ]] || return 0
	kill "$mock_pid" 2>/dev/null
	wait "$mock_pid" 2>/dev/null
	mock_pid=
}
who=(--user alice --secret "file:$work/secret")

# A shim between burin and the token writes every call down.
export BURIN_SHIM_MODULE=$SOFTHSM BURIN_MOCK=$work/shim.conf
printf 'calls_file=%s\n' "$work/calls" >"$BURIN_MOCK"
module=(--module "$BUILD_DIR/mock/burin-shim.so")
# signs N: how many signatures the token made since the last time.
signs() {
	local n
	n=$(grep -c '^C_Sign CKR_OK$' "$work/calls")
	rm -f "$work/calls"
	[[ $n == "$1" ]] || die "$n signatures, not $1"
}

# key NAME TYPE [SUBJECT]: a token with a key, $uri, and the certificate for
# the mock.
key() {
	softhsm_token "$1"
	b 0 keygen --json --token "$1" --type "$2" --label k "${pin[@]}"
	uri=$(j .key.uri)
	who_is=(--subject "CN=$1" --san "email:$1@example.com")
	(($# == 2)) || who_is=("${@:3}")
	b 0 request --key "$uri" "${who_is[@]}" --out - "${pin[@]}"
	openssl req -inform DER -in "$work/out" -out "$work/$1.csr" \
		2>"$work/err" || openssl req -in "$work/out" \
		-out "$work/$1.csr" || die 'no request'
	certify "$1" -copy_extensions copyall
	rm -f "$work/calls"
}
# unchanged: the token has its key and nothing else.
unchanged() {
	[[ $(object_list "$1" | grep -cE '^(Certificate|Private)') == 1 ]] ||
		die "the token changed: $(object_list "$1")"
}

# --- every command, both kinds of keys ---------------------------------------
for type in rsa:2048 ec:P-384; do
	name=t-${type/:/-}
	key "$name" "$type"
	mock "$name" 0
	for command in ir cr p10cr; do
		b 0 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" \
			--cmp-command "$command" "${who[@]}" --replace \
			"${pin[@]}"
		is .state 'done'
		is .certificate.subject "CN=$name"
		# PKCS#10; the CertRequest as well but for p10cr.
		case $command in
		p10cr) signs 1 ;;
		*) signs 2 ;;
		esac
	done
	ok "$type: ir, cr, p10cr with a secret"

	# PKCS#10, CertRequest, kur, certConf.
	b 0 enroll --json --key "$uri" --reenroll "${at[@]}" "${pin[@]}"
	is .state 'done'
	is .certificate.subject "CN=$name"
	signs 4
	b 0 enroll --json --key "$uri" --reenroll --cmp-command cr "${at[@]}" \
		"${pin[@]}"
	is .state 'done'
	signs 4
	b 0 enroll --json --key "$uri" --reenroll --cmp-command p10cr \
		"${at[@]}" "${pin[@]}"
	is .state 'done'
	signs 3
	b 0 verify --json --key "$uri" --trust "$ca" "${pin[@]}"
	rm -f "$work/calls"
	ok "$type: kur, cr and p10cr, signed by the key; the identity is whole"

	b 0 revoke --json --dry-run --key "$uri" --reason superseded \
		"${at[@]}" "${pin[@]}"
	is .revoked false
	b 0 revoke --json --key "$uri" --reason superseded "${at[@]}" "${pin[@]}"
	is .revoked true
	is .reason superseded
	is .certificate.subject "CN=$name"
	signs 1
	b 0 revoke --json --key "$uri" --reason keyCompromise "${at[@]}" \
		"${who[@]}" "${pin[@]}"
	is .revoked true
	[[ ! -e $work/calls ]] || ! grep -q '^C_Sign ' "$work/calls" ||
		die 'signed without need'
	ok "$type: revoked, signed by the key and with the secret"
done
mock "$name" 0 -grant_implicitconf
rm -f "$work/calls"
b 0 enroll --json --key "$uri" --reenroll "${at[@]}" "${pin[@]}"
signs 3
ok 'an implicit confirmation saves a signature'

# A new key, vouched for by the old one. (The mock updates no other key.)
old=$uri
key fresh rsa:2048
mock fresh 0
b 0 enroll --json --key "$uri" "${who_is[@]}" --reenroll="$old" \
	--cmp-command cr "${at[@]}" "${pin[@]}"
is .state 'done'
is .key.uri "$uri"
signs 4
ok 'rekeyed: the old key protects, the new one proves possession'
key again ec:P-256
mock again 0
name=again

# --- waiting -------------------------------------------------------------------
mock "$name" 0 -poll_count 2 -check_after 1
b 0 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" \
	--replace "${pin[@]}"
is .state 'done'
mock "$name" 0 -poll_count 100 -check_after 1
b 9 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" \
	--replace --timeout 6 "${pin[@]}"
is .error.code cmp-waiting
job=$(j .id)
mock "$name" "$port"
b 0 resume --json "$job" "${pin[@]}"
is .state 'done'
mock "$name" 0 -poll_count 100 -check_after 1
burin "${module[@]}" enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" \
	"${who[@]}" --replace --timeout 600 "${pin[@]}" \
	>"$work/out" 2>"$work/err" </dev/null &
pid=$!
for ((i = 0; i < 200; i++)); do
	(($(grep -c POST "$mock_log") < 3)) || break
	sleep 0.1
done
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[[ $got == 9 ]] || die "exit $got while waiting"
is .error.code interrupted
ok 'polled within the time; beyond it the same request is asked anew'

# --- refused --------------------------------------------------------------------
key no ec:P-256
mock no 0
b 5 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" --user alice \
	--secret "file:$work/wrong" "${pin[@]}"
# The mock has no better word for it.
is .error.code cmp-badRequest
is .error.rule 'RFC 9810 section 5.2.3'
says 'wrong pbm value'
unchanged no
ok 'a wrong secret is refused'
b 5 enroll --json --key "$uri" "${who_is[@]}" --protocol cmp "${who[@]}" \
	--ca "http://127.0.0.1:$port/nowhere" --trust "$ca" "${pin[@]}"
is .error.code http-404
unchanged no

mock other 0
b 7 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" "${pin[@]}"
is .error.code check-G1
is .state refused
unchanged no
mock other 0 -grant_implicitconf
b 7 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" "${pin[@]}"
is .error.code check-G1
unchanged no
ok "another key's certificate is not taken"

mock no 0 -pkistatus 2 -failure 9 -statusstring 'no proof' -send_unprot_err
b 5 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" "${pin[@]}"
is .error.code cmp-badPOP
says 'no proof'
job=$(j .id)
mock no "$port" -send_unprotected
b 5 resume --json "$job" "${pin[@]}"
is .error.code cmp-answer
unchanged no
mock no "$port"
b 0 resume --json "$job" "${pin[@]}"
is .state 'done'
# Signed by somebody, but not by who is trusted.
serial=$(j .certificate.serial)
b 5 enroll --json --key "$uri" --reenroll "${at[@]}" \
	--tls-trust "$work/other.pem" "${pin[@]}"
is .error.code cmp-answer
b 5 revoke --json --key "$uri" --reason superseded "${at[@]}" \
	--tls-trust "$work/other.pem" "${pin[@]}"
is .error.code cmp-answer
b 0 verify --json --key "$uri" --trust "$ca" "${pin[@]}"
is .certificate.serial "$serial"
ok 'an unprotected refusal is told, an unprotected success not believed'

mock no 0 -send_unprotected
b 5 revoke --json --key "$uri" --reason superseded "${at[@]}" "${pin[@]}"
is .error.code cmp-answer
mock other 0
b 5 revoke --json --key "$uri" --reason superseded "${at[@]}" "${pin[@]}"
j '.error.code | select(startswith("cmp-"))' >"$work/code"
mock_stop
b 9 revoke --json --key "$uri" --reason superseded "${at[@]}" "${pin[@]}"
is .error.code network-unreachable
ok 'a revocation that is refused, or cannot be asked for, says so'

# --- nobody there ------------------------------------------------------------
key later rsa:2048
SECONDS=0
b 9 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" "${pin[@]}"
((SECONDS < 30)) || die "$SECONDS seconds for a closed port"
is .error.code network-unreachable
job=$(j .id)
unchanged later
mock later "$port"
b 0 resume --json "$job" "${pin[@]}"
is .state 'done'
ok 'nothing listens: resumed when it does'

# --- what only PKCS#10 can say -------------------------------------------------
key many ec:P-256
mock many 0
b 0 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" \
	--attribute 'unstructuredName=desk 4' "${pin[@]}"
signs 1
key bare ec:P-256 --san email:bare@example.com
mock bare 0
b 2 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" \
	--cmp-command ir "${pin[@]}"
is .error.code cmp-crmf
rm -f "$work/calls"
b 0 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" "${pin[@]}"
signs 1
is '.certificate.sans[0]' email:bare@example.com
ok 'attributes, or no subject: PKCS#10 by itself'

# --- EdDSA ---------------------------------------------------------------------
unwind slow
key ed ed25519
mock ed 0
b 0 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" "${pin[@]}"
is .state 'done'
mock_stop
b 2 enroll --json --key "$uri" --reenroll "${at[@]}" "${pin[@]}"
is .error.code cmp-eddsa
b 2 revoke --json --key "$uri" --reason superseded "${at[@]}" "${pin[@]}"
is .error.code cmp-eddsa
unwind fast
ok 'Ed25519: proves possession, and is told that it cannot protect messages'

# --- what cannot be asked -------------------------------------------------------
b 2 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${pin[@]}"
is .error.code option-missing
b 2 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" \
	--cmp-command kur "${pin[@]}"
is .error.code cmp-command
b 2 enroll --json --key "$uri" "${who_is[@]}" "${at[@]}" "${who[@]}" \
	--cmp-command ir --attribute 'unstructuredName=desk 4' "${pin[@]}"
is .error.code cmp-crmf
b 2 enroll --json --key "$uri" "${who_is[@]}" --trust "$ca" "${who[@]}" \
	--ca https://127.0.0.1 --cmp-command ir "${pin[@]}"
is .error.code option-conflict
b 2 enroll --json --key "$uri" "${who_is[@]}" --protocol cmp "${who[@]}" \
	--ca "http://127.0.0.1:$port/" --ca-fingerprint "$(openssl x509 -in "$ca" -noout -fingerprint -sha256 | cut -d= -f2)" \
	"${pin[@]}"
is .error.code no-ca-certificates
b 2 revoke --json --key "$uri" --reason bored "${at[@]}" "${pin[@]}"
is .error.code reason-unknown
b 2 revoke --json --key "$uri" --reason superseded --protocol est \
	--ca https://127.0.0.1 --trust "$ca" "${pin[@]}"
is .error.code no-revocation
ok 'refused before anything is done, with a reason'

# --- liars ----------------------------------------------------------------------
[[ -x /usr/bin/python3 ]] || skip 'python3 is not installed'
# relay TARGET [CERT KEY]: tests/e2e/cmp_relay.py in between, on $relay.
relay() {
	local i
	: >"$work/relay.port"
	/usr/bin/python3 "$SOURCE_DIR/tests/e2e/cmp_relay.py" \
		"$work/relay.port" "$work/seen" "$@" &
	servers+=($!)
	for ((i = 0; i < 200; i++)); do
		[[ ! -s $work/relay.port ]] || break
		sleep 0.05
	done
	relay=$(<"$work/relay.port")
	[[ -n $relay ]] || die 'no relay'
}
# answer TYPE BYTES: what the next liar says.
answer() {
	printf 'HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n' \
		"$1" "$(stat -c %s "$2")" | cat - "$2" >"$work/lie"
}
key lied ec:P-256
relay "$work/lie"
lies=(--key "$uri" "${who_is[@]}" --protocol cmp --trust "$ca" "${who[@]}"
	--ca "http://127.0.0.1:$relay/" "${pin[@]}")
printf 'no ASN.1' >"$work/bytes"
answer application/pkixcmp "$work/bytes"
b 5 enroll --json "${lies[@]}"
is .error.code answer-malformed
answer text/html "$work/bytes"
b 5 enroll --json "${lies[@]}"
is .error.code answer-type
head -c 2000000 /dev/zero >"$work/bytes"
answer application/pkixcmp "$work/bytes"
b 5 enroll --json "${lies[@]}"
is .error.code answer-too-large
unchanged lied
ok 'garbage, another media type, too much of it: refused'

# --- over TLS, and what goes over the line ---------------------------------------
key tls ec:P-256
mock tls 0
relay "$port" "$work/srv.pem" "$work/srv.key"
over=(--protocol cmp --ca "https://127.0.0.1:$relay/pkix/" --trust "$ca")
b 9 enroll --json --key "$uri" "${who_is[@]}" "${over[@]}" "${who[@]}" \
	--tls-trust "$work/other.pem" "${pin[@]}"
is .error.code server-untrusted
[[ ! -s $work/seen ]] || die 'something was sent to a stranger'
b 9 enroll --json --key "$uri" "${who_is[@]}" --protocol cmp --trust "$ca" \
	--ca "https://localhost:$relay/pkix/" "${who[@]}" "${pin[@]}"
is .error.code server-untrusted
[[ ! -s $work/seen ]] || die 'something was sent to another name'
b 0 enroll --json --key "$uri" "${who_is[@]}" "${over[@]}" "${who[@]}" "${pin[@]}"
is .state 'done'
# What the PKCS#10 asks for is in the CRMF request.
grep -qa 'tls@example.com' "$work/seen" || die 'no SAN in the request'
grep -qai 'Content-Type: application/pkixcmp' "$work/seen" || die 'media type'
! grep -qaiE 'correct horse|Authorization|transfer-encoding: base64' \
	"$work/seen" || die 'the secret went over the line'
ok 'over TLS: anchors and host name count, and the secret stays here'
