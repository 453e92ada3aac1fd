#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The README's tour, typed: every command does what the README shows.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need python3
unset BURIN_STATE_DIR

# As a reader has it after ./demo: the program below the root, no tour yet.
mkdir -p "$work/root/build"
ln -s "$BUILD_DIR" "$work/root/build/release"
ln -s "$SOURCE_DIR/docs" "$work/root/docs"
cd "$work/root" || die 'no root'
"$SOURCE_DIR/tests/docs/tour" "$SOURCE_DIR/README.md" ||
	die 'the README shows other things than happen'
ok 'the tour of the README'
