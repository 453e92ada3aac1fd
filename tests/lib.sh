# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For the test scripts: a scratch folder, tokens, an authority, assertions.
# A script sources this and is run by ctest with BUILD_DIR and SOURCE_DIR.
# Exit 77 is a skip, counted by ctest.

set -uo pipefail
: "${BUILD_DIR:?}" "${SOURCE_DIR:?}"
PATH=$BUILD_DIR/bin:$PATH
SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
work=$(mktemp -d)
umask 077
script=("$(realpath "$0")" "$@") # to start it again, see piv_token
# shellcheck source=tests/pivcard/reader.sh
. "$SOURCE_DIR/tests/pivcard/reader.sh"
export BURIN_STATE_DIR=$work/state BURIN_PROFILE_DIR=$SOURCE_DIR/docs/profiles
# Leaks inside modules that are not ours are theirs.
export LSAN_OPTIONS=suppressions=$SOURCE_DIR/tests/lsan.supp:print_suppressions=0
# unwind slow|fast: how the sanitizer looks where memory was taken. Only slowly
# it sees through libraries without frame pointers whose leak it is, which
# takes half of the time of all: for SoftHSM's keys of EdDSA and X25519.
unwind() {
	export ASAN_OPTIONS=fast_unwind_on_malloc=1
	[[ $1 != slow ]] || ASAN_OPTIONS=fast_unwind_on_malloc=0
}
unwind fast
authority_pid=
servers=()

