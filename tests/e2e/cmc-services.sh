#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What an authority is asked for beside certificates, by CMC: publish and
# unpublish, revoke, the list that says so; over HTTP, TLS and EST.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need openssl

peer_start
softhsm_token card
count_calls
enrol 0 alice --type ec:P-256
key=$(j .key.uri) serial=$(j .certificate.serial)
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
# --- what others are to find -------------------------------------------------------
published() { [[ -e $work/peer/published/$low.pem ]]; }
say=(--protocol cmc "${at[@]}" "${pin[@]}")
c 0 publish --json --key "$key" "${say[@]}"
is .published true
is '.certificates | length' 1
is .method dontCare
signed 1
peer_says '.signers[0].kind' certificate
published || die 'not published'
b 0 unpublish --json --dry-run --key "$key" "${say[@]}"
is .unpublished false
published || die 'not dry'
c 0 unpublish --json --key "$key" "${say[@]}"
is .unpublished true
published && die 'still published'
b 0 publish --json --method web --location http://certs.example.org/ \
	"${say[@]}" "${who[@]}" "$issued" "$issued"
published || die 'not published'
is '.certificates | length' 1
peer_says '.signers[0].kind' mac
peer_says '.places[0].method' 2
peer_says '.places[0].location' http://certs.example.org/
b 5 publish --json --key "$key" "${say[@]}" "$peer_ca"
is .error.code cmc-badCertId
b 2 publish --json --key "$key" "${at[@]}" "${pin[@]}"
is .error.code option-missing # --protocol
b 2 publish --json "${say[@]}" "$issued"
is .error.code option-missing
b 2 publish --json --method moon --key "$key" "${say[@]}"
is .error.code method-unknown
b 2 publish --json --key "$key" "${say[@]}" --protocol file
is .error.code no-publication
peer_start --lie unsigned-success
b 7 publish --json --key "$key" "${say[@]}"
is .error.code unsigned-success
peer_start
ok 'published and no longer, of the key and out of files; where, and by whom'

# --- a list -----------------------------------------------------------------------
b 0 revoke --json --dry-run --key "$key" --reason superseded --protocol cmc \
	"${at[@]}" "${pin[@]}"
is .revoked false
c 0 revoke --json --key "$key" --reason superseded --protocol cmc "${at[@]}" \
	"${pin[@]}"
is .revoked true
signed 1
peer_says .revoke.by 'its key'
fetch 0 --crl "$peer_ca"
is .crl.issuer 'CN=Peer CA'
is .crl.revoked 1
is .crl.number 02
j .crl.this_update >/dev/null
j .crl.next_update >/dev/null
openssl crl -inform DER -in "$work/got" -noout -text | tr -d ': ' |
	grep -qi "SerialNumber0*$low" || die 'the certificate is not on the list'
ok 'revoked by its key; the newest list says so'

enrol 0 carol --type ec:P-256
carol=$(j .key.uri)
b 2 revoke --json --key "$carol" --reason superseded --protocol cmc \
	"${at[@]}" "${who[@]}" "${pin[@]}"
is .error.code ca-url # not without TLS
peer_start --tls "$work/peer/tls.pem" "$work/peer/tls.key"
at=(--ca "$peer_url" --trust "$peer_ca")
c 0 revoke --json --key "$carol" --reason keyCompromise --protocol cmc \
	"${at[@]}" "${who[@]}" "${pin[@]}"
signed 0
peer_says .revoke.by 'shared secret'
fetch 0 --crl "$peer_ca" --protocol est-cmc
is .crl.revoked 2
peer_says .transport est
ok 'revoked with the secret, over TLS; fetched in EST'

peer_decoded
