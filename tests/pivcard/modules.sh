#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The emulated card with Debian's ykcs11, OpenSC and yubico-piv-tool: what
# they do to a real card works on this one, and what goes wrong goes wrong.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need pkcs11-tool yubico-piv-tool openssl opensc-tool
piv_token -n 2
yk=${module[1]}
piv_opensc
osc=${module[1]}
cd "$work" || die "cd"
mgm=$(<"$work/mgm")
printf 'what is signed' >data
openssl dgst -sha256 -binary data >"$work/hash"

# yk, osc EXIT ARGUMENTS...: pkcs11-tool with either module.
p11() {
	local lib=$1 want=$2 got=0
	shift 2
	timeout 60 pkcs11-tool --module "$lib" "$@" >out 2>err </dev/null || got=$?
	[[ $got == "$want" ]] || die "exit $got, not $want: pkcs11-tool $*"
}
user() { p11 "$1" "$2" --login --pin "${pin:-123456}" "${@:3}"; }
so() { p11 "$yk" "$1" --login --login-type so --so-pin "$mgm" "${@:2}"; }
tool() {
	local want=$1 got=0
	shift
	yubico-piv-tool "$@" >out 2>err </dev/null || got=$?
	[[ $got == "$want" ]] || die "exit $got, not $want: yubico-piv-tool $*"
}
# objects MODULE KIND N: so many objects are listed.
objects() {
	local got
	p11 "$1" 0 --list-objects --type "$2"
	got=$(grep -c 'Object;' out)
	[[ $got == "$3" ]] || die "$got objects of type $2, not $3"
}
# public ID: the slot's public key in pubID, from its certificate: pkcs11-tool
# 0.23 cannot write a P-384 public key.
public() {
	p11 "$yk" 0 --read-object --type cert --id "$1" -o cert
	openssl x509 -inform DER -in cert -pubkey -noout >"pub$1" ||
		die "no certificate in slot $1"
}
# check ID rsa|ec: a signature of slot ID by both modules, checked with openssl.
check() {
	local id=$1 kind=$2 lib
	public "$id"
	for lib in "$yk" "$osc"; do
		if [[ $kind == rsa ]]; then
			user "$lib" 0 --sign --id "$id" -m SHA256-RSA-PKCS \
				-i data -o sig
			openssl dgst -sha256 -verify "pub$id" \
				-signature sig data >out || die "signature $id"
		else
			user "$lib" 0 --sign --id "$id" -m ECDSA -i hash \
				-o sig --signature-format openssl
			openssl pkeyutl -verify -pubin -inkey "pub$id" \
				-in hash -sigfile sig >out ||
				die "signature $id"
		fi
	done
}

# --- two cards in one pcscd -------------------------------------------------
p11 "$yk" 0 -L
grep -q 'serial num *: 12345678' out || die "no first card"
grep -q 'serial num *: 12345679' out || die "no second card"
card @2 remove
p11 "$yk" 0 -L
! grep -q 12345679 out || die "the second card is still there"
card @2 insert
p11 "$yk" 0 -L
grep -q 12345679 out || die "the second card has not come back"
card @2 remove
ok "two cards are listed; one goes and comes back"

# --- keys ---------------------------------------------------------------------
objects "$yk" privkey 0
user "$yk" 1 --keypairgen --id 01 --key-type EC:prime256v1
for row in 01:rsa:2048 02:EC:prime256v1 03:EC:secp384r1; do
	so 0 --keypairgen --id "${row%%:*}" --key-type "${row#*:}"
done
objects "$yk" pubkey 4 # and F9's
check 01 rsa
check 02 ec
so 0 --keypairgen --id 01 --key-type EC:secp384r1
so 0 --keypairgen --id 02 --key-type rsa:2048
check 01 ec
check 02 rsa
ok "RSA-2048, P-256 and P-384 in 9a and 9c: made as SO, signed by both modules"

public 03
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out peer
openssl pkey -in peer -pubout -outform DER -out peer.der
user "$osc" 0 --derive --id 03 -m ECDH1-COFACTOR-DERIVE -i peer.der -o secret
openssl pkeyutl -derive -inkey peer -peerkey pub03 -out ours ||
	die "openssl's own ECDH"
cmp secret ours || die "ECDH"
ok "ECDH in 9d agrees with openssl's"

# --- certificates ---------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes \
	-keyout key.pem -subj '/CN=Alice' -days 30 -outform DER -out cert.der \
	2>err || die "openssl req"
so 0 --write-object cert.der --type cert --id 01
for lib in "$yk" "$osc"; do
	p11 "$lib" 0 --read-object --type cert --id 01 -o back.der
	cmp cert.der back.der || die "another certificate"
done
ok "a certificate is written and read back by both modules"

p11 "$yk" 0 --list-objects --type cert
[[ $(grep -c 'label:.*PIV Attestation 9[acd]' out) == 3 ]] ||
	die "not three attestation certificates"
tool 0 -a read-certificate -s f9 -o f9.pem
for slot in 9a 9c 9d; do
	tool 0 -a attest -s "$slot" -o "$slot.pem"
	openssl verify -CAfile "$work/piv/attestation-root.pem" \
		-untrusted f9.pem "$slot.pem" >out 2>err ||
		die "attestation of $slot"
