#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: stamp.sh [--check | VERSION]
#
# Copies the version, the maintainer and the project's address into the files that repeat
# them. dkms.conf holds the version, packaging/publisher the other two. With VERSION, that
# is the version from now on, and the changelogs and NEWS.md get today's date. --check
# changes nothing, prints each line that differs, and fails if there is one.

set -euo pipefail
cd "$(dirname "$0")/../.."

die()
{
	echo "stamp.sh: $*" >&2
	exit 1
}

[ $# -le 1 ] || die "usage: stamp.sh [--check | VERSION]"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
[ -n "$version" ] || die "no PACKAGE_VERSION in dkms.conf"
# shellcheck source=packaging/publisher
. packaging/publisher
echo "${MAINTAINER:-}" | grep -qxE '[^;<>]+ <[^;<> ]+@[^;<> ]+>' ||
	die "MAINTAINER in packaging/publisher is not of the form 'Name <user@host>'"
echo "${URL:-}" | grep -qxE 'https://[^; ]+[^; /]' ||
	die "URL in packaging/publisher is not of the form https://host/path"

mode=copy
case ${1:-} in
'') ;;
--check) mode=check ;;
*)
	mode=release
	version=$1
	echo "$version" | grep -qxE '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}' ||
		die "the version '$version' is not of the form 1.2.3"
	;;
esac

# FILE;BEFORE;VALUE;AFTER: a line of FILE that begins with BEFORE is all three.
lines()
{
	cat <<-LIST
		dkms.conf;PACKAGE_VERSION=";$version;"
		packaging/arch/PKGBUILD;pkgver=;$version;
		packaging/arch/PKGBUILD;# Maintainer: ;$MAINTAINER;
		packaging/arch/PKGBUILD;url=';$URL;'
		packaging/rpm/ashmem-dkms.spec;Version:        ;$version;
		packaging/rpm/ashmem-dkms.spec;URL:            ;$URL;
		debian/control;Maintainer: ;$MAINTAINER;
		debian/control;Homepage: ;$URL;
		debian/copyright;Upstream-Contact: ;$MAINTAINER;
		debian/copyright;Source: ;$URL;
		debian/watch;https://;${URL#https://};/ ashmem-@ANY_VERSION@@ARCHIVE_EXT@
		MAINTAINERS;M:	;$MAINTAINER;
		MAINTAINERS;W:	;$URL;
	LIST
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# The values of awk's -v would lose their backslashes.
export MAINTAINER version
day=''
now=''
if [ "$mode" = release ]; then
	day=$(LC_ALL=C date -u '+%a %b %d %Y')
	now=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S +0000')
fi

stamp_lines()
{
	awk -F ';' -v file="$1" '
	FNR == NR {
		if ($1 == file) {
			before[++n] = $2
			whole[n] = $2 $3 $4
		}
		next
	}
	{
		for (i = 1; i <= n; i++)
			if (index($0, before[i]) == 1) {
				$0 = whole[i]
				seen[i] = 1
			}
		print
	}
	END {
		for (i = 1; i <= n; i++)
			if (!seen[i]) {
				print file ": no line begins with: " before[i] >"/dev/stderr"
				exit 1
			}
	}' "$tmp/lines" "$1"
}

# The spec has only the newest entry. Its date is kept unless this is a release.
stamp_spec()
{
	stamp_lines packaging/rpm/ashmem-dkms.spec | awk -v day="$day" '
	/^\* / {
		$0 = "* " (day ? day : substr($0, 3, 15)) " " ENVIRON["MAINTAINER"] \
			" - " ENVIRON["version"] "-1"
	}
	{ print }'
}

# Only the first entry, which is the newest, is changed.
stamp_changelog()
{
	top="ashmem ($version-1) unstable; urgency=medium"
	if [ "$mode" = release ] && [ "$(head -n 1 debian/changelog)" != "$top" ]; then
		printf '%s\n\n  * New release: see NEWS.md.\n\n -- x  x\n\n' "$top"
	fi | cat - debian/changelog | awk -v top="$top" -v now="$now" '
	FNR == 1 { $0 = top }
	/^ -- / && !done++ {
		date = $0
		sub(/.*>  /, "", date)
		$0 = " -- " ENVIRON["MAINTAINER"] "  " (now ? now : date)
	}
	{ print }'
}

stamp_news()
{
	if [ "$mode" = release ]; then
		sed "1,/^## /s/^## .* (not released)\$/## $version ($(date -u +%F))/" NEWS.md
	else
		cat NEWS.md
	fi
}

# All are made before one is written: a file that lacks a line changes nothing.
lines >"$tmp/lines"
mkdir "$tmp/new"
files="$(cut -d ';' -f 1 "$tmp/lines" | sort -u) debian/changelog NEWS.md"
for file in $files; do
	case $file in
	*.spec) stamp_spec ;;
	debian/changelog) stamp_changelog ;;
	NEWS.md) stamp_news ;;
	*) stamp_lines "$file" ;;
	esac >"$tmp/new/${file//\//_}"
done

status=0
for file in $files; do
	new=$tmp/new/${file//\//_}
	if cmp -s "$new" "$file"; then
		continue
	fi
	if [ "$mode" = check ]; then
		diff "$file" "$new" | sed -n "s|^< |$file: is: |p; s|^> |$file: must be: |p"
		status=1
	else
		cat "$new" >"$file"
		echo "stamp.sh: $file"
	fi
done
exit "$status"
