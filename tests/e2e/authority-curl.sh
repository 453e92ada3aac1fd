#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Enrolment with nothing but curl and openssl: EST simpleenroll, a PKCS#10
# posted as a Simple CMC request, and a PKIData that openssl cms signed with a
# certificate that is there already.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl openssl

authority_start
ca=$work/ca/ca.pem
ec=(ec -pkeyopt ec_paramgen_curve:P-256)
FULL='application/pkcs7-mime; smime-type=CMC-request; name=x.p7m'

# request NAME: key and PKCS#10 (DER) of CN=NAME, with its key id.
request() {
	openssl req -new -nodes -newkey "${ec[@]}" -keyout "$work/$1.key" \
		-subj "/CN=$1" -addext subjectKeyIdentifier=hash \
		-outform DER -out "$work/$1.der" 2>"$work/err" ||
		die "openssl req"
}
# post NAME PATH TYPE [curl options]: status in $code, body in $work/answer.
post() {
	local file=$1 path=$2 type=$3
	shift 3
	code=$(curl -sS --cacert "$ca" -D "$work/headers" -o "$work/answer" \
		-w '%{http_code}' -H "Content-Type: $type" \
		--data-binary "@$file" "$@" "$url$path") || die "curl"
}
want() {
	[[ $code == 200 ]] || die "$1: status $code: $(head -c 300 "$work/answer")"
	grep -qi "^content-type: .*$2" "$work/headers" ||
		die "$1 is $(grep -i ^content-type "$work/headers")"
}
# took NAME: the certificate in $work/answer is the CA's, and for NAME's key.
took() {
	openssl verify -x509_strict -CAfile "$ca" "$work/$1.pem" >/dev/null ||
		die "$1 does not verify"
	cmp -s <(openssl x509 -in "$work/$1.pem" -noout -pubkey) \
		<(openssl pkey -in "$work/$1.key" -pubout) ||
		die "$1 has another key"
}
# pick NAME: the certificate of CN=NAME out of the PKCS#7.
pick() {
	openssl pkcs7 -inform DER -in "$work/answer" -print_certs |
		awk -v cn="$1" '/^subject=/ { keep = $0 ~ "CN ?= ?" cn "$" }
			keep && /BEGIN/, keep && /END/ { if (keep) print }' \
			>"$work/$1.pem"
	[[ -s $work/$1.pem ]] || die "no certificate of $1"
	took "$1"
}
user() { printf '%s:%s' "$1" "$(<"$work/secret-$1")"; }

request est
invite est default
post <(base64 "$work/est.der") /.well-known/est/simpleenroll \
	application/pkcs10 -u "$(user est)"
want simpleenroll certs-only
base64 -d "$work/answer" >"$work/raw" && mv "$work/raw" "$work/answer"
pick est
ok 'EST simpleenroll: curl and openssl req'

request simple
invite simple default
post "$work/simple.der" /cmc application/pkcs10 -u "$(user simple)"
want 'Simple CMC request' certs-only
pick simple
ok 'Simple CMC request: curl and openssl req'

request nobody
post "$work/nobody.der" /cmc application/pkcs10
[[ $(issued_count "WHERE subject LIKE '%nobody%'") == 0 ]] ||
	die 'a certificate for nobody'
want 'a Simple request of nobody' CMC-response
ok 'and without the secret of an invite nothing is issued'

# In EST a refusal has a status of HTTP, and a message as well (RFC 7030
# section 4.3.2); at /cmc every answer is 200.
refused() {
	post "$1" "/.well-known/est/fullcmc" "$3"
	[[ $code == "$2" ]] || die "fullcmc refuses with $code, not $2"
	grep -qi '^content-type: .*CMC-response' "$work/headers" ||
		die 'a refusal of fullcmc that is no message'
	base64 -d "$work/answer" | openssl asn1parse -inform DER |
		grep -q 'id-cct-PKIResponse' ||
		die 'a refusal of fullcmc without PKIResponse'
}
refused <(base64 "$work/nobody.der") 403 application/pkcs10
refused <(echo AAAA) 400 "$FULL"
post <(printf '\0\0\0') /cmc "$FULL"
want 'what is no message at all, at /cmc' CMC-response
ok 'refusals of fullcmc: 403 and 400, with the message'

