#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: newest.sh
#
# Shows what the next kernel breaks: builds the module with today's headers of the newest
# kernel of Debian experimental, boots that kernel and runs a few of the tests. If the
# build fails, prints the messages of compat.h and the first errors of the compiler. The
# last line is "N passed, N failed".
#
# Variables, besides those of 'make help':
#	KSRC=dir	a kernel source such as linux-next, configured or not. Checks
#			only whether the probes know its headers, in about a second

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: newest.sh (see KSRC= in 'make help')"
kernel=newest
logs=$out/$kernel
rm -rf "$logs"
mkdir -p "$logs"

# result STATUS NAME: prints the result of the only check, and exits.
result()
{
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
		echo "1 passed, 0 failed"
	else
		echo "not ok - $2"
		echo "0 passed, 1 failed"
	fi
	exit "$1"
}

# Prints the number that the source's makefile assigns to $1.
numbered()
{
	sed -n "s/^$1 = \([0-9]*\)$/\1/p" "$KSRC/Makefile"
}

# Compiles compat.h with the flags that the probes find for the headers of a source.
# Creates the generated headers, which a source that isn't configured lacks.
look_at_headers()
{
	compat=$top/drivers/android/ashmem/compat
	[ -f "$KSRC/include/linux/fs.h" ] || die "no kernel source: $KSRC"
	mkdir "$logs/linux" "$logs/generated"
	: >"$logs/generated/autoconf.h"
	{
		echo "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))"
		echo "#define LINUX_VERSION_CODE KERNEL_VERSION($(numbered VERSION)," \
			"$(numbered PATCHLEVEL), 0)"
	} >"$logs/linux/version.h"
	# shellcheck disable=SC2016 # make's own
	found=$(printf '%s\n' 'include $(compat)/Kbuild.include' \
		'found:; @echo $(ccflags-y)' |
		make -s --no-print-directory -f - compat="$compat" srctree="$KSRC" found)
	echo "# Linux $(numbered VERSION).$(numbered PATCHLEVEL) in $KSRC"
	status=0
	# shellcheck disable=SC2086 # a list
	gcc -fsyntax-only -x c $found -DCONFIG_MMU=1 -DCONFIG_SHMEM=1 -DCONFIG_TMPFS=1 \
		-I"$logs" -I"$KSRC/include" -include "$compat/compat.h" /dev/null \
		2>"$logs/headers.log" || status=1
	sed -n 's/.*error: #error "\(.*\)"$/#   \1/p' "$logs/headers.log"
	result "$status" "the probes know the headers; the compiler: $logs/headers.log"
}

if [ -n "${KSRC:-}" ]; then
	look_at_headers
fi

# A root that is older than a day may not have the newest kernel.
dir=$("$bed/root.sh" "$kernel")
if [ -n "$(find "$dir" -maxdepth 0 -mtime +0)" ]; then
	dir=$(REFRESH=1 "$bed/root.sh" "$kernel")
fi
echo "# Linux $(cat "$dir/kernel/version") of Debian experimental"

if ! "$bed/build.sh" "$kernel" "$top" "$logs/modules" >"$logs/build.log" 2>&1; then
	grep -E 'error:|warning:' "$logs/build.log" | head -n 20
	result 1 "builds without warnings; the whole log is $logs/build.log"
fi
echo "ok - builds without warnings"

# One build of the programs serves all kernels.
[ -d "$out/tests" ] || "$bed/programs.sh" "$out"
mkdir "$logs/tests"
for program in file mmap neighbour pin purge region; do
	ln "$out/tests/${program}_test" "$logs/tests/"
done
"$bed/run.sh" -m "$logs/modules/ashmem_linux.ko" -p "$logs/tests" -o "$logs" \
	"$kernel" || true
read -r passed failed _ <"$logs/summary"
echo "$((passed + 1)) passed, $failed failed"
[ "$failed" -eq 0 ]
