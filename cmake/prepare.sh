# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For ./demo and ./check: the packages of packages.txt, then a build. Sourced
# in the project's root.

# Installs what is missing when it may; otherwise prints the one command.
prepare_packages() {
	local package missing=()

	while read -r package; do
		[[ -n $package ]] || continue
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || missing+=("$package")
	done <packages.txt
	((${#missing[@]})) || return 0
	if ((EUID != 0)); then
		printf 'Some packages are missing. As root:\n' >&2
		printf '  apt-get update && apt-get install -y %s\n' \
			"${missing[*]}" >&2
		return 1
	fi
	printf 'Installing %d packages: %s\n' "${#missing[@]}" "${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >/dev/null &&
		apt-get install -y -qq --no-install-recommends \
			"${missing[@]}" >/dev/null
}

# prepare_build PRESET [TARGET...]: quiet unless it fails.
prepare_build() {
	local preset=$1 log
	shift
	mkdir -p build
	log=build/$preset.log
	if ! { cmake --preset "$preset" &&
		cmake --build --preset "$preset" -j "$(nproc)" \
			${1:+--target "$@"}; } >"$log" 2>&1; then
		tail -n 60 "$log" >&2
		printf 'The build failed; the whole log: %s\n' "$log" >&2
		return 1
	fi
}
