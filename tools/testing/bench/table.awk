# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: awk -v kernel=5.10 [-v whole=1] -f table.awk goals results.tsv
#
# The results as a table, each judged by its goal, and a line that counts them. If the
# results are to be whole, a goal of this kernel without a value is an error.

function number(x)
{
	if (x == "")
		return "-"
	if (x >= 1e6)
		return sprintf("%.2f M", x / 1e6)
	return sprintf(x >= 100 ? "%.0f" : "%.3g", x)
}

# 6.12-rt is 6012. A name without a number is that of a new kernel.
function number_of(release, part)
{
	if (release !~ /^[0-9]/)
		return 1e6
	split(release, part, ".")
	return part[1] * 1000 + part[2]
}

# The limit of goal @spec on this kernel, or "": see the file goals.
function limit_here(spec, parts, i, n, pair)
{
	if (spec !~ /:/)
		return spec
	n = split(spec, parts, ",")
	for (i = 1; i <= n; i++) {
		split(parts[i], pair, ":")
		if (pair[1] == kernel ||
		    (pair[1] ~ /\+$/ && number_of(kernel) >= number_of(pair[1])))
			return pair[2]
	}
	return ""
}

function row(text, ours, original, memfd, ratio, of, goal, met)
{
	line = sprintf("%-39s %9s %9s %9s %7s %-11s %9s  %s", text, ours,
		original, memfd, ratio, of, goal, met)
	sub(/ +$/, "", line)
	print line
}

FNR == NR {
	if (/^#/ || NF < 4)
		next
	order[++goals] = $1
	kind[$1] = $2
	limit[$1] = limit_here($3)
	text[$1] = $0
	sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", text[$1])
	next
}

{
	n = split($0, field, "\t")
	if (n != 4)
		next
	value[field[1], field[2]] = field[3]
}

END {
	# Two processors that share nothing are twice one, and a call that asks for
	# nothing doesn't wait, or the host had no two processors to spare: then what
	# the driver makes threads wait for can't be told.
	ceiling = value["two_threads_ceiling", "ours"]
	waits = value["stall_nothing", "ours"]
	busy = (ceiling != "" && ceiling < 1.85) || (waits != "" && waits > 0.005)
	row("measure", "ours", "original", "memfd", "ratio", "to", "goal", "")
	for (i = 1; i <= goals; i++) {
		m = order[i]
		ours = value[m, "ours"]
		if (ours == "" && value[m, "memfd"] == "") {
			if (kind[m] != "-" && limit[m] != "")
				lacking = lacking " " m
			continue
		}
		base = ""
		of = ""
		one = m
		sub(/\/.*/, "/1", one)
		sub(/^[a-z]+_removed/, substr(m, 1, index(m, "_")) "cgroups", one)
		if (kind[m] == "memfd" || value[m, "memfd"] != "") {
			base = value[m, "memfd"]
			of = "memfd"
		} else if (kind[m] == "one") {
			base = value[one, "ours"]
			of = m ~ /regions/ ? "one region" : m ~ /cgroups|removed/ ? \
				"one cgroup" : "one range"
		} else if (value[m, "original"] != "") {
			base = value[m, "original"]
			of = "original"
		}
		# memfd has its own memory, but the goal is the original's.
		if (kind[m] == "original") {
			base = value[m, "original"]
			of = base == "" ? "" : "original"
		}
		ratio = base == "" || base == 0 || ours == "" ? "" : ours / base
		if (m == "lifecycle_floor") {
			ratio = value[m, "memfd"] / value["lifecycle", "memfd"]
			of = "memfd"
		}
		if (ratio == "")
			of = ""

		# The clock repeats to a tenth of a percent, a goal is no finer.
		judged = kind[m] == "most" || kind[m] == "least" ? ours : ratio
		if (limit[m] == "")
			judged = ""
		met = goal = ""
		if (kind[m] != "-" && judged != "") {
			if (kind[m] == "least")
				ok = judged >= limit[m] * 0.999
			else
				ok = judged <= limit[m] * 1.001
			met = ok ? "met" : "MISSED"
			# Where a busy host can also help, it spoils the good figures, too.
			if (busy && (m ~ /^(two_threads|crowd_last)/ || (!ok && m ~ /^stall/)))
				met = "host busy"
			counted[met]++
			goal = (kind[m] == "least" ? ">= " : "<= ") number(limit[m] + 0)
		}
		row(text[m], number(ours), number(value[m, "original"]),
			number(value[m, "memfd"]), ratio == "" ? "" : sprintf("%.3f", ratio),
			of, goal, met)
	}
	printf "\n%d goals met, %d missed%s\n", counted["met"], counted["MISSED"],
		busy ? sprintf(", %d not judged: the host was busy", counted["host busy"]) : ""
	if (whole && lacking != "") {
		print "kernel " kernel ": no value for" lacking >"/dev/stderr"
		exit 1
	}
}
