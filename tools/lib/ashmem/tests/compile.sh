#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: compile.sh DIR
#
# Compiles each C file of DIR/src with the headers of DIR/include, as C11, C17, C23 and
# C++17, and each C++ file as C++17 and C++20, with every gcc and clang of this machine,
# and all warnings. The last line is "N passed, N failed: COMPILERS".

set -eu
[ $# -eq 1 ] || { echo "usage: compile.sh DIR" >&2; exit 1; }
cd "$1"

# Those of one version often have two names.
compilers()
{
	for stem; do
		for dir in /usr/bin /usr/local/bin; do
			for path in "$dir/$stem" "$dir/$stem"-[0-9] "$dir/$stem"-[0-9][0-9]; do
				[ -x "$path" ] && echo "$(readlink -f "$path") $path"
			done
		done
	done | sort -u -k 1,1 | sed 's/.* //; s|.*/||'
}

passed=0
failed=0
# $1 is the compiler; then options, then files.
try()
{
	if said=$("$@" -O2 -Wall -Wextra -Wshadow -Werror -Iinclude -o /dev/null 2>&1); then
		passed=$((passed + 1))
	else
		echo "not ok - $*"
		echo "$said" | head -n 10 | sed 's/^/#   /'
		failed=$((failed + 1))
	fi
}

used=
for cc in $(compilers gcc clang); do
	used="$used $cc"
	for source in src/*.c; do
		try "$cc" -c "$source"
		try "$cc" -fsyntax-only -std=c11 "$source"
		try "$cc" -fsyntax-only -std=c2x "$source"
	done
done
for cxx in $(compilers g++ clang++); do
	used="$used $cxx"
	for source in src/*.c; do
		try "$cxx" -fsyntax-only -std=c++17 -x c++ "$source"
	done
	for source in src/*.cpp; do
		try "$cxx" -c -std=c++17 "$source"
		try "$cxx" -fsyntax-only -std=c++20 "$source"
	done
done
echo "$passed passed, $failed failed:${used:- no compiler}"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
