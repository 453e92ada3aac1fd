#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The systemd units: systemd reads them without a word, and finds them hard
# to break out of.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need systemd-analyze

units=$work/units
mkdir "$units"
cp "$SOURCE_DIR"/udev/burin-authority*@.socket "$units/"
# The program is where it was built; a user of that name may not be here.
sed -e "s,^ExecStart=[^ ]*,ExecStart=$BUILD_DIR/bin/burin," \
	"$BUILD_DIR/burin-authority@.service" \
	>"$units/burin-authority@.service"
grep -q "^ExecStart=$BUILD_DIR/bin/burin authority serve" \
	"$units/burin-authority@.service" || die "no ExecStart"
cd "$units" || die "no folder"
for unit in burin-authority@lab.service burin-authority@lab.socket \
	burin-authority-http@lab.socket; do
	cp "${unit/lab/}" "$unit"
	SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no \
		"./$unit" >"$work/out" 2>&1 || die "$unit"
	# Other units of this machine may have their faults.
	! grep burin "$work/out" || die "$unit is not clean"
done
ok 'systemd-analyze verify'
# systemd 252 has Landlock in no group: without its calls by name there is no
# fence. A group that takes something away again must not have them.
allowed=$(sed -n 's/^SystemCallFilter=\([^~]\)/\1/p' ./burin-authority@.service)
taken=$(sed -n 's/^SystemCallFilter=~//p' ./burin-authority@.service)
# shellcheck disable=SC2086 # they are words
systemd-analyze syscall-filter $taken >"$work/taken" || die 'no groups'
for call in landlock_create_ruleset landlock_add_rule \
	landlock_restrict_self; do
	[[ " $allowed " == *" $call "* ]] || die "$call is not let through"
	! grep -qw "$call" "$work/taken" || die "$call is taken away again"
done
ok 'the fence is let through'
systemd-analyze security --offline=yes --no-pager --threshold=25 \
	./burin-authority@lab.service >"$work/out" 2>&1 ||
	die "exposed more than 2.5: $(tail -n 1 "$work/out")"
tail -n 1 "$work/out"
ok 'systemd-analyze security'
