#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: setup.sh demo|test|sanitize|bench|style|tree|kunit|fuzz|proofs|coverage|docs|deb|install ...
#
# Installs the host packages that these targets need and that are missing. Without the
# permission, prints the command for the administrator and fails. Prints nothing if all are
# installed.

set -eu

die()
{
	echo "setup.sh: $*" >&2
	exit 1
}

needed=
for target in "$@"; do
	case $target in
	demo | test | sanitize | bench)
		needed="$needed busybox-static cpio debian-archive-keyring gcc"
		needed="$needed libc6-dev make mmdebstrap mount"
		needed="$needed procps qemu-system-x86 xz-utils"
		case $target in
		# The tests run as 32-bit programs, too. The library's run under
		# valgrind, and its manual and its use from C++ are checked.
		test | sanitize)
			needed="$needed binutils cmake g++ gcc-multilib groff-base man-db"
			needed="$needed fish mandoc mypy pkgconf python3"
			needed="$needed python3-numpy valgrind zsh"
			if [ "$target" = sanitize ]; then
				# Not gcc for ARM, which excludes gcc-multilib.
				gcc=$(apt-cache depends gcc 2>/dev/null |
					sed -n 's/^ *Depends: gcc-\([0-9]*\)$/\1/p')
				needed="$needed binutils-aarch64-linux-gnu clang"
				needed="$needed libc6-dev-arm64-cross qemu-user"
				needed="$needed libgcc-${gcc:-12}-dev-arm64-cross"
			fi
			;;
		bench) needed="$needed gnuplot-nox" ;;
		esac
		;;
	style)
		needed="$needed bc bison clang coccinelle debian-archive-keyring"
		needed="$needed flex gcc libc6-dev libelf-dev libssl-dev make"
		needed="$needed mmdebstrap mount perl shellcheck xz-utils"
		needed="$needed gcc-multilib graphviz mandoc python3-sphinx reuse"
		;;
	tree | kunit)
		needed="$needed debian-archive-keyring mmdebstrap mount xz-utils"
		case $target in
		tree) needed="$needed git patch" ;;
		kunit) needed="$needed busybox-static cpio python3 qemu-system-x86" ;;
		esac
		;;
	fuzz)
		needed="$needed clang libclang-rt-dev libc6-dev make"
		;;
	proofs)
		needed="$needed clang debian-archive-keyring gcc gcc-multilib libc6-dev"
		needed="$needed libclang-rt-dev mmdebstrap mount spin xz-utils"
		;;
	coverage) needed="$needed lcov" ;;
	docs) needed="$needed graphviz make python3-sphinx" ;;
	deb | install)
		needed="$needed build-essential debhelper dh-dkms dh-python dpkg-dev"
		needed="$needed graphviz lintian python3-sphinx"
		if [ "$target" = install ]; then
			needed="$needed busybox-static cpio"
			needed="$needed debian-archive-keyring e2fsprogs gcc"
			needed="$needed libc6-dev make mmdebstrap mount openssl"
			needed="$needed procps qemu-system-x86 mtools ovmf"
			needed="$needed python3-yaml rpm rpmlint shellcheck yamllint"
		fi
		;;
	*)
		die "unknown target '$target', known are: demo test sanitize bench style tree kunit fuzz proofs coverage docs deb install"
		;;
	esac
done
[ -n "$needed" ] || die "usage: setup.sh demo|test|sanitize|bench|style|tree|kunit|fuzz|proofs|coverage|docs|deb|install ..."

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	die "this needs Debian or a relative of it: no dpkg-query and apt-get here"
fi

missing=
# shellcheck disable=SC2016,SC2086 # dpkg-query's own variables; a list
installed=$(dpkg-query --show --showformat '${Package}=${db:Status-Status}\n' \
	$needed 2>/dev/null) || true
for package in $needed; do
	case " $missing " in
	*" $package "*) continue ;;
	esac
	echo "$installed" | grep -qxF "$package=installed" ||
		missing="$missing $package"
done
if [ -z "$missing" ]; then
	exit 0
fi

line="apt-get install --no-install-recommends$missing"
if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
	sudo=sudo
else
	die "packages are missing; as root: $line"
fi

apt()
{
	# shellcheck disable=SC2086 # empty for root
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null
}

echo "setup.sh: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be missing, or too old.
# shellcheck disable=SC2086 # a list of packages
if ! apt install --yes --no-install-recommends $missing >"$log" 2>&1; then
	echo "setup.sh: fetching the package lists first" >&2
	if ! { apt update && apt install --yes --no-install-recommends $missing
	     } >"$log" 2>&1; then
		tail -n 15 "$log" >&2
		die "could not install packages; as root: $line"
	fi
fi
