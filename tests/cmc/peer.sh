# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For the test scripts: the CMC authority of tests/cmc, in a folder, with a
# secret for everybody called alice.

PEER_SECRET='a secret of enough letters'
peer_pid=
peer_port=0
pin=(--pin-source "file:$work/pin")

# peer_need: skips where the authority cannot run.
peer_need() {
	need jq
	/usr/bin/python3 -c 'import pyasn1, pyasn1_modules, cryptography' \
		2>/dev/null || skip "pyasn1 or cryptography is not installed"
}
# peer_start [OPTION...]: $peer_url when it is ready, its anchor in $peer_ca.
# Once more, and it is another run of the same authority at the same port.
peer_start() {
	local i
	peer_stop
	mkdir -p "$work/peer"
	printf '%s' "$PEER_SECRET" >"$work/secret"
	: >"$work/peer.ready"
	: >>"$work/peer/log.jsonl"
	/usr/bin/python3 "$SOURCE_DIR/tests/cmc/peer.py" --dir "$work/peer" \
		--secret "alice=$PEER_SECRET" --port "$peer_port" "$@" \
		>"$work/peer.ready" 2>>"$work/peer.err" &
	peer_pid=$!
	servers=("$peer_pid")
	for ((i = 0; i < 600; i++)); do
		[[ -s $work/peer.ready ]] && break
		kill -0 "$peer_pid" 2>/dev/null ||
			die "the peer died: $(tail -n 3 "$work/peer.err")"
		sleep 0.1
	done
	peer_url=$(sed -n 's/^ready: //p' "$work/peer.ready")
	[[ -n $peer_url ]] || die "the peer is not ready"
	peer_port=${peer_url##*:}
	peer_port=${peer_port%/}
	peer_ca=$work/peer/ca.pem
}
peer_stop() {
	[[ -n $peer_pid ]] || return 0
	kill "$peer_pid" 2>/dev/null
	wait "$peer_pid" 2>/dev/null
	peer_pid=
	servers=()
}
# peer_log FILTER: jq over the last exchange that the peer wrote down.
peer_log() { tail -n 1 "$work/peer/log.jsonl" | jq -r "$1"; }
# peer_says FILTER VALUE: compares.
peer_says() {
	local got
	got=$(peer_log "$1")
	[[ $got == "$2" ]] || die "the peer's $1 is '$got', not '$2': $(
		tail -n 1 "$work/peer/log.jsonl")"
}
peer_exchanges() { wc -l <"$work/peer/log.jsonl"; }
peer_issued() { find "$work/peer/issued" -name '*.pem' | wc -l; }

# peer_decoded: each message that the peer did not refuse is DER, encodes to
# the same octets again, and every signature, MAC, proof and witness in it
# holds, by decode.py.
peer_decoded() {
	/usr/bin/python3 - "$SOURCE_DIR/tests/cmc" "$work/peer" \
		"alice=$PEER_SECRET" >"$work/decoded" <<-'PY' ||
		import glob, json, sys
		sys.dont_write_bytecode = True
		here, peer, secret = sys.argv[1:]
		sys.path.insert(0, here)
		import decode
		more = ["--dir", peer, "--secret", secret]
		for cert in glob.glob(peer + "/issued/*.pem"):
		    more += ["--cert", cert]
		seen = wrong = 0
		for line in open(peer + "/log.jsonl"):
		    log = json.loads(line)
		    refused = any(s["status"] == "failed"
		                  for s in log.get("status", []))
		    if refused and "challenged" not in log:
		        continue
		    # signed with a key that no certificate in the folder is of
		    if "rejected" in log:
		        continue
		    status, out = decode.main([peer + "/" + log["in"]] + more)
		    seen += 1
		    if status:
		        wrong += 1
		        print(log["in"], json.dumps(out))
		    if "crash" in log:
		        wrong += 1
		        print(log["crash"])
		print(seen, "messages")
		sys.exit(wrong > 0 or seen == 0)
	PY
		die "not as RFC 10002 has it: $(cat "$work/decoded")"
	ok "$(tail -n 1 "$work/decoded") read by somebody else's decoder"
}

# --- burin, with its calls to the token counted ----------------------------

# count_calls: from here on a module in between writes them down.
count_calls() {
	module=(--module "$BUILD_DIR/mock/burin-shim.so")
	export BURIN_SHIM_MODULE=$SOFTHSM BURIN_MOCK=$work/shim.conf
	printf 'calls_file=%s\n' "$work/calls" >"$BURIN_MOCK"
}
# c EXIT VERB...: b, and the calls of this run only are in $work/calls.
c() {
	rm -f "$work/calls"
	b "$@"
}
# called FUNCTION COUNT: so often, whatever came of it.
called() {
	local n
	n=$(grep -cE "^$1 " "$work/calls")
	[[ $n == "$2" ]] || die "$1: $n calls, not $2: $(tr "\n" " " <"$work/calls")"
}
# The calls that end a signature.
signed() { called 'C_Sign(Final)?' "$1"; }

# enrol EXIT NAME [OPTION...]: a key on the token "card", alice's secret.
enrol() {
	local want=$1 name=$2
	shift 2
	c "$want" enroll --json --token card --label "$name" --protocol cmc \
		--ca "$peer_url" --trust "$peer_ca" --subject "CN=$name" \
		--user alice --secret "file:$work/secret" "${pin[@]}" "$@"
}
# resume EXIT JOB [OPTION...]
resume() {
	local want=$1 job=$2
	shift 2
	c "$want" resume --json "$job" "${pin[@]}" "$@"
}
