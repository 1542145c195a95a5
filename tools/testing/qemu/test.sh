#!/bin/sh
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

[ $# -eq 0 ] || die "usage: test.sh (see KERNEL= and TEST= in 'make help')"
for kernel in ${KERNEL:=$(kernels)}; do
	suite=$(kernel_suite "$kernel")
done

export EXTRA_MODULES="${EXTRA_MODULES:-zram binder_linux:devices=binder}"
mkdir -p "$out"
# Another run in this tree would take the results from under this one.
exec 8>"$out/lock"
flock --nonblock 8 || die "another test run is using $out"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

begun=$(date +%s)
passed=0
failed=0
skipped=0
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

check()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok - $2"
	else
		failed=$((failed + 1))
		echo "not ok - $2"
	fi
}

finish()
{
	echo
	cat "$tmp/table"
	echo
	echo "logs: $out; seconds: $(($(date +%s) - begun)) (${steps#, })"
	if [ "$skipped" -ne 0 ]; then
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ]
	exit
}

row kernel arch passed failed skipped seconds

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
rm -rf "$tests" "$tests.lib" "$tmp/32"
mkdir -p "$tests" "$tmp/32"
: >"$out/selftests.log"
# Builds the selftests and those of the library into $1 with compiler $2.
selftests()
{
	make -j"$(nproc)" -C "$top/tools/lib/ashmem" CC="$2" \
		KSELFTEST_DIR="$source/tools/testing/selftests" \
		OUTPUT="$1.lib" TESTS="$1" LDFLAGS=-static tests \
		>>"$out/selftests.log" 2>&1 || return
	make -j"$(nproc)" -C "$top/tools/testing/selftests/ashmem" CC="$2" \
		KSELFTEST_DIR="$source/tools/testing/selftests" \
		OUTPUT="$1" LDFLAGS=-static TEST= all >>"$out/selftests.log" 2>&1
}
status=0
selftests "$tests" "gcc" || status=1
selftests "$tmp/32" "gcc -m32" || status=1
make -j"$(nproc)" -C "$top/tools/ashmem" CC=gcc OUTPUT="$out/cmd" TESTS="$tests" \
	KSELFTEST_DIR="$source/tools/testing/selftests" LDFLAGS=-static tests \
	>>"$out/selftests.log" 2>&1 || status=1
if grep -q 'warning:' "$out/selftests.log"; then
	status=1
fi
if [ "$status" -ne 0 ]; then
	cat "$out/selftests.log"
fi
check "$status" "selftests built without warnings, 64- and 32-bit"
if [ "$status" -ne 0 ]; then
	finish
fi
# Reclaim, the life of the module and the deaths of peers don't know who asked;
# what does is run by 32-bit programs, too.
for program in "$tmp/32"/*; do
	case ${program##*/} in
	cgroup_test | module_test | race_test | reclaim_test) ;;
	lib_frame_death_test | lib_threads_test) ;;
	*) mv "$program" "$tests/${program##*/}-32" ;;
	esac
done
step_done selftests

# Runs the checks of tools/$1 that need no guest; $2 says what they are.
check_here()
{
	echo
	echo "# tools/$1 on this machine, with memfd"
	status=0
	CC=gcc KSELFTEST_DIR="$source/tools/testing/selftests" \
		make -s -C "$top/tools/$1" OUTPUT="$out/here/$1" check || status=1
	check "$status" "$2"
	step_done "tools/$1"
}

if [ -z "${TEST:-}" ]; then
	check_here lib/ashmem "library: tests, and programs built with what is installed"
	check_here ashmem "command: tests, help, man page and completion in step"
fi

# Builds for kernel $1 and runs its guest; what it says goes to $tmp/$1.said,
# "passed failed skipped seconds" to $tmp/$1.counts.
try_kernel()
{
	start=$(date +%s)
	logs=$out/$1
	rm -rf "$logs"
	mkdir -p "$logs"
	if "$bed/build.sh" "$1" "$top" "$logs/modules"; then
		echo "ok - $1: module built with W=1 without warnings"
		"$bed/run.sh" -p "$tests" -o "$logs" "$1" || true
		read -r p f s _ <"$logs/summary" || p=0 f=1 s=0
		p=$((p + 1))
	else
		echo "not ok - $1: module built with W=1 without warnings"
		p=0 f=1 s=0
	fi
	echo "$p $f $s $(($(date +%s) - start))" >"$tmp/$1.counts"
}

# Waits for the kernels under way, and reports on them.
collect()
{
	wait
	for kernel in $running; do
		echo
		echo "# $kernel"
		cat "$tmp/$kernel.said"
		read -r p f s seconds <"$tmp/$kernel.counts" || p=0 f=1 s=0 seconds=-
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
		row "$kernel" x86_64 "$p" "$f" "$s" "$seconds"
	done
	# shellcheck disable=SC2086,SC2116 # joined by single blanks
	step_done "guests $(echo $running)"
	running=
}

# Two at a time: much of a guest's time is waiting for time to pass.
running=
for kernel in $KERNEL; do
	if grep -qxF "$kernel" "$tmp/no-root"; then
		continue
	fi
	echo "test.sh: kernel $kernel: building and booting, some two minutes ..."
	try_kernel "$kernel" >"$tmp/$kernel.said" 2>&1 &
	running="$running $kernel"
	# shellcheck disable=SC2086 # a list
	set -- $running
	if [ $# -eq "${JOBS:-2}" ]; then
		collect
	fi
done
if [ -n "$running" ]; then
	collect
fi

if [ -z "${TEST:-}" ]; then
	echo
	echo "# beside the original, a sample (make test-differential runs all)"
	status=0
	SEEDS=${SEEDS:-1-12} OPS=${OPS:-2500} \
		"$top/tools/testing/differential/run.sh" >"$out/differential.log" || status=1
	grep -E '^ok|^not ok|^differential|compared|unexplained' "$out/differential.log" || true
	check "$status" "the same answers as the original, but for what is listed"
	step_done differential

	echo
	echo "# the package, in one suite and without boots (make test-install runs all)"
	status=0
	KERNEL='' SCENARIO='' "$top/tools/testing/install/test.sh" --short \
		>"$out/install.log" 2>&1 || status=1
	grep -E '^(ok|not ok|#  )' "$out/install.log" || cat "$out/install.log"
	check "$status" "the package: installed, upgraded, purged, with DKMS"
	step_done install
fi

if [ -n "${STYLE:-}" ]; then
	echo
	echo "# style"
	status=0
	"$top/tools/scripts/style.sh" || status=1
	check "$status" "style: checkpatch, sparse, shellcheck"
	step_done style
fi

finish
