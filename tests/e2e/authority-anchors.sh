#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Trust anchors from the authority: who has the secret of an invite and no
# certificate of the authority gets both certificates and anchors, by files,
# which a person carries who looks at nothing. This one signs CMC with RSA.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 openssl curl

authority_init --cmc-key-type rsa:2048
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/other.key" -subj '/CN=Other CA' -days 30 \
	-out "$work/ca/anchors.pem" 2>"$work/err" || die 'openssl req'
authority_serve
softhsm_token card
pin=(--pin-source "file:$work/pin")

# ask NAME [options]: the request in $work/NAME.crq, its job in $job.
ask() {
	local name=$1
	shift
	b 6 enroll --json --token card --label "$name" --protocol file \
		--format cmc --request-file "$work/$name.crq" \
		--profile "$work/ca/profiles/default.cnf" \
		--san "dns:$name.example" --user "$name" \
		--secret "file:$work/secret-$name" "${pin[@]}" "$@"
	job=$(j .id)
}
carry() {
	curl -sSfk -o "$work/$1.crp" --data-binary "@$work/$1.crq" -H \
		'Content-Type: application/pkcs7-mime; smime-type=CMC-request' \
		"$url/cmc" || die "curl: $(head -c 200 "$work/$1.crp")"
}

invite new default
ask new
carry new
b 0 resume --json "$job" --response-file "$work/new.crp" "${pin[@]}"
is .state 'done'
key=$(j .key.uri)
b 0 verify --json --key "$key" --trust "$work/ca/ca.pem" "${pin[@]}"
sqlite3 "$(find "$work" -name state.db | head -n 1)" \
	'SELECT writefile('"'$work/got.p7'"', anchors) FROM published' >/dev/null
openssl pkcs7 -inform DER -in "$work/got.p7" -print_certs |
	grep -q 'CN = Other CA' || die 'the other anchor did not come along'
b 0 authority log --json "$work/ca"
[[ $(j '[.log[] | select(.event == "anchors")] | length') == 1 ]] ||
	die 'not one line about anchors'
ok 'with a secret and nothing else: certificate and anchors'

# The CA's key is EC, and so is the new one: RSA are the key of cmc.pem and the
# signature around the answer.
[[ $(openssl asn1parse -inform DER -in "$work/new.crp" |
	grep -c ':rsaEncryption') == 2 ]] || die 'not signed with RSA'
ok 'RSA with SHA-256, as RFC 10004 wants it'

# The same number comes with the next answer, and says nothing new.
invite next default
ask next --trust "$work/ca/ca.pem"
carry next
b 0 resume --json "$job" --response-file "$work/next.crp" "${pin[@]}"
is .state 'done'
ok 'and once more, by who has the anchor'

# A word of the answer changed: the MAC, or the signature, does not hold.
invite forged default
ask forged
carry forged
python3 - "$work/forged.crp" "$work/ca/anchors.pem" <<-'END' || die 'python3'
	import hashlib, subprocess, sys
	answer = open(sys.argv[1], "rb").read()
	other = subprocess.run(["openssl", "x509", "-in", sys.argv[2], "-outform",
	    "DER"], capture_output=True, check=True).stdout
	listed = hashlib.sha256(other).digest()
	assert answer.count(listed) == 1
	open(sys.argv[1], "wb").write(answer.replace(listed, listed[::-1]))
END
b 7 resume --json "$job" --response-file "$work/forged.crp" "${pin[@]}"
is .error.code message-digest-wrong
ok 'anchors that the secret does not authenticate are refused'

# Whoever publishes nothing is not believed by who knows nothing.
sed -i 's/^publish_anchors = yes$/publish_anchors = no/' \
	"$work/ca/authority.cnf"
kill "$authority_pid"
wait "$authority_pid"
authority_serve
invite none default
ask none
carry none
b 7 resume --json "$job" --response-file "$work/none.crp" "${pin[@]}"
is .error.code unsigned-success
invite known default
ask known --trust "$work/ca/ca.pem"
carry known
b 0 resume --json "$job" --response-file "$work/known.crp" "${pin[@]}"
is .state 'done'
ok 'publish_anchors = no'

# Neither anchor nor secret.
b 2 enroll --json --token card --label nobody --protocol file --format cmc \
	--request-file "$work/nobody.crq" --subject CN=nobody "${pin[@]}"
is .error.code option-missing
ok 'and who has no secret needs --trust'
