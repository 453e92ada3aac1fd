#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# "authority invite --from": a list of names is invited, all of it or nothing.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3

authority_init
dir=$work/ca list=$work/list
invited() { sqlite3 "$dir/authority.db" "SELECT count(*) FROM invites $1"; }

printf '%s\n' '# the fleet' '' $'first im:first@example.com\r' \
	$'\tdesk#3   im:b#b@example.com # a desk' 'third im:third@example.com' \
	>"$list"
b 0 authority invite "$dir" --from "$list" --profile im --ttl 60 --dry-run
says '3 names for 60 s'
[[ $(invited '') == 0 ]] || die 'a dry run invited somebody'
b 0 authority invite "$dir" --from "$list" --profile im --ttl 60
cp "$work/out" "$work/secrets"
[[ $(cut -d ' ' -f 1 "$work/secrets" | xargs) == 'first desk#3 third' ]] ||
	die 'not these names'
[[ $(grep -cE '^[a-z#3]+ [A-Z2-7]{26}$' "$work/secrets") == 3 ]] ||
	die 'not a secret each'
[[ $(cut -d ' ' -f 2 "$work/secrets" | sort -u | wc -l) == 3 ]] ||
	die 'one secret for two'
[[ $(sqlite3 "$dir/authority.db" "SELECT group_concat(coalesce(identity, '-'))
	FROM invites WHERE profile = 'im' AND expires - created = 60
	ORDER BY id") ==
	im:first@example.com,im:b#b@example.com,im:third@example.com ]] ||
	die 'not as it was said'
b 0 authority log "$dir" --json
is '[.log[] | select(.event == "invited")] | length' 3
ok 'three invites from a list'

b 0 authority invite "$dir" --from "$list" --profile im --json
is '.invites | length' 3
is '.invites[1].name' 'desk#3'
is .seconds 86400
[[ $(j '.invites[0].secret') != "$(awk '/^first/ { print $2 }' \
	"$work/secrets")" ]] ||
	die 'the same secret again'
[[ $(invited '') == 3 ]] || die 'not in the place of the first ones'
ok 'the same in JSON, in the place of the first ones'

burin authority invite "$dir" --from - --profile im \
	<"$list" >"$work/out" 2>"$work/err" ||
	die 'from standard input'
[[ $(wc -l <"$work/out") == 3 ]] || die 'not three from standard input'
got=0
burin authority invite "$dir" --from "$list" --profile im \
	>/dev/full 2>"$work/err" || got=$?
[[ $got == 1 ]] || die "exit $got when the secrets cannot be written"
says 'cannot write the secrets'
ok 'standard input and output'

# refused CODE LINE...: such a list invites nobody.
before=$(invited '') lines=$(sqlite3 "$dir/authority.db" \
	'SELECT count(*) FROM audit')
refused() {
	local code=$1
	shift
	printf '%s\n' "$@" >"$list"
	b 2 authority invite "$dir" --from "$list" --profile im --json
	is .error.code "$code"
	is '.invites' null
	[[ $(invited '') == "$before" && $(sqlite3 "$dir/authority.db" \
		'SELECT count(*) FROM audit') == "$lines" ]] ||
		die "somebody of the list was invited: $code"
}
refused name-refused new 'also:new'
refused name-twice new other new
refused line-malformed new 'other im:a@example.com more'
refused list-empty '# nobody'
refused list-mixed 'new im:new@example.com' '' other
is .error.reason 'line 3 of the list has no address, and those before it have one'
refused list-mixed new 'other im:other@example.com'
is .error.reason 'line 2 of the list has an address, and those before it have none'
refused identity-scheme 'new im:a@example.com' 'other mailto:other@example.com'
seq -f 'name%g' 5001 >"$work/many"
mapfile -t many <"$work/many"
refused invites-too-many "${many[@]}"
printf 'new\nother\0\n' >"$list"
b 2 authority invite "$dir" --from "$list"
says 'is no text'
printf 'new\n' >"$list"
b 2 authority invite "$dir" another --from "$list"
says 'NAME, --identity'
b 2 authority invite "$dir" --from "$list" --profile im \
	--identity im:a@example.com
b 2 authority invite "$dir"
says '--from'
[[ $(invited '') == "$before" ]] || die 'somebody was invited'
ok 'a list with one wrong line invites nobody'

seq -f 'name%g' 5000 >"$list"
b 0 authority invite "$dir" --from "$list"
[[ $(sort -u "$work/out" | wc -l) == 5000 ]] || die 'not five thousand'
b 0 authority log "$dir" --verify
ok 'five thousand at once'
