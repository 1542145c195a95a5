#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: roots.sh DIR SCRIPT
#
# Runs SCRIPT with DIR in a Debian root of each suite that has other compilers than
# this machine. The roots are in the project's cache. SUITES="trixie ..." chooses.

set -eu
self=$(readlink -f "$0")
lib=$(cd "$(dirname "$0")/.." && pwd)
bed=$lib/../../testing/qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

compilers_of()
{
	case $1 in
	bullseye) echo "g++ clang" ;;
	bookworm) echo "g++-11 g++ clang" ;;
	trixie) echo "g++-13 g++ clang" ;;
	esac
}

# In another process: make_once ends it.
if [ "${1:-}" = --make ]; then
	suite=$2
	packages="$(compilers_of "$suite") libc6-dev linux-libc-dev"
	log=$cache/roots/compilers-$suite.log
	make_once "$cache/roots/compilers-$suite-$(echo "$packages" | sha256sum | cut -c 1-12)" \
		"root-compilers-$suite" "$@"
	say "making the $suite root of compilers (about a minute) ..."
	make_root "$suite" "$packages"
	made "compilers-$suite-*"
	echo "$dir"
	exit
fi

[ $# -eq 2 ] || die "usage: roots.sh DIR SCRIPT"
need_root "$@"
mkdir -p "$cache/roots" "$cache/locks"
cp "$2" "$1/script.sh"
status=0
for suite in ${SUITES:-bullseye bookworm trixie}; do
	root=$("$self" --make "$suite")/root
	# shellcheck disable=SC2034 # in_root looks at it
	shown="work $1"
	said=$(in_root "$root" sh /mnt/work/script.sh /mnt/work) || status=1
	echo "$said" | sed "s/^\([0-9]* passed\)/$suite: \1/"
done
exit "$status"
