#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh
#
# Runs the tests of the library and of the command on this machine, with memfd,
# under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer and
# valgrind, and those of the library as an ARM processor runs them. TEST=pattern
# narrows them. The last line says "N passed, N failed".

set -eu
bed=$(cd "$(dirname "$0")" && pwd)/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh (see TEST= in 'make help')"
source=$("$bed/source.sh")
export KSELFTEST_DIR="$source/tools/testing/selftests" CC=gcc
passed=0
failed=0
# Makes target $2 of tools/$1, which shows that $3.
try()
{
	say "tools/$1, $2: building and running, some three minutes ..."
	if make -s -C "$top/tools/$1" OUTPUT="$out/sanitize/$1" "$2"; then
		echo "ok - tools/$1: $3"
		passed=$((passed + 1))
	else
		echo "not ok - tools/$1: $3: see above"
		failed=$((failed + 1))
	fi
}
try lib/ashmem check-sanitize "ASan, UBSan, TSan and valgrind find nothing"
try lib/ashmem check-arm "the tests pass as a 64-bit ARM processor runs them"
try ashmem check-sanitize "ASan, UBSan and valgrind find nothing"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
