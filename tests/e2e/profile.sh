#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# burin profile list, show, check: what --profile finds, what a profile says,
# and everything that is wrong with one.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq
shipped=$SOURCE_DIR/docs/profiles
module=()

# Every shipped profile is listed, shown and sound.
b 0 profile check --json "$shipped"/*.cnf
is '[.profiles[] | select(.ok | not)] | length' 0
is '.profiles | length' "$(find "$shipped" -name '*.cnf' | wc -l)"
b 0 profile list --json
is '[.profiles[].name] | join(" ")' "$(cd "$shipped" && printf '%s\n' *.cnf |
	sed 's/\.cnf$//' | LC_ALL=C sort | paste -sd ' ')"
is .directory "$shipped"
is '[.profiles[].origin] | unique | join(" ")' user
is '[.profiles[] | select(.error)] | length' 0
is '.profiles[] | select(.name == "im") | .key_types[0]' ec:P-256
for name in $(jq -r '.profiles[].name' "$work/out"); do
	b 0 profile show "$name"
	head -n 1 "$work/out" | grep -qE "^$name: ." || die "$name is not named"
	says 'The certificate must have'
done
ok 'every shipped profile is sound'

# Without the variable those that came with the program, wherever that is.
BURIN_PROFILE_DIR='' b 0 profile list --json
is '[.profiles[].origin] | unique | join(" ")' installed
b 0 profile list
says 'Instant messaging identity (RFC 9734)'
grep -qE '^im +user ' "$work/out" || die 'no line of im'
[[ $(wc -l <"$work/out") == "$(($(find "$shipped" -name '*.cnf' | wc -l) + 1))" ]] ||
	die 'not one line each'
ok 'where they come from'

b 0 profile show --json im
is .profile.path "$shipped/im.cnf"
is '.profile.schemes | join(" ")' 'im xmpp'
is '.profile.names | join(" ")' 'uri:{address} xmpp:{bare}'
is '.profile.proofs | join(" ")' signature
is '.profile.request[] | select(.name == "keyUsage") | "\(.value) \(.critical)"' \
	'digitalSignature true'
is .profile.certificate.days 365
is '[.profile.certificate.must[].name] | join(" ")' \
	'basicConstraints keyUsage extendedKeyUsage subjectKeyIdentifier authorityKeyIdentifier'
is '[.profile.certificate.may[] | "\(.name):\(.when)"] | join(" ")' \
	'subjectAltName:asked-for authorityInfoAccess:authority-has-url crlDistributionPoints:authority-has-url'
is '.profile.certificate.must_not | join(" ")' 'other-extensions authority-usages'
is '.profile.text // "none"' none
b 0 profile show --json --text im
jq -j .profile.text "$work/out" | cmp - "$shipped/im.cnf" || die 'another text'
b 0 profile show --text "$shipped/im.cnf"
says 'identity = uri:{address} xmpp:{bare}'
b 0 profile show key-agreement
says 'it signs nothing'
b 0 profile show send-router
says 'the blocks of --prefix'
ok 'what a profile says'

# A profile of one's own: for requesters, its keyUsage made of usage; a line
# that is used only when the request says nothing.
mkdir "$work/own"
cat >"$work/own/reader.cnf" <<'CNF'
[profile]
name = reader
key_types = rsa:2048
usage = decrypt
CNF
cat >"$work/own/badge.cnf" <<'CNF'
[profile]
name = badge
description = Badge of the house
key_types = ec:P-256
[certificate]
days = 3
copy = keyUsage
keyUsage = critical,digitalSignature
CNF
printf '[profile]\nname = broken\n' >"$work/own/broken.cnf"
touch "$work/own/no profile.cnf" "$work/own/notes.txt"
export BURIN_PROFILE_DIR=$work/own
b 0 profile list --json
is '[.profiles[].name] | join(" ")' 'badge broken reader'
is '.profiles[1].error.code' profile-malformed
b 0 profile list
says 'cannot be used: the profile broken has no key_types'
b 0 profile show --json reader
is '.profile.certificate' null
is '.profile.request[0] | "\(.name) \(.value) \(.critical)"' \
	'keyUsage keyEncipherment true'
is '.profile.proofs | join(" ")' challenge
b 0 profile show badge
says 'as asked for, else digitalSignature (critical)'
b 2 profile show broken
says 'has no key_types'
b 2 profile show --json nosuch
is .error.code profile-missing
b 2 profile show ../own/badge
ok 'profiles of one'"'"'s own'

# Everything that is wrong, with file, line, section and key; files that are
# sound, or not there, are said as well.
cat >"$work/own/bad.cnf" <<'CNF'
[profile]
name = worse
key_types = ec:P-256, ed25519
usage = sign, derive
identity = email:{bare}
colour = red

[request]
keyUsage = critical,digitalSignature
extendedKeyUsage = imUri

[certificate]
days = 0
extendedKeyUsage = clientAuth
CNF
b 2 profile check "$work/own/bad.cnf" badge "$work/own/nosuch.cnf"
for line in ':2: [profile] name: ' ':3: [profile] key_types: ' \
	':6: [profile] colour: ' ':12: [certificate] copy: ' \
	':13: [certificate] days: ' ':14: [certificate] extendedKeyUsage: '; do
	says "$work/own/bad.cnf$line"
done
says "$work/own/badge.cnf: ok"
says "$work/own/nosuch.cnf: cannot open"
says '2 of 3 profiles cannot be used as they are'
b 2 profile check --json "$work/own/bad.cnf" badge "$work/own/nosuch.cnf"
is '[.profiles[].ok] | map(tostring) | join(" ")' 'false true false'
is '[.profiles[0].flaws[].line] | map(tostring) | join(" ")' '2 3 6 12 13 14'
is '.profiles[0].flaws[5].rule' 'RFC 5280 section 4.2.1.12'
is '.profiles[0].flaws[1].code' profile-contradiction
is '.profiles[2].flaws[0].code' profile-missing
is .error.code profile-flawed
printf '[profile]\nname x\n' >"$work/own/syntax.cnf"
b 2 profile check --json syntax
is '.profiles[0].flaws[0].line' 2
is '.profiles[0].flaws | length' 1
burin profile check - <"$work/own/badge.cnf" >"$work/out" 2>"$work/err" ||
	die 'standard input'
ok 'what is wrong with a profile'

# Completion knows the verbs, and the profiles.
burin completion bash >"$work/completion"
for words in 'profile s:show' 'pin u:unblock' 'authority in:init intake invite' \
	'profile show ba:bad badge'; do
	# shellcheck disable=SC2016 # for the inner shell
	got=$(cd "$work" && bash -c '
		. "$1"
		read -ra COMP_WORDS <<<"burin $2"
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_burin
		printf "%s\n" "${COMPREPLY[@]}"' _ "$work/completion" \
		"${words%%:*}" | sort | paste -sd ' ')
	[[ $got == "${words#*:}" ]] || die "completion of ${words%%:*}: $got"
done
ok 'completion'
