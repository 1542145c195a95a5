#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: examples.sh [--in-roots]
#
# Compiles what users of the library copy: the samples, the examples of the manual
# and README's program, with the headers as they are installed; see compile.sh. Then
# builds each program by what pkg-config says, and runs those that need no peer.
# --in-roots only compiles, in Debian roots with other compilers, which are made in
# the cache at first (a minute each).

set -eu
lib=$(cd "$(dirname "$0")/.." && pwd)
top=$(cd "$lib/../../.." && pwd)
: "${CC:=gcc}" "${CXX:=g++}"

case $#:${1:-} in
0: | 1:--in-roots) ;;
*)
	echo "usage: examples.sh [--in-roots]" >&2
	exit 1
	;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 0755 "$tmp"

make -s -C "$lib" OUTPUT="${OUTPUT:-$tmp/out}" CC="$CC" DESTDIR="$tmp/root" PREFIX=/usr \
	LIBDIR=/usr/lib install
mkdir "$tmp/src"
cp -r "$tmp/root/usr/include/ashmem" "$tmp/include"
cp "$lib/samples/"*.[ch] "$tmp/src/"
sed -n '/^    #include <ashmem.h>$/,/^    }$/s/^    //p' "$top/README.md" \
	>"$tmp/src/README.c"
{
	printf '#include <%s>\n' ashmem.hpp cstring
	echo 'int main() {'
	sed -n '/^    ashmem::/,/^$/p' "$top/README.md"
	echo '}'
} >"$tmp/src/README.cpp"
grep -q 'ashmem::' "$tmp/src/README.cpp"

# An example is all of the first display of its section.
for page in "$lib/man/"*.3; do
	source=$tmp/src/$(basename "$page" .3).c
	case $page in
	*.hpp.3) source=${source}pp ;;
	esac
	awk '/^\.Sh / { examples = $2 == "EXAMPLES"; next }
	examples && /^\.Bd / { shown = 1; next }
	/^\.Ed/ { if (shown) exit }
	shown { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print }' "$page" >"$source"
	[ -s "$source" ] || rm "$source"
done

if [ $# -eq 1 ]; then
	exec "$lib/tests/roots.sh" "$tmp" "$lib/tests/compile.sh"
fi
status=0
"$lib/tests/compile.sh" "$tmp" || status=1

# ---- built as the manual says, and run ----

export PKG_CONFIG_LIBDIR="$tmp/root/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
export LD_LIBRARY_PATH="$tmp/root/usr/lib" ASHMEM_BACKEND=memfd
built=0
for source in "$tmp/src/"*.c*; do
	grep -q '^int main(' "$source" || continue
	case $source in
	*.c) compiler=$CC ;;
	*) compiler=$CXX ;;
	esac
	command -v "$compiler" >/dev/null || continue
	built=$((built + 1))
	# shellcheck disable=SC2046 # a list of options
	"$compiler" "$source" -o "$tmp/program" $(pkg-config --cflags --libs libashmem) || {
		echo "not ok - ${source##*/} isn't built by pkg-config's options"
		status=1
		continue
	}
	! grep -q 'argc' "$source" || continue
	timeout 60 "$tmp/program" >"$tmp/said" 2>&1 || {
		echo "not ok - ${source##*/} ended with status $?"
		sed 's/^/#   /' "$tmp/said"
		status=1
	}
done
echo "examples: $built programs built"
exit "$status"
