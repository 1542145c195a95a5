#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: distcheck.sh
#
# Packs the tarball twice, the second time from a fresh clone with another umask, time zone
# and configuration, and compares the bytes. Then builds the Debian packages, source and binary,
# and the RPM from it, and runs the short tests on them. The last line is "N passed, N failed".

set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$(realpath -m "${OUT:-$top/out}")/distcheck

die()
{
	echo "distcheck.sh: $*" >&2
	exit 1
}

[ $# -eq 0 ] || die "usage: distcheck.sh (make distcheck)"
rm -rf "$out"
mkdir -p "$out"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
start=$(date +%s)
passed=0
failed=0

check()
{
	text=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		echo "ok - $text"
		passed=$((passed + 1))
	else
		echo "not ok - $text"
		tail -n 25 "$tmp/said" | sed 's/^/#   /'
		failed=$((failed + 1))
	fi
	cat "$tmp/said" >>"$out/commands.log"
}

pack_elsewhere()
{
	git clone --quiet "$top" "$tmp/clone"
	git -C "$tmp/clone" checkout --quiet --detach "$(git -C "$top" rev-parse HEAD)"
	mkdir "$tmp/home"
	printf '[tar]\n\tumask = 0077\n[core]\n\tautocrlf = true\n' >"$tmp/home/.gitconfig"
	(umask 0077 && env -i PATH="$PATH" HOME="$tmp/home" TZ=Asia/Kathmandu LC_ALL=C \
		"$tmp/clone/tools/scripts/dist.sh" "$tmp/second")
}

# The tarball has every file of the commit with its bytes, and no other.
complete()
{
	tar --extract --file="$tarball" -C "$tmp"
	git -C "$top" ls-files | LC_ALL=C sort >"$tmp/wanted"
	(cd "$tree" && find . ! -type d -printf '%P\n') | LC_ALL=C sort | diff "$tmp/wanted" - ||
		return 1
	while read -r file; do
		cmp "$top/$file" "$tree/$file" || return 1
	done <"$tmp/wanted"
}

"$here/dist.sh" "$out" >/dev/null
tarball=$(echo "$out"/ashmem-*.tar.gz)
name=$(basename "$tarball" .tar.gz)
version=${name#ashmem-}
tree=$tmp/$name
check "the tarball is packed in a fresh clone, with other settings" pack_elsewhere
check "and has the same bytes" cmp "$tarball" "$tmp/second/$name.tar.gz"
check "it has all files of the commit" complete
[ "$failed" -eq 0 ] || die "$passed passed, $failed failed; log: $out/commands.log"

# As a distribution does it: the tarball is the source package's orig.
debian_packages()
{
	cp "$tarball" "$tmp/ashmem_$version.orig.tar.gz"
	(cd "$tree" && dpkg-buildpackage --build=full --no-sign) || return 1
	mkdir -p "$out/deb"
	mv "$tmp"/ashmem_"$version"-* "$tmp"/ashmem_"$version".orig.tar.gz "$tmp"/*.deb "$out/deb/"
}

lint()
{
	lintian --suppress-tags initial-upload-closes-no-bugs --fail-on error,warning \
		--profile debian "$out"/deb/*.changes
}

echo "distcheck.sh: packages of $name, and the short tests (ten minutes) ..."
check "the Debian packages are built from it, source and binary" debian_packages
check "lintian finds nothing" lint
[ "$failed" -eq 0 ] || die "$passed passed, $failed failed; log: $out/commands.log"

# The tests are those of the tarball, too. They build in it.
status=0
OUT=$out/tests PACKAGES=$out/deb TARBALL=$tarball KERNEL='' SCENARIO='' \
	"$tree/tools/testing/install/test.sh" --short >"$out/tests.log" 2>&1 || status=$?
grep -E '^(ok|not ok|#  )' "$out/tests.log" || cat "$out/tests.log"
read -r p f < <(tail -n 1 "$out/tests.log" |
	sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p') || { p=0 f=1; }
[ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
passed=$((passed + p))
failed=$((failed + f))
echo
echo "log: $out; seconds: $(($(date +%s) - start))"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
