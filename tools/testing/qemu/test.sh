#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: test.sh [--kernels]
#
# Builds the module for each kernel and runs the selftests on it in a guest, or a few of them
# where the table of kernels says "short". Two short guests with the last x86-64 kernel run the
# tests that depend on nodes and cgroups: one has two nodes of memory (numa), the other
# cgroup.memory=nokmem (nokmem). With --kernels, that is all.
# Each build and each guest counts as one more test. The last line is "N passed,
# N failed", with ", N skipped" if tests were skipped.
#
# Variables: see 'make help'.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/qemu/guests.sh
. "$bed/guests.sh"

case $#${1:-} in
0 | 1--kernels) ;;
*) die "usage: test.sh [--kernels] (see KERNEL= and TEST= in 'make help')" ;;
esac
only_kernels=${1:-}
# Unless they are named, kernels whose row says "short" run these, in a minute.
short=
[ -n "${KERNEL:-}" ] || short="mmap_test pin_test purge_test"
# KERNEL stays as it is: each script that runs here has its own list without it.
booted=${KERNEL:-$(test_kernels)}
for kernel in $booted; do
	suite=$(kernel_suite "$kernel")
done

export EXTRA_MODULES="${EXTRA_MODULES:-zram ?msdos ?nls_cp437 binder_linux:devices=binder}"
# Another run in this tree would overwrite the results of this one.
exec 8>"$out/lock"
flock --nonblock 8 || die "another test run is using $out"
tmp=$(mktemp -d)
trap 'end_jobs; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

begun=$(date +%s)
steps=
# Accounts the seconds since the end of the last step to step $1.
step_start=$begun
step_done()
{
	now=$(date +%s)
	steps="$steps, $1 $((now - step_start))"
	step_start=$now
}

row()
{
	printf '%-15s %-7s %7s %7s %7s %8s\n' "$@" >>"$tmp/table"
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

row kernel machine passed failed skipped seconds

machines=$(for kernel in $booted; do
	kernel_column "$kernel" machine
done | sort -u)
for machine in $machines; do
	"$bed/emulator.sh" "$machine" >/dev/null
done
: >"$tmp/no-root"
for kernel in $booted; do
	if ! "$bed/root.sh" "$kernel" >/dev/null; then
		check 1 "$kernel: build root"
		echo "$kernel" >>"$tmp/no-root"
		row "$kernel" "$(kernel_column "$kernel" machine)" 0 1 0 -
	fi
done
step_done roots

source=$("$bed/source.sh") || {
	check 1 "kselftest_harness.h of the kernel source"
	finish
}
step_done source

# Prints the directory for the programs of machine $1.
built_in()
{
	case $1 in
	x86_64) echo "$out" ;;
	*) echo "$out/$1" ;;
	esac
}

# Prints the directory of the test programs for kernel $1.
tests_for()
{
	echo "$(built_in "$(kernel_column "$1" machine)")/tests"
}

for machine in $machines; do
	status=0
	only=
	if [ "$machine" != x86_64 ]; then
		only=$short
	fi
	# shellcheck disable=SC2086 # a list
	"$bed/programs.sh" "$(built_in "$machine")" "$machine" $only || status=1
	check "$status" "selftests built without warnings for $machine, 64- and 32-bit"
	if [ "$status" -ne 0 ]; then
		finish
	fi
done
step_done selftests

# True if kernel $1 is the newest of its flavour in this run or, with --kernels, the oldest.
at_an_end()
{
	local flavour kernel same

	flavour=$(kernel_column "$1" flavour)
	same=
	for kernel in $booted; do
		if [ "$(kernel_column "$kernel" flavour)" = "$flavour" ]; then
			same="$same $kernel"
		fi
	done
	same=${same# }
	[ "$1" = "${same##* }" ] || { [ -n "$only_kernels" ] && [ "$1" = "${same%% *}" ]; }
}

# Prints the programs for guest $1 that were asked for, one a line. The library's frames
# and cache and the command hardly depend on the kernel and take minutes: see at_an_end().
programs_of()
{
	skip=none
	case $1 in
	numa) set -- cgroup_test numa_test payer_test ;;
	nokmem) set -- cgroup_test purge_test ;;
	*)
		if [ -n "$short" ] && [ "$(kernel_column "$1" when)" = short ]; then
			skip="!(${short// /?(-32)|}?(-32))"
		elif [ -z "${TEST:-}" ] && ! at_an_end "$1"; then
			skip='lib_cache_*|lib_frame_*|cmd_*'
		fi
		set -- "$(tests_for "$1")"/*
		;;
	esac
	for program; do
		program=${program##*/}
		# shellcheck disable=SC2053 # a pattern
		if asked_for "$program" && [[ $program != @($skip) ]]; then
			echo "$program"
		fi
	done
}

