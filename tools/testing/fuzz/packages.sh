#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: packages.sh SUITE PACKAGE...
#
# Makes, or finds in the cache, a root of SUITE that has these packages, and
# prints its directory; REFRESH=1 makes it anew.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -ge 2 ] || die "usage: packages.sh SUITE PACKAGE..."
dir=$cache/roots/packages-$(echo "$*" | sha256sum | cut -c 1-12)
make_once "$dir" packages "$@"

say "making a root with $* (about a minute) ..."
suite=$1
shift
log=$cache/roots/packages.log
if ! mmdebstrap --variant=apt --aptopt='Acquire::Retries "5"' \
	--aptopt='APT::Install-Recommends "false"' \
	--include="$(echo "$*" | tr ' ' ',')" "$suite" "$tmp/root" >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	die "could not make the root, whole log: $log"
fi
made "packages-*"
echo "$dir"
