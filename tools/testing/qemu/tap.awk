# SPDX-License-Identifier: GPL-2.0-only
#
# Reads a guest's results.log: the TAP of each program between the lines
# "#bed begin NAME" and "#bed end NAME STATUS SECONDS". (Files are behind "#bed
# file NAME", in base64, for others to take out.) Prints one line for each
# program and every failure in full, and writes "PASSED FAILED SKIPPED SECONDS"
# to the file summary.
#
# The results of "#bed begin NAME again" count instead of the first ones, which are
# unstable if the second are good. What is broken stays so.
#
# A program whose results don't add up has failed even if it named no failure:
# fewer or more results than planned, an exit status without a "not ok", no end.

function forget()
{
	lines = 0
}

function remember(line)
{
	if (lines == 60) {
		for (i = 1; i < 60; i++)
			diag[i] = diag[i + 1]
		lines = 59
	}
	diag[++lines] = line
}

function recall(   i)
{
	for (i = 1; i <= lines; i++)
		print "    " diag[i]
	forget()
}

function bad(text)
{
	broken++
	recall()
	print "not ok - " program ": " text
}

function finish(status, took,   before)
{
	if (plan == "")
		bad("printed no plan")
	else if (plan != ok + notok + skip)
		bad("planned " plan " results and gave " ok + notok + skip)
	if (status != "" && status != 0 && notok == 0) {
		if (status == 124 || status >= 128)
			bad("was killed (status " status ") after " took " s")
		else if (status != 4 || ok > 0)
			bad("ended with status " status)
	}
	printf "%s %s: %d ok, %d not ok, %d skipped (%s s)\n", kernel, program,
		ok, notok + broken, skip, took
	passed += ok
	failed += notok + broken
	skipped += skip
	if (again && broken + notok == 0)
		print "# " program ": unstable: " again " not ok at first, none when run again"
	program = ""
}

# Takes back what finish() counted.
function run_again()
{
	seen--
	if (broken)
		return
	passed -= ok
	failed -= notok
	skipped -= skip
	again = notok
}

/^#bed begin / {
	again = 0
	if ($4 == "again")
		run_again()
	program = $3
	plan = ""
	ok = notok = skip = broken = 0
	seen++
	forget()
	next
}

/^#bed end / {
	finish($4, $5)
	next
}

/^#bed fail / {
	next
}

/^#bed booted / {
	booted = $3
	next
}

/^#bed / || /^verdict: / || /^TAP version/ {
	next
}

program == "" {
	next
}

/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	# A whole program may be skipped: "1..0 # SKIP reason".
	if (plan == 0 && /# SKIP/) {
		print kernel " " program ": " $0
		plan = skip = 1
	}
	next
}

/^not ok/ {
	# A known gap is told apart by its directive.
	if (/# (SKIP|XFAIL|TODO)/)
		skip++
	else {
		notok++
		recall()
		print program ": " $0
	}
	forget()
	next
}

/^ok/ {
	if (/# (SKIP|XFAIL)/) {
		skip++
		print program ": " $0
	} else
		ok++
	forget()
	next
}

{
	remember($0)
}

END {
	if (program != "") {
		bad("never came to its end")
		finish("", "?")
	}
	if (seen + 0 != programs && reason == "" && mode == "tests")
		reason = seen + 0 " of " programs " programs ran"
	if (reason == "") {
		passed++
		print "ok - " kernel ": booted in " booted " s, module loaded," \
			" unloaded, kernel log clean (" seconds " s)"
	} else {
		failed++
		print "not ok - " kernel ": " reason
	}
	print passed + 0, failed + 0, skipped + 0, seconds >summary
}
