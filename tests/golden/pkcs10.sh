#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Other people's programs read every golden request and verify it:
# pkcs10.sh openssl|certtool|pyasn1. A missing program is 77.
set -uo pipefail
shopt -s nullglob
cd "$(dirname "$0")" || exit 1

openssl_reads() {
	openssl req -verify -noout -inform DER -in "$1"
}

certtool_reads() {
	certtool --crq-info --inder --infile "$1" |
		grep 'Self signature: verified'
}

pyasn1_reads() {
	/usr/bin/python3 pkcs10_dump.py "$1" | diff - "${1%.der}.txt"
}

tool=${1:?openssl, certtool or pyasn1}
case $tool in
pyasn1)
	/usr/bin/python3 -c 'import pyasn1_modules.rfc2986' 2>/dev/null ||
		exit 77
	;;
*) command -v "$tool" >/dev/null || exit 77 ;;
esac

failed=0 n=0
for der in data/pkcs10/*.der; do
	((n += 1))
	out=$("${tool}_reads" "$der" 2>&1) || {
		printf '%s: %s refuses it:\n%s\n' "$der" "$tool" "$out"
		failed=1
	}
done
((n > 0)) || {
	echo 'no golden request found'
	exit 1
}
exit "$failed"
