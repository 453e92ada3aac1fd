#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# PKCS#11 calls are the cost: one enrolment in one process, counted by a
# module in between, on an empty token, on a full one, among many.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq pkcs11-tool

# Counts, which sanitizers do not change: with them smaller ones.
pairs=500 tokens=200
if instrumented; then
	pairs=100 tokens=40
fi
MUST=30	# calls of one enrolment with one further (blank) slot
authority_start
pin=(--pin-source "file:$work/pin")
shim=$BUILD_DIR/mock/burin-shim.so
export BURIN_SHIM_MODULE=$SOFTHSM BURIN_MOCK=$work/shim.conf
printf 'calls_file=%s\n' "$work/calls" >"$BURIN_MOCK"

# enrol LABEL TYPE: calls in $total, each line "C_Function CKR".
enrol() {
	invite "$1" default
	rm -f "$work/calls"
	module=(--module "$shim")
	b 0 enroll --json --token "$1" --profile default --type "$2" \
		--subject "CN=$1" --ca "$url" --trust "$work/ca/ca.pem" \
		--user "$1" --secret "file:$work/secret-$1" "${pin[@]}"
	module=(--module "$SOFTHSM")
	total=$(wc -l <"$work/calls")
	# The report is written before the last call, C_Finalize.
	[[ $(($(j .calls) + 1)) == "$total" ]] ||
		die "burin counts $(j .calls) calls, the module $total"
	[[ $(grep -c '^C_Initialize ' "$work/calls") == 1 ]] ||
		die 'not one C_Initialize'
	[[ $(grep -c '^C_Login ' "$work/calls") == 1 ]] || die 'not one C_Login'
	if grep -v ' CKR_OK$' "$work/calls"; then
		die 'a call failed'
	fi
}

slots() { grep -c '^C_GetTokenInfo ' "$work/calls"; }

softhsm_token empty
enrol empty ec:P-256
base=$total base_slots=$(slots)
((base <= MUST)) || die "$base calls, more than $MUST"
ok "ec:P-256 on an empty token: $base calls, $base_slots slots"

softhsm_token rsa
enrol rsa rsa:2048
((total - $(slots) == base - base_slots)) ||
	die "rsa:2048: $total calls with $(slots) slots"
ok "rsa:2048: $total calls, $(slots) slots"

softhsm_token full
for ((i = 0; i < pairs; i++)); do
	printf '%s\n' "$i"
done | "$BUILD_DIR/bin/fill_token" "$SOFTHSM" full "$work/pin" ||
	die 'cannot fill the token'
enrol full ec:P-256
((total - $(slots) == base - base_slots)) ||
	die "$pairs pairs: $total calls with $(slots) slots"
ok "$pairs key pairs on the token: $total calls, $(slots) slots"

for ((i = 0; i < tokens; i++)); do
	softhsm_token "t$i"
done
enrol t20 ec:P-256
((total - $(slots) == base - base_slots)) ||
	die "$tokens tokens: $total calls with $(slots) slots"
# beside them rsa and full, which the first enrolment had not
(($(slots) == base_slots + 2 + tokens)) || die "$(slots) slots were asked"
ok "$tokens tokens: $total calls, $(slots) slots: one more per slot"
