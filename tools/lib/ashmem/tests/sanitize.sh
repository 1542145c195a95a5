#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: sanitize.sh
#
# Builds library and tests with AddressSanitizer and UndefinedBehaviorSanitizer,
# then with ThreadSanitizer, and runs both; then the plain ones under valgrind.
# What this machine hasn't got is skipped, and says so. CC and CXX choose the
# compilers, TEST=pattern the programs.

set -eu
lib=$(cd "$(dirname "$0")/.." && pwd)
: "${CC:=gcc}"

[ $# -eq 0 ] || { echo "usage: sanitize.sh" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 0755 "$tmp"

# Of one kind with CC.
case $CC in
*clang*) : "${CXX:=clang++}" ;;
*) : "${CXX:=g++}" ;;
esac
programs=
for source in "$lib"/tests/lib_*_test.c*; do
	name=$(basename "${source%.c*}")
	# shellcheck disable=SC2254 # a pattern is what it's meant to be
	case $name in
	# They stop at instructions, of which a sanitizer makes too many.
	lib_*_step_test) ;;
	*${TEST:-}*)
		if [ "$name" != lib_cpp_test ] || command -v "$CXX" >/dev/null; then
			programs="$programs $name"
		fi
		;;
	esac
done
[ -n "$programs" ] || { echo "sanitize.sh: no test matches $TEST"; exit 1; }

done=
skipped=
failed=

build()
{
	make -s -C "$lib" OUTPUT="$tmp/$1" CC="$CC" CXX="$CXX" CFLAGS="$2" LDFLAGS="${3:-}" \
		PROGRAMS="$programs" tests >"$tmp/log" 2>&1 || {
		cat "$tmp/log"
		echo "sanitize.sh: could not build for $1"
		exit 1
	}
}

# Notes what became of run $1.
note()
{
	if [ "$2" -eq 0 ]; then
		done="$done $1"
	else
		failed="$failed $1"
	fi
}

# True if a program can be built with $1 and run.
works()
{
	echo 'int main(void) { return 0; }' >"$tmp/probe.c"
	# shellcheck disable=SC2086 # a list of flags
	"$CC" $1 "$tmp/probe.c" -o "$tmp/probe" 2>/dev/null && "$tmp/probe"
}

# Runs the tests with sanitizer $2, as $1.
sanitize()
{
	if ! works "$2"; then
		echo "# SKIP $1: $CC has no $2 here"
		skipped="$skipped $1"
		return
	fi
	echo "# $1: building and running, some ten seconds ..."
	build "$1" "-O1 -g -fno-omit-frame-pointer $2" "$2"
	status=0
	"$lib/tests/run.sh" "$tmp/$1/tests" || status=1
	note "$1" "$status"
}

# A finding ends the test, which then counts as failed.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:exitcode=99
sanitize asan+ubsan "-fsanitize=address,undefined -fno-sanitize-recover=all"
# gcc says where a fence is, which ThreadSanitizer doesn't see.
quiet=
if works "-Werror -Wno-tsan"; then
	quiet=" -Wno-tsan"
fi
sanitize tsan "-fsanitize=thread$quiet"

if ! command -v valgrind >/dev/null; then
	echo "# SKIP valgrind: not installed"
	skipped="$skipped valgrind"
else
	echo "# valgrind: building and running, some half a minute ..."
	# Three tests are about what can't be accessed.
	cat >"$tmp/suppressions" <<-SUPP
		{
		   read_into_nowhere
		   Memcheck:Param
		   pread64(buf)
		   fun:pread
		   ...
		   fun:wrapper_lib_read_into_nowhere
		   ...
		}
		{
		   refused_buffer
		   Memcheck:Param
		   pread64(buf)
		   fun:pread
		   ...
		   fun:wrapper_lib_own_calls
		   ...
		}
		{
		   pinned_for_the_slowest
		   Memcheck:Addr8
		   fun:mem*
		   fun:ashm_write
		   fun:write_stopped
		   ...
		}
	SUPP
	"$CC" -D_GNU_SOURCE -O1 -c "$lib/tests/syscall_shim.c" -o "$tmp/shim.o"
	build valgrind "-O1 -g" "-Wl,--wrap=syscall $tmp/shim.o"
	status=0
	"$lib/tests/run.sh" "$tmp/valgrind/tests" valgrind --quiet \
		--suppressions="$tmp/suppressions" \
		--sim-hints=lax-ioctls --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
		--trace-children=no || status=1
	note valgrind "$status"
fi

echo "clean:${done:- none}; failed:${failed:- none}; skipped:${skipped:- none}"
[ -z "$failed" ] && [ -n "$done" ]
