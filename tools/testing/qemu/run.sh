#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: run.sh [-m MODULE.ko] [-p DIR] [-o LOGDIR] [--demo | --shell] KERNEL
#
# Boots KERNEL in QEMU, loads MODULE.ko there and runs every program
# of DIR in the order of their names; --demo runs DIR/run-demo instead and shows
# what it prints, --shell gives a shell. LOGDIR gets the guest's console.log,
# its results.log, and summary with the line "PASSED FAILED SKIPPED SECONDS".
#
# The guest counts as one test of its own. It fails when its verdict is missing
# or bad: a panic, a hang, a refused rmmod, trouble in the kernel log.
#
# Variables:
#	TEST=pattern	only programs whose name contains or matches it
#	MEM=640		the guest's memory in MiB; kernels with less than 512
#			of it usable turn huge pages off
#	TIMEOUT=600	seconds until a guest counts as hung
#	TEST_TIMEOUT=180	the same for one program
#			(all three are more for kernels that aren't stock)
#	EXTRA_MODULES="zram binder_linux:devices=binder"	stock modules to load
#			first, each with its parameters behind colons
#	TAINT_OK=0	taint bits that are allowed besides "out of tree" and
#			"unsigned"
#	APPEND=		more words for the kernel's command line
#	QEMU_ARGS=	more arguments for QEMU, without blanks in them
#	OVERLAY=	directory of files for the guest's root

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

usage()
{
	die "usage: run.sh [-m MODULE.ko] [-p DIR] [-o LOGDIR] [--demo | --shell] KERNEL"
}

mode=tests
module=
programs=
logs=
while [ $# -gt 1 ]; do
	case $1 in
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
[ -f "$module" ] || die "no module $module"
[ -n "$logs" ] || logs=$out/$kernel
slowness=$(kernel_column "$kernel" 5)
limit=${TIMEOUT:-$((600 * ${slowness:-1}))}
memory=${MEM:-$(kernel_column "$kernel" 4)}

dir=$(REFRESH="" "$bed/root.sh" "$kernel")
find_qemu
accel=$("$bed/accel.sh" "$dir/kernel/vmlinuz")

tmp=$(mktemp -d)
trap 'stop_qemu; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# True if program $1 was asked for.
wanted()
{
	# shellcheck disable=SC2254 # a pattern is what it's meant to be
	case $1 in
	*${TEST:-}*) return 0 ;;
	*) return 1 ;;
	esac
}

# Puts stock module $1 and what it needs into the guest, needed ones first, with
# the module's own parameters in $2.
add_stock_module()
{
	deps=$(stock_module "$dir/kernel" "$1")
	if [ -z "$deps" ]; then
		if grep -q "/$1\.ko" "$dir/kernel/modules/modules.builtin"; then
			return 0
		fi
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
cp "$(busybox_path)" "$root/bin/busybox"
cp "$module" "$root/modules/"
: >"$extra/order"
for name in ${EXTRA_MODULES:-}; do
	params=$(echo "$name:" | cut -d : -f 2- | tr : ' ')
	add_stock_module "$(echo "${name%%:*}" | tr - _)" "${params% }"
done
name=$(basename "$module" .ko)
cat >"$root/bed.conf" <<-CONF
	mode=$mode
	module=$(echo "$name" | tr - _)
	test_timeout=${TEST_TIMEOUT:-$((180 * ${slowness:-1}))}
	taint_ok=$((4096 + 8192 + ${TAINT_OK:-0}))
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
			   wanted "${program##*/}"; then
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

# Warnings are shown, for a panic to be explained, and no less: a serial line is
# slow. Mitigations are of no use in an emulator but cost it half its speed.
append="console=ttyS0,115200 panic=-1 oops=panic panic_on_warn=1"
append="$append softlockup_panic=1 hung_task_panic=1 loglevel=5"
# On a busy host the timer may seem not to tick at all.
append="$append log_buf_len=4M mitigations=off no_timer_check"
append="$append $(kernel_column "$kernel" 8) ${APPEND:-}"

set -- -accel "$accel" -M q35 -smp 2 -m "${memory:-640}" \
	-kernel "$dir/kernel/vmlinuz" -initrd "$tmp/initramfs" \
	-append "$append" -serial "file:$logs/console.log"
if [ "$accel" = kvm ]; then
	set -- "$@" -cpu host
fi
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
	run_qemu "$tmp/qemu.log" "$limit" "$@" -serial "file:$logs/results.log" ||
		status=$?
	;;
esac
seconds=$(($(date +%s) - start))

verdict=$(tr -d '\r' <"$logs/results.log" | tail -n 1)
panic=$(tr -d '\r' <"$logs/console.log" |
	grep -aE 'WARNING:|BUG:|UBSAN:|Oops|Kernel panic' | head -n 1 || true)
reason=
if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
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
