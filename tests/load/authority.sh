#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# authority.sh steady: a thousand enrolments by fifty clients at once. None is
# lost, none is there twice, the memory does not grow.
# authority.sh killed: its processes are killed in the middle, one after the
# other, and started again; the clients go on. What a client got is in the
# store, and nobody has two.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl pgrep sqlite3
scene=${1:?}
threads=50
results=$work/results listen=127.0.0.1:0

authority_init
dir=$work/ca ca=$work/ca/ca.pem
sed -i '/^rate =/d' "$dir/authority.cnf"
printf 'rate = 0\n' >>"$dir/authority.cnf"

# serve: $program, $keeper, $front are its processes. Who was killed may not
# have let its port go yet. Each start has a log of its own, authority.log is
# the last one.
starts=0
serve() {
	local i end log
	for ((i = 0; i < 100; i++)); do
		: >"$work/ready"
		log=$work/authority-$((++starts)).log
		ln -sf "$log" "$work/authority.log"
		burin "${ca_module[@]}" authority serve "$dir" \
			--listen "$listen" --pin-source "file:$work/pin" \
			>"$work/ready" 2>"$log" &
		authority_pid=$! program=$!
		end=$((SECONDS + 120))
		while [[ ! -s $work/ready ]] && kill -0 "$program" 2>/dev/null; do
			((SECONDS < end)) || die 'not ready within two minutes'
			sleep 0.05
		done
		[[ -s $work/ready ]] && break
		wait "$program"
		authority_pid=
		grep -q 'cannot listen' "$log" ||
			die 'the authority did not start'
		sleep 0.1
	done
	url=$(grep -oE 'https://[^ ]+' "$work/ready") || die 'not ready'
	listen=${url#https://}
	keeper=$(pgrep -P "$program") || die 'no keeper'
	front=$(pgrep -P "$keeper") || die 'no front'
}
stop() {
	local got=0
	kill "$program"
	wait "$program" || got=$?
	authority_pid=
	[[ $got == 0 ]] || die "exit $got after a signal"
}

# begin N: clients enrol N names, which are invited first; $clients.
begin() {
	seq -f 'name%g' "$1" >"$work/names"
	b 0 authority invite "$dir" --from "$work/names" --profile default
	mv "$work/out" "$work/secrets"
	: >"$results"
	"$BUILD_DIR/bin/load-clients" "$url" "$ca" "$work/secrets" "$results" \
		"$work/certs.pem" "$threads" >"$work/summary" 2>"$work/err" &
	clients=$!
	servers+=("$clients")
}
answered() {
	local lines
	mapfile -t lines <"$results"
	printf '%d' "${#lines[@]}"
}
# until_answered N: so many have their answer.
until_answered() {
	while (($(answered) < $1)); do
		kill -0 "$clients" 2>/dev/null || die 'the clients are gone'
		sleep 0.05
	done
}
finished() {
	local got=0
	wait "$clients" || got=$?
	servers=()
	[[ $got == 0 ]] ||
		die "exit $got of the clients: $(grep failed "$results" | head -5)"
}
query() { sqlite3 "$dir/authority.db" "$1"; }

# everything N: what the clients have is what the store has.
everything() {
	[[ $(grep -c ' ok ' "$results") == "$1" && $(answered) == "$1" ]] ||
		die "not $1 certificates: $(grep failed "$results" | head -5)"
	awk '{ print $1, $3 }' "$results" | sort >"$work/theirs"
	[[ $(cut -d ' ' -f 1 "$work/theirs" | uniq | wc -l) == "$1" ]] ||
		die 'a name was answered twice'
	[[ $(cut -d ' ' -f 2 "$work/theirs" | sort -u | wc -l) == "$1" ]] ||
		die 'a serial number twice'
	b 0 authority list "$dir" --json
	j '.certificates[] | select(.who | startswith("invite:")) |
		"\(.subject | ltrimstr("CN=")) \(.serial)"' |
		sort >"$work/ours"
	diff "$work/theirs" "$work/ours" >"$work/diff" ||
		die "clients and store differ: $(head -n 5 "$work/diff")"
	[[ $(query "SELECT count(*) FROM invites AS i WHERE used_by IS NULL OR
		(SELECT count(*) FROM certificates WHERE
			principal = 'invite:' || i.id) <> 1") == 0 ]] ||
		die 'an invite without or with two certificates'
	# Nothing was issued that nobody has, either.
	[[ $(query "SELECT count(*) FROM audit WHERE event = 'issued' AND
		detail LIKE '%of invite:%'") == "$1" ]] ||
		die "not $1 lines of what was issued"
	[[ $(query "SELECT count(*) FROM audit WHERE event = 'refused'") == 0 ]] ||
		die 'somebody was refused'
	[[ $(query 'PRAGMA integrity_check') == ok ]] || die 'a damaged store'
	b 0 authority log "$dir" --verify
	b 0 authority crl "$dir" --out "$work/ca.crl" --pin-source "file:$work/pin"
	csplit -s -z -n 4 -f "$work/cert-" "$work/certs.pem" '/BEGIN CERT/' '{*}'
	openssl verify -x509_strict -crl_check_all -CAfile "$ca" \
		-CRLfile "$work/ca.crl" "$work"/cert-* >"$work/out" \
		2>"$work/err" || die 'a certificate does not verify'
	[[ $(grep -c ': OK$' "$work/out") == "$1" ]] || die 'not all verified'
}
kinds() { awk '{ print $4 }' "$results" | sort | uniq -c | xargs; }

# --- a thousand ----------------------------------------------------------------

# Pages in memory while the clients are at work: the most of the time after
# the first fifth, and of the last fifth.
rss() { read -r _ "$2" _ <"/proc/$1/statm"; }
watch_memory() {
	local n f k
	early_front=0 late_front=0 early_keeper=0 late_keeper=0
	while kill -0 "$clients" 2>/dev/null; do
		n=$(answered)
		rss "$front" f
		rss "$keeper" k
		if ((n >= $1 / 5 && n < $1 * 2 / 5)); then
			((early_front = f > early_front ? f : early_front))
			((early_keeper = k > early_keeper ? k : early_keeper))
		elif ((n >= $1 * 4 / 5)); then
			((late_front = f > late_front ? f : late_front))
			((late_keeper = k > late_keeper ? k : late_keeper))
		fi
		sleep 0.05
	done
	((early_front > 0 && late_front > 0)) || die 'nobody saw the memory'
}
# flat NAME EARLY LATE
flat() {
	local page
	page=$(getconf PAGESIZE)
	printf '%s: %d KiB after a fifth, %d KiB at the end\n' "$1" \
		$(($2 * page / 1024)) $(($3 * page / 1024))
	((($3 - $2) * page < 4 * 1024 * 1024)) || die "the $1 grows"
}
steady() {
	local n=1000
	serve
	begin $n
	watch_memory $n
	finished
	cat "$work/summary"
	everything $n
	printf 'by kind: %s\n' "$(kinds)"
	[[ $(jq .retried "$work/summary") == 0 ]] ||
		die 'a connection was lost'
	ok "$n enrolments by $threads at once: none lost, none twice"
	flat front "$early_front" "$late_front"
	flat keeper "$early_keeper" "$late_keeper"
	ok 'the memory is flat'
	# Loosely: 0.5 to 3 s were seen, the most with other work on the machine,
	# and another machine may be several times slower.
	jq -e '.p99 < 25000' "$work/summary" >/dev/null || die 'p99 is above 25 s'
	ok "p99 $(jq .p99 "$work/summary") ms, $(jq .per_second \
		"$work/summary") certificates a second"
	stop
}

# --- killed ----------------------------------------------------------------------

# gone WHO PID: killed, and all others with it.
gone() {
	local got=0
	kill -KILL "$2"
	wait "$program" 2>/dev/null || got=$?
	authority_pid=
	case $1 in
	program) [[ $got == 137 ]] ;;
	*) [[ $got == 9 ]] ;;
	esac || die "exit $got when the $1 was killed"
}
killed() {
	local n=500
	serve
	begin $n
	until_answered $((n / 5))
	gone front "$front"
	serve
	until_answered $((n * 2 / 5))
	gone keeper "$keeper"
	serve
	until_answered $((n * 3 / 5))
	gone program "$program"
	serve
	finished
	cat "$work/summary"
	everything $n
	printf 'by kind: %s\n' "$(kinds)"
	(($(jq .retried "$work/summary") > 0)) ||
		die 'no client noticed that it was killed'
	ok 'front, keeper and program killed: what clients got is in the store'
	stop
}

"$scene"
