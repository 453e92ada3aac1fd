#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# burin renew for other names: the request repeats those of the old
# certificate, which vouches for it, and asks for the new ones with
# changeSubjectName (RFC 10002, RFC 6402 section 2.8; RFC 7030 section 4.2.2).
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need openssl

peer_start
softhsm_token card
count_calls
enrol 0 old --type ec:P-256 --san dns:old.example.org
key=$(j .key.uri)
renew() { # EXIT OPTION...
	local want=$1
	shift
	c "$want" renew --json --key "$key" --ca "$peer_url" \
		--trust "$peer_ca" "${pin[@]}" "$@"
}
attributes() { peer_says '.requests[0].attributes | sort | join(" ")' "$1"; }

# --- in CMC ------------------------------------------------------------------------
for inner in pkcs10 crmf; do
	renew 0 --protocol cmc --inner "$inner" --subject "CN=new-$inner" \
		--san "dns:$inner.example.org" --san email:a@example.org
	is .state 'done'
	is .certificate.subject "CN=new-$inner"
	is '.certificate.sans | join(" ")' \
		"dns:$inner.example.org email:a@example.org"
	is '.checks[] | select(.id == "G4").level' pass
	says 'changeSubjectName'
	signed 2
	peer_says '.signers[0].kind' certificate
	[[ $(peer_log '."linked-by-certificate"') != null ]] ||
		die 'not linked by the names of the certificate'
	peer_says '.requests[0].form' "$inner"
	peer_log '.requests[0].attributes | join(" ")' |
		grep -q changeSubjectName || die 'no changeSubjectName'
done
ok 'new names in PKCS#10 and CRMF, under those of the old certificate'

# Only those that are wanted are in it: the alternative names go.
renew 0 --protocol cmc --subject CN=alone --legacy
is .certificate.subject CN=alone
is '.certificate.sans | length' 0
# The encoding of RFC 6402 has no tag.
/usr/bin/python3 - "$work/peer/$(peer_log .in)" <<-'PY' || die 'the tag of RFC 10002'
	import sys
	data = open(sys.argv[1], "rb").read()
	at = data.index(bytes.fromhex("06082b06010505070724"))
	# SET { SEQUENCE { Name } }
	sys.exit(data[at + 10] != 0x31 or b"\xa1" in data[at + 14:at + 16])
PY
renew 0 --protocol cmc --san dns:names.example.org
is .certificate.subject ''
is '.certificate.sans[0]' dns:names.example.org
ok 'names that are not given are gone; --legacy: as RFC 6402 has it'

# The same names are no change.
renew 0 --protocol cmc --san dns:names.example.org
attributes 1.2.840.113549.1.9.14
ok 'the same names are no change'

renew 0 --protocol cmc --rekey --label rekeyed --subject CN=rekeyed
is .certificate.subject CN=rekeyed
[[ $(j .key.uri) != "$key" ]] || die 'the same key'
ok 'a new key for the new name'

# Who does not hear of it issues for the old names: that is somebody else.
peer_start --lie other-names
renew 7 --protocol cmc --subject CN=unheard
is .error.code check-G4
b 0 abandon "$(j .id)" "${pin[@]}"
ok 'an authority that does not know changeSubjectName: refused by the names'

# --- in EST ------------------------------------------------------------------------
peer_start --tls "$work/peer/tls.pem" "$work/peer/tls.key"
renew 0 --protocol est --subject CN=est --san dns:est.example.org
is .state 'done'
is .certificate.subject CN=est
is '.certificate.sans[0]' dns:est.example.org
peer_says .kind simple-request
attributes '1.2.840.113549.1.9.14 changeSubjectName'
[[ $(peer_log '."linked-by-certificate"') != null ]] || die 'not linked'
renew 0 --protocol est --legacy --san dns:rfc6402.example.org
is .certificate.subject ''
is '.certificate.sans[0]' dns:rfc6402.example.org
renew 0 --protocol est
is '.certificate.sans[0]' dns:rfc6402.example.org
attributes 1.2.840.113549.1.9.14
renew 2 --protocol est --inner crmf --subject CN=no
is .error.code option-conflict
ok "EST's simplereenroll, in both encodings"
peer_decoded
