#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The authority's CMC against a client that shares no line with it: honest
# people enrol, and then the forgeries of tests/cmc/forgeries.py come, each of
# which is refused with its CMCFailInfo, gets nothing and is in the audit log.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need openssl pkcs11-tool
/usr/bin/python3 -c 'import pyasn1, pyasn1_modules, cryptography' \
	2>/dev/null || skip "pyasn1 or cryptography is not installed"

authority_init
cat >"$work/ca/profiles/ra.cnf" <<-'END'
	[profile]
	name = ra
	description = A registration authority
	key_types = ec:P-256
	usage = sign
	[certificate]
	days = 30
	keyUsage = critical,digitalSignature
	extendedKeyUsage = cmcRA
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid:always
END
sed -i 's/^#profile = NAME$/profile = default/; s/^confirm = no$/confirm = yes/' \
	"$work/ca/authority.cnf"
authority_serve

# A certificate that ran out: nobody can wait for one. pkcs11-tool signs with
# the key that has this id, whatever --label says.
id=$(sed -n 's/^ca_key = .*;id=\([%0-9A-Fa-f]*\);.*/\1/p' \
	"$work/ca/authority.cnf" | tr -d %)
[[ -n $id ]] || die "no id of the CA's key"
cat >"$work/ca-sign" <<-END
	#!/bin/sh
	openssl dgst -sha256 -binary >"$work/tbs.hash" &&
		pkcs11-tool --module "$SOFTHSM" --token-label test-ca --login \\
			--pin 123456 --sign --mechanism ECDSA --id $id \\
			--signature-format openssl --input-file "$work/tbs.hash" \\
			--output-file "$work/tbs.sig" >/dev/null 2>&1 &&
		cat "$work/tbs.sig"
END
chmod 700 "$work/ca-sign"

/usr/bin/python3 "$SOURCE_DIR/tests/cmc/forge.py" "$url" "$work/ca" \
	--ca-sign "$work/ca-sign" >"$work/rows" 2>"$work/err" ||
	die "forge.py: $(grep -E '^(FAILED|rows)' "$work/rows")"
rows=$(grep -c '^refused: ' "$work/rows")
((rows >= 40)) || die "only $rows forgeries were tried"
ok "$rows forged requests refused: failInfo, audit log, nothing issued"
ok "$(sed -n 's/^honest: //p' "$work/rows")"

b 0 authority log "$work/ca" --verify
ok 'the audit log is whole'
