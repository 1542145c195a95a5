# shellcheck shell=bash disable=SC2034,SC2154 # shared with the script that sources this
# SPDX-License-Identifier: GPL-2.0-only
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

# Repeats what the guests printed about failed tests, for a reader who has only the end
# of a long log: the tests by their names, and the last lines that each one logged.
failures()
{
	local said

	for said in "$tmp"/*.said; do
		[ -f "$said" ] || continue
		sed "s|^ *|${said##*/}: |; s|\.said:|:|" "$said" | cut -c 1-160 |
			awk '/: ([^ ]+: )?not ok/ {
				for (i = n > 5 ? n - 5 : 0; i < n; i++)
					print line[i]
				print
				n = 0
			}
			/: # [^ ]+\.c:[0-9]+:/ { line[n++] = $0 }
			/: # [^ ]+: unstable: /
			/: [^ ]+: [0-9]+ ok, [0-9]+ not ok/ { n = 0 }'
	done | tail -n 18
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
