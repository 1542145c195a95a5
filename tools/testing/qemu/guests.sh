# shellcheck shell=sh disable=SC2034,SC2154 # shared with whoever sources this
# SPDX-License-Identifier: GPL-2.0
#
# For scripts that run guests, several at a time, and add up what they say.
# Sourced behind lib.sh, with a directory $tmp.

passed=0
failed=0
skipped=0

# Counts check $2 as passed if status $1 is 0.
check()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok - $2"
	else
		failed=$((failed + 1))
		echo "not ok - $2"
	fi
}

# Says what there was in all, and ends the script.
total()
{
	if [ "$skipped" -ne 0 ]; then
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ]
	exit
}

# Waits for the guests under way, shows what they said and adds up their counts.
collect()
{
	wait
	for guest in $running; do
		echo
		echo "# $guest"
		cat "$tmp/$guest.said"
		read -r p f s _ <"$tmp/$guest.counts" || p=0 f=1 s=0
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
	done
	# shellcheck disable=SC2086 # a list
	batch_done $running
	running=
}

# Runs the guests of these names, JOBS at a time: much of a guest's time is waiting
# for time to pass. The script has a try_guest() for one of them, which leaves
# "passed failed skipped" in $tmp/NAME.counts, and a batch_done() that is told the
# names of those that ended together.
run_guests()
{
	running=
	for guest; do
		try_guest "$guest" >"$tmp/$guest.said" 2>&1 &
		running="$running $guest"
		if [ "$(echo "$running" | wc -w)" -eq "${JOBS:-2}" ]; then
			collect
		fi
	done
	if [ -n "$running" ]; then
		collect
	fi
}
