#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The YubiKey tour, typed on an emulated card, and what the README shows of
# it: every command does what stands there. UPDATE=1 writes it anew.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need python3 jq pivcard-ctl
piv_token -n 1
unset BURIN_STATE_DIR
export PIV_DIR=$work/piv # as tests/pivcard/run has it

mkdir -p "$work/root/build"
ln -s "$BUILD_DIR" "$work/root/build/release"
ln -s "$SOURCE_DIR/docs" "$work/root/docs"
cd "$work/root" || die 'no root'
"$SOURCE_DIR/tests/docs/tour" "$SOURCE_DIR/docs/yubikey-tour.md" \
	--excerpt "$SOURCE_DIR/README.md:yubikey" ${UPDATE:+--update} ||
	die 'the tour shows other things than happen'
ok 'the YubiKey tour, and what the README shows of it'
