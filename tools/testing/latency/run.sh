#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh
#
# How late a task of real time runs that wakes every 200 us: beside a task in user mode,
# beside one that fills and punches a memfd, and beside one that does the same with a
# region, by purges. cyclictest of Debian's rt-tests measures it, in a guest with a clock
# that counts instructions: a nanosecond is one. The last line says "N passed, N failed".
#
# Variables: see 'make help'.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh (see KERNEL= in 'make help')"
kernel=${KERNEL:-7.3-rt}
kernel_suite "$kernel" >/dev/null
need_root
logs=$out/latency
trap 'hand_back "$logs"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$logs"
mkdir -p "$logs/tests"

"$bed/root.sh" "$kernel" >/dev/null
root=$("$here/../fuzz/packages.sh" trixie rt-tests)/root
add_programs "$root" "$logs/root" cyclictest
cc -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I"$top/include/uapi" \
	-static "$here/busy.c" -o "$logs/root/usr/bin/busy"

cat >"$logs/tests/latency" <<'SH'
#!/bin/busybox sh
worst=0
measure()
{
	busy "$1" &
	beside=$!
	cyclictest -q -m -N -p 99 -i 200 -l 20000 >/tmp/said 2>/tmp/complaints
	status=$?
	sed 's/^/# /' /tmp/said /tmp/complaints
	max=$(sed -n 's/^T: .* Max: *\([0-9]*\).*/\1/p' /tmp/said)
	average=$(sed -n 's/^T: .* Avg: *\([0-9]*\).*/\1/p' /tmp/said)
	# Still at work?
	kill "$beside" && [ "$status" -eq 0 ] && [ "${max:-0}" -gt 0 ]
	good=$?
	wait "$beside"
	echo "# beside $1: at most $max instructions late, $average on average"
	return $good
}

printf 'TAP version 13\n1..3\n'
sleep 5
for what in user memfd; do
	measure $what || printf 'not '
	[ "${max:-0}" -le "$worst" ] || worst=$max
	echo "ok $((n += 1)) $what: $max"
done
# Runs differ by a quarter. A step's bookkeeping may delay a task, but not the step.
measure ashmem && [ "$max" -le $((worst * 2)) ] || printf 'not '
echo "ok 3 ashmem: $max, the others $worst"
SH
chmod +x "$logs/tests/latency"

"$bed/build.sh" "$kernel" "$top" "$logs/modules"
say "kernel $kernel, three measurements of 4 s in the guest's time (some two minutes) ..."
status=0
TEST='' EXTRA_MODULES='' OVERLAY=$logs/root ACCEL=tcg \
	QEMU_ARGS="-cpu qemu64,+rdrand -smp 1 -icount shift=0,sleep=off" \
	APPEND="nokaslr norandmaps tsc=reliable random.trust_cpu=on ${APPEND:-}" \
	"$bed/run.sh" -m "$logs/modules/ashmem_linux.ko" -p "$logs/tests" \
	-o "$logs" "$kernel" || status=1
tr -d '\r' <"$logs/results.log" | grep -E '^# beside ' | sed 's/^# //'
read -r passed failed _ <"$logs/summary"
echo "$passed passed, $failed failed"
exit "$status"
