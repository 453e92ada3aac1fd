#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# PIN, PUK and management key of a YubiKey: what PKCS#11 has no word for, on
# emulated cards behind real pcscd, ykcs11 and libykpiv.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq openssl
declare -F piv_token >/dev/null || skip 'no emulated PIV card in this tree'
type=${1:-3des}
case $type in
aes128) mgm=$(printf '0102030405060708%.0s' 1 2) ;;
aes256) mgm=$(printf '0102030405060708%.0s' 1 2 3 4) ;;
*) mgm=$(printf '0102030405060708%.0s' 1 2 3) ;;
esac
piv_token -n 2 "mgm-alg=$type" "mgm=$mgm"
serial=12345678
burin "${module[@]}" pin status --token $serial >"$work/out" 2>"$work/err"
! grep -q 'built without libykpiv' "$work/err" ||
	skip 'burin was built without libykpiv'

put() { printf '%s\n' "$2" >"$work/$1"; }
pin() { b "$1" pin "$2" --json --token $serial "${@:3}"; }
code() { is .error.code "$1"; }
# left PIN PUK: tries, as the card counts them.
left() {
	pin 0 status
	is .pin.tries_left "$1"
	is .puk.tries_left "$2"
}
put puk 12345678
put new 24681357
put bad 000000
put badpuk 99999999
put mgm "$mgm"

left 3 3
is .pin.tries 3
is .pin.factory true
is .puk.factory true
[[ $type != 3des ]] || is .so_pin.factory true
is .pin.length_max 8
is .yubikey.management_key "$type"
is .yubikey.firmware 5.4.3
ok 'status: exact tries, and what is as it left the factory'

if [[ $type == 3des ]] && command -v pkcs11-tool >/dev/null; then
	pkcs11-tool "${module[@]}" --token-label "YubiKey PIV #$serial" \
		--login --login-type so --so-pin "$mgm" --keypairgen --id 02 \
		--key-type EC:prime256v1 >"$work/out" 2>"$work/err" ||
		die 'pkcs11-tool'
	pin 0 status
	is '.yubikey.slots|length' 1
	is '.yubikey.slots[0]|[.slot,.pin_policy,.touch_policy,.generated]|join(" ")' \
		'9c always never true'
	ok 'the policies of a key'
fi

pin 0 change --pin-source "file:$work/pin" --new-pin-source "file:$work/new"
pin 4 change --pin-source "file:$work/bad" --new-pin-source "file:$work/pin"
code pin-incorrect
pin 4 change --pin-source "file:$work/bad" --new-pin-source "file:$work/pin"
code pin-known-wrong
put long 123456789
pin 4 change --pin-source "file:$work/new" --new-pin-source "file:$work/long"
code pin-length
left 2 3
is .pin.factory false
ok 'the PIN, by PKCS#11'

pin 4 unblock --puk-source "file:$work/badpuk" --new-pin-source "file:$work/pin"
code pin-incorrect
says '2 tries are left'
pin 4 unblock --puk-source "file:$work/badpuk" --new-pin-source "file:$work/pin"
code pin-known-wrong
pin 4 unblock --puk-source "file:$work/puk" --new-pin-source "file:$work/long"
code pin-length
left 2 2
is .puk.remembered.wrong 1
pin 0 unblock --puk-source "file:$work/puk" --new-pin-source "file:$work/pin"
is .by puk
left 3 3
is .puk.remembered.wrong 0
# ykcs11 2.2.0 cannot log in with an AES key, and cannot do C_InitPIN at all.
if [[ $type == 3des ]]; then
	pin 8 unblock --so-pin-source "file:$work/mgm" \
		--new-pin-source "file:$work/new"
	code unblock-not-here
	says 'its PUK'
fi
ok 'the PIN anew, by the PUK'

for wrong in 11111111 22222222; do
	put wrong $wrong
	pin 4 change --puk --puk-source "file:$work/wrong" \
		--new-pin-source "file:$work/new"
done
pin 4 change --puk --puk-source "file:$work/puk" \
	--new-pin-source "file:$work/new"
code pin-final-try
left 3 1
pin 0 change --puk --puk-source "file:$work/puk" \
	--new-pin-source "file:$work/new" --last-try
left 3 3
is .puk.factory false
mv "$work/new" "$work/puk"
ok 'the PUK: its last try is not used unasked'

out=$work/key
put badkey "$(tr 0-9 9876543210 <"$work/mgm")"
pin 4 change --so --so-pin-source "file:$work/badkey" --generate \
	--secrets-out "$out"
code pin-incorrect
[[ ! -e $out ]] || die 'a key that was never set is left over'
pin 4 change --so --so-pin-source "file:$work/puk" --generate \
	--secrets-out "$out"
code pin-length
pin 0 change --so --so-pin-source "file:$work/mgm" --generate \
	--secrets-out "$out"
jq -r .management_key "$out" >"$work/mgm2"
[[ $(wc -c <"$work/mgm2") == $(wc -c <"$work/mgm") ]] || die 'another length'
pin 4 change --so --so-pin-source "file:$work/mgm" \
	--new-pin-source "file:$work/mgm2"
pin 0 status
is .so_pin.factory false
is .yubikey.management_key "$type"
ok 'the management key, whatever its type'

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/keeper.key" \
	-subj '/CN=keeper' -out "$work/keeper.pem" 2>/dev/null
# Nothing of the factory is tried unasked.
b 4 init --json --token $serial --generate --secrets-out "$work/none"
code no-terminal
[[ ! -e $work/none ]] || die 'PINs that were never set are left over'
left 3 3
b 0 init --json --token $serial --generate --secrets-out "$work/sealed" \
	--seal-to "$work/keeper.pem" --pin-source "file:$work/pin" \
	--puk-source "file:$work/puk" --so-pin-source "file:$work/mgm2"
openssl cms -decrypt -inform DER -in "$work/sealed" \
	-recip "$work/keeper.pem" -inkey "$work/keeper.key" \
	>"$work/open" 2>"$work/err" || die 'openssl cms'
[[ $(jq -r .serial "$work/open") == "$serial" ]] || die 'another serial'
jq -r .pin "$work/open" >"$work/pin"
jq -r .puk "$work/open" >"$work/puk"
jq -r .management_key "$work/open" >"$work/mgm"
b 0 tokens --json --token $serial --pin-source "file:$work/pin"
pin 0 unblock --puk-source "file:$work/puk" --new-pin-source "file:$work/pin"
pin 0 change --so --so-pin-source "file:$work/mgm" --generate --secrets-out -
j .secrets.management_key >"$work/mgm"
left 3 3
# A PUK that is wrong: what was set already is said, and kept.
b 4 init --json --token $serial --generate --secrets-out "$work/half" \
	--pin-source "file:$work/pin" --puk-source "file:$work/badpuk" \
	--so-pin-source "file:$work/mgm"
code pin-incorrect
says 'set already: management key'
jq -r .management_key "$work/half" >"$work/mgm"
pin 0 change --so --so-pin-source "file:$work/mgm" --generate --secrets-out -
left 3 2
ok 'init: new PIN, PUK and management key, written down before'

# The other card was never touched.
b 0 pin status --json --token 12345679
is .pin.factory true
is .puk.factory true
is .pin.tries_left 3
ok 'the card with that serial number, not the first one'