finish() {
	local rc=$?
	[[ -z $authority_pid ]] || kill "$authority_pid" 2>/dev/null
	((${#servers[@]} == 0)) || kill "${servers[@]}" 2>/dev/null
	((${#piv_pids[@]} == 0)) || kill "${piv_pids[@]}" 2>/dev/null
	wait 2>/dev/null
	[[ -n ${KEEP:-} ]] || rm -rf "$work"
	exit "$rc"
}
trap finish EXIT

die() {
	printf 'FAILED (%s:%s): %s\n' "${BASH_SOURCE[1]##*/}" \
		"${BASH_LINENO[0]}" "$*" >&2
	[[ ! -s $work/err ]] || sed 's/^/  stderr: /' "$work/err" >&2
	[[ ! -s $work/out ]] || head -c 4000 "$work/out" | sed 's/^/  stdout: /' >&2
	[[ ! -s $work/authority.log ]] ||
		tail -n 5 "$work/authority.log" | sed 's/^/  authority: /' >&2
	exit 1
}
skip() {
	printf 'SKIPPED: %s\n' "$*"
	exit 77
}
need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}
ok() { printf 'ok: %s\n' "$*"; }

# Whether burin is built with sanitizers: it is slow then, and takes memory.
instrumented() {
	grep -qaE '__(asan|msan|tsan)_init' "$BUILD_DIR/bin/burin"
}

# b EXIT VERB...: burin with the module in $module; its exit status must be
# EXIT. stdout in $work/out, stderr in $work/err.
module=("--module" "$SOFTHSM")
b() {
	local want=$1 got=0
	shift
	burin "${module[@]}" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	[[ $got == "$want" ]] || die "exit $got, not $want: burin $*"
}
# jq over the last stdout: j FILTER prints, is FILTER VALUE compares.
j() { jq -er "$1" "$work/out" || die "no $1 in the JSON"; }
is() {
	local got
	got=$(jq -r "$1" "$work/out") || die "not JSON"
	[[ $got == "$2" ]] || die "$1 is '$got', not '$2'"
}
says() { grep -qF -- "$1" "$work/err" "$work/out" || die "does not say: $1"; }

# --- tokens --------------------------------------------------------------

softhsm_conf() {
	export SOFTHSM2_CONF=$work/softhsm2.conf
	mkdir -p "$work/tokens"
	printf 'directories.tokendir = %s\nlog.level = ERROR\n' \
		"$work/tokens" >"$SOFTHSM2_CONF"
}
# softhsm_token LABEL: PIN 123456 in $work/pin, SO PIN 12345678.
softhsm_token() {
	[[ -e $SOFTHSM ]] || skip "SoftHSM is not installed"
	[[ -n ${SOFTHSM2_CONF:-} ]] || softhsm_conf
	printf '123456\n' >"$work/pin"
	softhsm2-util --init-token --free --label "$1" --pin 123456 \
		--so-pin 12345678 >/dev/null || die "softhsm2-util"
}
nss_token() {
	local lib
	lib=$(find /usr/lib -name libsoftokn3.so 2>/dev/null | head -n 1)
	[[ -n $lib ]] || skip "NSS softokn is not installed"
	need certutil
	mkdir "$work/nss"
	printf '123456\n' >"$work/pin"
	certutil -N -d "sql:$work/nss" -f "$work/pin" || die "certutil"
	module=(--module "$lib" --module-init
		"configdir='sql:$work/nss' certPrefix='' keyPrefix='' secmod='secmod.db' flags=")
}

# mock_token LABEL: a token of our own module; more keys of
# tests/mock/README.md may be added to $BURIN_MOCK.
mock_token() {
	export BURIN_MOCK=$work/mock.conf
	printf '123456\n' >"$work/pin"
	printf 'label=%s\n' "$1" >"$BURIN_MOCK"
	module=(--module "$BUILD_DIR/mock/burin-mock.so")
}

# remote_token LABEL: a SoftHSM token behind p11-kit's remoting, as over ssh.
remote_token() {
	local client
	client=$(find /usr/lib -name p11-kit-client.so 2>/dev/null | head -n 1)
	[[ -n $client ]] || skip "p11-kit-client.so is not installed"
	need p11-kit
	softhsm_token "$1"
	eval "$(p11-kit server --provider "$SOFTHSM" --name "$work/p11" \
		pkcs11: 2>"$work/err")"
	[[ -n ${P11_KIT_SERVER_PID:-} ]] || die "p11-kit server"
	servers+=("$P11_KIT_SERVER_PID")
	module=(--module "$client")
}

# piv_token [-n 2] [name=value...]: one or two emulated PIV cards
# (tests/pivcard) in a pcscd of our own, with ykcs11 in front. It begins the script again inside
# namespaces, so it comes first, before anything was made or started. PIN in
# $work/pin, management key (the SO PIN) in $work/mgm, the first card's serial
# is 12345678, the next card's is one more.
piv_token() {
	local n=1
	if [[ ${1:-} == -n ]]; then
		n=$2
		shift 2
	fi
	[[ -n ${PIV_INSIDE:-} ]] || piv_begin_again
	piv_prepare || skip "no tmpfs or no loopback in the namespace"
	piv_module libykcs11.so.2 ykcs11
	printf '123456\n' >"$work/pin"
	printf '010203040506070801020304050607080102030405060708\n' \
		>"$work/mgm"
	piv_start "$work/piv" "$n" "$@" ||
		die "no card: $(cat "$work"/piv/*.log)"
}
# The same card as OpenSC has it: no writing.
piv_opensc() { piv_module opensc-pkcs11.so opensc; }
piv_module() {
	local lib
	lib=$(find /usr/lib -name "$1" 2>/dev/null | head -n 1)
	[[ -n $lib ]] || skip "$2 is not installed"
	module=(--module "$lib")
}
piv_begin_again() {
	local why
	[[ -z $authority_pid && ${#servers[@]} == 0 ]] ||
		die "piv_token comes first in a script"
	why=$(piv_missing)
	[[ -z $why ]] || skip "$why"
	trap - EXIT
	rm -rf "$work"
	piv_isolate skip "${script[@]}"
}
# card [@N] COMMAND...: the control channel of card N, 1 if not told.
card() {
	local n=1
	if [[ $1 == @* ]]; then
		n=${1#@}
		shift
	fi
	pivcard-ctl "$work/piv/card$n" "$@"
}

# Objects of a token as another program lists them, without order.
object_list() {
	pkcs11-tool --module "$SOFTHSM" --token-label "$1" --login \
		--pin 123456 -O 2>/dev/null | sort
}

# --- the authority --------------------------------------------------------

# An authority on its own SoftHSM token; $url when it is ready. Its module
# options are its own, so that the token under test may be another module.
authority_start() {
	authority_init
	authority_serve
}
# Made, and not yet started: for a script that has settings of its own.
authority_init() {
	softhsm_token test-ca
	ca_module=(--module "$SOFTHSM")
	burin "${ca_module[@]}" authority init "$work/ca" --token test-ca \
		--name 'Test CA' --resource 'IPv6:2001:db8::/32' "$@" \
		--pin-source "file:$work/pin" >"$work/out" 2>"$work/err" ||
		die "authority init"
}
authority_serve() {
	local i
	: >"$work/ready"
	burin "${ca_module[@]}" authority serve "$work/ca" \
		--listen 127.0.0.1:0 --pin-source "file:$work/pin" \
		>"$work/ready" 2>>"$work/authority.log" &
	authority_pid=$!
	for ((i = 0; i < 200; i++)); do
		[[ -s $work/ready ]] && break
		kill -0 "$authority_pid" 2>/dev/null || die "authority died"
		sleep 0.1
	done
	# shellcheck disable=SC2034 # for the scripts
	url=$(grep -oE 'https://[^ ]+' "$work/ready") || die "authority not ready"
}
# invite NAME PROFILE [arguments]: the secret in $work/secret-NAME.
invite() {
	local name=$1 profile=$2
	shift 2
	burin authority invite "$work/ca" "$name" --profile "$profile" "$@" \
		>"$work/secret-$name" 2>"$work/err" || die "invite"
}
# Certificates the authority issued for a user, not its own.
issued_count() {
	sqlite3 "$work/ca/authority.db" "SELECT count(*) FROM (SELECT * FROM
		certificates WHERE principal <> 'authority') $1"
}
