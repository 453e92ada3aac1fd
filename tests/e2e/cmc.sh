#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Enrolments in CMC against an authority that shares no code with burin: every
# type of key, both forms of request, every transport, renewing, the forms of
# an answer; and two signatures of the token, never more.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need openssl pkcs11-tool sqlite3

peer_start
softhsm_token card
count_calls

# --- every type of key that signs, PKCS#10 and CRMF --------------------------
types=(rsa:2048 ec:P-256 ec:P-384 ec:P-521 ed25519)
if instrumented; then
	types=(rsa:2048 ec:P-256 ed25519)
fi
for inner in pkcs10 crmf; do
	for type in "${types[@]}"; do
		[[ $type != ed25519 ]] || unwind slow
		enrol 0 "$inner-${type//[:.]/-}" --type "$type" --inner "$inner"
		is .state 'done'
		signed 2
		peer_says '.requests[0].form' "$inner"
		peer_says '.signers | length' 1
		peer_says '.signers[0].kind' request
		peer_says '."identity-proofs"[0].result' ok
		peer_says '.links[0].result' ok
		peer_says '.pops | length' 1
		b 0 verify --json --key "$(j .key.uri)" --trust "$peer_ca" \
			"${pin[@]}"
	done
	unwind fast
	ok "$inner in CMC: ${types[*]}, two signatures each"
done

