# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # set by who sources this
#
# What the lists of faults have in common. Sourced with the file of faults in $list;
# for plant and run_all with the place of the verdicts in $logs, and with $self, what
# is called for each fault, with $what as its first argument if that is set; for
# tell_caught with its name in $name.

# Word $2 of the line that names fault $1.
field()
{
	awk -v name="$1" -v n="$2" '/^mutant / && $2 == name { print $n }' "$list"
}

# Prints the faults to plant: those named, or all.
chosen()
{
	if [ $# -eq 0 ]; then
		awk '/^mutant / { print $2 }' "$list"
	fi
	for fault; do
		[ -n "$(field "$fault" 3)" ] || die "no mutant '$fault'"
		echo "$fault"
	done
}

# Makes $2, a copy of this tree with fault $1, or says that it can't.
plant()
{
	"$here/plant.sh" "$list" "$1" "$2" >"$logs/$1.plant" 2>&1 || {
		echo "broken $1: $(cat "$logs/$1.plant")"
		return 1
	}
}

# Says of fault $name that the tests caught it, by the first line of file $1 that
# matches $2. Without one the run failed for some reason of the machine's own, as it
# did when QEMU gave up.
tell_caught()
{
	if said=$(grep -a -m 1 -E "$2" "$1") &&
	   ! grep -qa '^not ok - .*: QEMU failed: ' "$1"; then
		echo "caught $name: $said"
	else
		echo "broken $name: failed, but not by a test, see $1"
	fi
}

# Tries the faults, $1 at a time; the last line is "N passed, N failed".
run_all()
{
	jobs=$1
	shift
	for fault; do
		echo "$fault"
	done | OUT=$out xargs -P "$jobs" -n 1 "$self" ${what:+"$what"} --one | tee "$logs/verdicts"

	caught=$(grep -c '^caught ' "$logs/verdicts" || true)
	grep -v '^caught ' "$logs/verdicts" || true
	echo "$caught passed, $(($# - caught)) failed"
	[ "$caught" -eq $# ]
}
