#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: prove.sh [BUG...]
#
# Proves that the fuzzer finds things: plants the faults that the file bugs has or names
# one by one and fuzzes until each is found, MINUTES (10) at most, without the corpus, which
# was made with the correct driver. Prints how long it took.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/qemu/guests.sh
. "$bed/guests.sh"

list=$here/bugs
# shellcheck source=tools/testing/mutants/lib.sh
. "$here/../mutants/lib.sh"

if [ $# -eq 0 ]; then
	# shellcheck disable=SC2046 # names without blanks
	set -- $(awk '/^(mutant|crowd) / { print $2 }' "$list")
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

for bug; do
	report=$(field "$bug" 4)
	crowd=$(awk -v name="$bug" '$1 == "crowd" && $2 == name { print $3 }' "$list")
	logs=$out/fuzz${crowd:+-soak}-$bug
	rm -rf "$logs"
	if ! "$here/../mutants/plant.sh" "${crowd:+$here/../mutants/mutants}${report:+$list}" \
	   "$bug" "$tmp/$bug" 2>"$tmp/said"; then
		check 1 "$bug: $(cat "$tmp/said")"
		continue
	fi
	MINUTES=${MINUTES:-10} UNTIL_FOUND=1 REPLAY='' MERGE='' BARE=1 SOAK=${crowd:+1} \
		"$here/run.sh" "$tmp/$bug" >"$tmp/said" 2>&1 || true
	reason=$(cat "$logs"/finding-*/reason 2>/dev/null |
		grep -E -m 1 "$report$crowd" || true)
	after=$(sed -n 's/^not ok - guest .*, after \([0-9]* s\):.*/\1/p' "$tmp/said" |
		head -n 1)
	programs=$(sed -n 's/^fuzz: \([0-9]*\) programs in.*/\1/p' "$tmp/said")
	if [ -n "$reason" ]; then
		check 0 "$bug: found after $after, $programs programs: $reason"
	else
		check 1 "$bug:"
		sed 's/^/#   /' "$tmp/said"
	fi
	rm -rf "${tmp:?}/$bug"
done
total
