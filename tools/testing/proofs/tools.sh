#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: tools.sh
#
# Prints a directory with herd7. Debian 12 and 13 have none: it comes from sid, with its
# libraries, into the cache. REFRESH=1 fetches it again.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: tools.sh"
suite=sid
dir=$cache/roots/proofs-$(sha256sum <"$0" | cut -c 1-12)
make_once "$dir" proofs

log=$cache/roots/proofs.log
say "fetching herd7 of Debian $suite (20 s) ..."
make_root "$suite" herdtools7 --variant=extract \
	--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"'
cat >"$tmp/herd7" <<'SH'
#!/bin/sh
root=${0%/*}/root/usr
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" \
	"$root/bin/herd7" -set-libdir "$root/share/herdtools7/herd" "$@"
SH
chmod +x "$tmp/herd7"
version=$("$tmp/herd7" -version)
made "proofs-????????????"
say "herd7 $version"
echo "$dir"