# A Full request: a renewal of est, signed with the certificate it has.
# tlv TAG FILE...: an element of DER around what is in the files.
tlv() {
	local tag=$1 n
	shift
	cat "$@" >"$work/content"
	n=$(stat -c %s "$work/content")
	if ((n < 128)); then
		printf '%b' "\\x$tag\\x$(printf %02x "$n")"
	else
		printf '%b' "\\x$tag\\x82$(printf '\\x%02x\\x%02x' \
			$((n >> 8)) $((n & 255)))"
	fi
	cat "$work/content"
}
openssl req -new -nodes -newkey "${ec[@]}" -keyout "$work/renewed.key" \
	-subj /CN=est -outform DER -out "$work/renewed.der" 2>"$work/err" ||
	die "openssl req"
printf '\x30\x17\x30\x15\x02\x01\x02\x06\x08\x2b\x06\x01\x05\x05\x07\x07\x05' \
	>"$work/part" # transactionId, bodyPartID 2
printf '\x31\x06\x02\x04\x47\x11\x47\x11' >>"$work/part"
printf '\x02\x01\x01' >"$work/one"
tlv a0 "$work/one" "$work/renewed.der" >"$work/tagged"
tlv 30 "$work/tagged" >"$work/requests"
printf '\x30\x00\x30\x00' >"$work/nothing"
tlv 30 "$work/part" "$work/requests" "$work/nothing" >"$work/data"
openssl cms -sign -binary -nodetach -in "$work/data" -outform DER \
	-econtent_type 1.3.6.1.5.5.7.12.2 -signer "$work/est.pem" \
	-inkey "$work/est.key" -out "$work/full" 2>"$work/err" ||
	die "openssl cms -sign"
post "$work/full" /cmc "$FULL"
want 'Full CMC request' CMC-response
openssl cms -verify -inform DER -in "$work/answer" -CAfile "$ca" \
	-purpose any -certsout "$work/certs.pem" -out "$work/response" \
	2>"$work/err" || die "the answer does not verify"
openssl asn1parse -inform DER -in "$work/response" >"$work/out" ||
	die "no PKIResponse"
grep -q 47114711 "$work/out" || die "another transactionId"
openssl storeutl -noout -text -certs "$work/certs.pem" >/dev/null ||
	die "no certificates"
csplit -s -z -f "$work/cert-" "$work/certs.pem" '/BEGIN CERT/' '{*}'
for file in "$work"/cert-*; do
	cmp -s <(openssl x509 -in "$file" -noout -pubkey) \
		<(openssl pkey -in "$work/renewed.key" -pubout) &&
		cp "$file" "$work/renewed.pem"
done
[[ -s $work/renewed.pem ]] || die "no renewed certificate: $(<"$work/out")"
took renewed
[[ $(openssl x509 -in "$work/renewed.pem" -noout -subject -nameopt RFC2253) \
	== 'subject=CN=est' ]] || die "another name"
ok 'Full CMC request: curl and openssl cms'

# One octet of it, and nothing is issued.
count=$(issued_count '')
head -c -1 "$work/full" >"$work/forged"
if [[ $(tail -c 1 "$work/full") == x ]]; then
	printf y >>"$work/forged"
else
	printf x >>"$work/forged"
fi
post "$work/forged" /cmc "$FULL"
want 'a forged one' CMC-response
[[ $(issued_count '') == "$count" ]] || die "issued for a wrong signature"
b 0 authority log "$work/ca"
says badMessageCheck
ok 'the same with one octet changed is refused with badMessageCheck'
