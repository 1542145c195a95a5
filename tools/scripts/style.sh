#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: style.sh
#
# Runs checkpatch --strict over the C files; sparse, Coccinelle, clang's analyzer
# and kernel-doc over the module; shellcheck over the scripts; Sphinx over the
# documentation; mandoc over the man pages; reuse over the licences; banned-words over all
# files. Checks that lines of text end at column 100, that loops around assertions of tests
# have braces, and that versions, the list of sysfs files, syzkaller's description and the
# faults to plant are up to date. Every finding counts, except those in style-excused with
# their reason. KERNEL (all) chooses whose headers sparse sees.

set -eu
scripts=$(cd "$(dirname "$0")" && pwd)
bed=$scripts/../testing/qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: style.sh (see KERNEL= in 'make help')"
tmp=$(mktemp -d)
analysers=
trap '[ -z "$analysers" ] || kill "$analysers"; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$top"
source=$("$bed/source.sh")
findings=0

# The files of the tree whose name matches a pattern.
files()
{
	find . \( -path ./.git -o -path ./out \) -prune -o -type f "$@" \
		! -name '*.mod.c' -print | sed 's|^\./||' | sort
}

# Takes the findings of tool $1 on stdin and prints those that style-excused
# doesn't name.
unexcused()
{
	awk -v tool="$1" '
	FILENAME != "-" {
		if ($1 == tool) {
			file[++n] = "^(" $2 "):"
			text[n] = $0
			sub(/^[^ ]+ +[^ ]+ +/, "", text[n])
		}
		next
	}
	{
		for (i = 1; i <= n; i++)
			if ($0 ~ file[i] && index($0, text[i]))
				next
		print
	}' "$scripts/style-excused" -
}

# Prints the lines of text file $1 that pass column 100. Not those of literal blocks and
# tables, nor lines of literals alone: a term of a definition list can't be wrapped.
too_wide()
{
	expand "$1" | awk -v file="$1" '
	/^ *```/ { fence = !fence }
	/^ *=+( +=+)+$/ { table = 1; border = NR }
	/^$/ && border == NR - 1 { table = 0 }
	/[^ ]/ && match($0, /[^ ]/) <= outer { outer = 0 }
	length > 100 && !fence && !table && !outer && !/^ *[|+]/ {
		gsub(/``[^`]*``/, "")
		if (/[a-z]/)
			print file ":" NR ": passes column 100"
	}
	/::( [a-z]+)?$/ && !outer { outer = match($0, /[^ ]/) }'
}

