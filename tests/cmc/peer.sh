# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For the test scripts: the CMC authority of tests/cmc, in a folder, with a
# secret for everybody called alice.

PEER_SECRET='a secret of enough letters'
peer_pid=

# peer_need: skips where the authority cannot run.
peer_need() {
	need jq
	/usr/bin/python3 -c 'import pyasn1, pyasn1_modules, cryptography' \
		2>/dev/null || skip "pyasn1 or cryptography is not installed"
}
# peer_start [OPTION...]: $peer_url when it is ready, its anchor in $peer_ca.
peer_start() {
	local i
	peer_stop
	mkdir -p "$work/peer"
	printf '%s' "$PEER_SECRET" >"$work/secret"
	: >"$work/peer.ready"
	/usr/bin/python3 "$SOURCE_DIR/tests/cmc/peer.py" --dir "$work/peer" \
		--secret "alice=$PEER_SECRET" "$@" >"$work/peer.ready" \
		2>>"$work/peer.err" &
	peer_pid=$!
	servers+=("$peer_pid")
	for ((i = 0; i < 200; i++)); do
		[[ -s $work/peer.ready ]] && break
		kill -0 "$peer_pid" 2>/dev/null ||
			die "the peer died: $(tail -n 3 "$work/peer.err")"
		sleep 0.1
	done
	peer_url=$(sed -n 's/^ready: //p' "$work/peer.ready")
	[[ -n $peer_url ]] || die "the peer is not ready"
	# shellcheck disable=SC2034 # for the scripts
	peer_ca=$work/peer/ca.pem
}
peer_stop() {
	[[ -n $peer_pid ]] || return 0
	kill "$peer_pid" 2>/dev/null
	wait "$peer_pid" 2>/dev/null
	peer_pid=
}
# peer_log FILTER: jq over the last exchange that the peer wrote down.
peer_log() { tail -n 1 "$work/peer/log.jsonl" | jq -er "$1"; }
peer_issued() { find "$work/peer/issued" -name '*.pem' | wc -l; }
