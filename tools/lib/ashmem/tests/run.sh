#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh DIR [COMMAND ARG...]
#
# Runs the test programs of DIR, each by COMMAND if there is one, in
# a separate directory. TEST=pattern runs only those whose name matches. The last
# line is "N passed, N failed, N skipped".

set -eu

if [ $# -lt 1 ]; then
	echo "usage: run.sh DIR [COMMAND ARG...]" >&2
	exit 1
fi
dir=$(cd "$1" && pwd)
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 0755 "$tmp"
# More often than in an emulator.
export ASHMEM_LONG=1

: >"$tmp/log"
count=0
for program in "$dir"/*_test; do
	# shellcheck disable=SC2254 # a pattern is what it's meant to be
	case ${program##*/} in
	*${TEST:-}*) ;;
	*) continue ;;
	esac
	count=$((count + 1))
	mkdir "$tmp/work"
	echo "# ${program##*/}"
	status=0
	(cd "$tmp/work" && exec timeout "${TEST_TIMEOUT:-300}" "$@" "$program") \
		>"$tmp/said" 2>&1 </dev/null || status=$?
	# Of what passed only the sum is of interest.
	grep -vE '^ok |^TAP |^1\.\.|^# +(RUN|OK|SKIP) |^# (Starting|PASSED|Totals)|^# .* skipped test' \
		"$tmp/said" || true
	# It may have been ended in the middle of a line.
	echo >>"$tmp/said"
	cat "$tmp/said" >>"$tmp/log"
	# It died, or complained in some other way than by a test.
	if [ "$status" -ne 0 ] && ! grep -q '^not ok' "$tmp/said"; then
		echo "not ok ${program##*/} ended with status $status" |
			tee -a "$tmp/log"
	fi
	rm -rf "$tmp/work"
done

# Nothing is as it should be only where nothing was asked for.
awk -v asked="$count" '
/^ok .*# SKIP/ { skipped++; next }
/^ok / { passed++ }
/^not ok / { failed++ }
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit (asked && !passed) || failed > 0
}' "$tmp/log"
