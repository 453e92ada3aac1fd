#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# CMC by files and by mail: burin enroll --protocol file, and burin request in
# CRMF and CMC, for one key and for several. What is carried to the authority
# is carried by curl.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/cmc/peer.sh
. "$SOURCE_DIR/tests/cmc/peer.sh"
peer_need
need curl openssl pkcs11-tool sqlite3

peer_start
softhsm_token card
count_calls

# carry FILE ANSWER: what a person with a browser would do.
carry() {
	curl -sSf -o "$2" --data-binary "@$1" -H \
		'Content-Type: application/pkcs7-mime; smime-type=CMC-request' \
		"$peer_url" || die "curl: $(head -c 200 "$2")"
}
# ask EXIT NAME [OPTION...]: into $work/NAME.crq.
ask() {
	local want=$1 name=$2
	shift 2
	rm -f "$work/$name.crq"
	c "$want" enroll --json --token card --label "$name" --protocol file \
		--request-file "$work/$name.crq" --trust "$peer_ca" \
		--subject "CN=$name" --user alice \
		--secret "file:$work/secret" "${pin[@]}" "$@"
}

# --- a message in a file ----------------------------------------------------------
ask 6 file --format cmc
is .status pending
is .error.code pending
says 'resume'
signed 2
job=$(j .id)
resume 6 "$job"
carry "$work/file.crq" "$work/file.crp"
peer_says '.status[0].status' success
peer_says '."identity-proofs"[0].result' ok
resume 0 "$job" --response-file "$work/file.crp"
is .state 'done'
b 0 verify --json --key "$(j .key.uri)" --trust "$peer_ca" "${pin[@]}"
ok 'request out, response in'

# The answer to somebody else's request is none.
ask 6 other --format cmc --inner crmf
job=$(j .id)
object_list card >"$work/before"
resume 7 "$job" --response-file "$work/file.crp"
is .error.code transaction-mismatch
object_list card | cmp -s - "$work/before" || die 'the token changed'
ok "another's response is refused"

# Anchors that the authority published a month ago. They are as old as the
# answer: too old for a job of now, and good for one that is older.
peer_start --anchors 5 --lie replayed-anchors
ask 6 mailed --format cmc
job=$(j .id)
carry "$work/mailed.crq" "$work/mailed.crp"
sqlite3 "$work/state/state.db" "UPDATE jobs
	SET created = created - 31 * 24 * 3600 WHERE id = '$job'"
resume 0 "$job" --response-file "$work/mailed.crp"
is .state 'done'
says 'publishes 2 trust anchors (number 5)'
ask 6 replayed --format cmc
job=$(j .id)
carry "$work/replayed.crq" "$work/replayed.crp"
resume 7 "$job" --response-file "$work/replayed.crp"
is .error.code anchors-time
b 0 install --json --dry-run --key "$(j .key.uri)" --trust "$peer_ca" \
	"${pin[@]}" "$work/replayed.crp"
ok 'anchors in an answer that was on its way for a month'
peer_start

# A challenge: another file goes out, another comes in. Keys that cannot sign
# are MACed for, see cmc-pop.sh.
careful=$ASAN_OPTIONS
export ASAN_OPTIONS=fast_unwind_on_malloc=1:detect_leaks=0
peer_start --challenge
ask 6 challenged --format cmc --type ec:P-256 --usage derive
job=$(j .id)
carry "$work/challenged.crq" "$work/challenge.crp"
cp "$work/challenged.crq" "$work/first.crq"
resume 6 "$job" --response-file "$work/challenge.crp"
called C_DeriveKey 1
cmp -s "$work/first.crq" "$work/challenged.crq" && die 'nothing new to carry'
carry "$work/challenged.crq" "$work/challenged.crp"
peer_says '."decrypted-pops"[0].result' ok
resume 0 "$job" --response-file "$work/challenged.crp"
is .state 'done'
called C_DeriveKey 0
ok 'a challenge is answered in a second file'

