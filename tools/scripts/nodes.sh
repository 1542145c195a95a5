#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: nodes.sh install|uninstall [ROOT]
#
# Installs below ROOT the files that make both names of the device, for udev and containers,
# with their man pages, or removes them if no module of ours is left there. Without ROOT the
# names are also made or removed at once. SBINDIR (/usr/sbin) is the directory of ashmem-nodes.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

die()
{
	echo "nodes.sh: $*" >&2
	exit 1
}

usage()
{
	die "usage: nodes.sh install|uninstall [ROOT]"
}

[ $# -eq 1 ] || [ $# -eq 2 ] || usage
root=${2:-}
sbin=${SBINDIR:-/usr/sbin}

# MODE, source in packaging/, destination.
list()
{
	echo "0755 udev/ashmem-nodes $sbin/ashmem-nodes"
	echo "0644 udev/71-ashmem-nodes.rules /usr/lib/udev/rules.d/71-ashmem-nodes.rules"
	echo "0644 udev/ashmem-nodes.8 /usr/share/man/man8/ashmem-nodes.8"
	echo "0644 man/ashmem.4 /usr/share/man/man4/ashmem.4"
	echo "0644 lxc/ashmem.conf /usr/share/lxc/config/ashmem.conf"
	echo "0755 lxc/ashmem-hook /usr/share/lxc/hooks/ashmem"
}

# Is a module left, of make install for any kernel, of DKMS, or of a package?
still_used()
{
	[ -d "$root/var/lib/dkms/ashmem" ] ||
		[ -n "$(find "$root/lib/modules" -name 'ashmem_linux.ko*' \
			! -path '*/kernel/*' 2>/dev/null | head -n 1)" ] ||
		{ [ -z "$root" ] && [ "$(dpkg-query --show \
			--showformat '${db:Status-Status}' ashmem-dkms \
			2>/dev/null)" = installed ]; }
}

case $1 in
install)
	list | while read -r mode from to; do
		mkdir -p "$root${to%/*}"
		sed "s|/usr/sbin/ashmem-nodes|$sbin/ashmem-nodes|" \
			"$top/packaging/$from" >"$root$to.new"
		chmod "$mode" "$root$to.new"
		mv -f "$root$to.new" "$root$to"
	done
	if [ -z "$root" ] && [ -d /sys/class/misc/ashmem ]; then
		"$sbin/ashmem-nodes" || true
	fi
	;;
uninstall)
	if still_used; then
		exit 0
	fi
	if [ -z "$root" ] && [ -x "$sbin/ashmem-nodes" ]; then
		"$sbin/ashmem-nodes" --remove || true
	fi
	list | while read -r _ _ to; do
		rm -f "$root$to"
	done
	# On small systems these directories held only our files.
	rmdir "$root/usr/share/lxc/config" "$root/usr/share/lxc/hooks" \
		"$root/usr/share/lxc" "$root/usr/share/man/man4" 2>/dev/null || true
	;;
*)
	usage
	;;
esac
