#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: user.sh library|command [MUTANT...]
#
# Builds the library or the command with one fault at a time, runs the test that
# should see it on this machine, with memfd, and says which were caught. A survivor
# means that a test is missing. The faults are in the files library and command.
#
# Variables: see 'make help'.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

what=${1:-}
case $what in
library | command) shift ;;
*) die "usage: user.sh library|command [MUTANT...]" ;;
esac
list=$here/$what
self=$here/user.sh
part=$(sed -n 's/^in //p' "$list")
logs=$out/mutants-$what
# shellcheck source=tools/testing/mutants/lib.sh
. "$here/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Builds the test programs from $3 on in the tree $1 and runs them, as $2.
try()
{
	tree=$1
	as=$2
	shift 2
	for program; do
		set -- "$@" "$tmp/$as.out/tests/$program"
		shift
	done
	make -s -C "$tree/$part" OUTPUT="$tmp/$as.out" TESTS="$tmp/$as.out/tests" \
		CFLAGS="-O1 -g" "$@" >"$logs/$as.build" 2>&1 || return 2
	# Twice what the slowest takes: a fault may let all of them hang. The first failure is
	# enough: the program dies when it says more.
	status=0
	# shellcheck disable=SC2016 # for bash
	TEST_TIMEOUT=${TEST_TIMEOUT:-120} "$tree/tools/lib/ashmem/tests/run.sh" \
		"$tmp/$as.out/tests" bash -c 'set -o pipefail; "$0" | sed "/^not ok/q"' \
		>"$logs/$as" 2>&1 || status=1
	# Each test is a separate process group, which outlives what was timed out.
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe") in
		"$tmp/$as.out/tests/"*) kill -9 "$(basename "${exe%/exe}")" || true ;;
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
	try "$tree" "$name" "$test" || status=$?
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

say "$# faults in the $what, ${JOBS:=2} at a time, some seven seconds each"
say "first the $what as it is: it must pass"
# shellcheck disable=SC2046 # a list
try "$top" sound $(for name; do field "$name" 4; done | sort -u) || {
	grep '^not ok' "$logs/sound" >&2 || true
	die "the $what without a fault fails, see $logs/sound"
}

run_all "$JOBS" "$@"
