#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: arm.sh
#
# Builds library and tests for 64-bit ARM and runs them under qemu-user, which is
# where the checksum is that of ARM's instruction. qemu-user has not all of the
# kernel: tests of what it hasn't got are left out below, each with its reason.
# Built with clang: Debian's gcc for ARM can't be there beside gcc-multilib. CC
# chooses another, TEST=pattern the programs.

set -eu
lib=$(cd "$(dirname "$0")/.." && pwd)
tools=aarch64-linux-gnu-
: "${CC:=clang --target=aarch64-linux-gnu}"

[ $# -eq 0 ] || { echo "usage: arm.sh" >&2; exit 1; }
for command in "${CC%% *}" "${tools}ar" qemu-aarch64; do
	command -v "$command" >/dev/null || {
		echo "arm.sh: $command is missing; make test-sanitize installs it" >&2
		exit 1
	}
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# No robust lists: no peer learns of a death (lib_frame_death_test and the model and
# step tests), and the shim says otherwise to all others. lib_backend_test and lib_readonly_test ask the
# kernel for what only a kernel can answer.
programs="lib_cutils_test lib_frame_crc_test lib_frame_hostile_test lib_frame_ring_test
	lib_frame_samples_test lib_frame_stress_test lib_region_test lib_threads_test"
# madvise() does nothing there: no MADV_REMOVE, by which contents go, and no
# MADV_WIPEONFORK, by which a child knows that it is one. And qemu's own assertion fails
# in a child that was forked while another thread starts one.
cat >"$tmp/run" <<-'RUN'
	#!/bin/sh
	exec qemu-aarch64 -cpu cortex-a57 "$1" -T fork -T purged -T purged_in_part \
		-T purged_before_a_successor -T fork_in_a_first_claim
RUN
chmod +x "$tmp/run"

# shellcheck disable=SC2086 # a compiler and its options
$CC -D_GNU_SOURCE -O1 -c "$lib/tests/syscall_shim.c" -o "$tmp/shim.o"
# The shared library, too: that all of it links.
for what in all tests; do
	flags=
	[ "$what" = all ] || flags="-static -Wl,--wrap=syscall $tmp/shim.o"
	make -s -C "$lib" OUTPUT="$tmp/out" CC="$CC" AR="${tools}ar" \
		LDFLAGS="$flags" PROGRAMS="$programs" "$what" >"$tmp/log" 2>&1 || {
		cat "$tmp/log"
		echo "arm.sh: the build failed"
		exit 1
	}
done
"${tools}objdump" -d "$tmp/out/libashmem.so.0" | grep -q 'crc32cx' || {
	echo "arm.sh: the library doesn't have the instruction in it"
	exit 1
}
ASHMEM_TEST_CRC=instruction "$lib/tests/run.sh" "$tmp/out/tests" "$tmp/run"
