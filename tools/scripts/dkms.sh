#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: dkms.sh source DIR
#	 dkms.sh install RELEASE KDIR [MODROOT]
#	 dkms.sh uninstall
#
# source copies the files for DKMS into DIR. install registers this tree's version with DKMS,
# replacing any other, builds it for the kernel RELEASE with the headers in KDIR, and installs it
# under MODROOT/lib/modules; with RELEASE's own headers there also for each other kernel that
# has headers. uninstall reverts install, for all kernels.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

die()
{
	echo "dkms.sh: $*" >&2
	exit 1
}

usage()
{
	die "usage: dkms.sh source DIR | install RELEASE KDIR [MODROOT] | uninstall"
}

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
[ -n "$version" ] || die "no PACKAGE_VERSION in dkms.conf"

# The files that kbuild reads, without tests and build products.
copy_source()
{
	rm -rf "$1"
	mkdir -p "$1"
	(cd "$top" && find Kbuild dkms.conf drivers include/uapi \
		-path '*/ashmem/tests' -prune -o -type f \
		\( -name '*.[ch]' -o -name Kbuild -o -name Kbuild.include \
		   -o -name Kconfig -o -name dkms.conf \) ! -name '*.mod.c' -print) |
		while read -r file; do
			install -D -m 0644 "$top/$file" "$1/$file"
		done
}

need_dkms()
{
	command -v dkms >/dev/null || die "dkms is missing: install the package dkms"
	[ "$(id -u)" -eq 0 ] || die "needs root: sudo make dkms-$1"
	# Only the package may change the files of the package.
	if [ "$(dpkg-query --show --showformat '${db:Status-Status}' ashmem-dkms \
		2>/dev/null)" = installed ] || rpm --query ashmem-dkms >/dev/null 2>&1 ||
	   pacman --query ashmem-dkms >/dev/null 2>&1; then
		die "the package ashmem-dkms looks after the module here: remove it first"
	fi
}

# Every version of ours that DKMS knows, and its sources. DKMS 2.8 separates name and version
# by a comma, later versions by a slash.
remove_all()
{
	dkms status -m ashmem | sed -n 's|^ashmem[,/] *\([^,: ]*\).*|\1|p' | sort -u |
		while read -r old; do
			dkms remove -m ashmem -v "$old" --all
		done
	rm -rf /usr/src/ashmem-[0-9]*
}

# For the kernels other than $1 that were installed before this: DKMS builds for new ones only.
install_others()
{
	for build in /lib/modules/*/build; do
		release=${build%/build}
		release=${release##*/}
		if [ "$release" != "$1" ] && [ -e "$build/Makefile" ] &&
		   ! dkms install -m ashmem -v "$version" -k "$release"; then
			echo "dkms.sh: not built for $release, see above" >&2
		fi
	done
}

case ${1:-} in
source)
	[ $# -eq 2 ] || usage
	copy_source "$2"
	;;
install)
	[ $# -eq 3 ] || [ $# -eq 4 ] || usage
	need_dkms install
	remove_all
	copy_source "/usr/src/ashmem-$version"
	dkms add -m ashmem -v "$version"
	dkms install -m ashmem -v "$version" -k "$2" --kernelsourcedir "$3" \
		${4:+--installtree "$4/lib/modules"}
	if [ -z "${4:-}" ] && [ "$3" = "/lib/modules/$2/build" ]; then
		install_others "$2"
	fi
	echo "dkms.sh: ashmem $version is installed for $2; DKMS builds it for each new kernel, too"
	;;
uninstall)
	[ $# -eq 1 ] || usage
	need_dkms uninstall
	remove_all
	echo "dkms.sh: ashmem is gone from DKMS and from all kernels' modules"
	;;
*)
	usage
	;;
esac
