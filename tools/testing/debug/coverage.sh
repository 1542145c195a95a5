#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: coverage.sh DIR...
#
# Sums up the coverage of the module in guests of the debug kernel: each DIR has a guest's
# results.log, and the output of build.sh in modules/. Prints a table by
# file and the lines and branches that never ran, and writes out/coverage/html.
# Fails below the goal: 97 % of lines, 90 % of branches.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -gt 0 ] || die "usage: coverage.sh DIR..."
need_root "$@"
driver=drivers/android/ashmem
report=$out/coverage
root=$(REFRESH="" "$bed/root.sh" debug)/root

rm -rf "$report"
mkdir -p "$report"
# gcov has to be that of the compiler, so it works in the root, on files there.
work=$(mktemp -d "$root/coverage.XXXXXX")
trap 'hand_back "$report"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/tmp"

cat >"$work/gcov" <<SH
#!/bin/sh
bed="$bed"
root="$root"
SH
cat >>"$work/gcov" <<'SH'
. "$bed/lib.sh"
for arg; do
	shift
	set -- "$@" "${arg#"$root"}"
done
# Asked for its options it is anywhere.
case $PWD in
"$root"/*) there=${PWD#"$root"} ;;
*) there=/ ;;
esac
in_root "$root" env -C "$there" gcov "$@"
SH
chmod +x "$work/gcov"

# An assertion has a branch for the day when the driver is wrong, and the place for a
# stub of KUnit one for each way that a test may have put it there.
assertion='lockdep_assert_held|WARN_ON_ONCE|KUNIT_STATIC_STUB_REDIRECT'

# Makes $2.info of what guest $1 told.
read_guest()
{
	data=$work/$2
	mkdir "$data"
	cp "$1"/modules/*.gcno "$data/"
	# shellcheck disable=SC2016 # awk's own variables
	tr -d '\r' <"$1/results.log" | awk -v dir="$data" '
		/^#bed file/ { file = $3; next }
		/^#bed|^verdict/ { file = "" }
		file { print >(dir "/" file ".base64") }'
	for file in "$data"/*.base64; do
		[ -f "$file" ] || die "guest $1 told no coverage"
		base64 -d "$file" >"${file%.base64}"
	done
	TMPDIR=$work/tmp geninfo --quiet --rc lcov_branch_coverage=1 \
		--gcov-tool "$work/gcov" --output-filename "$data.info" \
		"$data" >>"$report/log" 2>&1 || {
		tail -n 20 "$report/log" >&2
		die "geninfo failed on what guest $1 told"
	}
	# Where it was built is gone, and named by chance. So lcov can't look there
	# for what isn't to be counted.
	sed "s|^SF:.*/\($driver/\)|SF:$top/\1|" "$data.info" |
		awk -F '[:,]' -v assertion="$assertion" '
			/^SF:/ {
				split("", asserts)
				file = substr($0, 4)
				for (n = 1; (getline line <file) > 0; n++)
					asserts[n] = line ~ assertion
				close(file)
			}
			!(/^BRDA:/ && asserts[$2])' >"$work/info"
	mv "$work/info" "$data.info"
}

count=0
set -- "$@" --
while [ "$1" != -- ]; do
	count=$((count + 1))
	read_guest "$1" "$count"
	set -- "$@" --add-tracefile "$work/$count.info"
	shift
done
shift
lcov_quiet()
{
	lcov --quiet --rc lcov_branch_coverage=1 "$@" >>"$report/log" 2>&1 || {
		tail -n 20 "$report/log" >&2
		die "lcov failed"
	}
}
lcov_quiet "$@" --output-file "$report/all.info"
# Tests and kernel headers don't count.
lcov_quiet --extract "$report/all.info" "$top/$driver/*" \
	--output-file "$report/driver.info"
lcov_quiet --remove "$report/driver.info" "*/tests/*" \
	--output-file "$report/driver.info"
genhtml --quiet --branch-coverage --prefix "$top" --title "ashmem" \
	--output-directory "$report/html" "$report/driver.info" \
	>>"$report/log" 2>&1 || die "genhtml failed, see $report/log"

# shellcheck disable=SC2016 # awk's own variables
awk -F '[:,]' -v driver="$top/$driver/" '
	function share(part, all) {
		return all ? sprintf("%5.1f %%", 100 * part / all) : "      -"
	}
	function row(name, l, lh, b, bh) {
		printf "%-20s %5d %s %7d %s\n", name, l, share(lh, l), b, share(bh, b)
	}
	BEGIN { printf "%-20s %5s %7s %7s %7s\n", "file", "lines", "run", "branches", "taken" }
	/^SF:/ { file = substr($2, length(driver) + 1); missed = branches = "" }
	/^DA:/ && $3 == 0 { missed = missed " " $2 }
	/^BRDA:/ && ($5 == "-" || $5 == 0) {
		if (branches !~ " " $2 "$")
			branches = branches " " $2
	}
	/^LF:/ { lf = $2 }
	/^LH:/ { lh = $2 }
	/^BRF:/ { bf = $2 }
	/^BRH:/ { bh = $2 }
	/^end_of_record/ {
		row(file, lf, lh, bf, bh)
		if (missed)
			notes = notes file ": lines never run:" missed "\n"
		if (branches)
			notes = notes file ": branches never taken in lines:" branches "\n"
		LF += lf; LH += lh; BF += bf; BH += bh
		lf = lh = bf = bh = 0
	}
	END {
		row("all", LF, LH, BF, BH)
		printf "\n%s", notes
		exit !(LF && LH >= 0.97 * LF && BH >= 0.9 * BF)
	}
' "$report/driver.info" || die "below the goal of 97 % of lines and 90 % of branches"
