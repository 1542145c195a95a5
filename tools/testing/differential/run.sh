#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh
#
# Runs the differential tester in a guest with the 5.10 kernel's own
# ashmem_linux.ko, then with ours, and compares the logs; ours on the other
# kernels is compared with the original's log, too. Logs stay in
# OUT/differential. The last line says "differential: N passed, N failed", a test
# being one run of ours against the original.
#
# Variables: see 'make help'.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh, with SEEDS=, OPS=, KERNEL= in the environment"
ops=${OPS:-5200}
limit=${TIMEOUT:-1800}
logs=$out/differential
original_kernel=5.10

case ${SEEDS:=1-200} in
*[!0-9\ -]* | *-*-* | -* | *-) die "SEEDS is FIRST-LAST or a list of numbers, not '$SEEDS'" ;;
*-*) seeds=$(seq "${SEEDS%-*}" "${SEEDS#*-}" | tr '\n' ' ') ;;
*) seeds=$SEEDS ;;
esac
# shellcheck disable=SC2086 # a list
set -- $seeds
count=$#
for number in "$@" "$ops"; do
	case $number in
	'' | *[!0-9]*) die "SEEDS and OPS are numbers, not '$number'" ;;
	esac
done
[ "$count" -gt 0 ] || die "SEEDS is empty"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Boots kernel $1 with module $2 and leaves the log in $3.
run_guest()
{
	cp "$2" "$tmp/overlay/modules/ashmem_linux.ko"
	# Sparse; a line is rarely longer than 200 bytes.
	rm -f "$tmp/disk"
	truncate -s $((64 + count * ops / 2500))M "$tmp/disk"
	# The original is of the staging tree, which is a taint.
	if ! OVERLAY=$tmp/overlay EXTRA_MODULES="?virtio_pci virtio_blk" TAINT_OK=1024 \
	     QEMU_ARGS="-drive file=$tmp/disk,if=virtio,format=raw,cache=unsafe" \
	     MEM=1024 TIMEOUT=$limit TEST_TIMEOUT=$limit AGAIN='' TEST='' \
	     "$bed/run.sh" -n -p "$tmp/tests" -o "$3.guest" "$1" >"$3.out" 2>&1; then
		cat "$3.out" >&2
		return 1
	fi
	tr -d '\0' <"$tmp/disk" >"$3"
	rm "$tmp/disk"
}

for kernel in ${KERNEL:=$(kernels)}; do
	kernel_suite "$kernel" >/dev/null
done
mkdir -p "$logs" "$tmp/tests" "$tmp/overlay/modules" "$tmp/overlay/bin"
cp "$here/all_seeds" "$tmp/tests/"
make -s -C "$here" OUTPUT="$tmp/overlay/bin" all
printf "seeds='%s'\nops=%s\n" "$seeds" "$ops" >"$tmp/overlay/diff.conf"

start=$(date +%s)
say "$count seeds of $ops operations on $original_kernel, the original ..."
dir=$(REFRESH="" "$bed/root.sh" "$original_kernel")
original=$(find "$dir/kernel/modules" -path '*/staging/android/ashmem_linux.ko')
[ -f "$original" ] || die "kernel $original_kernel comes without ashmem_linux"
run_guest "$original_kernel" "$original" "$logs/original.log" ||
	die "the original could not be run"
say "... $(($(date +%s) - start)) s"

passed=0
failed=0
for kernel in $KERNEL; do
	start=$(date +%s)
	say "the same on $kernel, ours ..."
	"$bed/build.sh" "$kernel"
	rm -f "$logs/$kernel.report"
	if run_guest "$kernel" "$out/$kernel/modules/ashmem_linux.ko" "$logs/$kernel.log" &&
	   awk -f "$here/compare.awk" -v kernel="$kernel" -v driver=ours \
		   "$here/rules" "$here/rules-kernels" \
		   "$logs/original.log" "$logs/$kernel.log" >"$logs/$kernel.report"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	[ ! -f "$logs/$kernel.report" ] || sed 's|[^ ]*/rules|rules|' "$logs/$kernel.report"
	say "... $(($(date +%s) - start)) s"
done
echo "differential: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
