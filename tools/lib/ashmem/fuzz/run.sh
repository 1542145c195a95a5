#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh MINUTES OUTDIR
#
# Fuzzes the reader of frames, then the cache, with libFuzzer under ASan and UBSan, each
# for MINUTES. Begins with corpus/ and corpus-cache/. What is new goes to
# OUTDIR/corpus-NAME, a finding to OUTDIR as crash-*, timeout-* or the like. Needs clang
# with its runtime (Debian: libclang-rt-14-dev or its successors). CLANG chooses the
# compiler, TARGET only one of frame and cache.

set -eu
fuzz=$(cd "$(dirname "$0")" && pwd)
lib=$(cd "$fuzz/.." && pwd)
: "${CLANG:=clang}"

die()
{
	echo "fuzz: $*" >&2
	exit 1
}

[ $# -eq 2 ] || die "usage: run.sh MINUTES OUTDIR"
case $1 in
'' | *[!0-9]* | 0*) die "MINUTES is a number of 1 or more, not '$1'" ;;
esac
minutes=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
command -v "$CLANG" >/dev/null || die "no $CLANG here: apt-get install clang"

value()
{
	sed -n "s/^stat::$1: *//p" "$out/log-$name" | tail -n 1
}

# Fuzzes $1, beginning with the inputs in $2.
run()
{
	name=$1
	new=$out/corpus-$name
	mkdir -p "$new"
	# A peer that keeps the lock of a cache costs a second elsewhere.
	"$CLANG" -O1 -g -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra \
		-Werror -DASHMEM_VERSION='"fuzz"' -DCACHE_LOCK_MS=1 -I"$lib" \
		-I"$lib/include" -I"$lib/../../../include/uapi" \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -pthread \
		"$fuzz/${name}_fuzz.c" "$lib"/*.c "$lib"/cache/*.c "$lib"/frame/*.c \
		-o "$out/${name}_fuzz" ||
		die "could not build; is clang's runtime there (libclang-rt-14-dev)?"

	echo "fuzz: $name, $minutes minute(s) with $(find "$2" -type f | wc -l) inputs to begin with ..."
	status=0
	(cd "$out" && exec nice -n 10 "./${name}_fuzz" -max_total_time=$((minutes * 60)) \
		-max_len=512 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
		"$new" "$2") >"$out/log-$name" 2>&1 || status=$?
	if [ "$status" -ne 0 ]; then
		grep -E 'ERROR|SUMMARY|not true|Test unit|runtime error' "$out/log-$name" || true
		die "a finding: see $out/log-$name"
	fi
	runs=$(value number_of_executed_units)
	[ "${runs:-0}" -gt 0 ] || die "nothing was run: see $out/log-$name"
	covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$out/log-$name" | tail -n 1)
	echo "fuzz: $name, $minutes minute(s), $runs runs ($(value average_exec_per_sec) a second)," \
		"$covered edges covered, $(find "$new" -type f | wc -l) new inputs, no finding"
}

case ${TARGET:=} in
'' | frame | cache) ;;
*) die "TARGET is frame or cache, not '$TARGET'" ;;
esac
[ "$TARGET" = cache ] || run frame "$fuzz/corpus"
[ "$TARGET" = frame ] || run cache "$fuzz/corpus-cache"
