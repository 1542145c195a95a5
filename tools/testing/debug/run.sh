#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh [--short | --coverage]
#
# Runs the tests on kernels with checkers: all tests and the KUnit suites on the debug
# kernel, all tests on the real-time kernel that proves locking and on the kernel that checks
# the types of calls, and the tests with concurrency on the kernel that detects data races.
# Any report of a checker fails its guest. --short is a sample for 'make test', on the debug
# kernel. --coverage also says what of the driver ran, and doesn't look for races. The last
# line is "N passed, N failed", with ", N skipped" if any were.
#
# Variables: see 'make help'.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/qemu/guests.sh
. "$bed/guests.sh"

mode=${1:---all}
case $#$mode in
0--all | 1--short | 1--coverage) ;;
*) die "usage: run.sh [--short | --coverage]" ;;
esac

export EXTRA_MODULES="${EXTRA_MODULES:-zram ?msdos ?nls_cp437 binder_linux:devices=binder}"
logs=$out/debug-tests
rm -rf "$logs"
mkdir -p "$logs"
tmp=$(mktemp -d)
trap 'end_jobs; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
begun=$(date +%s)

finish()
{
	echo
	echo "logs: $logs; seconds: $(($(date +%s) - begun))"
	total
}

# Prints the kernel of guest $1.
kernel_of()
{
	case $1 in
	races) echo race ;;
	realtime | cfi) echo "$1" ;;
	*) echo debug ;;
	esac
}

# The name of a guest is that of its set of programs.
kernels=debug
guests="suites kunit"
suites=${SUITES:-*}
if [ "$mode" != --short ]; then
	# A busy host is no reason to fail.
	export TIMEOUT="${TIMEOUT:-7200}" TEST_TIMEOUT="${TEST_TIMEOUT:-2000}"
fi
case $mode in
--all)
	guests=${GUESTS:-$guests races realtime cfi}
	kernels=$(for guest in $guests; do
		kernel_of "$guest"
	done | sort -u)
	;;
--short)
	# What is over soon and sees most of the driver, in the guest of the KUnit
	# suites: this kernel takes two minutes to boot.
	guests=kunit
	suites="region_test pin_test rights_test fault_test lifetime_test neighbour_test"
	;;
--coverage)
	APPEND="gcov_persist=1 ${APPEND:-}"
	;;
esac
export APPEND="ASHMEM_RACE_SECONDS=20 ASHMEM_MODULE_TRIPS=20 ${APPEND:-}"

for kernel in $kernels; do
	"$bed/root.sh" "$kernel" >/dev/null || {
		check 1 "kernel $kernel built"
		finish
	}
done
# 'make test' has built them.
if [ "$mode" != --short ] || [ ! -d "$out/tests" ]; then
	"$bed/programs.sh" "$out"
fi

mkdir "$tmp/suites" "$tmp/kunit" "$tmp/races" "$tmp/realtime" "$tmp/cfi"
(
	cd "$out/tests"
	for guest in suites realtime cfi; do
		# shellcheck disable=SC2086 # patterns
		cp $suites "$tmp/$guest/"
		# Steps through the library, one instruction at a time.
		rm -f "$tmp/$guest/lib_cache_step_test"
	done
	cp race_test reclaim_test cgroup_test lifetime_test module_test share_test \
		bounded_test crowd_test hostile_test shootdown_test \
		lib_threads_test lib_frame_stress_test "$tmp/races/"
)
cp "$here/kunit" "$tmp/kunit/"
[ "$mode" != --short ] || cp "$tmp/suites/"* "$tmp/kunit/"

# Builds for guest $1, a directory of programs, and runs it.
try_guest()
{
	kernel=$(kernel_of "$1")
	args=W=1
	taint=0
	words=
	machine=
	case $1 in
	kunit)
		args="W=1 CONFIG_ASHMEM_KUNIT_TEST=y"
		# Which the kernel is built not to do unless it's told.
		words="kunit.enable=1 kunit.autorun=1"
		# A module with tests taints the kernel: TAINT_TEST.
		taint=262144
		# Some are of nodes of memory.
		machine=$(two_nodes "$(kernel_column "$kernel" MiB)")
		;;
	esac
	if [ "$mode" = --coverage ]; then
		args="$args GCOV_PROFILE=y"
	fi
	dir=$logs/$1
	mkdir -p "$dir"
	echo "0 1 0 -" >"$tmp/$1.counts"
	if KBUILD_ARGS=$args "$bed/build.sh" "$kernel" "$top" "$dir/modules"; then
		export APPEND="$words $APPEND" TAINT_OK="$taint" QEMU_ARGS="$machine"
		"$bed/run.sh" -m "$dir/modules/ashmem_linux.ko" -p "$tmp/$1" \
			-o "$dir" "$kernel" || true
		cp "$dir/summary" "$tmp/$1.counts"
	else
		echo "not ok - $1: module built with $args without warnings"
	fi
}

# With TEST= those that have such a program.
wanted=
for guest in $guests; do
	if [ -n "$(find "$tmp/$guest" -type f -name "*${TEST:-}*")" ]; then
		wanted="$wanted $guest"
	fi
done
guests=${wanted# }
[ -n "$guests" ] || die "no program matches TEST=${TEST:-}"
say "guests: ${guests:-none} ..."
# shellcheck disable=SC2086 # a list
run_guests $guests
echo
if [ "$mode" = --coverage ]; then
	set --
	for guest in $guests; do
		set -- "$@" "$logs/$guest"
	done
	status=0
	"$here/coverage.sh" "$@" || status=1
	# With only some of the tests the share means nothing.
	[ -z "${TEST:-}" ] || status=0
	check "$status" "coverage: the report is $out/coverage/html/index.html"
fi
finish
