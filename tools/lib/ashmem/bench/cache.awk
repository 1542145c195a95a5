# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a table for people of the lines of cache_bench.

BEGIN {
	FS = "\t"
	line = "%-9s %-13s %-7s %8s %6s %8s %6s %6s %9s %7s\n"
	printf line, "profile", "cache", "phase", "req/s", "ratio", "p99 us", "ratio", "hits %",
		"gives, ms", "killed"
}
{
	# No request, or the task that wanted memory was killed.
	for (i = 4; i <= NF; i++)
		if ($i == "inf")
			$i = "-"
	if ($1 != profile || $2 != kind)
		print ""
	printf line, $1 == profile ? "" : $1, $2 == kind ? "" : $2, $3, $4, $5, $6, $7, $8, $9, $10
	profile = $1
	kind = $2
	wrong += $11
}
END {
	printf "\n%s\n", wrong ? wrong " thumbnails were wrong" : "no thumbnail was wrong"
}
