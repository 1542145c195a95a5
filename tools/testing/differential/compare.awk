# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: awk -f compare.awk -v kernel=K -v driver=NAME RULES KERNEL-RULES \
#		ORIGINAL-LOG OUR-LOG
#
# Compares the logs of two runs of ashmem_diff line by line; see file rules for
# which differences are no failure. Exits with 1 if there was any other, if a
# row matched nothing, or if there was nothing to compare.

function strip(text)
{
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	return text
}

function problem(text)
{
	problems++
	if (problems <= most)
		print text
	else if (problems == most + 1)
		print "(further ones are only counted)"
}

# Adds the row in fields f[at+1..at+4] of file @name.
function add_row(f, at, name, line)
{
	rows++
	id[rows] = strip(f[at + 1])
	op_re[rows] = "^(" strip(f[at + 2]) ")$"
	there[rows] = strip(f[at + 3])
	here[rows] = strip(f[at + 4])
	row_at[rows] = name ":" line
}

# Patterns have | only within parentheses, so the separator is
# one that stands between spaces.
function read_rules(name, of_kernels,   text, line, f, n, kernels)
{
	while ((getline text < name) > 0) {
		line++
		if (text ~ /^(#|[ \t]*$)/)
			continue
		n = split(text, f, /[ \t]+\|[ \t]+/)
		if (n != (of_kernels ? 5 : 4)) {
			print name ":" line ": not a row: " text
			exit status = 2
		}
		if (of_kernels) {
			kernels = " " strip(f[1]) " "
			if (index(kernels, " " kernel " ") == 0)
				continue
		}
		add_row(f, of_kernels ? 1 : 0, name, line)
	}
	close(name)
}

function fact(op, name,   at)
{
	at = index(op, " " name "=")
	if (!at)
		return "no such fact"
	op = substr(op, at + length(name) + 2)
	sub(/ .*/, "", op)
	return op
}

function is_result(pattern, op, text)
{
	if (pattern ~ /^@/)
		return text == fact(op, substr(pattern, 2))
	return text ~ ("^(" pattern ")$")
}

# Some lines say both answers.
function should_differ(op)
{
	return op ~ / there=/ && op ~ / here=/ && fact(op, "there") != fact(op, "here")
}

function row_for(op, a, b,   i, found)
{
	found = 0
	for (i = 1; i <= rows; i++) {
		if (op !~ op_re[i] || !is_result(there[i], op, a) ||
		    !is_result(here[i], op, b))
			continue
		if (found) {
			problem("rows " row_at[found] " and " row_at[i] \
				" both match: " op)
			return found
		}
		found = i
	}
	return found
}

# How to see it again; run.sh makes the mode from the seed.
function again(   f, i, seed, ops)
{
	split(command, f, " ")
	for (i = 1; i in f; i++) {
		if (f[i] == "--seed")
			seed = f[i + 1]
		if (f[i] == "--ops")
			ops = f[i + 1]
	}
	if (seed == "")
		return command
	return command ", again by: make test-differential SEEDS=" seed \
		" OPS=" ops " KERNEL=" kernel
}

function tell(op, a, b, what,   i, text)
{
	text = what " (" driver " on " kernel "), " again() "\n"
	for (i = lines > context ? lines - context : 1; i < lines; i++)
		text = text "    " recent[i % (context + 1)] "\n"
	problem(text "  original: " op " -> " a "\n  ours:     " op " -> " b)
}

# Reads on to the next seed; returns 0 at the end of the log.
function next_seed(file,   text)
{
	while ((getline text < file) > 0)
		if (text ~ /^== /)
			return text
	return ""
}

BEGIN {
	most = 20
	context = 5
	if (ARGC != 5) {
		print "compare.awk: needs RULES KERNEL-RULES ORIGINAL-LOG OUR-LOG"
		exit status = 2
	}
	read_rules(ARGV[1], 0)
	read_rules(ARGV[2], 1)
	file_a = ARGV[3]
	file_b = ARGV[4]
	command = "before the first seed"

	for (;;) {
		more_a = (getline line_a < file_a) > 0
		more_b = (getline line_b < file_b) > 0
		if (!more_a || !more_b) {
			if (more_a || more_b)
				problem("the log of " (more_a ? driver : "the original") \
					" ends earlier, in: " command)
			break
		}
		if (line_a ~ /^== /) {
			if (line_a != line_b) {
				problem("the logs have other headings: " line_a ", " line_b)
				break
			}
			command = substr(line_a, 4)
			lines = 0
			if (command ~ /--seed/)
				seeds++
			continue
		}

		recent[++lines % (context + 1)] = line_a
		split_at = index(line_a, " -> ")
		op = substr(line_a, 1, split_at - 1)
		if (!split_at || op != substr(line_b, 1, index(line_b, " -> ") - 1)) {
			tell("", line_a, line_b, "unexplained difference")
			problem("the logs part there; on with the next seed")
			heading_a = next_seed(file_a)
			heading_b = line_b ~ /^== / ? line_b : next_seed(file_b)
			if (heading_a != heading_b || heading_a == "")
				break
			command = substr(heading_a, 4)
			lines = 0
			seeds++
			continue
		}
		operations++
		a = substr(line_a, split_at + 4)
		b = substr(line_b, split_at + 4)
		# Numbers only say where it was.
		sub(/^[0-9]+ /, "", op)
		if (a == b) {
			if (should_differ(op))
				tell(op, a, b, "difference that is missing")
			continue
		}

		different++
		row = row_for(op, a, b)
		if (row)
			matched[row]++
		else
			tell(op, a, b, "unexplained difference")
	}

	for (i = 1; i <= rows; i++) {
		printf "  %7d  %-22s %s\n", matched[i], id[i], row_at[i]
		if (!matched[i])
			problem("the row at " row_at[i] " (" id[i] ") never matched")
	}
	printf "%s on %s: %d operations in %d seeds, %d differ as they should, %d problems\n",
		driver, kernel, operations, seeds, different, problems
	if (!operations)
		print "nothing was compared"
	exit status = (problems || !operations)
}

END {
	exit status
}
