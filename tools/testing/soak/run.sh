#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh
#
# Soaks the driver in a guest: see soak_test.c. The last line says "N passed, N
# failed".
#
# Variables:
#	MINUTES=10	how long
#	KERNEL=7.3	the kernel, also debug
#	SEED=		a number for the random choices to begin with (the clock's)

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh (see MINUTES= and KERNEL= in 'make help')"
kernel=${KERNEL:-7.3}
kernel_suite "$kernel" >/dev/null
minutes=${MINUTES:-10}
for number in "$minutes" "${SEED:-0}"; do
	case $number in
	'' | *[!0-9]*) die "MINUTES and SEED are numbers, not '$number'" ;;
	esac
done
[ "$minutes" -gt 0 ] || die "MINUTES is 1 or more"
logs=$out/soak/$kernel
rm -rf "$logs"
mkdir -p "$logs/tests"

"$bed/root.sh" "$kernel" >/dev/null
source=$("$bed/source.sh")
make -s -C "$here" OUTPUT="$logs/tests" LDFLAGS=-static \
	KSELFTEST_DIR="$source/tools/testing/selftests" all
"$bed/build.sh" "$kernel" "$top" "$logs/modules"
say "kernel $kernel, $minutes minute(s) ..."
status=0
# The driver's caches by themselves, so that their objects can be counted.
TEST='' EXTRA_MODULES="zram" TIMEOUT=$((minutes * 60 + 900)) \
	TEST_TIMEOUT=$((minutes * 60 + 600)) \
	APPEND="ASHMEM_SOAK_MINUTES=$minutes ${SEED:+ASHMEM_SEED=$SEED} slab_nomerge ${APPEND:-}" \
	"$bed/run.sh" -m "$logs/modules/ashmem_linux.ko" -p "$logs/tests" \
	-o "$logs" "$kernel" || status=1
sed -n 's/^# [^ ]*soak_test.c:[0-9]*:[a-z_]*:/#   /p' "$logs/results.log"
read -r passed failed _ <"$logs/summary"
echo "soak: $minutes minute(s) on $kernel; logs: $logs"
echo "$passed passed, $failed failed"
exit "$status"
