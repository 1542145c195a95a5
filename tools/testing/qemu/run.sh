#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh [-n | -m MODULE.ko] [-p DIR] [-o LOGDIR] [--demo | --shell] KERNEL
#
# Boots KERNEL in QEMU, loads MODULE.ko there (-n: no module) and runs every program
# of DIR in the order of their names; --demo runs DIR/run-demo instead and shows
# what it prints, --shell gives a shell. LOGDIR gets the guest's console.log,
# its results.log, and summary with the line "PASSED FAILED SKIPPED SECONDS".
#
# The guest counts as a separate test. It fails when its verdict is missing
# or bad: a panic, a hang, a refused rmmod, trouble in the kernel log.
#
# Variables, besides those of 'make help' (kernels that aren't stock have longer limits):
#	MEM=640		kernels with less than 512 MiB usable turn huge pages off
#	BOOT_TIMEOUT=240	seconds until its kernel counts as hung before init, and is
#			booted again, twice at the most
#	AGAIN=1		the second run of a program counts; what failed is shown as unstable
#	EXTRA_MODULES="zram ?binder_linux:devices=binder"	each with its parameters
#			behind colons; with ? where the kernel has it
#	TAINT_OK=0	taint bits that are allowed besides "out of tree" and
#			"unsigned"
#	ACCEL=		QEMU's accelerator, instead of the best one that works here
#	QEMU_ARGS=	more arguments for QEMU, without blanks in them
#	OVERLAY=	directory of files for the guest's root

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

usage()
{
	die "usage: run.sh [-n | -m MODULE.ko] [-p DIR] [-o LOGDIR] [--demo | --shell] KERNEL"
}

mode=tests
module=
load=yes
programs=
logs=
while [ $# -gt 1 ]; do
	case $1 in
	-n) load= ;;
	-m) module=$2; shift ;;
	-p) programs=$2; shift ;;
	-o) logs=$2; shift ;;
	--demo) mode=demo ;;
	--shell) mode=shell ;;
	*) usage ;;
	esac
	shift
done
[ $# -eq 1 ] || usage
kernel=$1
suite=$(kernel_suite "$kernel")
[ -n "$module" ] || module=$out/$kernel/modules/ashmem_linux.ko
[ -z "$load" ] || [ -f "$module" ] || die "no module $module"
[ -n "$logs" ] || logs=$out/$kernel
slowness=$(kernel_column "$kernel" slower)
limit=${TIMEOUT:-$((1800 * slowness))}
memory=${MEM:-$(kernel_column "$kernel" MiB)}

dir=$(REFRESH="" "$bed/root.sh" "$kernel")
machine=$(kernel_column "$kernel" machine)
find_qemu "$machine"

tmp=$(mktemp -d)
trap 'stop_qemu; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Puts stock module $1 and what it needs into the guest, needed ones first, with
# the module's own parameters in $2. With $3 it need not be there.
add_stock_module()
{
	deps=$(stock_module "$dir/kernel" "$1")
	if [ -z "$deps" ]; then
		if grep -qs "/$1\.ko" "$dir/kernel/modules/modules.builtin"; then
			return 0
		fi
		[ -z "$3" ] || return 0
		die "kernel $kernel has no module $1"
	fi
	for dep in $deps; do
		file=$(basename "$dep" .xz)
		if [ -f "$extra/$file" ]; then
			continue
		fi
		case $dep in
		*.xz) xz -dc "$dir/kernel/modules/$dep" >"$extra/$file" ;;
		*) cp "$dir/kernel/modules/$dep" "$extra/$file" ;;
		esac
		case $(echo "$file" | tr - _) in
		"$1".ko) echo "$file $2" ;;
		*) echo "$file" ;;
		esac >>"$extra/order"
	done
}

root=$tmp/root
extra=$root/lib/modules-extra
mkdir -p "$root/bin" "$root/dev" "$root/modules" "$root/tests" "$root/demo" \
	"$extra"
cp "$bed/init" "$root/init"
busybox=$dir/kernel/busybox
[ -e "$busybox" ] || busybox=$(busybox_path)
cp "$busybox" "$root/bin/busybox"
[ -z "$load" ] || cp "$module" "$root/modules/"
: >"$extra/order"
for name in ${EXTRA_MODULES:-}; do
	params=$(echo "$name:" | cut -d : -f 2- | tr : ' ')
	optional=
	[ "$name" = "${name#\?}" ] || optional=yes
	name=${name#\?}
	add_stock_module "$(echo "${name%%:*}" | tr - _)" "${params% }" "$optional"
done
name=${load:+$(basename "$module" .ko)}
cat >"$root/bed.conf" <<-CONF
	mode=$mode
	module=$(echo "$name" | tr - _)
	test_timeout=${TEST_TIMEOUT:-$((600 * slowness))}
	taint_ok=$((4096 + 8192 + ${TAINT_OK:-0}))
	again=${AGAIN:-}
CONF

count=0
case $mode in
demo)
	[ -f "${programs:=$out/demo}/run-demo" ] || die "no run-demo in $programs"
	cp -R "$programs/." "$root/demo/"
	;;