done
openssl x509 -in 9c.pem -noout -text >out
grep -A1 1.3.6.1.4.1.41482.3.8 out | grep -q . || die "no policies"
ok "attestation certificates are listed, and verify up to the root"

# --- other ways of writing ------------------------------------------------------
tool 0 -k"$mgm" -a import-key -s 9e -i key.pem
tool 0 -k"$mgm" -a import-certificate -s 9e -K DER -i cert.der
tool 0 -k"$mgm" -a generate -s 82 -A ECCP256 --pin-policy=never \
	--touch-policy=always -o pub82.pem
tool 0 -k"$mgm" -a set-chuid -a set-ccc
openssl x509 -in cert.der -inform DER -out cert.pem
tool 0 -a test-signature -s 9e -i cert.pem
tool 1 -a attest -s 9e
tool 0 -a status
grep -q '^CHUID:.30' out || die "no CHUID"
grep -q 'PIN tries left:.3' out || die "no tries"
ok "yubico-piv-tool imports, generates with policies, writes CHUID and CCC"

card touch 700
before=$(date +%s%N)
user "$yk" 0 --sign --id 05 -m ECDSA -i hash -o sig --signature-format openssl
(($(date +%s%N) - before > 700000000)) || die "no touch was waited for"
openssl pkeyutl -verify -pubin -inkey pub82.pem -in hash -sigfile sig >out ||
	die "signature in 82"
card touch 0
ok "a key with touch policy waits for the touch"

# --- PIN and PUK ----------------------------------------------------------------
tool 0 -a change-pin -P 123456 -N 222222
pin=111111
user "$yk" 1 --sign --id 01 -m ECDSA -i hash -o sig
grep -q CKR_PIN_INCORRECT err || die "not CKR_PIN_INCORRECT"
tool 0 -a status
grep -q 'PIN tries left:.2' out || die "not counted"
pin=222222
user "$yk" 0 --sign --id 01 -m ECDSA -i hash -o sig
tool 0 -a status
grep -q 'PIN tries left:.3' out || die "the right PIN did not reset the count"
ok "the PIN is changed; a wrong one counts, the right one resets"

pin=111111
user "$osc" 1 --sign --id 01 -m ECDSA -i hash -o sig
user "$yk" 1 --sign --id 01 -m ECDSA -i hash -o sig
user "$osc" 1 --sign --id 01 -m ECDSA -i hash -o sig
pin=222222
user "$yk" 1 --sign --id 01 -m ECDSA -i hash -o sig
grep -q CKR_PIN_LOCKED err || die "not CKR_PIN_LOCKED with ykcs11"
user "$osc" 1 --sign --id 01 -m ECDSA -i hash -o sig
grep -q CKR_PIN_LOCKED err || die "not CKR_PIN_LOCKED with OpenSC"
tool 0 -a unblock-pin -P 12345678 -N 333333
pin=333333
user "$yk" 0 --sign --id 01 -m ECDSA -i hash -o sig
mgm=111111111111111111111111111111111111111111111111 \
	so 1 --keypairgen --id 03 --key-type EC:prime256v1
grep -q CKR_PIN_INCORRECT err || die "a wrong management key"
ok "three wrong PINs lock it for both modules, the PUK unblocks it"

# --- faults -----------------------------------------------------------------------
sign() { user "$1" "$2" --sign --id 01 -m ECDSA -i hash -o sig; }
# pkcs11-tool tries a signature that failed once more, another way.
card fail-ins 87 6f00 2
sign "$yk" 1
sign "$yk" 0
for lib in "$yk" "$osc"; do
	for when in before after; do
		card drop-ins 87 "$when"
		sign "$lib" 1
		[[ $(card state) == absent ]] || die "the card has not gone"
		card insert
		sign "$lib" 0
	done
done
card drop 3 after
sign "$yk" 1
[[ $(card state) == absent ]] || die "the card has not gone"
card insert
ok "refused; pulled in a signature, before and after the card acted"

card reset-count
card log on
sign "$yk" 0
apdus=$(card apdus)
card log off
((apdus > 80 && apdus < 140)) || die "$apdus commands for one signature"
log=$work/piv/card1/apdu.log
[[ $(grep -c ' > ' "$log") == "$apdus" ]] ||
	die "the log has another number of commands than $apdus"
grep -q ' > 00 20 00 80 (9 bytes hidden)' "$log" || die "no VERIFY in the log"
! grep -q '33 33 33 33 33 33' "$log" || die "a PIN in the log"
ok "commands are counted and logged, the PIN is not"

card delay 5
card reset-count
before=$(date +%s%N)
p11 "$yk" 0 --list-objects
(($(date +%s%N) - before > $(card apdus) * 5000000)) || die "no delay"
card delay 0
! card frobnicate 2>err || die "an unknown command is obeyed"
! card drop 0 before 2>err || die "a senseless drop is obeyed"

# The process dies, as one that is killed: the card is what it was.
card quit
piv_card "$work/piv" 1 || die "the card does not start again"
card wait
sign "$yk" 0
ok "delays, and a card whose process died and came back"
