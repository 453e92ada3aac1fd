# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2034 # for those who source this
# What the token suite is: kinds of tokens, scenes, and why a scene cannot be
# on a kind. No more than words: ./check, scenarios.sh and table read it.

kinds=(softhsm nss remote tpm2 opencryptoki ykcs11 opensc-piv mock)
declare -A kind_title=(
	[softhsm]='SoftHSM'
	[nss]='NSS softokn'
	[remote]='SoftHSM behind p11-kit'
	[tpm2]='tpm2-pkcs11 on swtpm'
	[opencryptoki]='opencryptoki swtok'
	[ykcs11]='ykcs11, emulated PIV card'
	[opensc-piv]='OpenSC, the same card'
	[mock]='our mock module'
)

scenes=(inventory keygen request install consumer replace renew abandon
	budget wrong-pin always removal fifty labels large locked-pin)
declare -A scene_title=(
	[inventory]='the token is found and described'
	[keygen]='a key of each type the module makes; pkcs11-tool sees it protected, both halves under one ID; refused in words, where it makes none'
	[request]='a request signed by each; openssl verifies it'
	[install]='a certificate for each; pkcs11-tool sees it under the key'"'"'s ID'
	[consumer]='libp11 uses each key, or burin says why it cannot'
	[replace]='another certificate of a key: refused, then with --replace, then the same again'
	[renew]='enrolled by files, and again with --key --replace'
	[abandon]='a job given up leaves nothing, or what it leaves is said'
	[budget]='an enrolment over EST in one process: 36 calls at most'
	[wrong-pin]='a wrong PIN is one try, then known'
	[always]='a login for each use: one more per signature; said, where the module cannot'
	[removal]='pulled out at each call of an enrolment, a card at its commands; resume ends it'
	[fifty]='fifty objects more, or as many as there is room for, cost no call more'
	[labels]='two tokens of one label: neither is taken, both are named'
	[large]='a certificate over our limit or the token'"'"'s: refused in words, the token as it was'
	[locked-pin]='three wrong PINs with --last-try: said to be locked, the right one as well'
)

# cannot KIND SCENE: why not, and 0; or 1.
cannot() {
	case $1:$2 in
	nss:locked-pin | softhsm:locked-pin)
		echo 'counts no wrong PINs' ;;
	remote:locked-pin)
		echo 'the token behind it counts no wrong PINs' ;;
	nss:labels)
		echo 'one token in a process' ;;
	tpm2:labels)
		echo 'the module makes no second token of a label' ;;
	nss:removal | remote:removal | tpm2:removal | opencryptoki:removal)
		echo 'cannot be pulled out; SoftHSM behind the shim can' ;;
	ykcs11:labels)
		echo 'a label has the serial number of its card; inventory has two' ;;
	opensc-piv:replace | opensc-piv:renew | opensc-piv:abandon | \
		opensc-piv:budget | opensc-piv:removal | opensc-piv:fifty | \
		opensc-piv:large)
		echo 'the module only reads' ;;
	*) return 1 ;;
	esac
}

# record DIR KIND SCENE RESULT: one file each, so that runs cannot mix.
record() {
	mkdir -p "$1" && printf '%s\n' "$4" >"$1/$2.$3"
}
