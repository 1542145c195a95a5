#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: source.sh
#
# Prints a directory with the files named in source.sha256, taken from the
# newest kernel's linux-source package: kselftest_harness.h, checkpatch.pl
# and the memory model.
# When the archive has moved on to files that differ from those, it says so and
# goes on with them: they should be looked at, and recorded again.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 0 ] || die "usage: source.sh"
kernel=$(kernels | tail -n 1)
package=linux-source-$kernel

# sha256sum wants no comments.
pins=$(sed '/^#/d' "$bed/source.sha256")
names=$(echo "$pins" | sed 's/^[0-9a-f]*  //')
dir=$cache/source-$kernel-$(echo "$pins" | sha256sum | cut -c 1-12)

if [ ! -d "$dir" ]; then
	need_root "$@"
	lock source
fi
if [ ! -d "$dir" ]; then
	root=$(REFRESH="" "$bed/root.sh" "$kernel")/root
	say "taking $(echo "$names" | wc -l) files out of $package (about a minute) ..."
	start=$(date +%s)
	tmp=$(mktemp -d "$cache/source.XXXXXX")
	work=$(mktemp -d "$root/source.XXXXXX")
	trap 'rm -rf "$tmp" "$work"' EXIT
	trap 'exit 1' HUP INT TERM

	# The root's lists may be older than the archive.
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_root "$root" sh -euc 'cd "$1"; apt-get -q update; apt-get -q download "$2"' \
		sh "/${work##*/}" "$package" >"$tmp/log" 2>&1 || {
		tail -n 20 "$tmp/log" >&2
		die "could not download $package"
	}
	deb=$(find "$work" -name '*.deb')
	echo "$names" | sed "s|^|$package/|" >"$tmp/members"
	dpkg-deb --fsys-tarfile "$deb" |
		tar --extract --to-stdout "./usr/src/$package.tar.xz" |
		tar --extract --xz --strip-components=1 --no-same-owner \
			-C "$tmp" --files-from="$tmp/members" ||
		die "$package lacks a file of source.sha256"
	basename "$deb" | cut -d _ -f 2 | sed 's/%3a/:/' >"$tmp/version"
	rm "$tmp/log" "$tmp/members"
	chmod -R a+rX "$tmp"
	mv -T "$tmp" "$dir"
	say "$package $(cat "$dir/version"), $(($(date +%s) - start)) s"
fi

changed=$(cd "$dir" && echo "$pins" | sha256sum --check --quiet 2>/dev/null |
	sed 's/: FAILED.*//' | tr '\n' ' ') || true
if [ -n "$changed" ]; then
	say "differs from what was recorded in source.sha256: ${changed}(version $(cat "$dir/version"))"
fi
echo "$dir"
