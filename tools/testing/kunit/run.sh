#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: run.sh
#
# Runs the driver's KUnit suites by the kernel's own kunit.py, on the newest
# kernel's source with the driver linked in. The last line is "N passed, N
# failed", with ", N skipped" if any were.
#
# Variables, besides those of 'make help':
#	ARCH=um			user mode Linux; x86_64 for a guest in QEMU, where
#				there are two nodes of memory; i386 for 32 bits

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/tree/lib.sh
. "$here/../tree/lib.sh"

[ $# -eq 0 ] || die "usage: run.sh (see ARCH= and TEST= in 'make help')"
arch=${ARCH:-um}
case $arch in
um | x86_64 | i386) ;;
*) die "ARCH is um, x86_64 or i386, not '$arch'" ;;
esac
build=kunit-$arch
need_root
take_copy "$(kernels | tail -n 1)"
log=$out/kunit-$arch.log
: >"$log"
hand_back "$log"

in_copy . /mnt/ashmem/tools/scripts/link-into-tree.sh /mnt/linux >/dev/null
drop_stale_objects "$build"

set -- --arch="$arch" --build_dir=/mnt/build
kunit=tools/testing/kunit/kunit.py
config=/mnt/ashmem/drivers/android/ashmem/tests

if [ ! -e "$copy/$build/.config" ]; then
	say "building a kernel for $arch (some minutes once) ..."
fi
more=
if [ "$arch" = um ]; then
	# Nothing else has it select XARRAY_MULTI, which huge pages have everywhere else.
	more="--kconfig_add=CONFIG_EXPERT=y --kconfig_add=CONFIG_SOUND=y --kconfig_add=CONFIG_SND=y"
	more="$more --kconfig_add=CONFIG_SND_CTL_FAST_LOOKUP=y"
elif [ "$arch" = x86_64 ]; then
	# Without PCI the kernel doesn't read which memory is on which node.
	more="--kconfig_add=CONFIG_SMP=y --kconfig_add=CONFIG_NUMA=y"
	more="$more --kconfig_add=CONFIG_PCI=y"
fi
start=$(date +%s)
# shellcheck disable=SC2086 # a list
in_copy "$build" env -C /mnt/linux PYTHONDONTWRITEBYTECODE=1 \
	python3 "$kunit" build "$@" $more --kunitconfig="$config" --jobs="$(nproc)" \
	>"$log" 2>&1 || {
	cat "$log" >&2
	die "the kernel doesn't build"
}
say "built in $(($(date +%s) - start)) s"

# QEMU runs outside of the root, all else in it.
set -- --timeout="${TIMEOUT:-300}" \
	--kernel_args="ashmem_linux.kunit_seed=${SEED:-0}" \
	--kernel_args="ashmem_linux.kunit_pages=${PAGES:-5}" \
	"${TEST:-ashmem_*}"
export PYTHONDONTWRITEBYTECODE=1
status=0
if [ "$arch" = um ]; then
	in_copy "$build" env -C /mnt/linux PYTHONDONTWRITEBYTECODE=1 \
		python3 "$kunit" exec --arch="$arch" --build_dir=/mnt/build "$@" \
		>"$log" 2>&1 || status=$?
else
	find_qemu x86_64
	if [ "$arch" = x86_64 ]; then
		set -- --qemu_args="$(two_nodes 1024)" "$@"
	fi
	# kunit.py takes KVM where there is one; it must not find one that is none.
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount sh -euc '
		[ "$1" = kvm ] || [ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
		cd "$2"
		shift 2
		exec "$@"
	' sh "$("$bed/accel.sh" "$copy/$build/arch/x86/boot/bzImage")" "$copy/linux" \
		python3 "$kunit" exec --arch="$arch" --build_dir="$copy/$build" "$@" \
		>"$log" 2>&1 || status=$?
fi
cat "$log"

# "Testing complete. Ran 40 tests: passed: 38, skipped: 2"
counts=$(sed -n 's/^\[.*\] Testing complete\. Ran [0-9]* tests: //p' "$log" | tr -d :)
count()
{
	echo "$counts" | tr ',' '\n' | awk -v what="$1" '$1 == what { n = $2 } END { print n + 0 }'
}
failed=$(($(count failed) + $(count crashed) + $(count errors)))
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
	failed=1
fi
skipped=$(count skipped)
echo "$(count passed) passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ]
