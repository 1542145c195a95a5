#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh [PATTERN]
#
# Proves what the table in Documentation/testing-proofs.rst says, one thing at a time, and that
# each proof can fail: every fault that is planted has to be found. PATTERN chooses by name.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -le 1 ] || die "usage: run.sh [PATTERN]"
pattern=${1:-}
tools=$("$here/tools.sh")
source=$("$bed/source.sh")
logs=$out/proofs
mkdir -p "$out"
exec 8>"$out/proofs.lock"
flock --nonblock 8 || die "another run of the proofs is using $logs"
rm -rf "$logs"
mkdir -p "$logs"
passed=0
failed=0
running=
trap '[ -z "$running" ] || kill "$running" 2>/dev/null || true' EXIT
trap 'exit 1' HUP INT TERM

# True if proof $1 was asked for; opens its log.
asked()
{
	case $1 in
	*$pattern*) ;;
	*) return 1 ;;
	esac
	name=$1
	log=$logs/$(echo "$1" | tr ' /' '--')
	begun=$(date +%s)
}

# Runs a command in the background, so that a signal to the script ends it. Proofs are long.
run()
{
	timeout 900 nice -n 10 "$@" >>"$log" 2>&1 &
	running=$!
	status=0
	wait "$running" || status=$?
	running=
}

# The verdict on $name: $1 is what came out, $2 what should have.
verdict()
{
	if [ "$1" = "$2" ]; then
		passed=$((passed + 1))
		echo "ok - $name: $says, $(($(date +%s) - begun)) s"
	else
		failed=$((failed + 1))
		echo "not ok - $name: $1, not $2; see $log"
	fi
}

# Has spin check purge.pml with the words of $3; $2 is the claim, or "safety".
# "proved" needs a search that was complete.
spin_says()
{
	asked "spin $2 $3" || return 0
	dir=$logs/spin
	rm -rf "$dir"
	mkdir -p "$dir"
	case $2 in
	safety) kind="-DSAFETY -DNOCLAIM -DHC4" how="" ;;
	*) kind="-DNFAIR=4 -DCOLLAPSE" how="-a -f -N $2" ;;
	esac
	says=broken
	# shellcheck disable=SC2086 # lists of words
	if (cd "$dir" && spin -a $3 "$here/purge.pml" &&
	    gcc -O1 -w $kind -DVECTORSZ=1024 -o pan pan.c) >"$log" 2>&1; then
		cd "$dir"
		run ./pan -m16000000 -w26 -n $how
		cd "$here"
		if grep -qE '^pan:1: (assertion violated|invalid end state|acceptance cycle)' "$log"; then
			says=refuted
		elif grep -q 'errors: 0$' "$log" && [ "$status" -eq 0 ] &&
		     ! grep -qE 'search depth too small|out of memory|Search not completed' "$log"; then
			says=proved
		fi
	fi
	rm -rf "$dir"
	verdict "$says" "$1"
}

# Every state of the pieces between the bounds $3, for file range.c $2 with clang's words $4.
range_says()
{
	dir=$logs/range
	says=broken
	pieces=$(($(echo "$3" | wc -w) - 1))
	# shellcheck disable=SC2086 # lists of words
	if "$here/range.sh" "$dir" "$2" "$pieces" $4 >"$log" 2>&1; then
		run "$dir/range_proof" $3
		if [ "$status" -eq 0 ]; then
			says="proved, $(tail -n 1 "$log")"
		elif grep -qE 'not so in case|runtime error|AddressSanitizer' "$log"; then
			says=refuted
		fi
	fi
	verdict "${says%%,*}" "$1"
}

# Litmus test $1 says itself what herd7 has to find.
herd_says()
{
	asked "herd $(basename "$1" .litmus)" || return 0
	case $1 in
	*/frame-*) set -- "$1" -cat rc11.cat ;;
	*) set -- "$1" -conf linux-kernel.cfg ;;
	esac
	test=$1
	shift
	cd "$source/tools/memory-model"
	run "$tools/herd7" "$@" "$test"
	cd "$here"
	says=$(sed -n 's/^Observation [^ ]* \([A-Za-z]*\).*/\1/p' "$log")
	verdict "$says" "$(sed -n 's/^ \* Result: //p' "$test")"
}

"$here/functions.sh"

for test in "$top"/Documentation/litmus-tests/*.litmus; do
	herd_says "$test"
done

# At the start of a region, at the end of the largest, and on 32 bits.
range=$top/drivers/android/ashmem/range.c
end=$((1 << 52))
for bounds in "0 1 2 3 4" "$((end - 4)) $((end - 3)) $((end - 2)) $((end - 1)) $end" \
	"0 5 $((1 << 33)) $((end - 1)) $end"; do
	! asked "range 64 bits, $bounds" || range_says proved "$range" "$bounds" -m64
done
for bounds in "0 1 2 3 4" "0 5 65536 1048575 1048576"; do
	! asked "range 32 bits, $bounds" || range_says proved "$range" "$bounds" -m32
done
# No answer depends on the bound of a batch.
awk '/^mutant / && $3 == "range.c" && $2 != "k-batch-without-bound" { print $2 }' \
	"$here/../mutants/mutants" >"$logs/faults"
while read -r fault; do
	asked "range $fault" || continue
	rm -rf "$logs/planted"
	"$here/../mutants/plant.sh" "$here/../mutants/mutants" "$fault" "$logs/planted"
	range_says refuted "$logs/planted/drivers/android/ashmem/range.c" "0 1 2 3 4" -m64
done <"$logs/faults"

for fault in NO_WAIT LATE_LOSS NO_WAKE NO_HOLD LAND_EARLY; do
	spin_says refuted safety "-DOPS=1 -DBREAK_$fault"
done
spin_says refuted safety "-DOPS=1 -DKILL -DBREAK_CLEAR_EARLY"
spin_says refuted safety "-DOPS=1 -DKILL -DPARTS -DBREAK_CLEAR_KILLED"
spin_says refuted pin_ends "-DOPS=1 -DBREAK_NO_WAKE"
spin_says proved safety "-DOPS=1 -DKILL"
spin_says proved safety "-DOPS=1 -DPARTS"
spin_says proved safety "-DOPS=1 -DHOLES"
spin_says proved safety "-DOPS=1 -DPAGES=3"
spin_says proved pin_ends "-DOPS=1"
spin_says proved purge_ends "-DOPS=1"
spin_says proved safety "-DOPS=1 -DKILL -DPARTS"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
