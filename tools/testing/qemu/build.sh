#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: build.sh KERNEL [SRCDIR] [OUTDIR]
#
# Builds the external modules of SRCDIR (this repository) for KERNEL, in the
# build root of its suite and from a copy of the sources, and puts them into
# OUTDIR (out/KERNEL/modules) with the log as build.log, and gcov's notes if there
# are any. A warning fails the build. What was built before from the same sources
# is reused.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

if [ $# -lt 1 ] || [ $# -gt 3 ]; then
	die "usage: build.sh KERNEL [SRCDIR] [OUTDIR]"
fi
kernel=$1
src=$(cd "${2:-$top}" && pwd) || die "no such directory: $2"
dest=${3:-$out/$kernel/modules}
# As the user, who may want to put something else beside it.
mkdir -p "$dest"
# What else kbuild is told; C=2 has sparse look at the sources.
KBUILD_ARGS=${KBUILD_ARGS:-W=1}

[ -f "$src/Kbuild" ] || die "no Kbuild in $src, nothing to build"
dir=$(REFRESH="" "$bed/root.sh" "$kernel")
release=$(cat "$dir/kernel/release")

# The files a packager would ship; build products of other kernels stay behind.
sources()
{
	cd "$src"
	if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory='*' ls-files --cached --others \
			--exclude-standard -- Kbuild dkms.conf drivers include \
			'*.c' '*.h' | sort -u | while read -r file; do
			[ ! -f "$file" ] || echo "$file"
		done
	else
		find Kbuild dkms.conf drivers include ./*.c ./*.h \
			\( -type f -o -type l \) \
			! -name '*.o' ! -name '*.ko' ! -name '*.cmd' \
			! -name '*.mod' ! -name '*.mod.c' 2>/dev/null |
			sed 's|^\./||' | sort -u
	fi
}

files=$(sources)
key=$(cd "$src" && {
	basename "$dir"
	cat "$dir/kernel/version"
	echo "$KBUILD_ARGS"
	echo "$files" | tr '\n' '\0' | xargs -0 sha256sum
} | sha256sum | cut -c 1-16)
built=$cache/builds/$kernel-$key

deliver()
{
	rm -f "$dest"/*.ko "$dest"/*.gcno
	cp "$built"/* "$dest/"
	hand_back "$dest"
	# It was asked for; the cache may be another user's.
	touch "$built" 2>/dev/null || true
}

if [ -d "$built" ]; then
	deliver
	exit 0
fi

need_root "$@"
# A unique name for each build: two runs never share a directory, and the
# root keeps no trace of it.
work=$(mktemp -d "$dir/root/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

start=$(date +%s)
(cd "$src" && echo "$files" | tar --create --file=- --no-recursion \
	--files-from=-) | tar --extract --file=- --no-same-owner -C "$work"
log=$work/build.log
inner=/${work##*/}
status=0
# shellcheck disable=SC2046,SC2086 # lists of arguments
in_root "$dir/root" make -C "/lib/modules/$release/build" M="$inner" \
	-j"$(nproc)" $(kbuild_machine "$kernel") $KBUILD_ARGS modules >"$log" 2>&1 || status=$?

if [ "$status" -ne 0 ]; then
	sed "s|$inner/||" "$log" >&2
	die "kernel $kernel: the build failed"
fi
# modpost says WARNING, compiler and objtool say warning. That the root has a
# slightly newer compiler than the kernel's own is no fault of the sources. What
# sparse finds is judged by style.sh.
case " $KBUILD_ARGS " in
*" C=2 "*) ;;
*)
	sed "s|$inner/||" "$log" | grep -i 'warning:' |
		grep -v 'the compiler differs from the one used to build' \
		>"$work/warnings" || true
	if [ -s "$work/warnings" ]; then
		cat "$work/warnings" >&2
		die "kernel $kernel: $(wc -l <"$work/warnings") warning(s) in the build"
	fi
	;;
esac

tmp=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$work" "$tmp"' EXIT
find "$work" \( -name '*.ko' -o -name '*.gcno' \) -exec cp {} "$tmp/" \;
cp "$log" "$tmp/build.log"
chmod -R a+rX "$tmp"
# Drop builds that were not used for a month.
find "$cache/builds" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +
mv -T "$tmp" "$built" 2>/dev/null || [ -d "$built" ]
deliver
say "kernel $kernel: built $(cd "$built" && echo *.ko), $(($(date +%s) - start)) s"
