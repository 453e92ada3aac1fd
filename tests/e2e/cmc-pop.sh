#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Keys that cannot sign prove their possession: by challenges of every form
# that the token decrypts or agrees upon in the same run, by static ECDH.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need pkcs11-tool
# PBKDF2 allocates memory at each of its rounds, and to note for each of them
# who asked takes minutes. Leaks of these messages are looked for in
# tests/unit/test_cms*.c and test_cmc*.c.
export ASAN_OPTIONS=fast_unwind_on_malloc=1:detect_leaks=0

peer_start
softhsm_token card
count_calls
for pair in rsa:2048/decrypt ec:P-256/derive x25519/derive; do
	b 0 keygen --json --token card --label "${pair%%[:/]*}" \
		--type "${pair%/*}" --usage "${pair#*/}" "${pin[@]}"
	case $pair in
	rsa*) rsa=$(j .key.uri) ;;
	ec*) ec=$(j .key.uri) ;;
	*) x25519=$(j .key.uri) ;;
	esac
done
object_list card >"$work/keys"

# prove EXIT KEY [OPTION...]: another certificate for a key that is there.
prove() {
	local want=$1 key=$2
	shift 2
	c "$want" enroll --json --key "$key" --replace --protocol cmc \
		--ca "$peer_url" --trust "$peer_ca" --subject CN=prover \
		--user alice --secret "file:$work/secret" "${pin[@]}" "$@"
}
# proved KEY [OPTION...]: two messages, the token's key used once, no signature.
proved() {
	local before now
	before=$(peer_exchanges)
	prove 0 "$@"
	is .state 'done'
	now=$(peer_exchanges)
	[[ $((now - before)) == 2 ]] || die "$((now - before)) messages"
	peer_says '."decrypted-pops" | length' 1
	peer_says '."decrypted-pops"[0].result' ok
	signed 0
	if [[ $1 == "$rsa" ]]; then
		called C_Decrypt 1
		called C_DeriveKey 0
	else
		called C_Decrypt 0
		called C_DeriveKey 1
	fi
}

# --- challenges -----------------------------------------------------------------
peer_start --challenge
for key in "$rsa" "$ec" "$x25519"; do
	proved "$key"
	peer_says '.requests[0].popo|startswith("challenge-key")' true
	peer_says '.signers[0].kind' mac
	proved "$key" --inner pkcs10
	peer_says '.requests[0].popo' no-signature
done
ok 'RSA, ECDH and X25519, in CRMF and PKCS#10, one use of the key each'

peer_start --challenge --pop-status6 --pop-y 100
proved "$rsa"
proved "$ec"
ok 'status popRequired; of a long y 64 octets count'

peer_start --challenge --pop-y 64
proved "$x25519"
peer_start --challenge --pop-y 1
proved "$x25519"
ok 'y of 64 octets, and of one'

peer_start --challenge --oaep --gcm
proved "$rsa"
peer_start --challenge --gcm 16
proved "$ec"
ok 'OAEP with SHA-256; AuthEnvelopedData with ICVs of 12 and 16 octets'

# Two answers that only the key can read, and the challenge in one of them.
peer_start --challenge --confirm --encrypt-response
prove 0 "$rsa"
peer_says '."client-status"' success
called C_Decrypt 3
ok 'an encrypted answer that wants to be confirmed is decrypted once'

peer_start --challenge --legacy
proved "$rsa" --legacy
ok 'SHA-1 for those who have nothing else'

# Without a secret nobody says who it is: noSignature, and a challenge.
peer_start --challenge --anyone
before=$(peer_exchanges)
c 0 enroll --json --key "$ec" --replace --protocol cmc --ca "$peer_url" \
	--trust "$peer_ca" --subject CN=anyone "${pin[@]}"
is .state 'done'
[[ $(($(peer_exchanges) - before)) == 2 ]] || die 'not two messages'
peer_says '.signers[0].kind' no-signature
peer_says '."decrypted-pops"[0].result' ok
signed 0
called C_DeriveKey 1
ok 'no secret and no signature: id-alg-noSignature'

# RFC 10002 section 6.7 is silent on the tag.
peer_start --challenge --pop-untagged
proved "$ec" --pop challenge-untagged
prove 5 "$ec"
is .error.code cmc-popFailed
peer_start --challenge
prove 5 "$ec" --pop challenge-untagged
is .error.code cmc-popFailed
proved "$rsa" --pop challenge
ok '--pop challenge-untagged is for one kind of authority, and for no other'

# --- static Diffie-Hellman (RFC 6955) ---------------------------------------------
peer_start
for inner in crmf pkcs10; do
	prove 0 "$ec" --inner "$inner" --pop agreement \
		--pop-cert "$work/peer/agree.pem"
	is .state 'done'
	called C_DeriveKey 2 # to make the proof, to check it before it goes
	signed 0
	peer_says '.requests[0].form' "$inner"
	peer_says '.pops[0].result | startswith("static-ecdh-sha256")' true
done
prove 0 "$ec" --pop-cert "$work/peer/agree.pem" # it is what is left
peer_says '.requests[0].popo' agreement
ok 'static ECDH in CRMF and PKCS#10'

# --- what cannot be proved ----------------------------------------------------------
prove 2 "$ec" --pop agreement
is .error.code pop-cert-missing
is .error.rule 'RFC 6955 section 6'
prove 2 "$ec" --pop by-magic
is .error.code pop-unknown
before=$(peer_exchanges)
prove 2 "$x25519" --pop agreement --pop-cert "$work/peer/agree.pem"
prove 2 "$ec" --pop agreement --pop-cert "$work/peer/encrypt.pem"
prove 2 "$rsa" --pop signature
is .error.code key-cannot-sign
[[ $(peer_exchanges) == "$before" ]] || die 'something was sent'
prove 5 "$rsa" # nobody challenges
is .error.code cmc-popRequired
says 'proof of possession'
ok 'no certificate, another curve, no challenge: said before or after sending'

# A challenge that does not hold what it says is not answered (section 6.7).
peer_start --challenge --lie wrong-witness
for key in "$rsa" "$ec"; do
	prove 7 "$key"
	is .error.code pop-challenge
	says 'the authority was told that it was wrong (popFailed)'
	peer_says '."client-status"' failed
	peer_says .aborted true
	peer_says '.controls[]|select(.name|startswith("statusInfo")).name' \
		statusInfoV2
	grep -q decryptedPOP <<<"$(peer_log '.controls[].name')" &&
		die 'it was answered'
	job=$(j .id)
	b 0 status --json "$job"
	is '.jobs[0].state' refused
done
ok 'a wrong witness: exit 7, and the authority is told popFailed'

# --- what became of the keys ----------------------------------------------------------
object_list card >"$work/objects"
[[ $(grep -c '^Private Key' "$work/objects") == 3 ]] || die 'not three keys'
[[ $(grep -c '^Certificate' "$work/objects") == 3 ]] ||
	die 'not three certificates'
grep -q '^Secret Key' "$work/objects" && die 'a derived key stays'
pkcs11-tool --module "$SOFTHSM" --token-label card --login --pin 123456 \
	-O --type privkey 2>/dev/null >"$work/private"
[[ $(grep -c 'sensitive, always sensitive, never extractable' \
	"$work/private") == 3 ]] || die "a key may leave: $(cat "$work/private")"
for uri in "$rsa" "$ec" "$x25519"; do
	b 0 verify --json --key "$uri" --trust "$peer_ca" "${pin[@]}"
done
ok 'the private keys are sensitive and never extractable, nothing else is left'

peer_decoded
