#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: analyse.sh coccinelle|clang
#
# Runs the kernel's own Coccinelle scripts (make coccicheck) over the driver, or clang's
# analyzer and kernel-doc, as kbuild does. Prints findings, a line each, as FILE:LINE: TEXT,
# and at the end on stderr what was run. Fails only if it couldn't run.

set -eu
scripts=$(cd "$(dirname "$0")" && pwd)
bed=$scripts/../testing/qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: analyse.sh coccinelle|clang"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# A copy without build products.
mkdir -p "$tmp/src"
(cd "$top" && find Kbuild dkms.conf drivers include -type f \( -name '*.[ch]' \
	-o -name 'Kbuild*' -o -name dkms.conf \) ! -name '*.mod.c' -print |
	tar --create --file=- --files-from=-) |
	tar --extract --file=- --no-same-owner -C "$tmp/src"
driver=drivers/android/ashmem

# Scripts in OCaml need its compiler, and none of them applies to the driver.
coccinelle()
{
	tree=$(REFRESH="" "$bed/tree.sh" "$(kernels | tail -n 1)")/root/src/linux
	grep -rlE '^virtual (.*[ ,])?report' --include='*.cocci' "$tree/scripts/coccinelle" |
		xargs grep -LE '^@ *(script|initialize|finalize):ocaml' | sort >"$tmp/cocci"
	# shellcheck disable=SC2016 # expanded by the inner shell
	xargs -a "$tmp/cocci" -P "$(nproc)" -n 1 sh -c '
		make -s -C "$1" coccicheck MODE=report M="$2" J=1 COCCI="$4" \
			>"$3/$(basename "$4").said" 2>&1 || {
			cat "$3/$(basename "$4").said" >&2
			exit 255
		}' sh "$tree" "$tmp/src/$driver" "$tmp" ||
		die "coccicheck failed"
	cat "$tmp"/*.said | sed -n "s|^\./\([^ :]*:[0-9]\)|$driver/\1|p" | sort -u
	say "$(wc -l <"$tmp/cocci") scripts of Coccinelle"
}

# The newest kernel of the table that the clang of Debian 12 can still build, with
# the configuration of our guests.
clang_kernel=6.12
analyzer()
{
	tree=$(REFRESH="" "$bed/tree.sh" "$clang_kernel")
	config=$bed/configs/guest.config
	build=$cache/builds/clang-$( (echo "${tree##*/}"; clang --version
		cat "$config") | sha256sum | cut -c 1-16)
	kbuild="make -s -C $tree/root/src/linux CC=clang"
	if [ ! -d "$build" ]; then
		say "preparing $clang_kernel for clang (a minute) ..."
		mkdir "$tmp/build"
		{
			$kbuild O="$tmp/build" KCONFIG_ALLCONFIG="$config" allnoconfig &&
				$kbuild O="$tmp/build" -j"$(nproc)" modules_prepare
		} >"$tmp/log" 2>&1 || {
			tail -n 20 "$tmp/log" >&2
			die "could not prepare $clang_kernel for clang"
		}
		mv -T "$tmp/build" "$build"
	fi
	$kbuild O="$build" M="$tmp/src" C=2 CHECKFLAGS= W=12 -j"$(nproc)" \
		CHECK='clang --analyze --analyzer-output text -Qunused-arguments' \
		"$driver/" >"$tmp/log" 2>&1 || {
		tail -n 20 "$tmp/log" >&2
		die "clang could not build the driver"
	}
	sed -n "s|^\(.*/\)\{0,1\}\($driver/[^ :]*:[0-9].*warning: \)|\2|p" "$tmp/log" | sort -u
	say "clang $(clang -dumpversion), $(find "$tmp/src/$driver" -name '*.o' | wc -l) objects"
}

case $1 in
coccinelle) coccinelle ;;
clang) analyzer ;;
*) die "usage: analyse.sh coccinelle|clang" ;;
esac
