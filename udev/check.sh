#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The device table is well-formed, sorted and without doubles.
set -eu
table=${1:-$(dirname "$0")/devices}
rows=$(grep -v -e '^#' -e '^$' "$table")
if printf '%s\n' "$rows" | grep -vE '^[0-9a-f]{4} ([0-9a-f]{4}|\*) [^ ]'; then
	echo "udev: malformed rows above" >&2
	exit 1
fi
printf '%s\n' "$rows" | LC_ALL=C sort -c
if [ -n "$(printf '%s\n' "$rows" | cut -c1-9 | uniq -d)" ]; then
	echo "udev: a device stands in the table twice" >&2
	exit 1
fi
