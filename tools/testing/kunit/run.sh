#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: run.sh
#
# Runs the driver's KUnit suites by the kernel's own kunit.py, on the newest
# kernel's source with the driver linked in. The last line is "N passed, N
# failed", with ", N skipped" if any were.
#
# Variables:
#	ARCH=um			user mode Linux, or x86_64 for a guest in QEMU,
#				where there are two nodes of memory
#	TEST=pattern		only suites or tests like 'ashmem_lru*'
#	SEED=n			of the random tests
#	PAGES=n			gone through in all ways are regions of up to so many
#				pages (5 is the most)

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/tree/lib.sh
. "$here/../tree/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh (see ARCH= and TEST= in 'make help')"
arch=${ARCH:-um}
case $arch in
um | x86_64) ;;
*) die "ARCH is um or x86_64, not '$arch'" ;;
esac
need_root
take_copy "$(kernels | tail -n 1)"
mkdir -p "$out"
log=$out/kunit-$arch.log

in_copy . /mnt/ashmem/tools/scripts/link-into-tree.sh /mnt/linux >/dev/null
# Objects of another checkout may be younger than the sources of this one.
rm -rf "$copy/kunit-$arch/drivers/android/ashmem"

set -- --arch="$arch" --build_dir=/mnt/build
kunit=tools/testing/kunit/kunit.py
config=/mnt/ashmem/drivers/android/ashmem/tests

if [ ! -d "$copy/kunit-$arch" ]; then
	say "building a kernel for $arch (some minutes once) ..."
fi
start=$(date +%s)
in_copy "kunit-$arch" env -C /mnt/linux PYTHONDONTWRITEBYTECODE=1 \
	python3 "$kunit" build "$@" --kunitconfig="$config" --jobs="$(nproc)" \
	>"$log" 2>&1 || {
	cat "$log" >&2
	die "the kernel doesn't build"
}
say "built in $(($(date +%s) - start)) s"

set -- exec --arch="$arch" --build_dir=/mnt/build --timeout=300 \
	--kernel_args="ashmem_linux.kunit_seed=${SEED:-0}" \
	--kernel_args="ashmem_linux.kunit_pages=${PAGES:-4}" \
	"${TEST:-ashmem_*}"
status=0
in_copy "kunit-$arch" env -C /mnt/linux PYTHONDONTWRITEBYTECODE=1 \
	python3 "$kunit" "$@" >"$log" 2>&1 || status=$?
sed '/^\[.*\] Testing complete/q' "$log"
