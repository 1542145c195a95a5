#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: testbed.sh
#
# Proves the verdict of the test bed: guests with faulty modules and test
# programs must fail, each for the right reason, and one without must pass.
# KERNEL (6.1) chooses the kernel; debug, race and realtime prove their checkers.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: testbed.sh (see KERNEL= in 'make help')"
kernel=${KERNEL:-6.1}
suite=$(kernel_suite "$kernel")
logs=$out/$kernel/test-bed
rm -rf "$logs"
mkdir -p "$logs"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

"$bed/build.sh" "$kernel" "$bed/faults" "$logs/modules"

# Makes the test program $2 of guest $1 out of the script on stdin.
program()
{
	mkdir -p "$tmp/$1"
	{
		echo '#!/bin/sh'
		cat
	} >"$tmp/$1/$2"
	chmod +x "$tmp/$1/$2"
}

program good fine <<-'SH'
	printf 'TAP version 13\n1..2\nok 1 one\nok 2 # SKIP not here\n'
SH
program faulty failing <<-'SH'
	printf 'TAP version 13\n1..2\nok 1 one\n# because\nnot ok 2 two\n'
	exit 1
SH
program faulty dying <<-'SH'
	printf 'TAP version 13\n1..1\nok 1 one\n'
	kill -SEGV $$
SH
program faulty short <<-'SH'
	printf 'TAP version 13\n1..3\nok 1 one\nok 2 two\n'
SH
program faulty sour <<-'SH'
	printf 'TAP version 13\n1..1\nok 1 one\n'
	exit 1
SH
program faulty endless <<-'SH'
	printf 'TAP version 13\n1..1\n'
	sleep 1000
SH
program faulty silent <<-'SH'
	exit 0
SH
# Fails in the first run only: what it leaves in /dev/shm tells.
program unsteady once <<-'SH'
	printf 'TAP version 13\n1..2\nok 1 one\n'
	if [ -e /dev/shm/once ]; then
		printf 'ok 2 two\n'
		exit 0
	fi
	touch /dev/shm/once
	printf '# because\nnot ok 2 two\n'
	exit 1
SH
program ending rebooting <<-'SH'
	printf 'TAP version 13\n1..1\nok 1 one\n'
	reboot -f
SH
program greedy removing <<-'SH'
	printf 'TAP version 13\n1..1\nok 1 one\n'
	rmmod fault_none
SH
mkdir -p "$tmp/empty"

passed=0
failed=0
# expect pass|fail GUEST MODULE PROGRAMS REASON...: boots a guest and looks for
# each REASON in what the run says.
expect()
{
	wanted=$1
	guest=$2
	answer=pass
	"$bed/run.sh" -m "$logs/modules/fault_$3.ko" -p "$tmp/$4" \
		-o "$logs/$2" "$kernel" >"$logs/$2.out" 2>&1 || answer=fail
	shift 4
	verdict "$@"
}

# expect_table pass|fail NAME KERNEL WHOLE REASON...: the same for the table of a bench that
# has two figures only.
expect_table()
{
	wanted=$1
	guest=$2
	answer=pass
	printf 'two_threads_%s\tours\t1.1\tx\n' ceiling share |
		awk -v kernel="$3" -v whole="$4" -f "$bed/../bench/table.awk" \
			"$bed/../bench/goals" - >"$logs/$2.out" 2>&1 || answer=fail
	shift 4
	verdict "$@"
}

verdict()
{
	for reason; do
		said=$(grep -E -m 1 "$reason" "$logs/$guest.out" || true)
		if [ "$answer" = "$wanted" ] && [ -n "$said" ]; then
			passed=$((passed + 1))
			echo "ok - $guest must $wanted: $said"
		else
			failed=$((failed + 1))
			echo "not ok - $guest must $wanted with /$reason/, got $answer:"
			sed 's/^/    /' "$logs/$guest.out"
		fi
	done
}

expect_table pass narrowed-table 7.3 0 'as a share of that .* host busy$' '^0 goals met, 0 missed'
expect_table fail table-without-cgroups 7.3 1 ': no value for ioctl .* crowd_last/16 region_mem'
expect_table fail table-of-old-kernel 6.1 1 ' shootdowns_pressure region_memory range_memory$'

expect pass sound-guest none good '^ok - .*kernel log clean'
case $kernel in
debug)
	expect fail memory-leak memory good 'kmemleak found [0-9]+ memory leak'
	expect fail use-after-free free good 'BUG: KASAN: slab-use-after-free'
	expect fail out-of-bounds bounds good 'BUG: KASAN: slab-out-of-bounds'
	expect fail undefined-shift shift good 'UBSAN: shift-out-of-bounds'
	expect fail lock-inversion order good 'WARNING: possible circular locking'
	expect fail sleep-under-spinlock sleep good 'BUG: sleeping function called'
	expect fail rcu-without-lock rcu good 'WARNING: suspicious RCU usage'
	expect fail freed-timer timer good 'ODEBUG: free active'
	expect fail refcount-below-0 count good 'WARNING: lib/refcount.c'
	APPEND="sysctl.kernel.hung_task_timeout_secs=10" \
		expect fail hung-task wait good 'hung_task: blocked tasks'
	APPEND="sysctl.kernel.watchdog_thresh=4" \
		expect fail soft-lockup spin good 'BUG: soft lockup'
	;;
realtime)
	expect fail lock-inversion order good 'WARNING: possible circular locking'
	expect fail rcu-without-lock rcu good 'WARNING: suspicious RCU usage'
	;;
race)
	expect fail data-race race good 'BUG: KCSAN: data-race in count'
	;;
*)
	expect fail warning-module warn good "kernel died: WARNING: "
	expect fail oopsing-module oops good "kernel died: BUG: "
	TIMEOUT=25 expect fail hanging-module hang good 'guest hung: no verdict within 25 s'
	BOOT_TIMEOUT=1 expect fail slow-boot none good 'still for 1 s .* [(]time 3 of 3[)]' \
		'never came to its first process'
	APPEND=rdinit=/none expect fail early-panic none good 'died before .* [(]time 3 of 3[)]' \
		'kernel died: Kernel panic'
	expect fail leaking-module leak good 'rmmod fault_leak was refused'
	expect fail logging-module log good 'kernel log says: .*self-detected stall'
	TEST_TIMEOUT=3 expect fail faulty-programs none faulty \
		'^failing: not ok 2 two' '^not ok - dying: was killed' \
		'^not ok - short: planned 3 results and gave 2' \
		'^not ok - sour: ended with status 1' \
		'^not ok - endless: was killed' '^not ok - silent: printed no plan' \
		'^ok - .*kernel log clean'
	expect fail unsteady-program none unsteady '^once: not ok 2 two'
	AGAIN=1 expect pass unsteady-program-again none unsteady '^once: not ok 2 two' \
		'^# once: unstable: 1 not ok at first' ': 2 ok, 0 not ok'
	AGAIN=1 TEST_TIMEOUT=3 expect fail faulty-programs-again none faulty \
		'failing: 1 ok, 1 not ok, 0 skipped' '^not ok - dying: was killed' \
		'^not ok - sour: ended with status 1' '^not ok - endless: was killed'
	expect fail rebooting-guest none ending 'ended without a verdict'
	expect fail missing-module none greedy 'fault_none is not loaded any more'
	expect fail no-programs none empty 'no test program in '
	;;
esac

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
