#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every kind of place that a PIN may come from, and every wrong one.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq python3
calls=$work/calls
mock_token scene
printf 'calls_file=%s\n' "$calls" >>"$BURIN_MOCK"
printf '000000\n' >"$work/bad"

logins() {
	local got
	got=$(grep -c '^C_Login ' "$calls")
	[[ $got == "$1" ]] || die "$got calls of C_Login, not $1"
	: >"$calls"
}
# takes SRC...: the PIN from there is the right one.
takes() {
	: >"$calls"
	b 0 tokens --json --token scene --pin-source "$@"
	logins 1
}
# refuses EXIT CODE SRC: nothing is sent.
refuses() {
	: >"$calls"
	b "$1" tokens --json --token scene --pin-source "$3"
	is .error.code "$2"
	logins 0
}

takes "file:$work/pin"
refuses 2 secret-open "file:$work/none"
ok file

takes fd:9 9<"$work/pin"
refuses 1 secret-read fd:42
refuses 2 source-unknown fd:x
ok fd

PIN=123456 takes env:PIN
refuses 2 secret-empty env:NOT_THERE
ok env

cat >"$work/askpass" <<EOF
#!/bin/sh
printf '%s' "\$1" >"$work/asked"
echo 123456
EOF
chmod +x "$work/askpass"
BURIN_ASKPASS=$work/askpass takes askpass
grep -q "PIN of .*scene.*: " "$work/asked" || die 'askpass got no question'
printf '#!/bin/sh\nexit 1\n' >"$work/cancel"
chmod +x "$work/cancel"
BURIN_ASKPASS='' SSH_ASKPASS=$work/cancel refuses 4 askpass-cancelled askpass
BURIN_ASKPASS='' SSH_ASKPASS='' refuses 2 askpass-missing askpass
ok askpass

mkdir "$work/cred"
cp "$work/pin" "$work/cred/token-pin"
CREDENTIALS_DIRECTORY=$work/cred takes credential:token-pin
CREDENTIALS_DIRECTORY=$work/cred refuses 2 secret-open credential:other
CREDENTIALS_DIRECTORY=$work/cred refuses 2 source-unknown credential:../pin
CREDENTIALS_DIRECTORY='' refuses 2 secret-open credential:token-pin
ok credential

: >"$calls"
b 0 tokens --json --token "pkcs11:token=scene?pin-source=file:$work/pin"
logins 1
b 2 tokens --json --token 'pkcs11:token=scene?pin-source=%7Ccat%20/dev/null'
b 2 tokens --json --token 'pkcs11:token=scene?pin-value=123456'
# What is typed goes before what the URI says.
b 4 tokens --json --token "pkcs11:token=scene?pin-source=file:$work/pin" \
	--pin-source "file:$work/bad"
logins 1
takes "file:$work/pin"
ok 'URI pin-source'

refuses 2 source-unknown 123456
refuses 2 source-unknown '|cat'
! grep -q 123456 "$work/out" "$work/err" || die 'repeats what may be a PIN'
ok 'neither a PIN nor a command is a source'

# --- a terminal -----------------------------------------------------------------

cat >"$work/typist.py" <<'EOF'
import os, pty, sys
at = sys.argv.index("--")
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[at + 1], sys.argv[at + 1:])
seen = bytearray()
def until(end):
    start = len(seen)
    while not bytes(seen[start:]).endswith(end):
        seen.extend(os.read(fd, 1))
try:
    for word in sys.argv[1:at]:
        until(b": ")
        os.write(fd, word.encode() + b"\n")
    while True:
        seen.extend(os.read(fd, 1024))
except OSError:
    pass
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
# typed EXIT WORD... -- ARGUMENTS: the words are typed, one a question.
typed() {
	local want=$1 got=0 words=()
	shift
	while [[ $1 != -- ]]; do
		words+=("$1")
		shift
	done
	shift
	: >"$calls"
	timeout 60 python3 "$work/typist.py" "${words[@]}" -- \
		burin "${module[@]}" "$@" >"$work/out" 2>"$work/err" || got=$?
	[[ $got == "$want" ]] || die "exit $got, not $want: $*"
	for word in "${words[@]}"; do
		[[ -z $word ]] || ! grep -qF -e "$word" "$work/out" ||
			die 'a PIN is echoed'
	done
}
typed 0 123456 -- tokens --token scene --pin-source prompt
logins 1
says 'PIN of label'
typed 0 123456 -- keygen --token scene --type ec:P-256
logins 1
typed 0 123456 24681357 24681357 -- pin change --token scene
says 'new PIN for label'
says 'Once more'
logins 1
typed 4 24681357 654321 654322 -- pin change --token scene
says 'two entries'
logins 0
typed 0 12345678 123456 123456 -- pin unblock --token scene
says 'SO PIN of label'
logins 1
typed 4 '' -- tokens --token scene --pin-source prompt
logins 0
takes "file:$work/pin"
b 4 tokens --json --token scene --pin-source prompt
is .error.code no-terminal
ok prompt

# --- a pad ------------------------------------------------------------------------

printf 'pad=1\n' >>"$BURIN_MOCK"
takes "file:$work/none"
grep -q 'on the reader' "$work/err" || die 'nobody is told to type'
ok 'pad: no source is read'
