#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: programs.sh DIR
#
# Builds the test programs for guests into DIR/tests: the selftests, the
# library's and the command's, 64-bit ones and with -32 behind their name those
# 32-bit ones that make a difference. The log is DIR/selftests.log. A warning
# fails the build.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: programs.sh DIR"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
source=$("$bed/source.sh") || die "no kselftest_harness.h of the kernel source"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

tests=$dir/tests
log=$dir/selftests.log
rm -rf "$tests" "$tests.lib"
mkdir -p "$tests"
: >"$log"

# Builds what is in tools/$1 into $2 with compiler $3; the rest is for make.
build()
{
	in=$top/tools/$1
	into=$2
	cc=$3
	shift 3
	make -j"$(nproc)" -C "$in" CC="$cc" OUTPUT="$into" LDFLAGS=-static \
		KSELFTEST_DIR="$source/tools/testing/selftests" "$@" \
		>>"$log" 2>&1 || {
		cat "$log" >&2
		die "the test programs could not be built"
	}
}

# Into $1 with compiler $2.
selftests()
{
	build lib/ashmem "$1.lib" "$2" TESTS="$1" tests
	build testing/selftests/ashmem "$1" "$2" TEST= all
}
selftests "$tests" gcc
selftests "$tmp/32" "gcc -m32"
build ashmem "$dir/cmd" gcc TESTS="$tests" tests
if grep -q 'warning:' "$log"; then
	cat "$log" >&2
	die "warnings in the build of the test programs"
fi

# Reclaim, the life of the module, the deaths of peers and what fails don't know
# who asked; what does is run by 32-bit programs, too.
for program in "$tmp/32"/*; do
	case ${program##*/} in
	cgroup_test | fault_init_test | fault_test | module_test | race_test | reclaim_test) ;;
	trace_test | lib_frame_death_test | lib_threads_test) ;;
	*) mv "$program" "$tests/${program##*/}-32" ;;
	esac
done
