#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# burin fetch by CMC: a certificate, a list; by whom, by files, and what is not
# believed.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need curl openssl

peer_start
softhsm_token card
count_calls
enrol 0 alice --type ec:P-256
uri=$(j .key.uri) serial=$(j .certificate.serial) sha256=$(j .certificate.sha256)
low=${serial//:/} low=${low,,}
low=${low#00}
issued=$work/peer/issued/$low.pem
[[ -e $issued ]] || die "no $issued"
at=(--ca "$peer_url" --trust "$peer_ca")
who=(--user alice --secret "file:$work/secret")

# fetch EXIT OPTION...: without a token, into $work/got.
fetch() {
	local want=$1
	shift
	rm -f "$work/got"
	c "$want" fetch --json --out "$work/got" "${at[@]}" "$@"
	[[ $want == 0 || ! -e $work/got ]] || die 'a file, all the same'
}
same_cert() {
	openssl x509 -in "$issued" -outform DER | cmp -s - "$work/got" ||
		die 'not the certificate'
}

# --- a certificate ----------------------------------------------------------------
fetch 0 --cert "$peer_ca" --serial "$serial"
same_cert
is .certificate.sha256 "$sha256"
is .protocol cmc
is .signer 'CN=Peer CA'
is '.checks[] | select(.id == "G2").level' pass
peer_says '."looked-up"' "$low"
peer_says '.signers | length' 0
[[ ! -e $work/calls ]] || die 'a token was looked at'
fetch 0 --cert 'CN=Peer CA' --serial "$low" --pem
openssl x509 -in "$work/got" -noout -serial >/dev/null || die 'not PEM'
c 0 fetch --cert "$peer_ca" --serial "$serial" --out "$work/got.pem" "${at[@]}"
says 'answered by  CN=Peer CA'
says 'CN=alice'
grep -q '^-----BEGIN CERTIFICATE' "$work/got.pem" || die 'not PEM'
ok 'a certificate, by its issuer (file, name) and number; DER and PEM'

fetch 0 --cert "$peer_ca" --serial "$serial" --key "$uri" "${pin[@]}"
peer_says '.signers[0].kind' certificate
signed 1
fetch 0 --cert "$peer_ca" --serial "$serial" "${who[@]}"
peer_says '.signers[0].kind' mac
peer_says .identity alice
ok 'asked by nobody, by a key, with a secret'

before=$(peer_exchanges)
b 0 fetch --dry-run --cert "$peer_ca" --serial "$serial" \
	--out "$work/none" "${at[@]}"
says "would ask $peer_url (cmc), signed by nobody, for certificate"
[[ $(peer_exchanges) == "$before" && ! -e $work/none ]] || die 'not dry'
fetch 5 --cert "$peer_ca" --serial 0123
is .error.code cmc-badCertId
fetch 2 --cert "$peer_ca"
is .error.code option-missing
fetch 2 --cert "$peer_ca" --crl "$peer_ca" --serial 01
is .error.code option-missing
fetch 2 --cert "$peer_ca" --serial 1x
is .error.code serial-malformed
fetch 2 --crl "$peer_ca" --protocol est --ca https://127.0.0.1
is .error.code no-retrieval
fetch 2 --crl "$peer_ca" --response-file "$issued" --protocol cmc
is .error.code option-conflict
ok 'what there is not, and what cannot be asked'

# --- by files ------------------------------------------------------------------------
peer_start
at=(--trust "$peer_ca")
carry() {
	curl -sSf -o "$2" --data-binary "@$1" -H \
		'Content-Type: application/pkcs7-mime; smime-type=CMC-request' \
		"$peer_url" || die "curl: $(head -c 200 "$2")"
}
fetch 6 --crl "$peer_ca" --request-file "$work/list.crq"
is .error.code pending
says '--response-file'
carry "$work/list.crq" "$work/list.p7c"
peer_says .answer simple # getCRL alone
fetch 0 --crl "$peer_ca" --response-file "$work/list.p7c"
is .signer null
is .crl.revoked 0
fetch 6 --cert "$peer_ca" --serial "$serial" --protocol file --mime \
	--request-file "$work/cert.eml"
grep -qi '^MIME-Version: 1.0' "$work/cert.eml" || die 'not a mail'
fetch 7 --cert "$peer_ca" --serial "$serial" --response-file "$work/list.p7c"
is .error.code fetched-other
ok 'by files: a request out, a Simple response in'

# --- who lies -------------------------------------------------------------------------
at=(--ca "$peer_url" --trust "$peer_ca")
peer_start --simple
fetch 0 --cert "$peer_ca" --serial "$serial"
peer_says .answer simple
is .signer null
same_cert
# lie NAME CODE OPTION...
lie() {
	local name=$1 code=$2
	shift 2
	peer_start --lie "$name"
	fetch 7 "$@"
	is .error.code "$code"
}
cert=(--cert "$peer_ca" --serial "$serial")
lie other-cert fetched-other "${cert[@]}"
lie foreign-cert check-G2 "${cert[@]}"
lie old-crl crl-stale --crl "$peer_ca"
lie foreign-crl crl-signature --crl "$peer_ca"
ok 'other certificates, old lists, strangers: not believed, nothing written'

peer_decoded
