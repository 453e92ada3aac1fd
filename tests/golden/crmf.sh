#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Another reader (pyasn1) reads every golden CRMF, encodes it to the same
# bytes, and verifies its proof of possession. Without pyasn1 and
# python3-cryptography: 77.
set -uo pipefail
shopt -s nullglob
cd "$(dirname "$0")" || exit 1

/usr/bin/python3 -c 'import cryptography, pyasn1_modules.rfc4211' \
	2>/dev/null || exit 77

failed=0 n=0
for text in data/crmf/*.txt; do
	((n += 1))
	der=${text%.txt}.der
	out=$(/usr/bin/python3 crmf_dump.py "$der" data/crmf/authority.pem \
		data/crmf/authority.der 2>&1 | diff - "$text") || {
		printf '%s: read differently:\n%s\n' "$der" "$out"
		failed=1
	}
done
((n > 0)) || {
	echo 'no golden CRMF found'
	exit 1
}
exit "$failed"
