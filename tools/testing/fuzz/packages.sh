#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: packages.sh SUITE PACKAGE...
#
# Makes, or finds in the cache, a root of SUITE that has these packages, and
# prints its directory; REFRESH=1 makes it again.

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
make_root "$suite" "$*" --aptopt='APT::Install-Recommends "false"'
made "packages-*"
echo "$dir"
