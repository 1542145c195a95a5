#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: style.sh
#
# Runs checkpatch --strict over the C files; sparse, Coccinelle, clang's analyzer
# and kernel-doc over the module; shellcheck over the scripts; and sees that the faults
# to plant are up to date. Every finding counts, except those in style-excused with
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

# The tree's own files whose name matches a pattern.
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

# Half of the time that all takes is theirs, so they have it beside the others.
for analyser in coccinelle clang; do
	"$scripts/analyse.sh" "$analyser" >"$tmp/$analyser.raw" 2>"$tmp/$analyser.log" ||
		: >"$tmp/$analyser.failed"
done &
analysers=$!

files \( -name '*.c' -o -name '*.h' \) >"$tmp/c"
# The tree isn't a kernel tree, and its history isn't what is checked.
xargs -a "$tmp/c" perl "$source/scripts/checkpatch.pl" --no-tree --strict \
	--terse --no-summary --show-types --file >"$tmp/raw" 2>&1 || true
unexcused checkpatch <"$tmp/raw" >"$tmp/found"
report "checkpatch --strict, $(wc -l <"$tmp/c") files"

checked=0
for kernel in ${KERNEL:-$(kernels)}; do
	log=$out/$kernel/sparse/build.log
	rm -f "$log"
	status=0
	KBUILD_ARGS="C=2" "$bed/build.sh" "$kernel" "$top" "${log%/*}" \
		>"$tmp/raw" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		# kbuild tries whether sparse knows the language of its headers.
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

# A script is known by its first line, the suffix is optional.
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

# A fault whose line the driver has no more would be a test less, and go unnoticed.
faults=$scripts/../testing/mutants
# shellcheck source=tools/testing/mutants/lib.sh
. "$faults/lib.sh"
: >"$tmp/found"
count=0
for list in "$faults/mutants" "$faults/library" "$faults/../fuzz/bugs"; do
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
