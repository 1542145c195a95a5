#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: run.sh
#
# Runs the tests of the library and of the command on this machine, with memfd,
# under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer and
# valgrind. TEST=pattern narrows them. The last line says "N passed, N failed".

set -eu
bed=$(cd "$(dirname "$0")" && pwd)/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh (see TEST= in 'make help')"
source=$("$bed/source.sh")
export KSELFTEST_DIR="$source/tools/testing/selftests" CC=gcc
passed=0
failed=0
for part in lib/ashmem ashmem; do
	say "tools/$part: building and running, some three minutes ..."
	if make -s -C "$top/tools/$part" OUTPUT="$out/sanitize/$part" check-sanitize; then
		echo "ok - tools/$part: ASan, UBSan, TSan and valgrind find nothing"
		passed=$((passed + 1))
	else
		echo "not ok - tools/$part: see above"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
