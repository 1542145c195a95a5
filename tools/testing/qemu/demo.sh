#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: demo.sh
#
# Builds the module for KERNEL (6.1), boots that kernel and shows the driver at
# work there.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: demo.sh (see KERNEL= in 'make help')"
kernel=${KERNEL:-6.1}
suite=$(kernel_suite "$kernel")
start=$(date +%s)

"$bed/root.sh" "$kernel" >/dev/null
"$bed/build.sh" "$kernel"
mkdir -p "$out/demo"
make -s -C "$top/tools/demo" OUTPUT="$out/demo" LDFLAGS=-static all
cp "$top/tools/demo/run-demo" "$out/demo/"
say "booting the stock $suite kernel $kernel in QEMU ..."
status=0
"$bed/run.sh" --demo -p "$out/demo" -o "$out/$kernel/demo" "$kernel" || status=1
if [ "$status" -ne 0 ]; then
	die "the demo failed, logs: $out/$kernel/demo"
fi
say "done in $(($(date +%s) - start)) s"
