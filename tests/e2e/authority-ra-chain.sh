#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# End entity, one RA and two, and the CA, all burin on tokens: every form and
# proof, waiting, a batch, and an RA that is killed on the way.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
# shellcheck source=tests/ra.sh
. "$SOURCE_DIR/tests/ra.sh"
need curl jq openssl sqlite3

authority_init
sed -i 's/^retry_after = .*/retry_after = 1/; s/^rate = .*/rate = 0/' \
	"$work/ca/authority.cnf"
cat >"$work/ca/profiles/encrypts.cnf" <<-'END'
	[profile]
	name = encrypts
	description = Keys that sign nothing
	key_types = rsa:2048, ec:P-256
	usage = decrypt
	[certificate]
	days = 30
	copy = subjectAltName
	keyUsage = critical,keyEncipherment,keyAgreement
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid:always
END
serve_dir ca
ca_url=${urls[ca]}
ra_make far "$ca_url/cmc"
sed -i 's/^retry_after = .*/retry_after = 1/; s/^rate = .*/rate = 0/' \
	"$work/far/authority.cnf"
serve_dir far
ra_make near "${urls[far]}/cmc"
sed -i 's/^retry_after = .*/retry_after = 1/; s/^rate = .*/rate = 0/' \
	"$work/near/authority.cnf"
serve_dir near
for name in far near; do
	cp "$work/ca/profiles/encrypts.cnf" "$work/$name/profiles"
done
ok 'a CA, an RA before it, and one before that'

softhsm_token card
common=(--trust "$work/ca/ca.pem" --pin-source "file:$work/pin")

# at NAME: whose invites, and whom to ask.
at() { ra=$1 url=${urls[$1]}; }
# enrol STATUS NAME [options]: with an invite of the RA for $profile.
profile=default
enrol() {
	local status=$1 name=$2
	shift 2
	burin authority invite "$work/$ra" "$name" --profile "$profile" \
		>"$work/secret-$name" 2>"$work/err" || die "invite"
	b "$status" enroll --json --token card --label "$name" \
		--profile "$work/ca/profiles/$profile.cnf" \
		--san "dns:$name.example" --user "$name" \
		--secret "file:$work/secret-$name" "${common[@]}" "$@"
}
for ra in far near; do
	at "$ra"
	profile=default
	enrol 0 "$ra-plain" --protocol cmc --ca "$url/cmc"
	is .state 'done'
	enrol 0 "$ra-crmf" --protocol cmc --inner crmf --ca "$url/cmc"
	is .state 'done'
	enrol 0 "$ra-in-est" --protocol est-cmc --ca "$url"
	is .state 'done'
	enrol 0 "$ra-est" --protocol est --ca "$url"
	is .state 'done'
	profile=encrypts
	enrol 0 "$ra-decrypts" --protocol cmc --ca "$url/cmc" \
		--type rsa:2048 --usage decrypt --pop challenge
	is .state 'done'
	enrol 0 "$ra-agrees" --protocol cmc --ca "$url/cmc" \
		--type ec:P-256 --usage derive --inner crmf \
		--pop-cert "$work/$ra/pop.pem"
	is .state 'done'
	ok "through $ra: PKCS#10 and CRMF, CMC and EST, signed, challenged, static ECDH"
done
profile=default

# --- with a certificate -----------------------------------------------------

at near
enrol 0 lives --protocol cmc --ca "$url/cmc"
lives=$(j .key.uri)
b 0 renew --json --key "$lives" --protocol cmc --ca "$url/cmc" "${common[@]}"
is .state 'done'
b 0 renew --json --key "$lives" --protocol est --ca "$url" "${common[@]}"
is .state 'done'
b 0 fetch --json --key "$lives" --crl "$work/ca/ca.pem" --protocol cmc \
	--ca "$url/cmc" --out "$work/crl.der" "${common[@]}"
b 0 revoke --json --key "$lives" --protocol cmc --ca "$url/cmc" \
	--reason superseded "${common[@]}"
[[ $(issued_count "WHERE status = 'revoked'") == 1 ]] || die 'not revoked'
ok 'renewed, looked up and revoked through both'

# --- what is wrong ----------------------------------------------------------

