# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A pcscd of our own with emulated cards, in namespaces of its own: nothing
# of the machine's readers, sockets or configuration is seen or touched, and
# everything in there ends with its first process. For tests/lib.sh and run.

PIV_VPCD=/usr/lib/pcsc/drivers/serial/libifdvpcd.so
PIV_PORT=35963
# ykcs11 2.2.0 looks at readers with this beginning only.
PIV_READER='Yubico YubiKey OTP+FIDO+CCID'
piv_pids=()

# What is missing, in words; nothing when all is there.
piv_missing() {
	local tool
	for tool in unshare mount ip pcscd; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || {
			printf '%s is not installed' "$tool"
			return
		}
	done
	[[ -e $PIV_VPCD ]] || printf 'vsmartcard-vpcd is not installed'
}

# Who is not root here becomes root in a user namespace, where that is let.
piv_unshare() {
	local flags=(--mount --net --pid --fork --mount-proc --kill-child)
	[[ $(id -u) == 0 ]] || flags+=(--map-root-user)
	if [[ $1 == exec ]]; then
		exec unshare "${flags[@]}" "${@:2}"
	fi
	unshare "${flags[@]}" "${@:2}"
}

# piv_isolate SKIP COMMAND...: starts this command in namespaces in place of
# the shell; returns at once when the shell is in them. SKIP is called with
# the reason when that is not to be had.
piv_isolate() {
	local why
	[[ -z ${PIV_INSIDE:-} ]] || return 0
	why=$(piv_missing)
	[[ -z $why ]] || { "$1" "$why"; return 1; }
	piv_unshare try true 2>/dev/null ||
		{ "$1" "no namespaces to be had (unshare)"; return 1; }
	PIV_INSIDE=1 PATH=$PATH:/usr/sbin:/sbin piv_unshare exec "${@:2}"
}

# Inside, once. The first process of a pid namespace is not ended by signals
# that it does not handle.
piv_prepare() {
	local run=/run/pcscd
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[[ -d $run ]] || run=/run
	mount -t tmpfs -o mode=0755 tmpfs "$run" && mkdir -p /run/pcscd &&
		ip link set lo up
}

# vpcd is one reader of two slots; a second entry would take the first one's
# cards away. So two cards in a pcscd are all.
piv_reader_conf() {
	printf 'FRIENDLYNAME "%s"\nDEVICENAME /dev/null:0x%04X\n' \
		"$PIV_READER" "$PIV_PORT"
	printf 'LIBPATH %s\nCHANNELID 0x%04X\n' "$PIV_VPCD" "$PIV_PORT"
}

# piv_start DIR CARDS [name=value...]: one or two cards in DIR/card1 and card2,
# and pcscd; ready when pcscd has given each card power. All share one attestation root.
piv_start() {
	local dir=$1 n=$2 i
	shift 2
	((n >= 1 && n <= 2)) || {
		printf 'one or two cards, not %s\n' "$n" >&2
		return 1
	}
	mkdir -p "$dir/readers" "$dir/no-drivers"
	piv_reader_conf >"$dir/readers/piv"
	for ((i = 1; i <= n; i++)); do
		piv_card "$dir" "$i" "$@" || return 1
	done
	# No drivers for readers that the machine has.
	PCSCLITE_HP_DROPDIR=$dir/no-drivers pcscd --foreground \
		--config "$dir/readers" >"$dir/pcscd.log" 2>&1 &
	piv_pids+=($!)
	for ((i = 1; i <= n; i++)); do
		pivcard-ctl "$dir/card$i" wait || return 1
	done
}

# piv_card DIR N [name=value...]: the process of card N, new or again.
piv_card() {
	local dir=$1 n=$2
	shift 2
	pivcard "$dir/card$n" "port=$((PIV_PORT + n - 1))" \
		"serial=$((12345677 + n))" "root=$dir/attestation-root" \
		"$@" 2>>"$dir/card.log" &
	piv_pids+=($!)
	pivcard-ctl "$dir/card$n" state >/dev/null
}
