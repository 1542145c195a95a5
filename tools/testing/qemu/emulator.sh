#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: emulator.sh
#
# Prints the directory to look for QEMU in before those of PATH: none if the host's
# own will do. If that is older than 8.1, it is one of the cache, with Debian
# trixie's QEMU and libraries of its own. REFRESH=1 fetches these anew.
#
# Before 8.1 an emulated processor could translate code just while another one
# rewrote it, and run what had been there from then on. Linux rewrites its own
# through int3: on a busy host guests died of one that was long gone, or hung.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: emulator.sh"

# "QEMU emulator version 7.2.22 (Debian ...)"
if qemu-system-x86_64 --version 2>/dev/null | awk '
	NR == 1 { split($4, v, "."); good = v[1] * 100 + v[2] >= 801 }
	END { exit !good }'; then
	exit 0
fi

suite=trixie
dir=$cache/roots/emulator-$(sha256sum <"$0" | cut -c 1-12)
make_once "$dir" emulator

log=$cache/roots/emulator.log
say "fetching QEMU of Debian $suite, this machine's is older than 8.1 (20 s) ..."
make_root "$suite" qemu-system-x86 --variant=extract \
	--aptopt='APT::Install-Recommends "false"'
cat >"$tmp/qemu-system-x86_64" <<'SH'
#!/bin/sh
root=${0%/*}/root/usr
lib=$root/lib/x86_64-linux-gnu
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" \
	"$root/bin/qemu-system-x86_64" -L "$root/share/qemu" -L "$root/share/seabios" "$@"
SH
chmod +x "$tmp/qemu-system-x86_64"
version=$("$tmp/qemu-system-x86_64" --version)
made "emulator-*"
say "$(echo "$version" | head -n 1)"
echo "$dir"
