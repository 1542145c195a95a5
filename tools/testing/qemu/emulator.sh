#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: emulator.sh [MACHINE]
#
# Prints the directory to look for QEMU for MACHINE (x86_64) in before those of PATH: none
# if the host's own will do. If that is older than 8.1, it is one of the cache, with Debian
# trixie's QEMU and its own libraries. REFRESH=1 fetches these again.
#
# Before 8.1 an emulated CPU could translate code while another one patched it, and run the
# stale code from then on. Linux patches its own code through int3: on a busy host guests died
# of a stale int3, or hung.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -le 1 ] || die "usage: emulator.sh [MACHINE]"
case ${1:-x86_64} in
arm64) qemu=qemu-system-aarch64 package=qemu-system-arm ;;
*) qemu=qemu-system-x86_64 package=qemu-system-x86 ;;
esac

# "QEMU emulator version 7.2.22 (Debian ...)"
if $qemu --version 2>/dev/null | awk '
	NR == 1 { split($4, v, "."); good = v[1] * 100 + v[2] >= 801 }
	END { exit !good }'; then
	exit 0
fi

suite=trixie
name=emulator${package#qemu-system}
dir=$cache/roots/$name-$(sha256sum <"$0" | cut -c 1-12)
make_once "$dir" "$name" "$@"

log=$cache/roots/$name.log
say "fetching $qemu of Debian $suite, there is none of 8.1 or later here (20 s) ..."
make_root "$suite" "$package" --variant=extract \
	--aptopt='APT::Install-Recommends "false"'
cat >"$tmp/$qemu" <<'SH'
#!/bin/sh
root=${0%/*}/root/usr
lib=$root/lib/x86_64-linux-gnu
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" \
	"$root/bin/${0##*/}" -L "$root/share/qemu" -L "$root/share/seabios" "$@"
SH
chmod +x "$tmp/$qemu"
version=$("$tmp/$qemu" --version)
made "$name-????????????"
say "$(echo "$version" | head -n 1)"
echo "$dir"
