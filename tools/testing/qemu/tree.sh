#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: tree.sh KERNEL [PACKAGE...]
#
# Makes, or finds in the cache, a root of the suite of KERNEL with what building
# a whole kernel takes, and each PACKAGE, and in its /src/linux that kernel's source as Debian
# patches it. It is never written to: builds have their own directory (O=), or
# work on a copy. Prints the directory that holds the root as root/ and the
# source's version in the file version. REFRESH=1 makes it again.
#
# KERNEL "given" is the source in $KSRC. Its root is of the suite of the newest kernel
# of 'make test' that isn't newer, so that compiler and source are of the same time.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -ge 1 ] || die "usage: tree.sh KERNEL [PACKAGE...]"
kernel=$1
suite=$(kernel_suite "$kernel")

packages="make gcc flex bison bc kmod cpio python3 rsync xz-utils libelf-dev"
packages="$packages libssl-dev libc6-dev$(shift; for more; do printf ' %s' "$more"; done)"
hooks="$bed/hook-backports $bed/hook-source"
from=

# Prints the version that the source $KSRC has.
given_version()
{
	awk '/^(VERSION|PATCHLEVEL|SUBLEVEL) = [0-9]+$/ { v = v "." $3 }
		/^EXTRAVERSION = ./ { v = v $3 }
		/^NAME =/ { print substr(v, 2); exit }' "$KSRC/Makefile"
}

if [ "$kernel" = given ]; then
	[ -f "${KSRC:-}/mm/shmem.c" ] || die "KSRC=${KSRC:-} is no kernel source"
	version=$(given_version)
	for base in $(kernels); do
		# Stop at the first that is newer.
		[ "$(printf '%s\n' "$base" "$version" | sort -V | head -n 1)" = "$base" ] || break
		suite=$(kernel_suite "$base")
	done
	from=$(find "$KSRC" -path "$KSRC/.git" -prune -o -type f -printf '%P %s %T@\n' |
		sort | sha256sum)
	hooks=$bed/hook-backports
else
	package=linux-source-$kernel
	packages="$packages $package"
	case $suite in
	# The newest one also builds for other machines.
	trixie-backports) packages="$packages gcc-aarch64-linux-gnu" ;;
	esac
fi
# shellcheck disable=SC2086 # a list
recipe=$( (echo "$suite $packages${from:+ $from}"; cat $hooks) |
	sha256sum | cut -c 1-12)
dir=$cache/trees/$kernel-$recipe

make_once "$dir" "tree-$kernel" "$@"

log=$cache/trees/$kernel.log
say "making the source tree of kernel $kernel (three minutes) ..."
start=$(date +%s)
if [ "$kernel" = given ]; then
	make_root "$suite" "$packages" --aptopt='APT::Install-Recommends "false"'
	mkdir -p "$tmp/root/src/linux"
	# 'git apply' makes files that only their owner may write.
	tar -C "$KSRC" --exclude=./.git --mode=u=rwX,go=rX -c . |
		tar -x --no-same-owner -C "$tmp/root/src/linux"
	# Builds with O= refuse a source in which something was built.
	in_root "$tmp/root" make -s -C /src/linux mrproper >>"$log" 2>&1 ||
		die "'make mrproper' failed in a copy of $KSRC, whole log: $log"
	echo "$version" >"$tmp/version"
else
	make_root "$suite" "$packages" --aptopt='APT::Install-Recommends "false"' \
		--customize-hook="'$bed/hook-source' \"\$1\" '$package'"
	mv "$tmp/root/src/version" "$tmp/version"
fi
made "$kernel-*"
say "source of kernel $kernel is $(cat "$dir/version"), made in $(($(date +%s) - start)) s"
echo "$dir"
