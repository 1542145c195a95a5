#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: root.sh KERNEL
#
# Makes the build root of KERNEL or finds it in the cache: root/ has the compiler
# and the kernel headers of its suite, kernel/ the stock image and modules of
# exactly the headers' version. Prints the directory that holds both.
# REFRESH=1 rebuilds it from today's archive. Kernels that are built here have
# a directory with the same layout: see kernel.sh.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: root.sh KERNEL"
kernel=$1
suite=$(kernel_suite "$kernel")
if [ -n "$(kernel_column "$kernel" source)" ]; then
	exec "$bed/kernel.sh" "$kernel"
fi

flavour=$(kernel_column "$kernel" flavour)
machine=$(kernel_column "$kernel" machine)
series=$(kernel_series "$kernel")
packages="make kmod sparse"
arch=amd64
case $machine in
arm64)
	# Compilers for kernels and for 64-bit and 32-bit programs.
	packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
	packages="$packages gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
	arch=arm64
	;;
i386)
	packages="$packages gcc"
	arch=i386
	;;
esac

# The name has a hash of the recipe, so that a changed recipe makes a new root.
recipe=$( (echo "$suite $series $flavour $arch $packages"; cat "$bed/hook-backports" "$bed/hook-kernel") |
	sha256sum | cut -c 1-12)
dir=$cache/roots/$kernel-$recipe

make_once "$dir" "root-$kernel" "$@"

log=$cache/roots/$kernel.log
say "making the $suite root of kernel $kernel (about a minute) ..."
start=$(date +%s)
make_root "$suite" "$packages" \
	--customize-hook="'$bed/hook-kernel' \"\$1\" '$series' $flavour $arch"
mv "$tmp/root/kernel" "$tmp/kernel"
# The exact length excludes kernels whose names only begin with $kernel.
made "$kernel-????????????"
say "kernel $kernel is $(cat "$dir/kernel/version"), made in $(($(date +%s) - start)) s"
echo "$dir"
