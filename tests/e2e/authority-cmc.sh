#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# CMC between burin and burin: enrolled over HTTPS and in EST, by every proof,
# waiting, accepting, renewing, looking up, revoking.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 openssl

authority_init
sed -i 's/^confirm = no$/confirm = yes/; s/^retry_after = .*/retry_after = 1/' \
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
authority_serve
softhsm_token card
common=(--trust "$work/ca/ca.pem" --pin-source "file:$work/pin")

# enrol STATUS NAME [options]: with an invite of this name for $profile.
profile=default
enrol() {
	local status=$1 name=$2
	shift 2
	invite "$name" "$profile"
	b "$status" enroll --json --token card --label "$name" \
		--profile "$work/ca/profiles/$profile.cnf" --san "dns:$name.example" --user "$name" \
		--secret "file:$work/secret-$name" "${common[@]}" "$@"
}

enrol 0 plain --protocol cmc --ca "$url/cmc"
is .state 'done'
plain=$(j .key.uri)
enrol 0 crmf --protocol cmc --inner crmf --ca "$url/cmc"
is .state 'done'
enrol 0 est --protocol est-cmc --ca "$url"
is .state 'done'
[[ $(issued_count 'WHERE confirmed = 1') == 3 ]] || die 'not all were accepted'
ok 'PKCS#10 and CRMF, over HTTPS and in EST, each accepted'

profile=encrypts
enrol 0 decrypts --protocol cmc --ca "$url/cmc" --type rsa:2048 \
	--usage decrypt --pop challenge
is .state 'done'
ok 'a key that signs nothing: encryptedPOP'

enrol 0 agrees --protocol cmc --ca "$url/cmc" --type ec:P-256 \
	--usage derive --inner crmf --pop-cert "$work/ca/pop.pem"
is .state 'done'
profile=default
ok 'a key that agrees: static ECDH with the authority'

b 0 renew --json --key "$plain" --protocol cmc --ca "$url/cmc" "${common[@]}"
is .state 'done'
ok 'renewed: the certificate signs'

sed -i 's/^approve = auto$/approve = manual/' "$work/ca/authority.cnf"
kill "$authority_pid"
wait "$authority_pid"
port=${url##*:}
burin "${ca_module[@]}" authority serve "$work/ca" \
	--listen "127.0.0.1:$port" --pin-source "file:$work/pin" \
	>"$work/ready" 2>>"$work/authority.log" &
authority_pid=$!
for ((i = 0; i < 200; i++)); do
	[[ ! -s $work/ready ]] || break
	sleep 0.1
done
enrol 6 waits --protocol cmc --ca "$url/cmc"
job=$(j .id)
b 0 authority pending --json "$work/ca"
b 0 authority approve "$work/ca" "$(j '.requests[0].id')"
sleep 1.1
b 0 resume --json "$job" --pin-source "file:$work/pin"
is .state 'done'
ok 'waits for the operator, and goes on'

b 0 fetch --json --key "$plain" --crl "$work/ca/ca.pem" --protocol cmc \
	--ca "$url/cmc" --out "$work/crl.der" "${common[@]}"
b 0 revoke --json --key "$plain" --protocol cmc --ca "$url/cmc" \
	--reason superseded "${common[@]}"
[[ $(issued_count "WHERE status = 'revoked'") == 1 ]] || die 'not revoked'
b 0 authority log "$work/ca" --verify
ok 'looked up, revoked, and the log is whole'
