#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: install.sh
#
# Installs the library into a temporary directory and looks at it as its users
# do: programs in C and C++ are built by what pkg-config and CMake say, shared and static,
# and run; the shared library's symbols are those of the map; each function has
# its manual page; uninstall leaves nothing. CC and CXX choose the compilers.

set -eu
lib=$(cd "$(dirname "$0")/.." && pwd)
: "${CC:=gcc}" "${CXX:=g++}"

[ $# -eq 0 ] || { echo "usage: install.sh" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

passed=0
failed=0
skipped=0

pass()
{
	passed=$((passed + 1))
}

fail()
{
	echo "not ok - $*"
	failed=$((failed + 1))
}

skip()
{
	echo "# SKIP $*"
	skipped=$((skipped + 1))
}

# $1 says what command "$@" shows if it succeeds.
try()
{
	what=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		pass
	else
		fail "$what"
		sed 's/^/#   /' "$tmp/said"
	fi
}

# Files $2 and $3 are the same.
same()
{
	try "$1" diff -u "$2" "$3"
}

root=$tmp/root
libdir=/usr/lib/arch
install()
{
	make -s -C "$lib" OUTPUT="$tmp/out" CC="$CC" DESTDIR="$root" PREFIX=/usr \
		LIBDIR="$libdir" "$@"
}

try "install" install install
if [ "$failed" -ne 0 ]; then
	echo "install: 0 passed, 1 failed"
	exit 1
fi
so=$root$libdir/libashmem.so.0
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$lib/../../../dkms.conf")

# ---- programs ----

export PKG_CONFIG_LIBDIR="$root$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
flags="-Wall -Wextra -Werror -O2"

# Builds $1 with compiler $2 and options $3, for libraries as $4 says; runs it
# and compares what it prints with $5.
program()
{
	static=
	if [ "$4" = static ]; then
		static=--static
	fi
	# shellcheck disable=SC2046,SC2086 # lists of options
	"$2" $flags -DVERSION="\"$version\"" $3 $(pkg-config --cflags libashmem) \
		-o "$tmp/program" "$lib/$1" $static -x none \
		$(pkg-config $static --libs libashmem) || return
	needed=$(readelf -d "$tmp/program" | grep -c 'NEEDED.*libashmem\.so\.0\]' || true)
	case $4:$needed in
	shared:1 | static:0) ;;
	*) echo "needs libashmem.so.0 $needed times"; return 1 ;;
	esac
	said=$(LD_LIBRARY_PATH="$root$libdir" "$tmp/program") || return
	[ "$said" = "$5" ] || { echo "it says '$said', not '$5'"; return 1; }
}

uapi="-I$lib/../../../include/uapi"
if command -v pkg-config >/dev/null && command -v readelf >/dev/null; then
	for link in shared static; do
		program=tests/client.c
		try "C, $link" program $program "$CC" \
			"-std=c99 -D_DEFAULT_SOURCE -Wpedantic" "$link" ok
		try "C, $link, behind the kernel's header" program $program "$CC" \
			"-DKERNEL_HEADER_FIRST $uapi" "$link" ok
		try "C, $link, before the kernel's header" program $program "$CC" \
			"-DKERNEL_HEADER_LAST $uapi" "$link" ok
		if command -v "$CXX" >/dev/null; then
			try "C++98, $link" program $program "$CXX" \
				"-std=gnu++98 -x c++" "$link" ok
			try "C++20, $link" program $program "$CXX" \
				"-std=c++20 -Wpedantic -x c++" "$link" ok
		else
			skip "no $CXX"
		fi
		try "the README's program, $link" program samples/purgeable.c \
			"$CC" "-std=c11" "$link" "hello, world"
	done
	try "pkg-config's version" test "$(pkg-config --modversion libashmem)" = "$version"
else
	skip "no pkg-config or no readelf"
fi

