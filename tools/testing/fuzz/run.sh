#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh [SRCDIR]
#
# Fuzzes the driver of SRCDIR (this repository) in guests, guided by the coverage
# that KCOV tells. A guest that dies is looked at, and the next one goes on. In
# OUT/fuzz are then: corpus (programs that reached something new), distilled (the
# fewest that reach as much, of the last guest that came to its end), reached
# (functions and how much of each), and finding-N for each finding, with the file
# replay of the programs that were last run.
#
# The last line says "N passed, N failed": the programs' text, the guests that
# found nothing and those that did. With REPLAY all is in OUT/fuzz-replay.
#
# Variables, besides those of 'make help':
#	SOAK=1		only crowds, and memory is compared at the end; in OUT/fuzz-soak
#	KERNEL=debug	the kernel, 7.3 with SOAK; coverage needs one with KCOV

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -le 1 ] || die "usage: run.sh [SRCDIR]"
src=${1:-$top}
kernel=${KERNEL:-${SOAK:+7.3}}
kernel=${kernel:-debug}
kernel_suite "$kernel" >/dev/null
# Findings stay while one of them is run again.
logs=$out/fuzz${SOAK:+-soak}${REPLAY:+-replay}${1:+-${1##*/}}
minutes=${MINUTES:-10}
seed=${SEED:-$(date +%s)}
workers=${WORKERS:-3}
for number in "$minutes" "$seed" "$workers"; do
	case $number in
	'' | *[!0-9]*) die "MINUTES, SEED and WORKERS are numbers, not '$number'" ;;
	esac
done
[ "$minutes" -gt 0 ] || die "MINUTES is 1 or more"
if [ "$workers" -lt 1 ] || [ "$workers" -gt 8 ]; then
	die "WORKERS is 1 to 8"
fi
[ -z "${REPLAY:-}" ] || [ -f "$REPLAY" ] || die "no file $REPLAY"
case $(realpath "${REPLAY:-.}") in
"$(realpath "$logs")"/*) die "$REPLAY is from a replay, whose place this run takes" ;;
esac

kind=corpus
if [ -n "${SOAK:-}" ]; then
	kind=soak
	# The driver's caches by themselves, so that their objects can be counted.
	APPEND="slab_nomerge ${APPEND:-}"
fi
rm -rf "$logs"
mkdir -p "$logs/tests" "$logs/corpus"
area=$logs/area
trap 'rm -f "$area"' EXIT
trap 'exit 1' HUP INT TERM

"$bed/root.sh" "$kernel" >/dev/null
source=$("$bed/source.sh")
make -s -C "$here" OUTPUT="$logs/tests" KSELFTEST_DIR="$source/tools/testing/selftests" \
	all
fuzz=$logs/tests/ashmem_fuzz
passed=0
failed=0
if make -s -C "$here" OUTPUT="$logs" KSELFTEST_DIR="$source/tools/testing/selftests" \
   check >"$logs/text.log" 2>&1; then
	passed=1
	echo "ok - programs as text: $(grep -c '^ok' "$logs/text.log") tests"
else
	cat "$logs/text.log"
	failed=1
	echo "not ok - programs as text"
fi

# Only the module itself is watched: a kernel whose every file is has no time
# left for it.
KBUILD_ARGS="W=1 KCOV_INSTRUMENT=y" "$bed/build.sh" "$kernel" "$src" "$logs/modules"
module=$logs/modules/ashmem_linux.ko

value()
{
	tr ' ' '\n' <"$logs/figures" | sed -n "s/^$1=//p"
}

# The programs to begin with.
known()
{
	[ -n "${BARE:-}${SOAK:-}" ] || find "$here/corpus" -type f
}

# What a guest found goes into its own directory.
record()
{
	failed=$((failed + 1))
	dir=$logs/finding-$failed
	mkdir -p "$dir"
	cp "$logs/guest/console.log" "$logs/guest/results.log" "$logs/guest.out" "$dir/"
	# With its own finding the fuzzer has kept the very programs.
	if [ -s "$logs/unpacked/findings" ]; then
		cp "$logs/unpacked/findings" "$dir/replay"
		grep '^# finding' "$dir/replay" >"$dir/reason"
	else
		cp "$logs/unpacked/last" "$dir/replay"
		: >"$dir/reason"
	fi
	grep -E '^not ok - ' "$logs/guest.out" >>"$dir/reason" || true
	echo "not ok - guest $guests, after $spent s: $(head -n 1 "$dir/reason")"
	grep -haE -m 3 'BUG[ :]|WARNING:|Oops|UBSAN:|corruption|possible circular|unreferenced object' \
		"$dir/console.log" "$dir/results.log" >"$logs/reports" || true
	cat "$logs/reports" >>"$dir/reason"
	sed 's/^/#   /' "$logs/reports"
	if [ -n "${SOAK:-}" ]; then
		echo "#   again: make soak SEED=$seed KERNEL=$kernel"
	else
		echo "#   again: make fuzz REPLAY=${REPLAY:-${dir#"$top/"}/replay} KERNEL=$kernel"
	fi
}

# One guest of $1 seconds.
guest()
{
	seconds=$1
	if [ -n "${REPLAY:-}" ]; then
		"$fuzz" pack "$area" "$seed" "$seconds" "$workers" \
			"${UNTIL_FOUND:-0}" replay "$REPLAY"
	else
		{ known; find "$logs/corpus" -type f; } | xargs "$fuzz" pack "$area" \
			"$seed" "$seconds" "$workers" "${UNTIL_FOUND:-0}" "$kind"
	fi
	status=0
	# A guest that the host doesn't let run for half a minute isn't locked up.
	patience=sysctl.kernel.hung_task_timeout_secs=400
	APPEND="watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300 $patience ${APPEND:-}" \
	EXTRA_MODULES="zram" MEM=${MEM:-1024} TIMEOUT=$((seconds + 2400)) \
		TEST_TIMEOUT=$((seconds + 2000)) TEST='' \
		QEMU_ARGS="-object memory-backend-file,id=area,share=on,mem-path=$area,size=8M -device ivshmem-plain,memdev=area ${QEMU_ARGS:-}" \
		"$bed/run.sh" -m "$module" -p "$logs/tests" -o "$logs/guest" "$kernel" \
		>"$logs/guest.out" 2>&1 || status=1
	rm -rf "$logs/unpacked"
	mkdir "$logs/unpacked"
	"$fuzz" unpack "$area" "$logs/unpacked" >"$logs/figures"
	cp -R "$logs/unpacked/fresh/." "$logs/corpus/"
	spent=$((spent + $(value elapsed)))
	programs=$((programs + $(value programs)))
	sort -u "$logs/unpacked/pcs" >>"$logs/pcs"
	if [ "$status" -ne 0 ]; then
		record
	else
		passed=$((passed + 1))
		sed -n 's/^# crowds: /#   /p' "$logs/guest/results.log"
		echo "ok - guest $guests: $(value programs) programs in $(value epochs) epochs, nothing found"
		if [ -z "${REPLAY:-}" ]; then
			rm -rf "$logs/distilled"
			cp -R "$logs/unpacked/distilled" "$logs/distilled"
		fi
	fi
	# Another guest must not repeat what this one did.
	seed=$((seed + 1))
}

echo "fuzz: kernel $kernel, SEED=$seed, $minutes minute(s), $workers workers," \
	"$(known | wc -l) programs to begin with ..."
: >"$logs/pcs"
guests=0
spent=0
programs=0
while [ "$spent" -lt $((minutes * 60 - 30)) ]; do
	guests=$((guests + 1))
	guest $((minutes * 60 - spent))
	if [ "$failed" -ne 0 ] && [ -n "${UNTIL_FOUND:-}" ]; then
		break
	fi
	if [ "$guests" -ge 20 ]; then
		echo "# no more than 20 guests"
		break
	fi
done

"$here/reached.sh" "$module" "$logs/pcs" >"$logs/reached"
if [ -n "${MERGE:-}" ] && [ -d "$logs/distilled" ]; then
	known | xargs rm -f
	cp "$logs/distilled"/* "$here/corpus/"
	echo "# corpus/ has $(known | wc -l) programs now"
fi
echo "fuzz: $programs programs in $guests guest(s), $spent s;" \
	"reached $(tail -n 1 "$logs/reached");" \
	"$(find "$logs/corpus" -type f | wc -l) new programs," \
	"$(find "$logs/distilled" -type f 2>/dev/null | wc -l) after distilling;" \
	"findings: $(find "$logs" -maxdepth 1 -name 'finding-*' | wc -l); logs: $logs"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
