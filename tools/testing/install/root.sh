#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: root.sh KERNEL
#
# Makes, or finds in the cache, a Debian installation such as a user has, of the
# suite of KERNEL: systemd, udev, DKMS, a kernel with its initrd and headers, no
# package of ours. Prints the directory that holds it as root/. Beside it are the
# packages of a newer kernel in upgrade/ and its release in the file to, if the
# archive has one; the release of the kernel that is installed is in from.
# REFRESH=1 makes it again from today's archive.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: root.sh KERNEL"
kernel=$1
suite=$(kernel_suite "$kernel")
flavour=$(kernel_column "$kernel" flavour)
machine=$(kernel_column "$kernel" machine)
case $machine in
x86_64) arch=amd64 ;;
arm64)
	arch=arm64
	[ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] ||
		die "can't run programs for arm64: apt-get install arch-test qemu-user-static binfmt-support"
	;;
*) die "no installation for $machine" ;;
esac

# Who runs this suite upgrades to the kernel of its backports, when we know one.
next=
for other in $([ "$arch" != amd64 ] || kernels); do
	[ "$(kernel_suite "$other")" != "$suite-backports" ] || next=$other
done
packages="systemd-sysv udev kmod passwd dkms initramfs-tools mokutil openssl"
packages="$packages make gcc libc6-dev pkg-config"
recipe=$( (echo "$suite $flavour $packages $next"; cat "$bed/hook-backports" "$here/hook-guest") |
	sha256sum | cut -c 1-12)
dir=$cache/installs/$kernel-$recipe

make_once "$dir" "install-$kernel" "$@"

log=$cache/installs/$kernel.log
say "installing Debian $suite with kernel $kernel (two minutes) ..."
start=$(date +%s)
# shellcheck disable=SC2016 # the hooks' shell expands $1
make_root "$suite" "$packages" --architectures="$arch" --aptopt='APT::Install-Recommends "false"' \
	--essential-hook="'$here/hook-guest'"' early "$1"' \
	--customize-hook="'$here/hook-guest'"' late "$1" '"$flavour${next:+ \"$bed/hook-backports\"}" \
	--skip=cleanup/apt/lists
mv "$tmp/root/var/tmp/guest"/* "$tmp/"
rmdir "$tmp/root/var/tmp/guest"
made "$kernel-*"
say "$suite has kernel $(cat "$dir/from"), made in $(($(date +%s) - start)) s"
echo "$dir"
