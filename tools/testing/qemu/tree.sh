#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: tree.sh KERNEL
#
# Makes, or finds in the cache, a root of the suite of KERNEL with what building
# a whole kernel takes, and in its /src/linux that kernel's source as Debian
# patches it. It is never written to: builds have their own directory (O=), or
# work on a copy. Prints the directory that holds the root as root/ and the
# source's version in the file version. REFRESH=1 makes it again.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: tree.sh KERNEL"
kernel=$1
suite=$(kernel_suite "$kernel")

package=linux-source-$kernel
packages="make gcc flex bison bc kmod cpio python3 rsync xz-utils libelf-dev"
packages="$packages libssl-dev libc6-dev $package"
case $suite in
# The newest one also builds for other machines.
trixie-backports) packages="$packages gcc-aarch64-linux-gnu" ;;
esac
recipe=$( (echo "$suite $packages"; cat "$bed/hook-backports" "$bed/hook-source") |
	sha256sum | cut -c 1-12)
dir=$cache/trees/$kernel-$recipe

make_once "$dir" "tree-$kernel" "$@"

log=$cache/trees/$kernel.log
say "making the source tree of kernel $kernel (three minutes) ..."
start=$(date +%s)
make_root "$suite" "$packages" --aptopt='APT::Install-Recommends "false"' \
	--customize-hook="'$bed/hook-source' \"\$1\" '$package'"
mv "$tmp/root/src/version" "$tmp/version"
made "$kernel-*"
say "source of kernel $kernel is $(cat "$dir/version"), made in $(($(date +%s) - start)) s"
echo "$dir"
