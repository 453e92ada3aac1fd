#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A registration authority: its three certificates are enrolled like any
# others, and it is made, served and refused with them.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl jq openssl sqlite3

authority_init
authority_serve
softhsm_token station
pin=(--pin-source "file:$work/pin")
ca=(--trust "$work/ca/ca.pem" "${pin[@]}")

# certify NAME PROFILE [options]: a key and its certificate on the RA's token;
# the URI of the key in ${keys[NAME]}.
declare -A keys
certify() {
	local name=$1 profile=$2
	shift 2
	invite "$name" "$profile"
	b 0 enroll --json --token station --label "$name" --profile "$profile" \
		--protocol cmc --ca "$url/cmc" --user "$name" \
		--secret "file:$work/secret-$name" "${ca[@]}" "$@"
	is .state 'done'
	keys[$name]=$(j .key.uri)
}
hosts=(--san dns:localhost --san ip:127.0.0.1)
certify cmc cmc-ra --subject 'CN=Station'
certify tls tls-server "${hosts[@]}"
certify pop key-agreement --subject 'CN=Station' --inner crmf \
	--pop-cert "$work/ca/pop.pem"
ok 'its certificates are enrolled with their profiles'

# make EXIT [options]: with its keys, but for what options say.
make() {
	local status=$1
	shift
	b "$status" authority init "$work/ra" --json --role ra --token station \
		--name 'Station RA' --upstream "$url/cmc" \
		--anchor "${anchor:-$work/ca/ca.pem}" \
		--cmc-key "${cmc:-${keys[cmc]}}" --tls-key "${tls:-${keys[tls]}}" \
		--pop-key "${pop:-${keys[pop]}}" "${pin[@]}" "$@"
}
# refused CODE TEXT: init was, and left neither settings nor a certificate.
refused() {
	is .error.code "$1"
	says "$2"
	[[ ! -e $work/ra/authority.cnf && ! -e $work/ra/cmc.pem &&
		! -e $work/ra/authority.db ]] || die "files are left"
}

# --- refusals ---------------------------------------------------------------

b 0 keygen --json --token station --type ec:P-256 --label bare "${pin[@]}"
bare=$(j .key.uri)
objects=$(object_list station)
cmc=${keys[tls]} make 2
refused enrolment-unfit 'it needs the purpose cmcRA'
is .error.rule 'RFC 6402 section 2.10'
says 'burin enroll --profile cmc-ra --replace'
says "--key '${keys[tls]}'"
tls=${keys[cmc]} make 2
refused enrolment-unfit 'it needs the purpose serverAuth'
says '--profile tls-server'
pop=${keys[tls]} make 2
refused key-unfit 'the POP key cannot agree on secrets'
make 2 --host ra.example.org
refused enrolment-unfit 'is not for the host ra.example.org'
cmc=$bare make 2
refused enrolment-missing 'there is no certificate of the CMC key'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$work/other.key" -out "$work/other.pem" -subj '/CN=Test CA' \
	-days 30 2>/dev/null || die "openssl req"
anchor=$work/other.pem make 2
refused certificate-invalid 'does not stand under this CA'
anchor=$work/ca/tls.pem make 2
refused anchor-unfit 'not the certificate of a CA'
make 2 --upstream http://127.0.0.1/cmc
refused upstream-malformed 'over TLS'
make 2 --key-type rsa:2048
refused option-conflict '--key-type is not for --role ra'
[[ $(object_list station) == "$objects" ]] || die "the token has changed"
ok 'what does not fit is refused, and says how to mend it'

# --- made and served --------------------------------------------------------

make 0
[[ $(object_list station) == "$objects" ]] || die "the token has changed"
for own in cmc tls pop; do
	openssl verify -CAfile "$work/ra/ca.pem" "$work/ra/$own.pem" \
		>/dev/null 2>"$work/err" || die "$own.pem"
done
cmp -s "$work/ca/ca.pem" "$work/ra/ca.pem" || die "another anchor"
grep -q '^role = ra$' "$work/ra/authority.cnf" || die "no role"
grep -q '^hosts = localhost, 127.0.0.1$' "$work/ra/authority.cnf" ||
	die "not the hosts of its certificate"
ca_url=$url ca_pid=$authority_pid
servers+=("$ca_pid")