# Builds for guest $1, a kernel or a kind of guest with the last kernel, and runs it.
try_kernel()
{
	case $1 in
	numa | nokmem) kernel=$last ;;
	*) kernel=$1 ;;
	esac
	logs=$out/$1
	rm -rf "$logs"
	mkdir -p "$logs/tests"
	programs=$(programs_of "$1")
	tests=$(tests_for "$kernel")
	for program in $programs; do
		ln "$tests/$program" "$logs/tests/"
	done
	status=0
	"$bed/build.sh" "$kernel" "$top" "$logs/modules" || status=1
	check "$status" "$1: module built with W=1 without warnings"
	if [ "$status" -ne 0 ] || [ "$(kernel_column "$kernel" when)" = build ]; then
		return 0
	fi
	choose_kind "$1" "$kernel"
	# Debian's kernels for clouds and for i386 have no Binder.
	case $(kernel_column "$kernel" flavour) in
	cloud-* | 686-pae) EXTRA_MODULES=$(echo " $EXTRA_MODULES" | sed 's/ binder/ ?binder/') ;;
	esac
	"$bed/run.sh" -m "$logs/modules/ashmem_linux.ko" -p "$logs/tests" -o "$logs" \
		"$kernel" || true
	read -r p f s _ <"$logs/summary" || p=0 f=1 s=0
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
}

# Runs the checks of tools/$1 that need no guest, as the test named $2.
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
	grep -E '^(ok|not ok|debug) |: not ok |# [^ ]+\.c:[0-9]+:' "$out/debug.log" ||
		cat "$out/debug.log"
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
	echo "# in one suite, booted once with containers (make test-install runs all)"
	status=0
	KERNEL='' SCENARIO='' "$top/tools/testing/install/test.sh" --short \
		>"$out/install.log" 2>&1 || status=1
	grep -E '^(ok|not ok|#  )' "$out/install.log" || cat "$out/install.log"
	check "$status" "the package: installed, upgraded, purged, with DKMS"
}

try_probes()
{
	echo "# each probe of compat/ broken, for each kernel: the build has to stop"
	status=0
	"$bed/probes.sh" >"$out/probes.log" 2>&1 || status=1
	grep -E '^(not ok|#) ' "$out/probes.log" || cat "$out/probes.log"
	check "$status" "no probe of compat/ fails silently"
}

try_style()
{
	status=0
	"$top/tools/scripts/style.sh" || status=1
	check "$status" "style: checkpatch, sparse, shellcheck"
}

# Runs the tests of a kernel or of another name in a separate process, which starts
# with counts of 0.
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
	probes) try_probes ;;
	style) try_style ;;
	*) try_kernel "$1" ;;
	esac
	echo "$passed $failed $skipped $(($(date +%s) - start))" >"$tmp/$1.counts"
}

wanted=
for kernel in $booted; do
	grep -qxF "$kernel" "$tmp/no-root" || wanted="$wanted $kernel"
done
echo "test.sh: building for${wanted:- no kernel} and booting, four to eight minutes for each ..."
last=
others=
for kernel in $wanted; do
	case $(kernel_column "$kernel" flavour) in
	amd64 | '')
		others="$others${last:+ $last}"
		last=$kernel
		;;
	*) others="$others $kernel" ;;
	esac
done
# The newest kernel takes longest, so it comes first.
wanted="$last$others"
if [ -n "$last" ]; then
	for kind in numa nokmem; do
		[ -z "$(programs_of "$kind")" ] || wanted="$wanted $kind"
	done
fi
# shellcheck disable=SC2086 # a list
run_guests $wanted
for kernel in $wanted; do
	read -r p f s seconds <"$tmp/$kernel.counts" || p=0 f=1 s=0 seconds=-
	machine=$(kernel_column "$kernel" machine)
	row "$kernel" "${machine:-x86_64}" "$p" "$f" "$s" "$seconds"
done
step_done guests

# These also build modules, so they don't run beside a guest. The longest come first.
wanted=
if [ -z "${TEST:-}${only_kernels}" ]; then
	wanted="checkers differential here package probes"
fi
if [ -n "${STYLE:-}" ]; then
	wanted="style $wanted"
fi
if [ -n "$wanted" ]; then
	echo "test.sh: then $wanted, some eight minutes in all; the debug kernel is built once, in 15 more ..."
	# shellcheck disable=SC2086 # a list
	run_guests $wanted
	step_done "other tests"
	steps="$steps:"
	for name in $wanted; do
		read -r _ _ _ seconds <"$tmp/$name.counts" || seconds=-
		steps="$steps $name $seconds"
	done
fi

finish
