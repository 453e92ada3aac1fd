# SPDX-License-Identifier: BSD-2-Clause
# Registration authorities between the test CA of lib.sh and end entities.
# Sourced after lib.sh by scripts that have an authority.
# shellcheck shell=bash disable=SC2154,SC2034

# ra_certify TOKEN LABEL PROFILE [options]: a key and its certificate of the CA
# at $ca_url; the URI of the key in $key_uri.
ra_certify() {
	local token=$1 label=$2 profile=$3
	shift 3
	invite "$label" "$profile"
	b 0 enroll --json --token "$token" --label "$label" \
		--profile "$profile" --protocol cmc --ca "$ca_url/cmc" \
		--user "$label" --secret "file:$work/secret-$label" \
		--trust "$work/ca/ca.pem" --pin-source "file:$work/pin" "$@"
	is .state 'done'
	key_uri=$(j .key.uri)
}
# ra_make NAME UPSTREAM: an RA in $work/NAME with a token of its own.
ra_make() {
	local name=$1 upstream=$2 cmc tls
	softhsm_token "$name"
	ra_certify "$name" "$name-cmc" cmc-ra --subject "CN=$name"
	cmc=$key_uri
	ra_certify "$name" "$name-tls" tls-server --san dns:localhost \
		--san ip:127.0.0.1
	tls=$key_uri
	ra_certify "$name" "$name-pop" key-agreement --subject "CN=$name" \
		--inner crmf --pop-cert "$work/ca/pop.pem"
	b 0 authority init "$work/$name" --role ra --token "$name" \
		--name "$name" --upstream "$upstream" \
		--anchor "$work/ca/ca.pem" --cmc-key "$cmc" --tls-key "$tls" \
		--pop-key "$key_uri" --pin-source "file:$work/pin"
}
# serve_dir NAME [PORT]: serves $work/NAME; its pid in ${pids[NAME]}, its URL
# in ${urls[NAME]}.
declare -A pids urls
serve_dir() {
	local name=$1 port=${2:-0} i
	: >"$work/ready-$name"
	burin "${ca_module[@]}" authority serve "$work/$name" \
		--listen "127.0.0.1:$port" --pin-source "file:$work/pin" \
		>"$work/ready-$name" 2>>"$work/$name.log" &
	pids[$name]=$!
	servers+=("${pids[$name]}")
	for ((i = 0; i < 300; i++)); do
		[[ -s $work/ready-$name ]] && break
		kill -0 "${pids[$name]}" 2>/dev/null || die "$name died"
		sleep 0.1
	done
	urls[$name]=$(grep -oE 'https://[^ ]+' "$work/ready-$name") ||
		die "$name is not ready"
}
stop_dir() {
	kill "${pids[$1]}"
	wait "${pids[$1]}" || die "$1 ended badly"
}
