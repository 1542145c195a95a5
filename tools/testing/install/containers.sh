#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: containers.sh KERNEL
#
# Finds in the cache, or gets from the archive, the packages of the engines that the
# scenario "containers" starts on the installation of KERNEL: podman, crun and LXC,
# and with a suite that has it in its backports Waydroid. Prints the directory that
# holds them. REFRESH=1 gets them again.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: containers.sh KERNEL"
kernel=$1
base=$(REFRESH="" "$here/root.sh" "$kernel")
suite=$(kernel_suite "$kernel")
suite=${suite%-backports}
packages="podman crun uidmap lxc dbus iproute2"
if [ "$suite" = trixie ]; then
	packages="$packages waydroid/trixie-backports"
fi
recipe=$(echo "$suite $packages $base" | sha256sum | cut -c 1-12)
dir=$cache/installs/containers-$kernel-$recipe

make_once "$dir" "containers-$kernel" "$@"

log=$cache/installs/containers-$kernel.log
say "getting container engines of Debian $suite (a minute) ..."
cp -a "$base/root" "$tmp/root"
# shellcheck disable=SC2016,SC2086 # expanded by the inner shell; a list
if ! in_root "$tmp/root" sh -euc '
	suite=$1
	shift
	sed -n "s/^\(deb .*\) $suite main$/\1 $suite-backports main/p" \
		/etc/apt/sources.list | head -n 1 >/etc/apt/sources.list.d/backports.list
	apt-get -q update
	apt-get -q clean
	apt-get -q --yes --no-install-recommends install --download-only "$@"
	' sh "$suite" $packages >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	die "could not get the packages, whole log: $log"
fi
mkdir "$tmp/debs"
mv "$tmp/root/var/cache/apt/archives/"*.deb "$tmp/debs/"
rm -rf "$tmp/root"
made "containers-$kernel-*"
echo "$dir"
