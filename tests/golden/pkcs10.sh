#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Other people's programs read every golden request and verify it:
# pkcs10.sh openssl|certtool|pyasn1. A missing program is 77.
set -uo pipefail
shopt -s nullglob
cd "$(dirname "$0")" || exit 1

# reads TOOL FILE
reads() {
	case $1 in
	openssl) openssl req -verify -noout -inform DER -in "$2" ;;
	certtool)
		certtool --crq-info --inder --infile "$2" |
			grep 'Self signature: verified'
		;;
	pyasn1) /usr/bin/python3 pkcs10_dump.py "$2" | diff - "${2%.der}.txt" ;;
	*) return 1 ;;
	esac
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
	out=$(reads "$tool" "$der" 2>&1) || {
		printf '%s: %s refuses it:\n%s\n' "$der" "$tool" "$out"
		failed=1
	}
done
((n > 0)) || {
	echo 'no golden request found'
	exit 1
}
exit "$failed"
