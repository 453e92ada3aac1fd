#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The server and those who want too much of it: slow ones, many at once, fast
# ones; how it stops, and the socket that a service manager hands over.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need curl python3

authority_start
ca=$work/ca/ca.pem
address=${url#https://}
clients() { python3 "$SOURCE_DIR/tests/e2e/clients.py" "$@"; }
get() {
	curl -sS --cacert "$ca" -D "$work/headers" -o "$work/answer" \
		-w '%{http_code}' "$@"
}
again() {
	kill "$authority_pid" 2>/dev/null
	wait "$authority_pid"
	sed -i "s/^$1 = .*/$1 = $2/" "$work/ca/authority.cnf"
	authority_serve
	address=${url#https://}
}

# A byte a second keeps a connection from being idle, and does not keep it.
clients drip "$address" "$ca" >"$work/drip" 2>&1 &
drip=$!

# --- many at once ------------------------------------------------------------

# 64 connections of one address, the dripping one among them; others get in.
served=$(clients crowd "$address" "$ca" 80)
((served >= 60 && served <= 64)) || die "$served of 80 connections served"
[[ $(get "$url/healthz" --interface 127.0.0.2) == 200 ]] ||
	die 'one address keeps others out'
ok 'connections of one address are limited'

wait "$drip"
((35 >= $(<"$work/drip") && $(<"$work/drip") >= 25)) ||
	die "a slow client was closed after $(<"$work/drip") s"
[[ $(get "$url/healthz") == 200 ]] || die 'not well after it'
ok 'a request takes half a minute at most'

# --- fast ones ----------------------------------------------------------------

again rate 6
for i in 1 2 3 4 5 6; do
	[[ $(get "$url/healthz") == 200 ]] || die "request $i"
done
[[ $(get "$url/healthz") == 429 ]] || die 'a seventh request is served'
grep -qi '^retry-after: 11' "$work/headers" || die 'Retry-After'
grep -q 'more than 6 requests' "$work/answer" || die 'says nothing'
[[ $(get "$url/healthz" --interface 127.0.0.2) == 200 ]] ||
	die 'one address uses up the rate of others'
sleep 11
[[ $(get "$url/healthz") == 200 ]] || die 'no room after a while'
again rate 0
for i in {1..12}; do
	[[ $(get "$url/healthz") == 200 ]] || die "request $i of any number"
done
ok 'requests of an address have a rate'

# --- stopping ---------------------------------------------------------------------

# What is under way is answered, nothing new is begun.
read -r busy idle < <(clients finish "$address" "$ca" "$authority_pid")
[[ $busy == 401 ]] || die "the request under way: $busy"
[[ $idle == 503 || $idle == 0 ]] || die "a request after the signal: $idle"
wait "$authority_pid" || die "exit $?"
authority_pid=
ok 'stops when it has answered'

# --- settings, sockets of a service manager ------------------------------------------

for setting in 'rate = -1' 'rate = 100001' 'link = maybe' 'page = some'; do
	sed -i.bak "s/^${setting%% *} = .*/$setting/" "$work/ca/authority.cnf"
	b 2 authority serve "$work/ca" --listen 127.0.0.1:0 \
		--pin-source "file:$work/pin"
	says "authority.cnf: ${setting%% *} is"
	mv "$work/ca/authority.cnf.bak" "$work/ca/authority.cnf"
done
ok 'settings that make no sense are refused'

pkg-config --exists libsystemd || skip 'libsystemd-dev is not installed'
: >"$work/ready"
python3 "$SOURCE_DIR/tests/e2e/clients.py" activate 1 burin "${ca_module[@]}" authority serve "$work/ca" \
	--pin-source "file:$work/pin" >"$work/ready" 2>"$work/activated" &
authority_pid=$!
for ((i = 0; i < 200; i++)); do
	[[ ! -s $work/ready ]] || break
	sleep 0.1
done
port=$(head -n 1 "$work/activated")
# The certificate names localhost, the first of the hosts.
[[ $(<"$work/ready") == "ready https://localhost:$port" ]] ||
	die "not on the socket: $(<"$work/ready"); $(<"$work/activated")"
[[ $(get "https://127.0.0.1:$port/healthz") == 200 ]] || die 'no answer there'
kill "$authority_pid"
wait "$authority_pid" || die "exit $?"
authority_pid=
got=0
clients activate 2 burin "${ca_module[@]}" authority serve "$work/ca" \
	--pin-source "file:$work/pin" >"$work/out" 2>"$work/err" || got=$?
[[ $got == 2 ]] || die "two sockets: exit $got"
says 'one listening stream socket'
ok 'takes the socket of a service manager'
