#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh [MUTANT...]
#
# Builds the driver with one fault at a time, boots a guest with each, and says
# which of them the tests caught. A survivor means that a test is missing; of a
# broken one nothing is known, as it doesn't build or its test didn't run. The
# faults are in the file mutants, which says how they are written down.
#
# Variables, besides those of 'make help':
#	KERNEL=7.3	the kernel; it must be one that purges by cgroup, or the
#			faults that only show there survive. Some faults are for
#			their own kernel, or for another kind of guest.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

self=$here/run.sh
list=$here/mutants
logs=$out/mutants
# shellcheck source=tools/testing/mutants/lib.sh
. "$here/lib.sh"

kernel=${KERNEL:-7.3}
kernel_suite "$kernel" >/dev/null
jobs=${JOBS:-2}
tests=$out/mutants/tests
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Where mutant $1 is tried: the name of a kernel, or numa or nokmem, which are
# kinds of guests on $kernel.
place_of()
{
	own=$(field "$1" 5)
	echo "${own:-$kernel}"
}

# The kernel of place $1.
kernel_of()
{
	case $1 in
	numa | nokmem) echo "$kernel" ;;
	*) echo "$1" ;;
	esac
}

# Boots a guest at place $1 and runs the programs of directory $2 there; $3 is where
# the module is and where the logs go.
boot()
{
	booted=$(kernel_of "$1")
	choose_kind "$1" "$booted"
	EXTRA_MODULES="zram ?msdos ?nls_cp437" \
		"$bed/run.sh" -m "$3/ashmem_linux.ko" -p "$2" -o "$3" "$booted"
}

# The KUnit suites are those of the tree that they are run from.
try_kunit()
{
	(cd "$top" && tar -c tools/scripts tools/testing/kunit tools/testing/tree \
		tools/testing/qemu) | tar -x -C "$tree"
	if OUT=$logs/$name TEST='' PAGES=4 TIMEOUT=100 ARCH=um \
	   "$tree/tools/testing/kunit/run.sh" \
	   >"$logs/$name.out" 2>&1; then
		echo "SURVIVED $name ($file, $test)"
	elif grep -q "the kernel doesn't build" "$logs/$name.out"; then
		echo "broken $name: does not build, see $logs/$name.out"
	else
		# Of a kernel that hangs or dies before its first test kunit.py says no more
		# than that it ran out of time or found no output.
		tell_caught "$logs/$name.out" \
			'FAILED\]|CRASHED|panic|timed out after|find any KTAP'
	fi
	rm -rf "$tree"
}

one()
{
	name=$1
	place=$(place_of "$name")
	file=drivers/android/ashmem/$(field "$name" 3)
	test=$(field "$name" 4)
	tree=$tmp/$name
	plant "$name" "$tree" || return 0
	if [ "$test" = kunit ]; then
		try_kunit
		return
	fi
	own=$(kernel_of "$place")
	if ! "$bed/build.sh" "$own" "$tree" "$logs/$name" >"$logs/$name.build" 2>&1; then
		echo "broken $name: does not build, see $logs/$name.build"
		return
	fi
	rm -rf "$tree"
	slowness=$(kernel_column "$own" slower)
	export TEST="$test" TIMEOUT="$((${TIMEOUT:-240} * slowness))"
	if (boot "$place" "$tests" "$logs/$name") >"$logs/$name.out" 2>&1; then
		echo "SURVIVED $name ($file, $test)"
	else
		# A program's own, or the guest's: it hung, died, didn't let the module go.
		tell_caught "$logs/$name.out" '(^|: )not ok'
	fi
}

if [ "${1:-}" = --one ]; then
	one "$2"
	exit
fi

# The kernel hands these on to the tests: a fault shows soon or not at all.
export APPEND="ASHMEM_RACE_SECONDS=5 ASHMEM_MODULE_TRIPS=5 ${APPEND:-}"

names=$(chosen "$@")
# shellcheck disable=SC2086 # names without blanks
set -- $names

rm -rf "$logs"
mkdir -p "$tests"
with_kunit=
with_guest=
for name; do
	if [ "$(field "$name" 4)" = kunit ]; then
		with_kunit=1
	else
		with_guest=1
	fi
done

say "$# faults on $kernel, $jobs guests at a time"
say "first the driver as it is: it must pass"
if [ -n "$with_guest" ]; then
	source=$("$bed/source.sh")
	make -C "$top/tools/testing/selftests/ashmem" \
		KSELFTEST_DIR="$source/tools/testing/selftests" OUTPUT="$tests" \
		LDFLAGS=-static TEST= all >"$logs/selftests.log" 2>&1 ||
		die "the selftests don't build, see $logs/selftests.log"
	for name; do
		if [ "$(field "$name" 4)" = kunit ]; then
			continue
		fi
		place=$(place_of "$name")
		mkdir -p "$tests-$place"
		cp "$tests/$(field "$name" 4)" "$tests-$place/"
		echo "$place"
	done | sort -u >"$tmp/places"
	while read -r place; do
		sound=$logs/sound-$place
		"$bed/build.sh" "$(kernel_of "$place")" "$top" "$sound"
		(TIMEOUT='' && boot "$place" "$tests-$place" "$sound") >"$sound.out" 2>&1 || {
			grep -E '(^|: )not ok' "$sound.out" >&2 || true
			die "the driver without a fault fails, see $sound.out"
		}
	done <"$tmp/places"
fi
if [ -n "$with_kunit" ]; then
	OUT=$logs/sound-kunit TEST='' ARCH=um "$here/../kunit/run.sh" \
		>"$logs/sound.out" 2>&1 ||
		die "the driver without a fault fails in KUnit, see $logs/sound.out"
fi

export KERNEL="$kernel"
run_all "$jobs" "$@"
