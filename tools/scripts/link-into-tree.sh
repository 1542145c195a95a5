#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: link-into-tree.sh [--patch | --remove] TREE
#
# Links the driver into the kernel source TREE, 5.10 to 7.3, as CONFIG_ASHMEM, next to binder.
# It can be built in. The links point here, so the tree sees changes of files; run it again for
# new files. --remove removes the links and restores the tree. --patch changes nothing, and
# writes a patch to stdout that adds copies instead of links, for patch -p1 or git apply.
#
# Up to 5.17 the kernel has its own ashmem. There is one /dev/ashmem, so
# that one becomes CONFIG_ASHMEM_STAGING, which conflicts with ours.

set -eu
oldest=5.10
newest=7.3
driver=drivers/android/ashmem
uapi=include/uapi/linux/ashmem.h
staging=drivers/staging/android
top=$(cd "$(dirname "$0")/../.." && pwd -P)

die()
{
	echo "link-into-tree.sh: $*" >&2
	exit 1
}

mode="link"
case ${1:-} in
--patch | --remove)
	mode=${1#--}
	shift
	;;
esac
if [ $# -ne 1 ] || [ "${1#-}" != "$1" ]; then
	die "usage: link-into-tree.sh [--patch | --remove] TREE"
fi
[ -d "$1" ] || die "no such directory: $1"
tree=$(cd "$1" && pwd -P)

# The files of the driver, relative to the top of either tree.
sources()
{
	(cd "$top" && find "$driver" -type f \( -name '*.[ch]' -o -name 'K*' \
		-o -name .kunitconfig \) ! -name '*.mod.c' | sort)
}

makefile_says()
{
	sed -n "s/^$1 *= *\([0-9]*\)\$/\1/p" "$tree/Makefile" 2>/dev/null | head -n 1
}

# Is $1 before $2, both like 5.10?
before()
{
	[ "${1%%.*}" -lt "${2%%.*}" ] ||
		{ [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1#*.}" -lt "${2#*.}" ]; }
}

check_tree()
{
	version=$(makefile_says VERSION).$(makefile_says PATCHLEVEL)
	case $version in
	.* | *.) die "not a kernel source tree: $tree" ;;
	esac
	for file in mm/shmem.c drivers/android/Kconfig drivers/android/Makefile; do
		[ -f "$tree/$file" ] ||
			die "not a whole kernel source tree, $file is missing: $tree"
	done
	if before "$version" "$oldest" || before "$newest" "$version"; then
		die "this is Linux $version; the driver is for $oldest to $newest"
	fi
	for file in "$driver/Kbuild" "$uapi"; do
		if [ -e "$tree/$file" ] && [ ! -L "$tree/$file" ]; then
			die "the tree has a $file that is not ours; if a patch put it there," \
				"take it out with patch -R"
		fi
	done
	if [ -e "$tree/$driver" ] && [ ! -L "$tree/$driver/Kbuild" ]; then
		die "the tree has a $driver that is not ours"
	fi
	if [ "$mode" = remove ]; then
		return
	fi
	# The original's is handled below; refuse any other.
	other=$(grep -rlx --include='Kconfig*' 'config ASHMEM' "$tree/drivers" |
		sed "s|^$tree/||" | grep -vxF -e "$driver/Kconfig" -e "$staging/Kconfig" |
		head -n 1) || true
	[ -z "$other" ] || die "the tree has another ashmem, in $other"
}

# The edits, each of them a filter: $1 is the file, as it is in $tree.
edit()
{
	case $1 in
	drivers/android/Kconfig)
		# Last in the menu; in 5.x within "if ANDROID".
		awk -v line="source \"$driver/Kconfig\"" '
		FNR == NR {
			if ($1 == "endmenu" || $1 == "endif")
				if (!at || $1 == "endmenu" && kind == "endmenu" ||
				    $1 == "endif") { at = FNR; kind = $1 }
			next
		}
		FNR == at { print line; print "" }
		{ print }
		' "$2" "$2"
		;;
	drivers/android/Makefile)
		cat "$2"
		# shellcheck disable=SC2016 # a variable of make
		printf 'obj-$(CONFIG_ASHMEM)\t\t\t+= ashmem/\n'
		;;
	"$staging/Kconfig")
		sed '/^config ASHMEM$/{
			s/.*/config ASHMEM_STAGING/
			n
			p
			s/.*/	depends on !ASHMEM/
		}' "$2"
		;;
	"$staging/Makefile")
		sed 's/(CONFIG_ASHMEM)/(CONFIG_ASHMEM_STAGING)/' "$2"
		;;
	esac
}

