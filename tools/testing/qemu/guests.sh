# shellcheck shell=bash disable=SC2034,SC2154 # shared with whoever sources this
# SPDX-License-Identifier: GPL-2.0
#
# For scripts that run guests, several at a time, and add up what they say.
# Sourced behind lib.sh; run_guests() needs a directory $tmp.

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

# Repeats what the guests said of tests that failed, for one who has only the end of
# a long log: the tests by their names, and what was expected of each.
failures()
{
	local said

	for said in "$tmp"/*.said; do
		[ -f "$said" ] || continue
		grep -aE -B 2 '^([^ ]+: )?not ok' "$said" |
			grep -aE '^([^ ]+: )?not ok|xpected' |
			sed "s|^ *|${said##*/}: |; s|\.said:|:|" | cut -c 1-160 || true
	done | tail -n 8
}

# Says what there was in all, and ends the script.
total()
{
	if [ "$skipped" -ne 0 ]; then
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
	exit
}

# Ends process $1, and first what it started.
end_tree()
{
	local child

	for child in $(pgrep -P "$1"); do
		end_tree "$child"
	done
	kill "$1" 2>/dev/null || true
}

# For a trap: ends what runs in the background.
end_jobs()
{
	for job in $(jobs -p); do
		end_tree "$job"
	done
	wait
}

# The guests under way, by their process.
declare -A guest_of=()

# Shows what those guests said that have ended, and adds up their counts. Fails if
# none has.
collect_ended()
{
	local pid guest alive none p f s

	alive=" $(jobs -rp | tr '\n' ' ')"
	none=1
	for pid in "${!guest_of[@]}"; do
		case $alive in
		*" $pid "*) continue ;;
		esac
		guest=${guest_of[$pid]}
		unset "guest_of[$pid]"
		none=0
		echo
		echo "# $guest"
		cat "$tmp/$guest.said"
		read -r p f s _ <"$tmp/$guest.counts" || p=0 f=1 s=0
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
	done
	return "$none"
}

# Waits until less than $1 guests are under way.
less_than()
{
	while [ "${#guest_of[@]}" -ge "$1" ]; do
		collect_ended || wait -n || true
	done
}

# Runs the guests of these names, JOBS at a time: much of a guest's time is waiting
# for time to pass. The script has a try_guest() for one of them, which leaves
# "passed failed skipped" in $tmp/NAME.counts.
run_guests()
{
	local guest

	for guest; do
		less_than "${JOBS:-2}"
		: >"$tmp/$guest.counts"
		try_guest "$guest" >"$tmp/$guest.said" 2>&1 &
		guest_of[$!]=$guest
	done
	less_than 1
}