*)
	if [ -n "$programs" ]; then
		for program in "$programs"/*; do
			if [ -f "$program" ] && [ -x "$program" ] &&
			   asked_for "${program##*/}"; then
				cp "$program" "$root/tests/"
				count=$((count + 1))
			fi
		done
	fi
	;;
esac
if [ "$mode" = tests ] && [ -n "$programs" ] && [ "$count" -eq 0 ]; then
	die "no test program in $programs${TEST:+ matches TEST=$TEST}"
fi
if [ -n "${OVERLAY:-}" ]; then
	cp -R "$OVERLAY/." "$root/"
fi
pack_initramfs "$root" >"$tmp/initramfs"

mkdir -p "$logs"
rm -f "$logs/console.log" "$logs/results.log" "$logs/summary"
: >"$logs/console.log"
: >"$logs/results.log"

choose_machine "$machine" "$dir/kernel/vmlinuz"

# Warnings are shown, for a panic to be explained, and no less: a serial line is slow.
append="$guest_words panic_on_warn=1 softlockup_panic=1 hung_task_panic=1"
append="$append loglevel=5 log_buf_len=4M"
append="$append $(kernel_column "$kernel" append) ${APPEND:-}"

# shellcheck disable=SC2086 # a list of words
set -- $machine_words -smp 2 -m "$memory" \
	-kernel "$dir/kernel/vmlinuz" -initrd "$tmp/initramfs" \
	-append "$append" -serial "file:$logs/console.log"
# shellcheck disable=SC2086 # a list of arguments
set -- "$@" ${QEMU_ARGS:-}

start=$(date +%s)
status=0
case $mode in
shell)
	$bare_qemu "$@" -serial stdio || true
	exit 0
	;;
demo)
	# Mirrored to the terminal line by line, without what is for the machine.
	mkfifo "$tmp/results"
	tee "$logs/results.log" <"$tmp/results" |
		sed -u -e 's/\r$//' -e '/^#bed /d' -e '/^verdict: /d' &
	mirror=$!
	run_qemu "$tmp/qemu.log" "$limit" "$@" -serial "file:$tmp/results" || status=$?
	# A QEMU that never opened the pipe leaves its reader waiting.
	: <>"$tmp/results"
	wait "$mirror" || true
	;;
*)
	sign=$logs/results.log
	sign_seconds=${BOOT_TIMEOUT:-$((240 * slowness))}
	run_qemu "$tmp/qemu.log" "$limit" "$@" -serial "file:$sign" || status=$?
	;;
esac
seconds=$(($(date +%s) - start))

verdict=$(tr -d '\r' <"$logs/results.log" | tail -n 1)
panic=$(tr -d '\r' <"$logs/console.log" |
	grep -aE 'WARNING:|BUG:|UBSAN:|Oops|Kernel panic' | head -n 1 || true)
reason=
if [ -e "$tmp/qemu.log.still" ]; then
	reason="the guest's kernel never came to its first process"
elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
	reason="the guest hung: no verdict within $limit s"
elif [ -n "$panic" ]; then
	reason="the guest's kernel died: $(echo "$panic" | sed 's/^\[[^]]*\] *//')"
elif [ "$status" -ne 0 ]; then
	reason="QEMU failed: $(tail -n 1 "$tmp/qemu.log")"
else
	case $verdict in
	'verdict: pass') ;;
	'verdict: FAIL: '*) reason=${verdict#verdict: FAIL: } ;;
	*) reason="the guest ended without a verdict" ;;
	esac
fi

# shellcheck disable=SC2016 # awk's own variables
tr -d '\r' <"$logs/results.log" | awk -f "$bed/tap.awk" -v kernel="$kernel" \
	-v reason="$reason" -v seconds="$seconds" -v programs="$count" \
	-v mode="$mode" -v summary="$logs/summary"

if [ -n "$reason" ]; then
	echo "# last lines of the console:"
	tail -n "${CONSOLE_LINES:-40}" "$logs/console.log" | tr -d '\r' | sed 's/^/#   /'
fi
read -r _ failed _ <"$logs/summary"
[ "$failed" -eq 0 ]
