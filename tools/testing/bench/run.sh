#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh
#
# Measures the driver beside memfd and, on a kernel that has it, the original
# ashmem: in one guest what calls cost, in instructions, in a second one what
# reclaim costs and which locks are taken, and in a third one, of two processors,
# how threads and tasks contend. Prints a table for each kernel,
# with the goals of the file goals, and leaves in out/: the table as
# bench-KERNEL.txt, the figures as bench-KERNEL.tsv, and bench-KERNEL.svg, the
# cost of PIN and UNPIN against the number of ranges.
#
# A missed goal is reported, but is no error: the figures are the result.
#
# Variables:
#	KERNEL="5.10 7.3"	only these
#	MEASURE="pin purge"	only measures whose names begin so; cache: the library's,
#				see tools/lib/ashmem/bench/cache.sh
#	MEM=1536		the guests' memory in MiB
#	TIMEOUT=1200		seconds until a guest counts as hung
#	APPEND=			more words for the kernel's command line
#	DOC=1			put the tables, and the picture of a kernel that has
#				the original, into Documentation/performance.*

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ "${MEASURE:-}" != cache ] || exec "$top/tools/lib/ashmem/bench/cache.sh"
[ $# -eq 0 ] || die "usage: run.sh (see KERNEL= and MEASURE= in 'make help')"
for kernel in ${KERNEL:=$(kernels)}; do
	kernel_suite "$kernel" >/dev/null
done
command -v gnuplot >/dev/null || die "gnuplot is missing: apt-get install gnuplot-nox"

tmp=$(mktemp -d)
trap 'stop_qemu; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
find_qemu x86_64

make -s -C "$here" OUTPUT="$out/bench" LDFLAGS=-static all

# Makes the initramfs of kernel $1 in $tmp/initramfs; $2 are flags of the program.
pack()
{
	root=$tmp/root
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/modules"
	cp "$here/init" "$root/init"
	cp "$(busybox_path)" "$root/bin/busybox"
	cp "$out/bench/ashmem_bench" "$root/bin/"
	printf "flags='%s'\nmeasures='%s'\n" "$2" "${MEASURE:-}" >"$root/bench.conf"

	cp "$out/$1/modules/ashmem_linux.ko" "$root/modules/ours.ko"
	echo "ours ours.ko" >"$root/subjects"
	echo "memfd" >>"$root/subjects"
	if [ -f "$dir/kernel/modules/$original" ]; then
		cp "$dir/kernel/modules/$original" "$root/modules/original.ko"
		echo "original original.ko" >>"$root/subjects"
	fi
	pack_initramfs "$root" >"$tmp/initramfs"
}
original=kernel/drivers/staging/android/ashmem_linux.ko

# Boots the guest named $1 of $kernel with more arguments of QEMU's, and adds
# what it found to $tmp/results.
boot()
{
	name=$1
	shift
	logs=$out/$kernel/bench-$name
	mkdir -p "$logs"
	: >"$logs/results.log"
	say "kernel $kernel, $name ..."
	start=$(date +%s)
	status=0
	# Nothing that moves from boot to boot: addresses, mitigations that depend
	# on the host, the clock's own calibration. And a seed for the kernel's
	# random numbers, of which every new inode takes one: a kernel that
	# gathers its own spends thousands of instructions on each.
	run_qemu "$logs/qemu.log" "${TIMEOUT:-1200}" -M q35 \
		-cpu qemu64,+rdrand -m "${MEM:-1536}" -kernel "$dir/kernel/vmlinuz" \
		-initrd "$tmp/initramfs" -append "$guest_words \
panic_on_warn=1 loglevel=4 nokaslr norandmaps tsc=reliable random.trust_cpu=on \
${APPEND:-}" \
		-serial "file:$logs/console.log" \
		-serial "file:$logs/results.log" "$@" || status=$?
	tr -d '\r' <"$logs/results.log" >"$tmp/said"
	if [ "$(tail -n 1 "$tmp/said")" != "done" ]; then
		tail -n 20 "$logs/console.log" "$logs/qemu.log" "$tmp/said" >&2
		die "kernel $kernel, $name: the guest gave no results (status $status)"
	fi
	grep "$(printf '\t')" "$tmp/said" >>"$tmp/results" || true
	say "kernel $kernel, $name: $(($(date +%s) - start)) s"
}

# Puts the results of $kernel into the place that the documentation has for them.
document()
{
	page=$top/Documentation/performance.rst
	grep -qxF ".. table of $kernel" "$page" || return 0
	{
		printf '\n::\n\n'
		sed 's/./    &/' "$base.txt"
		echo
	} >"$tmp/table"
	put_between "$page" ".. table of $kernel" ".. end of table" "$tmp/table"
	if [ -f "$base.svg" ] && grep -q "^pin_unpin/1	original" "$base.tsv"; then
		cp "$base.svg" "$top/Documentation/performance.svg"
	fi
}

if [ -n "${DOC:-}" ] && [ -n "${MEASURE:-}" ]; then
	die "the documentation has whole tables: DOC=1 goes without MEASURE="
fi

for kernel in $KERNEL; do
	dir=$(REFRESH="" "$bed/root.sh" "$kernel")
	"$bed/build.sh" "$kernel"
	: >"$tmp/results"
	pack "$kernel" ""
	boot cost -smp 1 -accel tcg -icount shift=0,sleep=off
	pack "$kernel" -r
	boot reclaim -smp 1 -accel tcg -icount shift=0,sleep=off
	pack "$kernel" -c
	boot concurrency -smp 2 -accel tcg,thread=multi
	[ -s "$tmp/results" ] || die "no measure begins with '${MEASURE:-}'"

	base=$out/bench-$kernel
	cp "$tmp/results" "$base.tsv"
	{
		echo "ashmem on Linux $(cat "$dir/kernel/version"), $(date +%Y-%m-%d)"
		echo
		awk -v kernel="$kernel" -f "$here/table.awk" "$here/goals" "$base.tsv"
	} >"$base.txt"
	# A narrowed run may have nothing to draw.
	rm -f "$base.svg"
	if grep -q '^pin_unpin/100000' "$base.tsv"; then
		gnuplot -e "results='$base.tsv'; picture='$base.svg'" "$here/plot.gp"
	fi
	echo
	cat "$base.txt"
	if [ -n "${DOC:-}" ]; then
		document
	fi
done

echo
for kernel in $KERNEL; do
	sed -n '$p' "$out/bench-$kernel.txt" | sed "s/^/kernel $kernel: /"
done
