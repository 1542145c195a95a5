#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: programs.sh DIR [MACHINE [SELFTEST...]]
#
# Builds the test programs for guests of MACHINE (x86_64) into DIR/tests: the
# selftests and the tests of the library and the command. Builds all as 64-bit programs,
# and those that can behave differently also as 32-bit programs, with -32 after their
# name. With names of selftests, builds these alone. The log is DIR/selftests.log. A warning
# fails the build. Programs for arm64 are built in the root of its newest kernel.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -ge 1 ] || die "usage: programs.sh DIR [MACHINE [SELFTEST...]]"
machine=${2:-x86_64}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
case $machine in
arm64) need_root "$@" ;;
x86_64 | i386) ;;
*) die "no programs for machine '$machine'" ;;
esac
shift "$(($# > 1 ? 2 : 1))"
only=$*
source=$("$bed/source.sh") || die "no kselftest_harness.h of the kernel source"

tests=$dir/tests
work=$dir/tests.work
log=$dir/selftests.log
trap 'rm -rf "$work"; hand_back "$dir"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$tests" "$work"
mkdir -p "$tests" "$work"
: >"$log"

# The paths of these directories as the compiler sees them, and the root it runs in.
see_top=$top
see_dir=$dir
see_source=$source
run=
if [ "$machine" = arm64 ]; then
	for kernel in $(all_kernels); do
		[ "$(kernel_column "$kernel" machine)" != arm64 ] || newest=$kernel
	done
	root=$(REFRESH="" "$bed/root.sh" "$newest")/root
	shown="ashmem $top
out $dir
source $source"
	see_top=/mnt/ashmem
	see_dir=/mnt/out
	see_source=/mnt/source
	run="in_root $root"
fi

# Some tests stand before a function of libc. With 64-bit times on 32-bit ARM that has another
# name, which libc.a defines beside one that it needs itself.
ldflags=-static
[ "$machine" != arm64 ] || ldflags="-static -Wl,-z,muldefs"

# Builds tools/$1 into DIR/$2 with compiler $3; passes other arguments to make.
build()
{
	in=$see_top/tools/$1
	into=$see_dir/$2
	compiler=$3
	shift 3
	# A cross compiler needs the binary tools of its machine.
	case $compiler in
	*-gcc) set -- "$@" AR="${compiler%gcc}ar" ;;
	esac
	$run make -j"$(nproc)" -C "$in" CC="$compiler" OUTPUT="$into" LDFLAGS="$ldflags" \
		KSELFTEST_DIR="$see_source/tools/testing/selftests" "$@" \
		>>"$log" 2>&1 || {
		cat "$log" >&2
		die "the test programs could not be built"
	}
}

# Builds all tests except the command's, or those in $only, into DIR/$1 with compiler $2.
selftests()
{
	if [ -n "$only" ]; then
		# shellcheck disable=SC2046,SC2086 # lists
		build testing/selftests/ashmem "$1" "$2" $(printf "$see_dir/$1/%s " $only)
		return
	fi
	build lib/ashmem "tests.work/lib-${1##*/}" "$2" TESTS="$see_dir/$1" \
		PROGRAMS="$library" tests
	build testing/selftests/ashmem "$1" "$2" TEST= all
}

# The tests that stop a peer at any instruction support only x86: one needs its
# breakpoints, and ARM's exclusive stores fail when they are stepped over.
library=$(cd "$top/tools/lib/ashmem/tests" && for file in lib_*_test.c; do
	case $machine$file in
	arm64lib_*_step_test.c) ;;
	*) echo "${file%.c}" ;;
	esac
done | tr '\n' ' ')
case $machine in
x86_64) cc=gcc cc32="gcc -m32" ;;
i386) cc="gcc -m32" cc32= ;;
arm64) cc=aarch64-linux-gnu-gcc cc32=arm-linux-gnueabihf-gcc ;;
esac
selftests tests "$cc"
[ -z "$cc32" ] || selftests tests.work/32 "$cc32"
[ -n "$only" ] || build ashmem cmd "$cc" TESTS="$see_dir/tests" tests
if grep -q 'warning:' "$log"; then
	cat "$log" >&2
	die "warnings in the build of the test programs"
fi
[ -n "$cc32" ] || exit 0

# Reclaim, the module's lifetime, deaths of peers and injected failures don't depend on
# the caller's word size. Run all other tests as 32-bit programs, too.
for program in "$work/32"/*; do
	case ${program##*/} in
	bounded_test | cgroup_test | crowd_test | fault_init_test | fault_test) ;;
	feed_test | hostile_test | module_test | numa_test | payer_test) ;;
	payer_race_test | race_test) ;;
	reclaim_test | shootdown_test) ;;
	trace_test | lib_cache_test | lib_pressure_test | lib_frame_death_test | lib_*_step_test) ;;
	lib_threads_test) ;;
	*) mv "$program" "$tests/${program##*/}-32" ;;
	esac
done
