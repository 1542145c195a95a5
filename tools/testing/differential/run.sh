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
# Variables:
#	SEEDS=1-200	numbers to seed the tester with: FIRST-LAST, or a list
#	OPS=5200	operations for each seed
#	KERNEL=		kernels to run ours on (all)
#	TIMEOUT=1800	seconds until a guest counts as hung

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
trap 'stop_qemu; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
find_qemu x86_64

# Boots kernel $1 with module $2 and leaves the log in $3.
run_guest()
{
	kernel=$1
	dir=$(REFRESH="" "$bed/root.sh" "$kernel")/kernel
	root=$tmp/root
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/modules"
	cp "$here/init" "$root/init"
	cp "$(busybox_path)" "$root/bin/busybox"
	cp "$tmp/ashmem_diff" "$root/bin/"
	{ stock_module "$dir" virtio_pci; stock_module "$dir" virtio_blk; } |
		awk '!seen[$0]++' >"$tmp/stock"
	while read -r path; do
		name=$(basename "$path" .xz)
		case $path in
		*.xz) xz -dc "$dir/modules/$path" >"$root/modules/$name" ;;
		*) cp "$dir/modules/$path" "$root/modules/$name" ;;
		esac
		echo "$name" >>"$root/modules/order"
	done <"$tmp/stock"
	cp "$2" "$root/modules/ashmem_linux.ko"
	echo ashmem_linux.ko >>"$root/modules/order"
	printf "seeds='%s'\nops=%s\n" "$seeds" "$ops" >"$root/diff.conf"
	pack_initramfs "$root" >"$tmp/initramfs"

	# Sparse; a line is rarely longer than 200 bytes.
	rm -f "$tmp/disk"
	truncate -s $((64 + count * ops / 2500))M "$tmp/disk"
	sign=$tmp/verdict
	sign_seconds=240
	: >"$sign"
	status=0
	run_qemu "$tmp/qemu.log" "$limit" \
		-accel "$("$bed/accel.sh" "$dir/vmlinuz")" -M q35 -smp 2 -m 1024 \
		-kernel "$dir/vmlinuz" -initrd "$tmp/initramfs" \
		-append "$guest_words panic_on_warn=1 quiet" \
		-drive "file=$tmp/disk,if=virtio,format=raw,cache=unsafe" \
		-serial "file:$3.console" -serial "file:$sign" ||
		status=$?
	verdict=$(tr -d '\r' <"$sign" | sed -n 's/^verdict: //p' | tail -n 1)
	if [ "$verdict" != pass ]; then
		say "kernel $kernel: ${verdict:-no verdict, QEMU ended with $status}"
		tail -n 30 "$3.console" | tr -d '\r' | sed 's/^/#   /' >&2
		return 1
	fi
	tr -d '\0' <"$tmp/disk" >"$3"
	rm "$tmp/disk"
}

for kernel in ${KERNEL:=$(kernels)}; do
	kernel_suite "$kernel" >/dev/null
done
mkdir -p "$logs"
make -s -C "$here" OUTPUT="$tmp" all

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
