#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: reached.sh MODULE.ko PCS
#
# How much of a module that KCOV watches was reached: PCS has an offset in its
# .text a line. Prints a line for each function, "REACHED OF NAME", those with
# most left first, and a last one with the sums. What macros and the compiler add
# for tracepoints and constructors is left out.

set -eu
[ $# -eq 2 ] || {
	echo "usage: reached.sh MODULE.ko PCS" >&2
	exit 1
}
[ -s "$2" ] || {
	echo "no addresses"
	exit 0
}

# What KCOV records is the address behind the call.
objdump --disassemble --reloc --section=.text "$1" | awk -v pcs="$2" '
function hex(text,   i, n) {
	n = 0
	text = tolower(text)
	for (i = 1; i <= length(text); i++)
		n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}
BEGIN {
	while ((getline line <pcs) > 0)
		seen[hex(substr(line, 3))] = 1
}
/^[0-9a-f]+ <.*>:$/ {
	name = $2
	gsub(/[<>:]/, "", name)
	next
}
/__sanitizer_cov_trace_pc/ && /R_X86_64/ {
	# The relocation is of the 4 bytes at the end of the call.
	if (name ~ /^(_sub_|__traceiter_|__probestub_|perf_trace_|trace_(raw|event_raw)_)/)
		next
	at = $1
	sub(/:$/, "", at)
	at = hex(at) + 4
	sites[name]++
	all++
	if (at in seen) {
		reached[name]++
		total++
	}
}
END {
	sorted = "sort -rn | cut -d \" \" -f 2-"
	for (name in sites)
		print sites[name] - reached[name], reached[name] + 0, sites[name], name | sorted
	close(sorted)
	printf "%d of %d addresses (%.1f %%)\n", total, all, all ? 100 * total / all : 0
}'