# ra_serve: $url is the RA's then.
ra_serve() {
	local i
	: >"$work/ready"
	burin "${ca_module[@]}" authority serve "$work/ra" \
		--listen 127.0.0.1:0 "${pin[@]}" >"$work/ready" \
		2>>"$work/authority.log" &
	authority_pid=$!
	for ((i = 0; i < 200; i++)); do
		[[ -s $work/ready ]] && break
		kill -0 "$authority_pid" 2>/dev/null || die "the RA died"
		sleep 0.1
	done
	url=$(grep -oE 'https://[^ ]+' "$work/ready") || die "the RA is not ready"
}
ra_stop() {
	kill "$authority_pid"
	wait "$authority_pid" || die "the RA ended badly"
	authority_pid=
}
# fetch PATH: the status; the body in $work/answer.
fetch() {
	curl -sS --cacert "$work/ca/ca.pem" -o "$work/answer" \
		-w '%{http_code}' "$url$1"
}
ra_serve
[[ $(fetch /.well-known/est/cacerts) == 200 ]] || die "no cacerts"
base64 -d "$work/answer" | openssl pkcs7 -inform DER -print_certs |
	openssl x509 >"$work/anchor.pem"
cmp -s "$work/anchor.pem" "$work/ca/ca.pem" || die "another anchor"
[[ $(fetch /ca.cer) == 200 ]] || die "no ca.cer"
[[ $(fetch /ca.crl) == 404 ]] || die "an RA with a CRL"
grep -q 'the CA has /ca.crl' "$work/answer" || die "does not say who has it"
[[ $(fetch /) == 200 ]] || die "no status page"
ra_stop
ok 'made, and serves the anchor'

# --- its operator -----------------------------------------------------------

b 0 authority invite "$work/ra" alice --profile default
b 0 authority log "$work/ra" --verify
b 0 authority log "$work/ra"
says 'enrolled'
for verb in pending list crl 'approve 1' 'deny 1' 'revoke 01'; do
	read -r verb word <<<"$verb"
	b 2 authority "$verb" "$work/ra" ${word:+"$word"} --json
	is .error.code not-a-ca
	says "the operator of the authority at $ca_url/cmc does it"
done
ok 'what the CA has is left to its operator'

# --- a newer certificate ----------------------------------------------------

serial() { openssl x509 -in "$work/ra/$1.pem" -noout -serial; }
cmc_before=$(serial cmc) tls_before=$(serial tls) pop_before=$(serial pop)
b 0 renew --json --key "${keys[cmc]}" --protocol cmc \
	--ca "$ca_url/cmc/cmc-ra" "${ca[@]}"
is .state 'done'
b 0 renew --json --key "${keys[tls]}" --protocol cmc --ca "$ca_url/cmc" \
	"${ca[@]}"
is .state 'done'
# A key that signs nothing signs no renewal: it is enrolled again.
invite pop key-agreement
b 0 enroll --json --key "${keys[pop]}" --replace --profile key-agreement \
	--protocol cmc --ca "$ca_url/cmc" --subject 'CN=Station' --user pop \
	--secret "file:$work/secret-pop" "${ca[@]}"
is .state 'done'
ra_serve
[[ $(serial cmc) != "$cmc_before" && $(serial tls) != "$tls_before" &&
	$(serial pop) != "$pop_before" ]] || die "still the old certificates"
openssl x509 -in "$work/ra/cmc.pem" -noout -ext extendedKeyUsage \
	>"$work/out" 2>&1
says 'CMC Registration Authority'
[[ $(fetch /healthz) == 200 ]] || die "the RA does not answer"
ra_stop
# What is not good any more: the settings want a host that it does not have.
sed -i 's/^hosts = /hosts = ra.example.org, /' "$work/ra/authority.cnf"
b 2 authority serve "$work/ra" --listen 127.0.0.1:0 --json "${pin[@]}"
is .error.code enrolment-unfit
says '--profile tls-server'
ok 'a renewed certificate is taken at the next start'

# --- who becomes an RA ------------------------------------------------------

burin authority invite "$work/ca" anybody >"$work/secret-anybody" || die invite
url=$ca_url
b 5 enroll --json --token station --label anybody --profile cmc-ra \
	--protocol cmc --ca "$url/cmc/cmc-ra" --subject 'CN=Anybody' \
	--user anybody --secret "file:$work/secret-anybody" "${ca[@]}"
says 'makes a registration authority'
ok 'only an invite that says so makes an RA'