burin authority invite "$work/near" thief --profile default \
	>"$work/secret-thief" 2>"$work/err" || die "invite"
echo wrong-secret-of-a-thief >"$work/secret-thief"
before=$(issued_count '')
b 5 enroll --json --token card --label thief --san dns:thief.example \
	--user thief --secret "file:$work/secret-thief" --protocol cmc \
	--ca "$url/cmc" "${common[@]}"
is .error.code cmc-badIdentity
profile=cmc-ra enrol 5 usurper --protocol cmc --ca "$url/cmc" \
	--subject 'CN=usurper'
says 'makes a registration authority and needs an invite that names it'
[[ $(issued_count '') == "$before" ]] || die 'something was issued'
ok 'no secret, no certificate; and an RA makes no RA'

# --- waiting ----------------------------------------------------------------

sed -i 's/^approve = auto$/approve = manual/' "$work/ca/authority.cnf"
stop_dir ca
serve_dir ca "${ca_url##*:}"
# approve JOB: the operator does, and the job goes on.
approve() {
	b 0 authority pending --json "$work/ca"
	b 0 authority approve "$work/ca" "$(j '.requests[0].id')"
	sleep 1.1
	b 0 resume --json "$1" --pin-source "file:$work/pin"
	is .state 'done'
}
enrol 6 waits --protocol cmc --ca "$url/cmc"
approve "$(j .id)"
enrol 6 waits-est --protocol est --ca "$url"
approve "$(j .id)"
sed -i 's/^approve = manual$/approve = auto/' "$work/ca/authority.cnf"
ok 'waits for the operator of the CA, and goes on'

# --- nobody upstream, and an RA that dies -----------------------------------

stop_dir ca
enrol 9 patient --protocol cmc --ca "$url/cmc"
job=$(j .id)
serve_dir ca "${ca_url##*:}"
b 0 resume --json "$job" --pin-source "file:$work/pin"
is .state 'done'
ok 'nobody upstream: come again, and the same request goes through'

# many N: requests of N people, made at once.
many() {
	local i
	for ((i = 0; i < $1; i++)); do
		openssl req -new -newkey ec -pkeyopt \
			ec_paramgen_curve:P-256 -nodes -keyout "$work/k-$i" \
			-subj "/CN=many-$i" -outform DER -out "$work/p10-$i" \
			2>/dev/null || die "openssl req"
		burin authority invite "$work/near" "many-$i" \
			--profile default >"$work/s-$i" 2>"$work/err" ||
			die "invite"
	done
}
# post I: keeps at it, as a client that lost its answer does.
post() {
	local i=$1 n
	for ((n = 0; n < 60; n++)); do
		curl -sS --cacert "$work/ca/ca.pem" --max-time 20 \
			-u "many-$i:$(<"$work/s-$i")" -H \
			'Content-Type: application/pkcs10' --data-binary \
			"@$work/p10-$i" -o "$work/got-$i" -w '%{http_code}' \
			"$url/cmc" >"$work/code-$i" 2>/dev/null || :
		[[ $(<"$work/code-$i") != 200 ]] || return 0
		sleep 0.5
	done
	return 1
}
many 30
before=$(issued_count '')
# The CA sleeps while they come, so that they stand in line.
kill -STOP "${pids[ca]}"
jobs=()
for ((i = 0; i < 30; i++)); do
	post "$i" &
	jobs+=($!)
done
sleep 2
kill -KILL "${pids[near]}"
kill -CONT "${pids[ca]}"
serve_dir near "${url##*:}"
for job in "${jobs[@]}"; do
	wait "$job" || die 'somebody got nothing'
done
[[ $(issued_count '') == $((before + 30)) ]] ||
	die "$(($(issued_count '') - before)) certificates for 30 people"
for ((i = 0; i < 30; i++)); do
	openssl pkcs7 -inform DER -in "$work/got-$i" -print_certs |
		openssl verify -CAfile "$work/ca/ca.pem" >/dev/null ||
		die "certificate $i"
done
ok 'an RA killed with thirty in line: each has one certificate, and no more'

for name in ca far near; do
	b 0 authority log "$work/$name" --verify
done
b 0 authority log "$work/near"
says 'passed'
ok 'the logs are whole'
