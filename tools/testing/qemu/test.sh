#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Usage: test.sh
#
# Builds the module for each kernel and runs the selftests on it in a guest.
# Each build and each guest counts as one test besides those in the guest. The
# last line is "N passed, N failed", with ", N skipped" if any were.
#
# Variables, besides those of run.sh and of the differential tester:
#	KERNEL="6.1 7.3"	only these
#	JOBS=2			guests at a time
#	STYLE=1			the style check as one more test

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/qemu/guests.sh
. "$bed/guests.sh"

[ $# -eq 0 ] || die "usage: test.sh (see KERNEL= and TEST= in 'make help')"
for kernel in ${KERNEL:=$(kernels)}; do
	suite=$(kernel_suite "$kernel")
done

export EXTRA_MODULES="${EXTRA_MODULES:-zram binder_linux:devices=binder}"
# Another run in this tree would take the results from under this one.
exec 8>"$out/lock"
flock --nonblock 8 || die "another test run is using $out"
tmp=$(mktemp -d)
trap 'end_jobs; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

begun=$(date +%s)
steps=
# The seconds since the last step ended belong to step $1.
step_start=$begun
step_done()
{
	now=$(date +%s)
	steps="$steps, $1 $((now - step_start))"
	step_start=$now
}

row()
{
	printf '%-8s %-7s %7s %7s %7s %8s\n' "$@" >>"$tmp/table"
}

finish()
{
	echo
	cat "$tmp/table"
	echo
	echo "logs: $out; seconds: $(($(date +%s) - begun)) (${steps#, })"
	failures
	total
}

row kernel arch passed failed skipped seconds

"$bed/emulator.sh" >/dev/null
: >"$tmp/no-root"
for kernel in $KERNEL; do
	if ! "$bed/root.sh" "$kernel" >/dev/null; then
		check 1 "$kernel: build root"
		echo "$kernel" >>"$tmp/no-root"
		row "$kernel" x86_64 0 1 0 -
	fi
done
step_done roots

source=$("$bed/source.sh") || {
	check 1 "kselftest_harness.h of the kernel source"
	finish
}
step_done source

tests=$out/tests
status=0
"$bed/programs.sh" "$out" || status=1
check "$status" "selftests built without warnings, 64- and 32-bit"
if [ "$status" -ne 0 ]; then
	finish
fi
step_done selftests

# Builds for kernel $1 and runs its guest.
try_kernel()
{
	logs=$out/$1
	rm -rf "$logs"
	mkdir -p "$logs"
	status=0
	"$bed/build.sh" "$1" "$top" "$logs/modules" || status=1
	check "$status" "$1: module built with W=1 without warnings"
	if [ "$status" -ne 0 ]; then
		return 0
	fi
	"$bed/run.sh" -p "$tests" -o "$logs" "$1" || true
	read -r p f s _ <"$logs/summary" || p=0 f=1 s=0
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
}

# Runs the checks of tools/$1 that need no guest; $2 says what they are.
check_here()
{
	echo "# tools/$1 on this machine, with memfd"
	status=0
	CC=gcc KSELFTEST_DIR="$source/tools/testing/selftests" \
		make -s -C "$top/tools/$1" OUTPUT="$out/here/$1" check || status=1
	check "$status" "$2"
}

try_here()
{
	check_here lib/ashmem "library: tests, and programs built with what is installed"
	check_here ashmem "command: tests, help, man page and completion in step"
}

try_checkers()
{
	echo "# on a kernel with every checker on, a sample (make test-debug runs all)"
	status=0
	"$top/tools/testing/debug/run.sh" --short >"$out/debug.log" || status=1
	grep -E '^(ok|not ok|debug) ' "$out/debug.log" || cat "$out/debug.log"
	check "$status" "no checker of the debug kernel reports anything; KUnit suites pass"
}

try_differential()
{
	echo "# beside the original, a sample (make test-differential runs all)"
	status=0
	SEEDS=${SEEDS:-1-12} OPS=${OPS:-2500} \
		"$top/tools/testing/differential/run.sh" >"$out/differential.log" || status=1
	grep -E '^ok|^not ok|^differential|compared|unexplained' "$out/differential.log" || true
	check "$status" "the same answers as the original, but for what is listed"
}

try_package()
{
	echo "# in one suite and without boots (make test-install runs all)"
	status=0
	KERNEL='' SCENARIO='' "$top/tools/testing/install/test.sh" --short \
		>"$out/install.log" 2>&1 || status=1
	grep -E '^(ok|not ok|#  )' "$out/install.log" || cat "$out/install.log"
	check "$status" "the package: installed, upgraded, purged, with DKMS"
}

try_style()
{
	status=0
	"$top/tools/scripts/style.sh" || status=1
	check "$status" "style: checkpatch, sparse, shellcheck"
}

# Runs a kernel's tests or what else is named so, in a process of its own, which
# begins with no counts.
try_guest()
{
	start=$(date +%s)
	passed=0
	failed=0
	skipped=0
	case $1 in
	checkers) try_checkers ;;
	differential) try_differential ;;
	here) try_here ;;
	package) try_package ;;
	style) try_style ;;
	*) try_kernel "$1" ;;
	esac
	echo "$passed $failed $skipped $(($(date +%s) - start))" >"$tmp/$1.counts"
}

wanted=
for kernel in $KERNEL; do
	grep -qxF "$kernel" "$tmp/no-root" || wanted="$wanted $kernel"
done
echo "test.sh: building for${wanted:- no kernel} and booting, some two minutes for each ..."
# shellcheck disable=SC2086 # a list
run_guests $wanted
for kernel in $wanted; do
	read -r p f s seconds <"$tmp/$kernel.counts" || p=0 f=1 s=0 seconds=-
	row "$kernel" x86_64 "$p" "$f" "$s" "$seconds"
done
step_done guests

# These build the modules, too, and so not beside a guest. The longest are first.
wanted=
if [ -z "${TEST:-}" ]; then
	wanted="checkers differential here package"
fi
if [ -n "${STYLE:-}" ]; then
	wanted="style $wanted"
fi
if [ -n "$wanted" ]; then
	echo "test.sh: then $wanted, some three minutes in all ..."
	# shellcheck disable=SC2086 # a list
	run_guests $wanted
	step_done "what is no kernel"
	steps="$steps:"
	for name in $wanted; do
		read -r _ _ _ seconds <"$tmp/$name.counts" || seconds=-
		steps="$steps $name $seconds"
	done
fi

finish
