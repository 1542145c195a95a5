#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: others.sh
#
# Runs fuzzers that are not ours on the device, in a guest: trinity with the
# device as the only file that it knows, stress-ng's --dev on the device, and its
# stressors of memory beside the soak test, which provides the regions.
# Both are taken from their Debian packages. The last line says "N passed, N
# failed".
#
# Variables: see 'make help'.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: others.sh (see MINUTES= and KERNEL= in 'make help')"
kernel=${KERNEL:-debug}
kernel_suite "$kernel" >/dev/null
minutes=${MINUTES:-3}
case $minutes in
'' | *[!0-9]* | 0*) die "MINUTES is a number of 1 or more, not '$minutes'" ;;
esac
need_root
logs=$out/fuzz-others
trap 'hand_back "$logs"' EXIT
trap 'exit 1' HUP INT TERM
rm -rf "$logs"
mkdir -p "$logs/tests"

"$bed/root.sh" "$kernel" >/dev/null
source=$("$bed/source.sh")
# trinity is in no later suite.
root=$("$here/packages.sh" bookworm trinity stress-ng)/root
add_programs "$root" "$logs/root" trinity stress-ng setpriv
make -s -C "$here" OUTPUT="$logs/root/usr/bin" KSELFTEST_DIR="$source/tools/testing/selftests" all

# A program for the guest, from stdin, named $1. How long the fuzzer under test
# takes is up to it; only whether the kernel survives it counts.
program()
{
	{
		printf '#!/bin/sh\nseconds=%s\n' $((minutes * 60))
		cat
	} >"$logs/tests/$1"
	chmod +x "$logs/tests/$1"
}

program trinity <<'SH'
printf 'TAP version 13\n1..1\n'
mkdir -p /tmp/trinity && chmod 777 /tmp/trinity && cd /tmp/trinity || exit 1
# The rest of the kernel isn't what is tested: no other files, nothing that waits.
# It refuses to be root. fanotify's permission events taint the kernel.
timeout -s INT -k 20 "$seconds" /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups \
	trinity -q -l off -C 4 -V /dev/ashmem \
	--disable-fds=sockets,pipes,perf,epoll,eventfd,timerfd,testfile,memfd,drm \
	-x reboot -x kexec_load -x nanosleep -x clock_nanosleep -x pause \
	-x fanotify_mark -x sync -x syncfs -x kill -x tkill -x tgkill -x rt_sigsuspend \
	>/tmp/said 2>&1
status=$?
grep -v '^$' /tmp/said | tail -n 8 | sed 's/^/# /'
calls=$(sed -n 's/.*Ran \([0-9]*\) syscalls.*/\1/p' /tmp/said | tail -n 1)
if [ "${calls:-0}" -gt 0 ]; then
	echo "ok 1 trinity: $calls calls, ended with $status"
else
	echo "not ok 1 trinity did nothing, ended with $status"
fi
SH
program stress_ng_dev <<'SH'
printf 'TAP version 13\n1..1\n'
stress-ng --dev 4 --dev-file /dev/ashmem --timeout "$seconds" --metrics-brief \
	--temp-path /tmp --oomable >/tmp/said 2>&1
status=$?
sed 's/^/# /' /tmp/said | tail -n 12
ops=$(awk '$4 == "dev" && $5 ~ /^[0-9]+$/ { print $5 }' /tmp/said)
if [ "$status" -eq 0 ] && [ "${ops:-0}" -gt 0 ]; then
	echo "ok 1 stress-ng --dev: $ops rounds"
else
	echo "not ok 1 stress-ng --dev ended with $status"
fi
SH
program stress_ng_vm <<'SH'
printf 'TAP version 13\n1..2\n'
ashmem_fuzz pack /tmp/area 1 "$seconds" 1 0 soak
ashmem_fuzz /tmp/area >/tmp/soak 2>&1 &
soak=$!
stress-ng --shm 1 --shm-bytes 8M --mmap 1 --mmap-bytes 16M --madvise 1 --vm 1 \
	--vm-bytes 32M --memfd 1 --memfd-bytes 16M --timeout "$seconds" \
	--metrics-brief --temp-path /tmp --oomable >/tmp/said 2>&1
status=$?
sed 's/^/# /' /tmp/said | tail -n 12
[ "$status" -eq 0 ] || printf 'not '
echo "ok 1 stress-ng: stressors of memory ended with $status"
wait "$soak"
status=$?
sed 's/^/# /' /tmp/soak | tail -n 20
[ "$status" -eq 0 ] || printf 'not '
echo "ok 2 the soak test beside them"
SH

"$bed/build.sh" "$kernel" "$top" "$logs/modules"
say "kernel $kernel, three times $minutes minute(s) ..."
status=0
TEST='' EXTRA_MODULES="zram" OVERLAY="$logs/root" TIMEOUT=$((minutes * 180 + 1200)) \
	TEST_TIMEOUT=$((minutes * 60 + 400)) \
	"$bed/run.sh" -m "$logs/modules/ashmem_linux.ko" -p "$logs/tests" \
	-o "$logs" "$kernel" || status=1
grep -aE '^(not )?ok ' "$logs/results.log" | tr -d '\r'
read -r passed failed _ <"$logs/summary"
echo "logs: $logs"
echo "$passed passed, $failed failed"
exit "$status"
