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
# A missed goal is reported, but is no error: the figures are the result. A goal
# without a figure is one, unless MEASURE= asks for others.
#
# Variables: see 'make help'.

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
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$tmp/tests" "$tmp/overlay/modules" "$tmp/overlay/bin"
cp "$here/all_subjects" "$tmp/tests/"
make -s -C "$here" OUTPUT="$tmp/overlay/bin" LDFLAGS=-static all

# Puts into the guests' root what they measure on $kernel.
pack()
{
	original=$dir/kernel/modules/kernel/drivers/staging/android/ashmem_linux.ko
	cp "$out/$kernel/modules/ashmem_linux.ko" "$tmp/overlay/modules/ours.ko"
	printf 'ours ours.ko\nmemfd\n' >"$tmp/overlay/subjects"
	if [ -f "$original" ]; then
		cp "$original" "$tmp/overlay/modules/original.ko"
		echo "original original.ko" >>"$tmp/overlay/subjects"
	fi
}

# Boots the guest named $1 of $kernel, with the flags $2 of the program, QEMU's accelerator
# $3 and more arguments for it in $4, and adds what it found to $tmp/results.
boot()
{
	logs=$out/$kernel/bench-$1
	say "kernel $kernel, $1 ..."
	start=$(date +%s)
	printf "flags='%s'\nmeasures='%s'\n" "$2" "${MEASURE:-}" >"$tmp/overlay/bench.conf"
	# Nothing that moves from boot to boot: addresses, mitigations that depend
	# on the host, the clock's own calibration. And a seed for the kernel's
	# random numbers, of which every new inode takes one: a kernel that
	# gathers its own spends thousands of instructions on each.
	# The guest's own clock runs ahead of the host's. The original is a taint: staging.
	if ! OVERLAY=$tmp/overlay ACCEL=$3 QEMU_ARGS="-cpu qemu64,+rdrand $4" \
	     APPEND="nokaslr norandmaps tsc=reliable random.trust_cpu=on ${APPEND:-}" \
	     MEM=${MEM:-1536} TIMEOUT=${TIMEOUT:-1200} TEST_TIMEOUT=100000 TAINT_OK=1024 \
	     EXTRA_MODULES='' AGAIN='' TEST='' \
	     "$bed/run.sh" -n -p "$tmp/tests" -o "$logs" "$kernel" >"$tmp/said" 2>&1; then
		cat "$tmp/said" >&2
		die "kernel $kernel, $1: the guest gave no results"
	fi
	tr -d '\r' <"$logs/results.log" | grep "$(printf '\t')" >>"$tmp/results" || true
	say "kernel $kernel, $1: $(($(date +%s) - start)) s"
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
	pack
	boot cost "" tcg "-smp 1 -icount shift=0,sleep=off"
	boot reclaim -r tcg "-smp 1 -icount shift=0,sleep=off"
	boot concurrency -c tcg,thread=multi ""
	[ -s "$tmp/results" ] || die "no measure begins with '${MEASURE:-}'"

	base=$out/bench-$kernel
	cp "$tmp/results" "$base.tsv"
	lacking=
	whole=1
	[ -z "${MEASURE:-}" ] || whole=0
	{
		echo "ashmem on Linux $(cat "$dir/kernel/version"), $(date +%Y-%m-%d)"
		echo
		awk -v kernel="$kernel" -v whole="$whole" -f "$here/table.awk" \
			"$here/goals" "$base.tsv" || lacking=1
	} >"$base.txt"
	# A narrowed run may have nothing to draw.
	rm -f "$base.svg"
	if grep -q '^pin_unpin/100000' "$base.tsv"; then
		gnuplot -e "results='$base.tsv'; picture='$base.svg'" "$here/plot.gp"
	fi
	echo
	cat "$base.txt"
	[ -z "$lacking" ] || die "kernel $kernel: a goal has no value, see above"
	if [ -n "${DOC:-}" ]; then
		document
	fi
done

echo
for kernel in $KERNEL; do
	sed -n '$p' "$out/bench-$kernel.txt" | sed "s/^/kernel $kernel: /"
done