if command -v cmake >/dev/null; then
	mkdir "$tmp/project"
	cp "$lib/tests/CMakeLists.txt" "$lib/tests/client.c" "$tmp/project/"
	# As by /lib, which is a link to usr/lib.
	ln -s "$root$libdir" "$tmp/lib"
	try "CMake finds the package" cmake -S "$tmp/project" -B "$tmp/project/out" \
		-DCMAKE_C_COMPILER="$CC" -Dashmem_DIR="$tmp/lib/cmake/ashmem"
	try "CMake's programs are built" cmake --build "$tmp/project/out"
	for link in ashmem static; do
		try "CMake's program runs, $link" "$tmp/project/out/client-$link"
	done
else
	skip "no cmake"
fi

if command -v python3 >/dev/null; then
	python=/usr/lib/python3/dist-packages
	try "the Python package is installed" install PYTHONDIR="$python" install-python
	export PYTHONPATH="$root$python" PYTHONDONTWRITEBYTECODE=1
	try "and imported" env LD_LIBRARY_PATH="$root$libdir" python3 -c \
		"import ashmem, sys; sys.exit(ashmem.version() != '$version')"
	try "and uninstalled" install PYTHONDIR="$python" uninstall-python
	find "$root$python" ! -type d >"$tmp/files"
	same "uninstall leaves nothing of Python" /dev/null "$tmp/files"
else
	skip "no python3"
fi

if command -v javac >/dev/null && command -v jar >/dev/null; then
	try "the Java package is installed" install install-java
	cat >"$tmp/Use.java" <<-'END'
		public class Use {
			public static void main(String[] arguments) throws Exception {
				android.os.SharedMemory.create("use", 1).mapReadWrite();
			}
		}
	END
	try "and used by its jar" env LD_LIBRARY_PATH="$root$libdir" java \
		-Djava.library.path="$root$libdir/jni" \
		-cp "$root/usr/share/java/ashmem.jar" "$tmp/Use.java"
	try "and uninstalled" install uninstall-java
	find "$root/usr/share/java" "$root$libdir/jni" ! -type d >"$tmp/files"
	same "uninstall leaves nothing of Java" /dev/null "$tmp/files"
else
	skip "no JDK"
fi

# Each header stands alone, and the C++ compiler takes it.
for header in $(cd "$root/usr/include/ashmem" && find . -name '*.h' | sed 's|^\./||'); do
	echo "#include <$header>" >"$tmp/alone.c"
	try "<$header> alone" "$CC" -std=c99 -Wpedantic -Wall -Wextra -Werror \
		-I"$root/usr/include/ashmem" -fsyntax-only "$tmp/alone.c"
	if command -v "$CXX" >/dev/null; then
		try "<$header> alone in C++" "$CXX" -std=c++11 -Wpedantic -Wall \
			-Wextra -Werror -I"$root/usr/include/ashmem" \
			-fsyntax-only -x c++ "$tmp/alone.c"
	fi
done

if command -v "$CXX" >/dev/null; then
	for standard in c++17 c++20; do
		echo "#include <ashmem.hpp>" >"$tmp/alone.cpp"
		try "<ashmem.hpp> alone in $standard" "$CXX" -std="$standard" -Wpedantic \
			-Wall -Wextra -Werror -I"$root/usr/include/ashmem" \
			-fsyntax-only "$tmp/alone.cpp"
	done
fi

# Headers of the project that are included together hide none of each other.
top=$lib/../../..
find "$lib" "$top/include" "$top/drivers" -name '*.h' >"$tmp/all"
while read -r header; do
	sed -n '1,/^#define/s/^#ifndef \([A-Za-z_][A-Za-z_0-9]*_H_*\)$/\1/p' "$header"
done <"$tmp/all" | LC_ALL=C sort | uniq -d >"$tmp/shared"
same "no two headers share a guard" /dev/null "$tmp/shared"
grep -rl --exclude-dir=out 'SPDX-License-Identifier: MIT' "$lib" |
	while read -r file; do
		head -n 2 "$file" | grep -q 'Copyright (c)' || echo "$file"
	done | grep -v '/tests/' >"$tmp/unsigned" || true
same "each file under MIT has its copyright line" /dev/null "$tmp/unsigned"
find "$lib/include" -name '*.h' -exec grep -L '^#ifndef [A-Z_]*_H_*$' {} + >"$tmp/bare" || true
same "no public header lacks a guard" /dev/null "$tmp/bare"

