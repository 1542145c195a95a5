#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: run.sh [MUTANT...]
#
# Builds the driver with one fault at a time, boots a guest with each, and says
# which of them the tests caught. A survivor means that a test is missing; of a
# broken one nothing is known, as it doesn't build or its test didn't run. The
# faults are in the file mutants, which says how they are written down.
#
# Variables:
#	KERNEL=7.3	the kernel; it must be one that purges by cgroup, or the
#			faults that only show there survive. Some faults are for
#			a kernel of their own.
#	JOBS=2		guests at a time

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

# The kernel that mutant $1 is for.
kernel_of()
{
	own=$(field "$1" 5)
	echo "${own:-$kernel}"
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
	kernel=$(kernel_of "$name")
	file=drivers/android/ashmem/$(field "$name" 3)
	test=$(field "$name" 4)
	tree=$tmp/$name
	plant "$name" "$tree" || return 0
	if [ "$test" = kunit ]; then
		try_kunit
		return
	fi
	if ! "$bed/build.sh" "$kernel" "$tree" "$logs/$name" >"$logs/$name.build" 2>&1; then
		echo "broken $name: does not build, see $logs/$name.build"
		return
	fi
	rm -rf "$tree"
	slowness=$(kernel_column "$kernel" 5)
	export TEST="$test" TIMEOUT=$((240 * ${slowness:-1}))
	if "$bed/run.sh" -m "$logs/$name/ashmem_linux.ko" -p "$tests" \
	   -o "$logs/$name" "$kernel" >"$logs/$name.out" 2>&1; then
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
		own=$(kernel_of "$name")
		mkdir -p "$tests-$own"
		cp "$tests/$(field "$name" 4)" "$tests-$own/"
		echo "$own"
	done | sort -u >"$tmp/kernels"
	while read -r own; do
		sound=$logs/sound-$own
		"$bed/build.sh" "$own" "$top" "$sound"
		"$bed/run.sh" -m "$sound/ashmem_linux.ko" -p "$tests-$own" \
			-o "$sound" "$own" >"$sound.out" 2>&1 || {
			grep -E '(^|: )not ok' "$sound.out" >&2 || true
			die "the driver without a fault fails, see $sound.out"
		}
	done <"$tmp/kernels"
fi
if [ -n "$with_kunit" ]; then
	OUT=$logs/sound-kunit TEST='' ARCH=um "$here/../kunit/run.sh" \
		>"$logs/sound.out" 2>&1 ||
		die "the driver without a fault fails in KUnit, see $logs/sound.out"
fi

export KERNEL="$kernel"
run_all "$jobs" "$@"
