#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: cache.sh
#
# Runs cache_bench in a guest, prints its table, and draws it. Leaves out/bench-cache.tsv
# and out/bench-cache.svg.
#
# Variables, besides those of 'make help':
#	ARGS=		those of cache_bench

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../../../testing/qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: cache.sh"
: "${KERNEL:=$(kernels | tail -n 1)}"
command -v gnuplot >/dev/null || die "gnuplot is missing: apt-get install gnuplot-nox"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

"$bed/build.sh" "$KERNEL"
mkdir -p "$tmp/overlay/bin" "$tmp/programs"
make -s -C "$here/.." OUTPUT="$tmp/lib" LDFLAGS=-static "$tmp/lib/cache_bench"
cp "$tmp/lib/cache_bench" "$tmp/overlay/bin/"
cat >"$tmp/programs/cache_bench" <<-END
	#!/bin/sh
	echo 1..1
	/bin/cache_bench ${ARGS:-} && echo ok 1 measured || echo not ok 1 measured
END
chmod +x "$tmp/programs/cache_bench"
# One processor, whose clock counts instructions: the host's load doesn't matter.
ACCEL=tcg,thread=single QEMU_ARGS="-smp 1 -icount shift=0,sleep=off" \
	TEST_TIMEOUT=3600 TIMEOUT=3600 APPEND=tsc=reliable MEM=${MEM:-1024} OVERLAY=$tmp/overlay "$bed/run.sh" -p "$tmp/programs" \
	-o "$out/$KERNEL/bench-cache" "$KERNEL"

table=$out/bench-cache.tsv
tr -d '\r' <"$out/$KERNEL/bench-cache/results.log" | grep "$(printf '\t')" >"$table"
{
	tr -d '\r' <"$out/$KERNEL/bench-cache/results.log" | sed -n 's/^# \(.*alone.*\)/\1/p'
	echo
	awk -f "$here/cache.awk" "$table"
} >"$tmp/table"
cat "$tmp/table"
gnuplot -e "results='$table'; picture='$out/bench-cache.svg'" "$here/cache.gp"
if [ -n "${DOC:-}" ]; then
	{
		printf '\n::\n\n'
		sed 's/./    &/' "$tmp/table"
		echo
	} >"$tmp/doc"
	put_between "$top/Documentation/performance.rst" ".. table of the cache" \
		".. end of table" "$tmp/doc"
	cp "$out/bench-cache.svg" "$top/Documentation/performance-cache.svg"
fi
