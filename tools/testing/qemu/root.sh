#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: root.sh KERNEL
#
# Makes, or finds in the cache, the build root of KERNEL: its suite's compiler
# and kernel headers in root/, and in kernel/ the stock image and modules of
# exactly the headers' version. Prints the directory that holds the two.
# REFRESH=1 makes it anew from today's archive. Kernels that are built here have
# a directory of the same shape: see kernel.sh.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: root.sh KERNEL"
kernel=$1
suite=$(kernel_suite "$kernel")
if [ -n "$(kernel_column "$kernel" 3)" ]; then
	exec "$bed/kernel.sh" "$kernel"
fi

packages="linux-headers-amd64 make kmod sparse"

# A root made by another recipe isn't used.
recipe=$( (echo "$suite $packages"; cat "$bed/hook-backports" "$bed/hook-kernel") |
	sha256sum | cut -c 1-12)
dir=$cache/roots/$kernel-$recipe

make_once "$dir" "root-$kernel" "$@"

log=$cache/roots/$kernel.log
say "making the $suite root of kernel $kernel (about a minute) ..."
start=$(date +%s)
make_root "$suite" "$packages" --customize-hook="$bed/hook-kernel"
mv "$tmp/root/kernel" "$tmp/kernel"
made "$kernel-*"
say "kernel $kernel is $(cat "$dir/kernel/version"), made in $(($(date +%s) - start)) s"
echo "$dir"
