#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: consts.sh [--check]
#
# Writes dev_ashmem.txt.const, the values of the names in dev_ashmem.txt, from the headers
# of this tree and of the machine. With --check, only compares. Needs gcc for 64 and 32
# bits (gcc-multilib). Fails if the description lacks a command of <linux/ashmem.h>.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
uapi=$here/../../../include/uapi
description=$here/dev_ashmem.txt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

die()
{
	echo "consts.sh: $*" >&2
	exit 1
}

commands=$(sed -n 's/^#define \(ASHMEM_[A-Z_]*\)[[:space:]]*_IO.*/\1/p' \
	"$uapi/linux/ashmem.h")
for command in $commands; do
	grep -qF "cmd const[$command]" "$description" ||
		die "dev_ashmem.txt has no call with $command"
done

# Prints "NAME VALUE" of all names; $1 is a machine of syzkaller. The values are in the
# compiler's output, because this machine may not run programs of 32 bits.
values()
{
	header=asm/unistd.h
	flag=-m64
	case $1 in
	386) flag=-m32 ;;
	arm64) header=asm-generic/unistd.h ;;
	esac
	cat >"$tmp/$1.c" <<-C
		#include <$header>
		#include <fcntl.h>
		#include <linux/ashmem.h>

		/* On 32-bit machines syzkaller calls mmap2 by the name mmap. */
		#ifndef __LP64__
		#undef __NR_mmap
		#define __NR_mmap __NR_mmap2
		#endif
		#define SHOW(name) __asm__("value " #name " %0" : : "i"((long long)(name)));

		void values(void)
		{
			SHOW(ASHMEM_NAME_LEN)
			$(echo "$commands" | sed 's/.*/SHOW(&)/')
			SHOW(AT_FDCWD)
			SHOW(__NR_ioctl)
			SHOW(__NR_mmap)
			SHOW(__NR_openat)
		#ifndef __LP64__
			SHOW(__NR_mmap2)
		#endif
		}
	C
	gcc "$flag" -S -I"$uapi" -o "$tmp/$1.s" "$tmp/$1.c" || die "gcc $flag failed"
	# A number below 0 as syzkaller has it: of 64 bits, without a sign.
	sed -n 's/^[[:space:]]*value //p' "$tmp/$1.s" | tr -d '$' | xargs -n 2 printf '%s %u\n'
}

for machine in 386 amd64 arm64; do
	values "$machine" >"$tmp/$machine.values"
done
{
	echo '# SPDX-License-Identifier: GPL-2.0-only'
	echo '# Written by consts.sh.'
	echo 'arches = 386, amd64, arm64'
	cut -d ' ' -f 1 "$tmp"/*.values | LC_ALL=C sort -u | while read -r name; do
		line=
		for machine in 386 amd64 arm64; do
			value=$(sed -n "s/^$name //p" "$tmp/$machine.values")
			line="$line${line:+, }$machine:${value:-???}"
		done
		# The first value is that of all machines without another one.
		first=$(sed -n "s/^$name //p" "$tmp/386.values")
		echo "$name = $first, ${line#*, }"
	done
} >"$tmp/const"
if [ "${1:-}" = --check ]; then
	cmp -s "$tmp/const" "$description.const" ||
		die "dev_ashmem.txt.const is out of date: run $0"
	echo "consts.sh: dev_ashmem.txt.const is up to date"
else
	cp "$tmp/const" "$description.const"
	echo "consts.sh: wrote $(grep -c ' = ' "$description.const") values"
fi