# A wrong one is turned down in a file.
peer_start --challenge --lie wrong-witness
ask 6 doubted --format cmc --type ec:P-256 --usage derive
job=$(j .id)
carry "$work/doubted.crq" "$work/doubted.crp"
resume 7 "$job" --response-file "$work/doubted.crp"
is .error.code pop-challenge
says "carry $work/doubted.crq to the authority: it says that the challenge was wrong"
peer_start
carry "$work/doubted.crq" "$work/doubted.crp"
peer_says .aborted true
export ASAN_OPTIONS=$careful
ok 'what ends a challenge is carried too'

# Put off, and put off again: each question is a file, asked until answered.
# A secret that nobody needs any more is not asked for.
peer_start --pending 2:1 --confirm
ask 6 late --format cmc
job=$(j .id)
mv "$work/secret" "$work/secret.away"
carry "$work/late.crq" "$work/late.crp"
resume 6 "$job" --response-file "$work/late.crp"
is .error.advice "burin resume $job"
signed 0
for again in 1 2; do
	sleep 1.1
	resume 6 "$job"
	signed 1
	says "carry $work/late.crq to the authority"
	cp "$work/late.crq" "$work/asked"
	resume 6 "$job" # who asks twice has one question
	signed 0
	cmp -s "$work/late.crq" "$work/asked" || die 'another question'
	carry "$work/late.crq" "$work/late.crp"
	peer_says '."query-pending" | length' 32
	((again == 2)) || resume 6 "$job" --response-file "$work/late.crp"
done

# The certificate is there; that it is taken is one file more.
resume 6 "$job" --response-file "$work/late.crp"
is .state written
is .error.code confirm-pending
is .error.advice "carry $work/late.crq to the authority, then: burin resume $job --response-file FILE"
signed 1
b 0 status --json "$job"
is '.jobs[0].state' written
is '.jobs[0].next' "burin resume $job --response-file FILE"
cp "$work/late.crq" "$work/asked"
resume 6 "$job"
signed 0
cmp -s "$work/late.crq" "$work/asked" || die 'another confirmation'
# The answer before is none to it, and does no harm.
resume 7 "$job" --response-file "$work/late.crp"
is .state written
carry "$work/late.crq" "$work/confirmed.crp"
peer_says '."client-status"' success
resume 0 "$job" --response-file "$work/confirmed.crp"
is .state 'done'
signed 0
peer_says .confirmed "$(j .certificate.serial | tr -d : |
	tr '[:upper:]' '[:lower:]')"
mv "$work/secret.away" "$work/secret"
ok 'pending and a confirmation, in five files and without the secret'

# One that fails the checks is turned down in a file.
peer_start --confirm --lie other-key
ask 6 alien --format cmc
job=$(j .id)
carry "$work/alien.crq" "$work/alien.crp"
issued=$(peer_log '.issued[0]')
resume 7 "$job" --response-file "$work/alien.crp"
is .error.code check-G1
says "carry $work/alien.crq to the authority"
carry "$work/alien.crq" "$work/alien.crp"
peer_says .rejected "$issued"
ok 'and so is a certificate that is not taken'

