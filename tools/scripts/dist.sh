#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: dist.sh [DIR]
#
# Packs the commit that is checked out into DIR/ashmem-VERSION.tar.gz (out/dist). The
# same commit always gives the same bytes: times are the commit's, owners and modes
# git's own, and gzip stores no name.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

die()
{
	echo "dist.sh: $*" >&2
	exit 1
}

[ $# -le 1 ] || die "usage: dist.sh [DIR] (make dist)"
dest=${1:-${OUT:-$top/out}/dist}
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)
cd "$top"
[ -e .git ] || die "needs a git clone: a tarball is of a commit"
[ -z "$(git status --porcelain)" ] ||
	die "the tree has changes that no commit has: git status"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
name=ashmem-$version
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Settings of this user or machine must not change the bytes.
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 git \
	-c tar.umask=0022 -c core.autocrlf=false -c core.attributesFile=/dev/null \
	archive --format=tar --prefix="$name/" HEAD >"$tmp/tar"
gzip --no-name --best <"$tmp/tar" >"$tmp/gz"
mv "$tmp/gz" "$dest/$name.tar.gz"
(cd "$dest" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "dist.sh: $dest/$name.tar.gz, commit $(git rev-parse --short=12 HEAD)"
