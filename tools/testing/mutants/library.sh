#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: library.sh [MUTANT...]
#
# Builds the library with one fault at a time, runs the test that should see it on
# this machine, with memfd, and says which were caught. A survivor means that a
# test is missing. The faults are in the file library.
#
# Variables:
#	JOBS=2		faults at a time

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

self=$here/library.sh
list=$here/library
logs=$out/mutants-library
# shellcheck source=tools/testing/mutants/lib.sh
. "$here/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Builds the test program $2 in the tree $1 and runs it, as $3.
try()
{
	lib=$1/tools/lib/ashmem
	make -s -C "$lib" OUTPUT="$tmp/$3.out" CFLAGS="-O1 -g" PROGRAMS="$2" \
		tests >"$logs/$3.build" 2>&1 || return 2
	# Twice what the slowest takes: a fault may let all of them hang.
	status=0
	TEST_TIMEOUT=${TEST_TIMEOUT:-60} "$lib/tests/run.sh" "$tmp/$3.out/tests" \
		>"$logs/$3" 2>&1 || status=1
	# Each test is a process group of its own, which outlives what was timed out.
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe") in
		"$tmp/$3.out/tests/"*) kill -9 "$(basename "${exe%/exe}")" || true ;;
		esac
	done 2>/dev/null
	return "$status"
}

one()
{
	name=$1
	test=$(field "$name" 4)
	tree=$tmp/$name
	plant "$name" "$tree" || return 0
	status=0
	try "$tree" "$test" "$name" || status=$?
	case $status in
	0) echo "SURVIVED $name ($(field "$name" 3), $test)" ;;
	2) echo "broken $name: does not build, see $logs/$name.build" ;;
	*) tell_caught "$logs/$name" '^not ok' ;;
	esac
}

source=$("$bed/source.sh")
export KSELFTEST_DIR="$source/tools/testing/selftests" ASHMEM_BACKEND=memfd
if [ "${1:-}" = --one ]; then
	one "$2"
	exit
fi

names=$(chosen "$@")
# shellcheck disable=SC2086 # names without blanks
set -- $names

rm -rf "$logs"
mkdir -p "$logs"

say "$# faults in the library, ${JOBS:=2} at a time, some seven seconds each"
say "first the library as it is: it must pass"
programs=$(for name; do field "$name" 4; done | sort -u)
try "$top" "$(echo "$programs" | tr '\n' ' ')" sound || {
	grep '^not ok' "$logs/sound" >&2 || true
	die "the library without a fault fails, see $logs/sound"
}

run_all "$JOBS" "$@"