report()
{
	count=$(wc -l <"$tmp/found")
	cat "$tmp/found"
	if [ "$count" -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1: $count finding(s)"
		findings=$((findings + count))
	fi
}

# They take half of the time, so run them beside the others.
for analyser in coccinelle clang; do
	"$scripts/analyse.sh" "$analyser" >"$tmp/$analyser.raw" 2>"$tmp/$analyser.log" ||
		: >"$tmp/$analyser.failed"
done &
analysers=$!

files \( -name '*.c' -o -name '*.h' \) >"$tmp/c"
# This is not a kernel tree, and checkpatch reads files, not commits.
xargs -a "$tmp/c" perl "$source/scripts/checkpatch.pl" --no-tree --strict \
	--terse --no-summary --show-types --file >"$tmp/raw" 2>&1 || true
unexcused checkpatch <"$tmp/raw" >"$tmp/found"
report "checkpatch --strict, $(wc -l <"$tmp/c") files"

# ASSERT_*() of kselftest is two statements, and only the second one ends the test.
# shellcheck disable=SC2016 # perl's
xargs -a "$tmp/c" perl -0777 -ne '
	my $list = qr/(\((?:[^()]++|(?-1))*\))/;
	while (/^\s*(?:for|while|\w*for_each\w*)\s*$list\s+(?:if\s*$list\s+)*
		(?:ASSERT_|EXPECT_\w+$list\s*\{)/gmx) {
		my $line = 1 + (substr($_, 0, $+[0]) =~ tr/\n//);
		print "$ARGV:$line: the loop needs braces to stop here\n";
	}' >"$tmp/found"
report "loops around assertions have braces"

checked=0
for kernel in ${KERNEL:-$(kernels)}; do
	log=$out/$kernel/sparse/build.log
	rm -f "$log"
	status=0
	KBUILD_ARGS="C=2" "$bed/build.sh" "$kernel" "$top" "${log%/*}" \
		>"$tmp/raw" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		# kbuild skips sparse if that cannot parse the kernel's headers.
		if ! grep -q '^ *CHECK ' "$log"; then
			echo "ok - sparse, kernel $kernel # SKIP its headers need a newer sparse"
			continue
		fi
		cp "$log" "$tmp/raw"
	fi
	checked=$((checked + 1))
	grep -E '(warning|error): ' "$tmp/raw" >"$tmp/lines" || true
	if [ "$status" -ne 0 ] && [ ! -s "$tmp/lines" ]; then
		cp "$tmp/raw" "$tmp/lines"
	fi
	unexcused sparse <"$tmp/lines" >"$tmp/found"
	report "sparse, kernel $kernel"
done
if [ "$checked" -eq 0 ]; then
	echo "no kernel's headers suit sparse" >"$tmp/found"
	report "sparse"
fi

wait "$analysers"
analysers=
for analyser in coccinelle clang; do
	unexcused "$analyser" <"$tmp/$analyser.raw" >"$tmp/found"
	if [ -e "$tmp/$analyser.failed" ]; then
		cat "$tmp/$analyser.log" >>"$tmp/found"
	fi
	report "$analyser: $(tail -n 1 "$tmp/$analyser.log" | sed 's/^analyse.sh: //')"
done

# The first line identifies a script; the suffix is optional.
files | while read -r file; do
	case $(head -c 64 "$file" | tr -d '\0' | head -n 1) in
	'#!/bin/sh'* | '#!/bin/bash'* | '#!/bin/busybox sh'* | \
	'#!/usr/bin/env bash'* | '# shellcheck shell='*)
		echo "$file" ;;
	esac
done >"$tmp/sh"
xargs -a "$tmp/sh" shellcheck --format=gcc \
	>"$tmp/raw" 2>&1 || true
unexcused shellcheck <"$tmp/raw" >"$tmp/found"
report "shellcheck, $(wc -l <"$tmp/sh") scripts"

sphinx-build -q -b html -d "$tmp/doctrees" Documentation "$tmp/docs" >"$tmp/found" 2>&1 ||
	echo "sphinx-build failed" >>"$tmp/found"
report "documentation, by Sphinx"

files -name '*.[1-8]' >"$tmp/pages"
xargs -a "$tmp/pages" mandoc -T lint -W warning >"$tmp/raw" 2>&1 || true
sed 's/^mandoc: //' "$tmp/raw" >"$tmp/found"
report "$(wc -l <"$tmp/pages") man pages, by mandoc"

files \( -name '*.md' -o -name '*.rst' \) >"$tmp/texts"
while read -r text; do
	too_wide "$text"
done <"$tmp/texts" >"$tmp/found"
report "lines of text up to column 100, in $(wc -l <"$tmp/texts") files"

: >"$tmp/found"
reuse lint >"$tmp/raw" 2>&1 || cp "$tmp/raw" "$tmp/found"
report "licences and copyright lines, by reuse"

# The list must not refuse itself. A word in capitals is a name.
files ! -path './LICENSES/*' ! -path '*/corpus/*' ! -name '*.svg' ! -name banned-words >"$tmp/texts"
grep -v '^#' "$scripts/banned-words" >"$tmp/words"
while IFS='	' read -r word instead; do
	first=$(printf '%.1s' "$word")
	xargs -a "$tmp/texts" grep -nHwE -e \
		"[$(echo "$first" | tr '[:lower:]' '[:upper:]')$first]${word#?}" |
		sed "s/^\([^:]*:[0-9]*\):.*/\1: banned: '$word'; write: $instead/" || true
done <"$tmp/words" >"$tmp/raw"
unexcused words <"$tmp/raw" >"$tmp/found"
report "no word of banned-words, $(wc -l <"$tmp/words") words in $(wc -l <"$tmp/texts") files"

"$scripts/stamp.sh" --check >"$tmp/found" 2>&1 || true
report "one version, maintainer and address in all files (stamp.sh)"

tools/testing/syzkaller/consts.sh --check >"$tmp/raw" 2>&1 || cp "$tmp/raw" "$tmp/found"
report "syzkaller's description has each command and its number"

# The attributes of the driver in sysfs, and their description.
abi=Documentation/ABI/testing/sysfs-class-misc-ashmem
sed -n 's/^static DEVICE_ATTR_RO(\(.*\));/\1/p' drivers/android/ashmem/stats.c |
	sort >"$tmp/attributes"
sed -n 's|^What:.*/sys/class/misc/ashmem/||p' "$abi" | sort |
	diff "$tmp/attributes" - | sed -n "s|^[<>] |$abi: differs from stats.c: |p" >"$tmp/found"
report "sysfs files are described, $(wc -l <"$tmp/attributes") of them"

# 'make help' is the one list of settings.
sed -n '/^#h Variables:/,$p' Makefile | grep -oE '^#h   ([A-Z_]+=.*)' |
	grep -oE '\b[A-Z_]+=' | tr -d = | sort -u >"$tmp/settings"
while read -r setting; do
	grep -rqwF -e "\$$setting" -e "\${$setting" -e "\$($setting" Makefile Kbuild tools ||
		echo "Makefile: nothing uses $setting of 'make help'"
done <"$tmp/settings" >"$tmp/found"
report "settings of 'make help' exist, $(wc -l <"$tmp/settings") of them"

tools/testing/proofs/functions.sh >"$tmp/found" || true
report "functions that proofs name exist"

# If the line of a fault is gone from the driver, a test is silently lost.
faults=$scripts/../testing/mutants
# shellcheck source=tools/testing/mutants/lib.sh
. "$faults/lib.sh"
: >"$tmp/found"
count=0
for list in "$faults/mutants" "$faults/library" "$faults/command" "$faults/../fuzz/bugs"; do
	# shellcheck disable=SC2119 # all of them
	chosen >"$tmp/names"
	while read -r name; do
		count=$((count + 1))
		"$faults/plant.sh" "$list" "$name" 2>>"$tmp/found" || true
	done <"$tmp/names"
done
report "$count faults to plant find their line"

echo "style: $findings finding(s)"
[ "$findings" -eq 0 ]
