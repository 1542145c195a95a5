# shellcheck shell=sh disable=SC2034,SC2154 # most is used, or set, by the script that sources this
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel trees with the driver in them. Sourced after lib.sh of the test bed.

# Finds or makes a copy of the source of kernel $1 that may be changed, and a place
# for builds beside it; both are ours until the script ends. Sets $dir to the
# directory of tree.sh and $copy to that of the copy.
take_copy()
{
	dir=$(REFRESH="" "$bed/tree.sh" "$1")
	copy=$cache/linked/${dir##*/}
	lock "linked-$1"
	if [ -d "$copy" ] && [ -z "${REFRESH:-}" ]; then
		return
	fi
	mkdir -p "$cache/linked"
	find "$cache/linked" -mindepth 1 -maxdepth 1 -name "$1-*" -exec rm -rf {} +
	mkdir "$copy.tmp"
	# Links of files: what changes one has to put another in its place.
	cp -al "$dir/root/src/linux" "$copy.tmp/linux"
	mv "$copy.tmp" "$copy"
}

# Runs a command in the root of that kernel, which finds this repository as
# /mnt/ashmem, the copy as /mnt/linux, and directory $1 of the builds as /mnt/build.
in_copy()
{
	mkdir -p "$copy/$1"
	shown="ashmem $top
linux $copy/linux
build $copy/$1"
	shift
	in_root "$dir/root" "$@"
}

# Takes away the driver's objects in directory $1 of the builds that weren't made of
# what the sources are now. make would go by their age, but the same build serves
# several checkouts, and what is older here may be newer there.
drop_stale_objects()
{
	objects=$copy/$1/drivers/android/ashmem
	mkdir -p "$copy/$1"
	(cd "$top" && find include/uapi drivers/android/ashmem -type f \
		\( -name '*.[ch]' -o -name 'K*' \) ! -name '*.mod.c' \
		-exec sha256sum {} + | sort -k 2) >"$copy/$1/sources.new"
	# Of a file that is there twice, or no longer, the contents aren't those.
	changed=$(sort "$copy/$1/sources.new" "$copy/$1/sources" 2>/dev/null | uniq -u |
		awk '{ print $2 }' | sort -u)
	case $changed in
	*.h* | *K*) rm -rf "$objects" ;;
	*)
		for file in $changed; do
			file=${file#drivers/android/ashmem/}
			rm -f "$objects/${file%.c}.o"
		done
		;;
	esac
	mv "$copy/$1/sources.new" "$copy/$1/sources"
}
