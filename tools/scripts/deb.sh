#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Usage: deb.sh
#
# Builds the Debian packages from a copy of this tree, checks them with lintian,
# and puts them into out/deb (OUT/deb) in place of those that were there.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$top/out}

say()
{
	echo "deb.sh: $*" >&2
}

[ $# -eq 0 ] || { say "usage: deb.sh (make deb)"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

start=$(date +%s)
mkdir "$tmp/ashmem"
cd "$top"
if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
	git -c safe.directory='*' ls-files -z --cached --others --exclude-standard
else
	find . -path ./out -prune -o -type f -printf '%P\0'
fi | tar --create --file=- --null --ignore-failed-read --files-from=- 2>/dev/null |
	tar --extract --file=- --no-same-owner -C "$tmp/ashmem"

cd "$tmp/ashmem"
if ! dpkg-buildpackage --build=binary --no-sign >"$tmp/log" 2>&1; then
	tail -n 30 "$tmp/log" >&2
	say "the build failed"
	exit 1
fi
if ! lintian --fail-on error,warning --profile debian \
     "$tmp"/*.changes >"$tmp/lintian" 2>&1; then
	cat "$tmp/lintian" >&2
	say "lintian found something"
	exit 1
fi
mkdir -p "$out/deb"
rm -f "$out"/deb/*.deb "$out"/deb/*.buildinfo "$out"/deb/*.changes
mv "$tmp"/*.deb "$tmp"/*.buildinfo "$tmp"/*.changes "$out/deb/"
for package in "$out"/deb/*.deb; do
	say "$package"
done
say "built and clean by lintian, $(($(date +%s) - start)) s"