# ---- the shared library ----

sed -n 's/^[[:space:]]\([[:alnum:]_]*\);.*/\1/p' "$lib/libashmem.map" |
	LC_ALL=C sort >"$tmp/map"
nm -D --defined-only "$so" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort >"$tmp/exported"
sed 's/$/@@LIBASHMEM_0/' "$tmp/map" >"$tmp/expected"
same "exactly the map's symbols are exported, with their version" \
	"$tmp/expected" "$tmp/exported"
sed -n 's/^ \(.*\)@LIBASHMEM_0 .*/\1/p' "$top/debian/libashmem0.symbols" |
	grep -v '^LIBASHMEM_0$' >"$tmp/symbols"
same "debian/libashmem0.symbols has exactly the map's symbols" "$tmp/map" "$tmp/symbols"
# Comments name functions, too, but don't end like a declaration.
cat "$lib/include/"*.h "$lib/include/"*/*.h | tr '\n\t' '  ' |
	sed 's|/\*|\n/*|g; s|\*/|*/\n|g' | grep -v '^/\*' | tr '\n' ' ' |
	sed 's/typedef [^;]*;//g' |
	grep -o '[[:alnum:]_]* *([^(){};]*);' | sed 's/ *(.*//' |
	LC_ALL=C sort -u >"$tmp/declared"
same "exactly what the headers declare is in the map" "$tmp/declared" "$tmp/map"

readelf -dW "$so" >"$tmp/dynamic"
readelf -lW "$so" >"$tmp/segments"
try "SONAME" grep -q 'SONAME.*\[libashmem\.so\.0\]' "$tmp/dynamic"
try "no text relocations" sh -c "! grep -q TEXTREL '$tmp/dynamic'"
try "bound at start" grep -Eq 'BIND_NOW|NOW' "$tmp/dynamic"
try "no executable stack" sh -c "grep GNU_STACK '$tmp/segments' | grep -vq 'RWE'"
try "needs libc only" sh -c "! grep NEEDED '$tmp/dynamic' | grep -vE '\[(libc\.so|ld-linux)'"
nm --defined-only --extern-only "$root$libdir/libashmem.a" 2>/dev/null |
	awk 'NF == 3 { print $3 }' |
	grep -vE '^(ashm_|ashmem_|ASharedMemory_|libashmem_|DW\.ref)' >"$tmp/names" || true
same "the static library's names have our prefixes" /dev/null "$tmp/names"

# ---- the manual ----

man3=$root/usr/share/man/man3
for name in libashmem $(cat "$tmp/map"); do
	try "manual page $name(3)" test -f "$man3/$name.3"
done
for page in "$man3"/*.3; do
	[ ! -L "$page" ] || continue
	if command -v mandoc >/dev/null; then
		try "mandoc -Tlint ${page##*/}" mandoc -Tlint -Wwarning "$page"
	fi
	if command -v man >/dev/null && command -v groff >/dev/null; then
		LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l \
			"$page" 2>&1 >/dev/null </dev/null | head -n 5 >"$tmp/warned"
		same "man --warnings ${page##*/}" /dev/null "$tmp/warned"
	fi
done
command -v mandoc >/dev/null || skip "no mandoc"
command -v groff >/dev/null || skip "no groff"

# ---- and away ----

find "$root" ! -type d | sed "s|^$root||" | grep -v /man/ | LC_ALL=C sort >"$tmp/files"
{
	for header in $(cd "$lib/include" && find . -name '*.h*' | sed 's|^\./||'); do
		echo "/usr/include/ashmem/$header"
	done
	for file in cmake/ashmem/ashmem-config.cmake \
		cmake/ashmem/ashmem-config-version.cmake \
		libashmem.a "libashmem.so" libashmem.so.0 \
		"libashmem.so.$version" pkgconfig/libashmem.pc; do
		echo "$libdir/$file"
	done
} | LC_ALL=C sort >"$tmp/expected"
same "installed files" "$tmp/expected" "$tmp/files"
try "uninstall" install uninstall
find "$root" ! -type d >"$tmp/files"
same "uninstall leaves nothing" /dev/null "$tmp/files"

echo "install: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
