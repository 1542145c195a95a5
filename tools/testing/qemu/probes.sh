#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: probes.sh
#
# Breaks each probe of compat/Kbuild.include in turn, as a changed or missing header
# would, on the headers of each kernel: once it finds nothing, once it always finds
# something. If that changes its answer, the compiler has to stop with a sentence of
# compat.h. Only that header is compiled. The last line is "N passed, N failed".
#
# Variables: see 'make help'.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: probes.sh (see KERNEL= in 'make help')"
for kernel in ${KERNEL:=$(kernels)}; do
	suite=$(kernel_suite "$kernel")
done
need_root
compat=$top/drivers/android/ashmem/compat
logs=$out/probes
mkdir -p "$logs"
work=
trap 'hand_back "$logs"; rm -rf ${work:+"$work"}' EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0

# check NAME COMMAND...: is the command content?
check()
{
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok - $name"
	fi
}

# All probes by their names.
# shellcheck disable=SC2016 # make's own
probes=$(sed -n 's/^ccflags-y += $(call ashmem-offers,\([A-Z_]*\),.*/\1/p' \
	"$compat/Kbuild.include")

# Adds object $1, which is compat.h alone, told what the kernel offers by $2.
add_object()
{
	echo '#include "compat/compat.h"' >"$work/$1.c"
	echo "obj-m += $1.o"
	echo "CFLAGS_$1.o := $2"
}

# Probe $1, edited by sed script $2.
edited()
{
	sed -n "s/^ccflags-y += \(.*ashmem-offers,$1,\)/\1/; t found; d; :found; $2; p" \
		"$compat/Kbuild.include"
}

write_kbuild()
{
	# shellcheck disable=SC2016 # variables of make
	printf '%s\n' 'include $(dir $(lastword $(MAKEFILE_LIST)))compat/Kbuild.include' \
		'offered := $(ccflags-y)' 'ccflags-y := -Wfatal-errors'
	# shellcheck disable=SC2016 # a variable of make
	add_object intact '$(offered)'
	# shellcheck disable=SC2016 # a variable of make
	add_object rhel '$(offered) -DRHEL_RELEASE_CODE=2309'
	# shellcheck disable=SC2016 # a variable of make
	add_object rhel-untested '$(offered) -DRHEL_RELEASE_CODE=2309 -DASHMEM_UNTESTED'
	for probe in $probes; do
		others="\$(filter-out -DASHMEM_HAVE_$probe,\$(offered))"
		add_object "$probe-off" "$others $(edited "$probe" 's/,[a-z_]*\.h)$/,missing.h)/')"
		add_object "$probe-on" "$others $(edited "$probe" "s/$probe,.*,/$probe,.,/")"
	done
}

# What the kernel offers, by the probes as they are.
offered()
{
	tr ' ' '\n' <"$work/.intact.o.cmd" | sed -n 's/^-DASHMEM_HAVE_//p' | sort -u
}

builds()
{
	test -s "$work/$1.o"
}

stops_with_a_sentence()
{
	grep -A 1 "^In file included from .*$1\.c:1:$" "$logs/$kernel.log" |
		grep -q 'compat/compat.h:.*error: #error "ashmem: '
}

# A probe that has another answer than the headers give stops the build, and only
# that.
check_probe()
{
	if grep -qx "$1" "$work/found"; then
		check "$kernel: $1 finds nothing" stops_with_a_sentence "$1-off"
		check "$kernel: $1 always finds something" builds "$1-on"
	else
		check "$kernel: $1 finds nothing" builds "$1-off"
		check "$kernel: $1 always finds something" stops_with_a_sentence "$1-on"
	fi
}

try_kernel()
{
	dir=$(REFRESH="" "$bed/root.sh" "$kernel")
	work=$(mktemp -d "$dir/root/build.XXXXXX")
	cp -r "$compat" "$work/"
	write_kbuild >"$work/Kbuild"
	# shellcheck disable=SC2046 # a list
	in_root "$dir/root" make -k -O -j"$(nproc)" $(kbuild_machine "$kernel") \
		-C "/lib/modules/$(cat "$dir/kernel/release")/build" \
		M="/${work##*/}" modules >"$logs/$kernel.log" 2>&1 || true
	check "$kernel: unbroken probes" builds intact
	check "$kernel: Red Hat's kernels are refused" stops_with_a_sentence rhel
	check "$kernel: but for one who wants to try" builds rhel-untested
	if [ -s "$work/intact.o" ]; then
		offered >"$work/found"
		for probe in $probes; do
			check_probe "$probe"
		done
	fi
	rm -rf "$work"
}

for kernel in $KERNEL; do
	start=$(date +%s)
	before=$passed
	try_kernel
	echo "# $kernel: $((passed - before)) right, $(($(date +%s) - start)) s"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