# --- an existing certificate signs ---------------------------------------------
# A key that signs proves itself, and the old one who asks: two. A key that
# only decrypts or derives has nothing to sign with: one for each message.
renew=(--protocol cmc --ca "$peer_url" --trust "$peer_ca" "${pin[@]}")
enrol 0 old --type ec:P-256 --san dns:old.example.org
old=$(j .key.uri) serial=$(j .certificate.serial)
c 0 renew --json --key "$old" "${renew[@]}"
is .state 'done'
is .key.uri "$old"
is '.certificate.sans|join(" ")' dns:old.example.org
[[ $(j .certificate.serial) != "$serial" ]] || die 'the same certificate'
signed 2
peer_says '.signers[0].kind' certificate
peer_says '."linked-by-certificate"' "$(tr '[:upper:]' '[:lower:]' \
	<<<"${serial//:/}")"
[[ $(object_list card | grep -cE '^ *label: *old$') == 3 ]] ||
	die 'the old certificate is still there'
ok 'renew: the same key, the certificate signs, two signatures'

c 0 renew --json --rekey --key "$old" --label new "${renew[@]}"
is .state 'done'
[[ $(j .key.uri) != "$old" ]] || die 'the same key'
signed 2
peer_says '.signers[0].kind' certificate
peer_says '.requests[0].popo' signature
ok 'renew --rekey: the old certificate signs for the new key'

c 0 enroll --json --token card --label agreed --type ec:P-256 --usage derive \
	--inner crmf --pop-cert "$work/peer/agree.pem" --subject CN=old \
	--san dns:old.example.org --reenroll="$old" "${renew[@]}"
is .state 'done'
signed 1
called C_DeriveKey 2 # to make the proof, and to check it before it goes
peer_says '.signers[0].kind' certificate
peer_says '.requests[0].popo' agreement
ok 'a key that signs nothing, by static ECDH: one signature in all'

peer_start --challenge
before=$(peer_exchanges)
c 0 enroll --json --token card --label decrypt --type rsa:2048 --usage decrypt \
	--subject CN=old --san dns:old.example.org --reenroll="$old" \
	"${renew[@]}"
is .state 'done'
[[ $(($(peer_exchanges) - before)) == 2 ]] || die 'not two messages'
signed 2
called C_Decrypt 1
peer_says '.signers[0].kind' certificate
peer_says '."decrypted-pops"[0].result' ok
ok 'a key that signs nothing, by challenge: one signature for each message'

# --- the ways ------------------------------------------------------------------
peer_start --tls "$work/peer/tls.pem" "$work/peer/tls.key"
enrol 0 https
is .state 'done'
peer_says .transport http
ok 'HTTPS'

enrol 0 est-cmc --protocol est-cmc
is .state 'done'
peer_says .transport est
peer_start --tls "$work/peer/tls.pem" "$work/peer/tls.key" --refuse badAlg
enrol 5 est-refused --protocol est-cmc
is .error.code cmc-badAlg
says 'not today'
ok "EST's fullcmc, and its refusal with a body"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/other.key" -subj /CN=localhost -days 2 \
	-addext 'subjectAltName = DNS:localhost,IP:127.0.0.1' \
	-out "$work/other.pem" 2>/dev/null || die 'openssl req'
peer_start --tls "$work/other.pem" "$work/other.key"
before=$(peer_exchanges)
enrol 9 foreign-server
is .error.code server-untrusted
[[ $(peer_exchanges) == "$before" ]] || die 'a stranger was told'
job=$(j .id)
resume 9 "$job" # still a stranger
peer_start --tls "$work/peer/tls.pem" "$work/peer/tls.key"
resume 0 "$job"
is .state 'done'
ok 'a server of a foreign CA hears nothing; the job goes on with the right one'

peer_start --tcp
enrol 0 tcp
is .state 'done'
peer_says .transport tcp
enrol 0 tcp-crmf --inner crmf
ok 'bare TCP'

# --- the forms of an answer -----------------------------------------------------
peer_start --simple
enrol 0 simple
peer_says .answer simple
ok 'a simple response'

peer_start --status-v1 --ber
enrol 0 ber --inner crmf
peer_says '.status[0].status' success
[[ $(openssl asn1parse -inform DER -in "$work/peer/$(peer_log .out)" |
	grep -c 'l=inf') -gt 0 ]] || die 'no indefinite length in the answer'
ok 'statusInfo beside statusInfoV2, BER with strings in pieces'

peer_start --challenge --mac-response
enrol 0 mac --type ec:P-256 --usage derive
peer_says .answer mac
peer_says '.signers[0].kind' mac
signed 0
ok 'MACed request, MACed response: nothing is signed'

peer_start --encrypt-response
enrol 0 encrypted --type rsa:2048 --usage sign,decrypt
is .state 'done'
peer_says '."answer-encrypted"' true
signed 2
called C_Decrypt 1
peer_start --encrypt-response --challenge
enrol 0 encrypted-ec --type ec:P-256 --usage derive
peer_says '."answer-encrypted"' true
ok 'an answer encrypted for the key itself, RSA and EC'

peer_start
for cert in encrypt agree; do
	enrol 0 "to-$cert" --encrypt-to "$work/peer/$cert.pem"
	is .state 'done'
	peer_says '.layers[0]' enveloped
done
ok 'a message encrypted for the authority, RSA and EC'

peer_start --legacy
enrol 5 modern
is .error.code cmc-badAlg
enrol 0 legacy --legacy
peer_says '."identity-proofs"[0].hash' sha1
peer_says '.links[0].keygen' sha1
ok 'a peer of RFC 2797 wants --legacy'

# 33 and 34 of such an authority are the other way round: it takes the
# identity proof for something else, and says so.
peer_start --swap
enrol 5 swapped
is .error.code cmc-badRequest
says 'identityProofV2'
ok 'a peer with the numbers of RFC 6402 exchanged: refused, in its words'

# --- anchors that the authority publishes ---------------------------------------
peer_start --anchors 5
enrol 0 anchors
says 'publishes 2 trust anchors (number 5)'
kept() { # the number that the journal has
	sqlite3 "$work/state/state.db" 'SELECT number FROM published'
}
[[ $(kept) == 5 ]] || die "the journal has $(kept)"
enrol 0 again
if grep -q 'publishes' "$work/err"; then die "told twice"; fi
[[ $(kept) == 5 ]] || die "the journal has $(kept)"
peer_start --anchors 4
enrol 7 replayed
is .error.code anchors-replayed
peer_start --auth-anchors 6
enrol 0 auth-anchors
says 'publishes 2 trust anchors (number 6)'
[[ $(kept) == 6 ]] || die "the journal has $(kept)"
ok 'trustedAnchors are told once; a lower number is a replay; authData'

peer_decoded
