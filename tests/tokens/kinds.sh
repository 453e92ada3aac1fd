# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2034 # for the scripts
# Tokens that want more of a machine than lib.sh's: a TPM with its resource
# manager, opencryptoki with its daemon. Sourced after tests/lib.sh.
: "${BUILD_DIR:?}" "${work:?}"

SHIM=$BUILD_DIR/mock/burin-shim.so

# in_own_machine NAMESPACES SCRIPT ARGUMENT...: the script again, where its
# mounts, shared memory and daemons are nobody else's and end with it.
in_own_machine() {
	local why
	[[ -z ${BURIN_OWN_MACHINE:-} ]] || return 0
	((EUID == 0)) || skip 'namespaces of its own need root'
	need unshare
	why=$(unshare "$1" -f --mount-proc true 2>&1) ||
		skip "no namespaces of its own: ${why:-unshare failed}"
	rm -rf "$work"
	trap - EXIT
	BURIN_OWN_MACHINE=1 exec unshare "$1" -f --mount-proc --kill-child \
		bash "${@:2}"
}

# wait_for COMMAND...: ten seconds at most.
wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

# no_leaks: for modules that allocate so much that the slow unwinder takes
# half of the time, and that unload their halves, so that what leaks there has
# no name to suppress. Leaks of ours show on the other kinds.
no_leaks() { export ASAN_OPTIONS=fast_unwind_on_malloc=1:detect_leaks=0; }

# --- TPM -----------------------------------------------------------------

tpm_manager_is_up() {
	dbus-send --session --print-reply --dest=org.freedesktop.DBus \
		/org/freedesktop/DBus org.freedesktop.DBus.NameHasOwner \
		string:com.intel.tss2.Tabrmd | grep -q 'boolean true'
}
# tpm_init SLOT LABEL: PIN 123456, SO PIN 12345678.
tpm_init() {
	local tool=(pkcs11-tool --module "$TPM" --slot-index "$1"
		--so-pin 12345678)
	"${tool[@]}" --init-token --label "$2" >/dev/null 2>"$work/err" ||
		die 'pkcs11-tool cannot make a token in the TPM'
	"${tool[@]}" --login --login-type so --init-pin --new-pin 123456 \
		>/dev/null 2>"$work/err" ||
		die 'pkcs11-tool cannot give the token a PIN'
}
# tpm_token LABEL: a TPM, and as on a real machine somebody who shares out
# its few places for objects: the kernel there, tpm2-abrmd here. Without, a
# login for each use and several keys made in one process find no place.
tpm_token() {
	local tpm=$work/tpm
	TPM=$(find /usr/lib -name libtpm2_pkcs11.so.1 2>/dev/null | head -n 1)
	[[ -n $TPM ]] || skip 'tpm2-pkcs11 is not installed'
	[[ -n $(find /usr/lib -name 'libtss2-tcti-tabrmd.so.0' 2>/dev/null) ]] ||
		skip 'libtss2-tcti-tabrmd is not installed'
	need swtpm tpm2-abrmd dbus-daemon dbus-send pkcs11-tool
	printf '123456\n' >"$work/pin"
	mkdir -p "$tpm/state" "$tpm/store"
	swtpm socket --tpm2 --tpmstate "dir=$tpm/state" \
		--server "type=unixio,path=$tpm/sock" \
		--ctrl "type=unixio,path=$tpm/sock.ctrl" \
		--flags not-need-init,startup-clear >"$tpm/log" 2>&1 &
	servers+=("$!")
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$tpm/bus
	dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS" \
		>>"$tpm/log" 2>&1 &
	servers+=("$!")
	wait_for test -S "$tpm/sock" || die "swtpm: $(<"$tpm/log")"
	wait_for test -S "$tpm/bus" || die "dbus-daemon: $(<"$tpm/log")"
	tpm2-abrmd --session --allow-root --tcti="swtpm:path=$tpm/sock" \
		>>"$tpm/log" 2>&1 &
	servers+=("$!")
	wait_for tpm_manager_is_up || die "tpm2-abrmd: $(<"$tpm/log")"
	export TPM2_PKCS11_STORE=$tpm/store
	export TPM2_PKCS11_TCTI=tabrmd:bus_type=session TSS2_LOG=all+NONE
	no_leaks
	tpm_init 0 "$1"
	module=(--module "$TPM")
}

# --- opencryptoki ---------------------------------------------------------

# opencryptoki_slots NAME...: a daemon with these slots, in_own_machine.
opencryptoki_slots() {
	local name n=0 dir
	OPENCRYPTOKI=$(find /usr/lib -name libopencryptoki.so.0 2>/dev/null |
		head -n 1)
	[[ -n $OPENCRYPTOKI ]] || skip 'opencryptoki is not installed'
	need pkcsslotd pkcsconf
	getent group pkcs11 >/dev/null || skip 'there is no group pkcs11'
	for dir in /etc/opencryptoki /var/lib/opencryptoki /dev/shm /run; do
		mount -t tmpfs tmpfs "$dir" || skip "$dir cannot be covered"
	done
	# Debian's /var/lock is a link to it.
	mkdir -p /run/lock /var/lock/opencryptoki
	for name in "$@"; do
		mkdir -p "/var/lib/opencryptoki/$name/TOK_OBJ" \
			"/var/lock/opencryptoki/$name"
		printf 'slot %d\n{\nstdll = libpkcs11_sw.so\ntokname = %s\n}\n' \
			"$n" "$name"
		((n += 1))
	done >"$work/slots"
	{
		echo 'version opencryptoki-3.1'
		cat "$work/slots"
	} >/etc/opencryptoki/opencryptoki.conf
	chgrp -R pkcs11 /var/lib/opencryptoki /var/lock/opencryptoki
	chmod -R 770 /var/lib/opencryptoki /var/lock/opencryptoki
	pkcsslotd >"$work/err" 2>&1 || die 'pkcsslotd'
	wait_for pkcsconf -t || die 'pkcsslotd has no slots'
	module=(--module "$OPENCRYPTOKI")
	no_leaks
}
# opencryptoki_init SLOT LABEL: both PINs must be changed before any use.
opencryptoki_init() {
	{
		printf '%s\n' "$2" | pkcsconf -I -c "$1" -S 87654321 &&
			pkcsconf -P -c "$1" -S 87654321 -n 76543210 &&
			pkcsconf -u -c "$1" -S 76543210 -n 12345678 &&
			pkcsconf -p -c "$1" -U 12345678 -n 123456
	} >"$work/err" 2>&1 || die "pkcsconf: $2"
	printf '123456\n' >"$work/pin"
}