# --- by mail --------------------------------------------------------------------
peer_start
# body MAIL: the part that is not text, as somebody else's program finds it.
body() {
	/usr/bin/python3 - "$1" <<-'PY'
		import email, email.policy, sys
		with open(sys.argv[1], "rb") as f:
		    mail = email.message_from_binary_file(
		        f, policy=email.policy.default)
		part = next(p for p in mail.walk() if p.get_content_type() ==
		            "application/pkcs7-mime")
		kind = part.get_param("smime-type")
		if kind.lower() != "cmc-request" or not part.get_filename():
		    sys.exit(f"{kind} {part.get_filename()}")
		sys.stdout.buffer.write(part.get_content())
	PY
}
mail() { # mail FILE: an answer in one, beside words
	/usr/bin/python3 - "$1" <<-'PY'
		import email.message, email.policy, sys
		mail = email.message.EmailMessage(policy=email.policy.SMTP)
		mail["From"], mail["To"] = "ca@example.org", "alice@example.org"
		mail["Subject"] = "your certificate"
		mail.set_content("It is attached.\n")
		with open(sys.argv[1], "rb") as f:
		    mail.add_attachment(
		        f.read(), "application", "pkcs7-mime",
		        filename="smime.p7m",
		        params={"smime-type": "CMC-response"})
		sys.stdout.buffer.write(mail.as_bytes())
	PY
}
ask 6 mailed --format cmc --mime
job=$(j .id)
grep -qi '^MIME-Version: 1.0' "$work/mailed.crq" || die 'not a mail'
body "$work/mailed.crq" >"$work/mailed.der" || die 'no request in the mail'
carry "$work/mailed.der" "$work/mailed.crp"
mail "$work/mailed.crp" >"$work/mailed.eml"
resume 0 "$job" --response-file "$work/mailed.eml"
is .state 'done'
ask 6 empty --format cmc
job=$(j .id)
printf 'From: ca@example.org\nMIME-Version: 1.0\nContent-Type: text/plain\n\nno\n' \
	>"$work/no.eml"
resume 5 "$job" --response-file "$work/no.eml"
is .error.code mail-malformed
carry "$work/empty.crq" "$work/empty.crp"
resume 0 "$job" --response-file "$work/empty.crp"
ok 'a mail out, a mail in; one without an answer is none'

# --- burin request ------------------------------------------------------------------
b 0 keygen --json --token card --label sign --type rsa:2048 "${pin[@]}"
sign=$(j .key.uri)
b 0 keygen --json --token card --label crypt --type rsa:2048 --usage decrypt \
	"${pin[@]}"
crypt=$(j .key.uri)
# make EXIT NAME OPTION...
make() {
	local want=$1 name=$2
	shift 2
	rm -f "$work/$name.crq"
	c "$want" request --json --out "$work/$name.crq" \
		--subject 'CN=Alice' "${pin[@]}" "$@"
	[[ $want == 0 || ! -e $work/$name.crq ]] || die 'a file, all the same'
}
who=(--user alice --secret "file:$work/secret")

make 0 one --format cmc --key "$sign" "${who[@]}"
signed 2
carry "$work/one.crq" "$work/one.crp"
peer_says '.issued | length' 1
b 0 install --json --key "$sign" --trust "$peer_ca" "${pin[@]}" \
	"$work/one.crp"
is .state 'done'
is .certificate.subject CN=Alice
ok 'one key: asked for by request, written by install'

# A pair: one signs the message, the other is challenged, which takes a job.
peer_start --challenge
make 0 pair --format cmc --key "$sign" --key "$crypt" "${who[@]}"
is '.keys | length' 2
signed 2
carry "$work/pair.crq" "$work/pair.crp"
peer_says '.requests | length' 2
peer_says '.challenged | length' 1
peer_says '.links | length' 2
b 7 install --json --replace --key "$sign" --trust "$peer_ca" "${pin[@]}" \
	"$work/pair.crp"
is .error.code pop-challenge
ok 'a pair in one message: what only decrypts is challenged'

# What both can prove at once is there at once.
for name in second agree; do
	b 0 keygen --json --token card --label "$name" --type ec:P-256 \
		--usage "$([[ $name == agree ]] && echo derive || echo sign)" \
		"${pin[@]}"
	j .key.uri >"$work/uri-$name"
done
second=$(cat "$work/uri-second") agree=$(cat "$work/uri-agree")
peer_start
make 0 both --format cmc --inner crmf --key "$sign" --key "$agree" \
	--pop-cert "$work/peer/agree.pem" "${who[@]}"