# Reverts the edits.
unedit()
{
	case $1 in
	drivers/android/Kconfig)
		awk -v line="source \"$driver/Kconfig\"" '
		$0 == line { skip = 1; next }
		skip-- == 1 && $0 == "" { next }
		{ skip = 0; print }
		' "$2"
		;;
	drivers/android/Makefile)
		# shellcheck disable=SC2016 # a variable of make
		sed '/^obj-\$(CONFIG_ASHMEM)\t\t\t+= ashmem\/$/d' "$2"
		;;
	"$staging/Kconfig")
		sed '/^config ASHMEM_STAGING$/,/^	depends on !ASHMEM$/{
			s/^config ASHMEM_STAGING$/config ASHMEM/
			/^	depends on !ASHMEM$/d
		}' "$2"
		;;
	"$staging/Makefile")
		sed 's/(CONFIG_ASHMEM_STAGING)/(CONFIG_ASHMEM)/' "$2"
		;;
	esac
}

# The files of the tree that are edited.
edited()
{
	echo drivers/android/Kconfig
	echo drivers/android/Makefile
	if grep -qsxE 'config ASHMEM(_STAGING)?' "$tree/$staging/Kconfig"; then
		echo "$staging/Kconfig"
		echo "$staging/Makefile"
	fi
}

# Replaces file $1 of the tree by $2, if they differ. Does not write to the file, which may be
# hard-linked into another tree.
replace()
{
	if cmp -s "$2" "$tree/$1"; then
		return
	fi
	cp -p "$tree/$1" "$tree/$1.ashmem-new"
	cat "$2" >"$tree/$1.ashmem-new"
	mv "$tree/$1.ashmem-new" "$tree/$1"
}

check_tree
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

for file in $(edited); do
	mkdir -p "$tmp/a/${file%/*}" "$tmp/b/${file%/*}"
	unedit "$file" "$tree/$file" >"$tmp/a/$file"
	edit "$file" "$tmp/a/$file" >"$tmp/b/$file"
	unedit "$file" "$tmp/b/$file" | cmp -s - "$tmp/a/$file" ||
		die "$file doesn't look as expected, nothing was changed"
	if cmp -s "$tmp/a/$file" "$tmp/b/$file"; then
		die "found no place in $file, nothing was changed"
	fi
done

remove_links()
{
	[ -d "$tree/$driver" ] || return 0
	find "$tree/$driver" \( -type l -o -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '*.o.d' -o -name '*.a' \
		-o -name modules.order \) -delete
	find "$tree/$driver" -depth -type d -empty -delete
	if [ -e "$tree/$driver" ]; then
		die "left alone, as it isn't ours: $(find "$tree/$driver" -type f | head -n 1)"
	fi
}

case $mode in
link)
	# Also links to files that are gone here.
	remove_links
	sources | while read -r file; do
		mkdir -p "$tree/${file%/*}"
		ln -s "$top/$file" "$tree/$file"
	done
	ln -sfn "$top/$uapi" "$tree/$uapi"
	for file in $(edited); do
		replace "$file" "$tmp/b/$file"
	done
	echo "linked into Linux $version: CONFIG_ASHMEM=y or m, in $tree"
	;;
remove)
	remove_links
	rm -f "$tree/$uapi"
	for file in $(edited); do
		replace "$file" "$tmp/a/$file"
	done
	echo "removed from Linux $version in $tree"
	;;
patch)
	version_here=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
	for file in $(edited); do
		diff -u --label "a/$file" --label "b/$file" "$tmp/a/$file" "$tmp/b/$file" ||
			[ $? -eq 1 ]
	done
	for file in $(sources) "$uapi"; do
		# Copies don't see dkms.conf.
		sed "/^ashmem-version := /{
			N
			s/.*/ashmem-version := $version_here/
		}" "$top/$file" |
			diff -u --label /dev/null --label "b/$file" /dev/null - ||
			[ $? -eq 1 ]
	done
	;;
esac
