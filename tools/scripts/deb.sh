#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: deb.sh [-e COMMAND] [DIR]
#
# Builds the Debian packages from a copy of this tree and puts them into DIR
# (out/deb), replacing earlier ones. A finding of lintian is an error, but the packages are
# there: another release's lintian knows other rules. With COMMAND, which
# changes the copy first, builds only the module's package, for tests that need a fault in it
# or another version.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

say()
{
	echo "deb.sh: $*" >&2
}

edit=
which=binary
# A JDK is 120 MB to download: without one the packages for Java aren't built.
command -v javac >/dev/null || DEB_BUILD_PROFILES="${DEB_BUILD_PROFILES:-} nojava"
export DEB_BUILD_PROFILES
if [ "${1:-}" = -e ] && [ $# -ge 2 ]; then
	edit=$2
	which=all
	DEB_BUILD_PROFILES="pkg.ashmem.nodoc nojava"
	shift 2
fi
[ $# -le 1 ] || { say "usage: deb.sh [-e COMMAND] [DIR] (make deb)"; exit 1; }
dest=$(realpath -m "${1:-${OUT:-$top/out}/deb}")
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
[ -z "$edit" ] || sh -euc "$edit"
if ! dpkg-buildpackage --build=$which --no-sign >"$tmp/log" 2>&1; then
	tail -n 30 "$tmp/log" >&2
	say "the build failed"
	exit 1
fi
mkdir -p "$dest"
rm -f "$dest"/*.deb "$dest"/*.buildinfo "$dest"/*.changes
mv "$tmp"/*.deb "$tmp"/*.buildinfo "$tmp"/*.changes "$dest/"
for package in "$dest"/*.deb; do
	say "$package"
done
if [ -z "$edit" ]; then
	# Only a package in Debian closes a bug that requested it.
	lintian --suppress-tags initial-upload-closes-no-bugs --fail-on error,warning \
		--profile debian "$dest"/*.changes >"$tmp/lintian" 2>&1 || {
		cat "$tmp/lintian" >&2
		say "lintian found something"
		exit 1
	}
	say "lintian found nothing"
fi
say "done in $(($(date +%s) - start)) s"
