#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: matrix.sh
#
# Runs the tests on every kernel of the table. Prints for each kernel whether the module
# builds for it ("none" if there is no kernel), whether it boots, and how many tests pass.
# out/matrix keeps the rows, a file for each kernel, so a run of some kernels renews only
# their rows; at first it has those of README.md. The table of all rows is out/matrix.md.
# The last line is "N passed, N failed".
#
# The kernel "given", which is built from the source in KSRC, has a row for each version. So
# has "cfi", which only runs when it is named.
#
# Variables: see 'make help'.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: matrix.sh (see KERNEL= and DOC= in 'make help')"
if [ -n "${TEST:-}" ] && [ -n "${DOC:-}" ]; then
	die "README.md tells of all tests, not of TEST=$TEST"
fi
: "${KERNEL:=$(all_kernels)}"
export KERNEL
for kernel in $KERNEL; do
	suite=$(kernel_suite "$kernel")
	[ -n "$(kernel_column "$kernel" when)" ] || [ "$kernel" = given ] ||
		[ "$kernel" = cfi ] || die "$kernel is no stock kernel"
done
# This script writes the part of README.md between these lines.
begin='<!-- Made by make test-matrix DOC=1. -->'
end='<!-- Until here. -->'
readme=$top/README.md
for line in "$begin" "$end"; do
	grep -qxF "$line" "$readme" || die "README.md has no line '$line'"
done
records=$out/matrix
log=$out/matrix.log

# Keeps row $1 of the table as the record of its kernel.
keep()
{
	echo "$1" >"$records/$(echo "$1" | cut -d '|' -f 2 | tr -d ' ')"
}

if [ ! -d "$records" ]; then
	mkdir -p "$records"
	sed -n "/^$begin\$/,/^$end\$/p" "$readme" | grep '^| [0-9].* | 20..-..-.. |$' |
		while read -r row; do
			keep "$row"
		done
fi

# Prints the result of kernel $1 as its row of the table.
record()
{
	logs=$out/$1
	name=$1 version=- builds=none boots=- tests=-
	if [ -d "$logs" ] && dir=$(REFRESH="" "$bed/root.sh" "$1"); then
		version=$(cat "$dir/kernel/version")
		builds=no
	fi
	page=$(kernel_column "$1" page)
	case $name in
	given)
		name=${version%% *}
		version="plain source"
		page=4K
		;;
	cfi)
		name=${version%%-*}-cfi
		version="plain source, clang"
		page=4K
		;;
	esac
	if [ -e "$logs/modules/ashmem_linux.ko" ]; then
		builds=yes
	fi
	if [ "$(kernel_column "$1" when)" != build ] && [ "$builds" = yes ]; then
		boots=no
		if grep -q '^#bed booted' "$logs/results.log" 2>/dev/null; then
			boots=yes
		fi
		read -r passed failed _ <"$logs/summary" || passed=0 failed=1
		tests="$passed passed"
		[ "$failed" -eq 0 ] || tests="$tests, $failed failed"
		[ -z "${TEST:-}" ] || tests="$tests, of $TEST"
	fi
	echo "| $name | $version | $(kernel_column "$1" machine) | $page" \
		"| $builds | $boots | $tests | $(date -u +%F) |"
}

table()
{
	echo "| kernel | version | machine | pages | builds | boots | tests | on |"
	echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
	missing=
	for kernel in $(all_kernels); do
		cat "$records/$kernel" 2>/dev/null || missing="$missing, $kernel"
	done
	grep -h '| plain source' "$records"/* | sort -V || true
	echo
	if grep -qF '| none |' "$records"/*; then
		echo "none: no build root with this kernel could be made, so nothing was built."
		echo
	fi
	echo "The driver was version $(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' \
		"$top/dkms.conf").${missing:+ Not run: ${missing#, }.}" | fold -s -w 96 | sed 's/ $//'
}

# Remove the results of earlier runs, but not those of one that goes on.
flock --nonblock "$out/lock" true || die "another test run is using $out"
for kernel in $KERNEL; do
	rm -rf "${out:?}/$kernel"
done
{
	"$bed/test.sh" --kernels || echo "test.sh has failed"
} 2>&1 | tee "$log"
for kernel in $KERNEL; do
	keep "$(record "$kernel")"
done
table >"$out/matrix.md"
if [ -n "${DOC:-}" ]; then
	put_between "$readme" "$begin" "$end" "$out/matrix.md"
fi
cat "$out/matrix.md"
grep -E '^[0-9]+ passed, ' "$log"
! grep -qx 'test.sh has failed' "$log"