signed 2
called C_DeriveKey 2 # to make the proof, to check it before it goes
carry "$work/both.crq" "$work/both.crp"
peer_says '.issued | length' 2
peer_says '[.requests[].popo] | join(" ")' 'signature agreement'
b 0 install --json --replace --key "$sign" --trust "$peer_ca" "${pin[@]}" \
	"$work/both.crp"
b 0 install --json --key "$agree" --trust "$peer_ca" "${pin[@]}" \
	"$work/both.crp"
b 0 verify --json --key "$agree" --trust "$peer_ca" "${pin[@]}"
ok 'a pair that signs and agrees: two certificates in one answer'

# A certificate is the identity; the key that decrypts needs no secret then.
make 0 signer --format cmc --key "$second" --signer "$sign"
signed 2
carry "$work/signer.crq" "$work/signer.crp"
peer_says '.signers[0].kind' certificate
peer_says '."identity-proofs" | length' 0
b 0 install --json --replace --key "$second" --trust "$peer_ca" "${pin[@]}" \
	"$work/signer.crp"
peer_start --challenge
make 0 signed --format cmc --key "$crypt" --signer "$sign"
signed 1
carry "$work/signed.crq" "$work/signed.crp"
peer_says '.signers[0].kind' certificate
peer_says '.challenged | length' 1
ok '--signer: an existing certificate is who asks'

# CRMF by itself, as somebody else's program reads it.
make 0 crmf --format crmf --key "$sign" --key "$second"
signed 2
make 0 crmf-one --format crmf --key "$crypt"
signed 0
/usr/bin/python3 - "$work/crmf.crq" "$work/crmf-one.crq" >"$work/decoded" \
	<<-'PY' || die "CRMF: $(cat "$work/decoded")"
	import sys
	from pyasn1.codec.der import decoder, encoder
	from pyasn1_modules import rfc4211
	for path, names in zip(sys.argv[1:], (["signature"] * 2,
	                                      ["keyEncipherment"])):
	    data = open(path, "rb").read()
	    value, rest = decoder.decode(data, rfc4211.CertReqMessages())
	    found = [m["popo"].getName() for m in value]
	    print(path, found)
	    if rest or encoder.encode(value) != data or found != names:
	        sys.exit(1)
PY
ok 'CertReqMessages for two keys that sign and one that does not'

# --- what does not go together ---------------------------------------------------------
make 2 pkcs10 --key "$sign" --key "$second"
is .error.code keys-too-many
make 2 nowhere --format cms --key "$sign"
is .error.code format-unknown
make 2 crmf-user --format crmf --key "$sign" "${who[@]}"
is .error.code option-conflict
make 2 pkcs10-signer --key "$second" --signer "$sign"
is .error.code option-conflict
make 2 no-secret --format cmc --key "$sign" --user alice
is .error.code option-missing
make 2 inner --format cmc --inner cms --key "$sign" "${who[@]}"
is .error.code format-unknown
make 2 pop --format crmf --pop agreement --key "$crypt"
is .error.code pop-cert-missing
make 2 by-itself --format cmc --pop signature --key "$crypt" "${who[@]}"
is .error.code key-cannot-sign
make 2 crmf.pem --format crmf --key "$sign" --pem
is .error.code option-conflict
make 3 no-certificate --format cmc --key "$sign" --signer "$crypt"
is .error.code certificate-missing
ask 2 bare-crmf --format crmf
is .error.code format-unknown
c 2 enroll --json --token card --protocol cmc --ca "$peer_url" \
	--trust "$peer_ca" --subject CN=alice --mime "${pin[@]}"
is .error.code option-conflict
c 2 enroll --json --token card --protocol est --format cmc \
	--ca https://127.0.0.1:1 --trust "$peer_ca" --subject CN=alice "${pin[@]}"
ok 'options that do not go together: exit 2, with a reason'

peer_decoded
