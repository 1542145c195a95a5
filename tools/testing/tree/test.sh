#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: test.sh
#
# Proves tools/scripts/link-into-tree.sh: that it refuses what it should, that the
# driver builds in the tree of each kernel in the ways of the file configs, and
# that nothing is left of it when it is taken out. A warning fails a build. The last
# line is "N passed, N failed".
#
# Variables, besides those of 'make help':
#	KSRC=dir		not these, but this source of 5.10 or later; then also boots
#				a small kernel of it and runs all tests there (matrix.sh)

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/tree/lib.sh
. "$here/lib.sh"

[ $# -eq 0 ] || die "usage: test.sh (see KERNEL= and TEST= in 'make help')"
if [ -n "${KSRC:-}" ]; then
	KERNEL=given
	KSRC=$(cd "$KSRC" && pwd)
	export KSRC
fi
for kernel in ${KERNEL:=$(kernels)}; do
	suite=$(kernel_suite "$kernel")
done
need_root
link=$top/tools/scripts/link-into-tree.sh
logs=$out/tree
rm -rf "$logs"
mkdir -p "$logs"
tmp=$(mktemp -d)
patched=
trap 'hand_back "$logs"; rm -rf "$tmp" ${patched:+"$patched"}' EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0

# check NAME COMMAND...: is the command content?
check()
{
	name=$1
	shift
	if ! echo "$name" | grep -qE -e "${TEST:-}"; then
		return
	fi
	if "$@" >"$tmp/said" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		sed 's/^/#   /' "$tmp/said" | tail -n 30
	fi
}

# --- The script itself, on trees that are mostly empty

# A tree of version $2.$3 as directory $1.
make_tree()
{
	mkdir -p "$1/mm" "$1/drivers/android" "$1/include/uapi/linux"
	printf 'VERSION = %s\nPATCHLEVEL = %s\n' "$2" "$3" >"$1/Makefile"
	: >"$1/mm/shmem.c"
	printf 'menu "Android"\n\nendmenu\n' >"$1/drivers/android/Kconfig"
	# shellcheck disable=SC2016 # a variable of make
	echo 'obj-$(CONFIG_ANDROID_BINDER_IPC) += binder.o' >"$1/drivers/android/Makefile"
}

listing()
{
	(cd "$1" && find . -printf '%P %y %l\n' | sort &&
		find . -type f -exec sha256sum {} + | sort)
}

# refused DIRECTORY REASON: all three modes fail with the reason, nothing changes.
refused()
{
	listing "$1" >"$tmp/before" 2>/dev/null || true
	for flag in "" --patch --remove; do
		if "$link" ${flag:+"$flag"} "$1" >"$tmp/out" 2>"$tmp/err"; then
			if [ "$flag" = --remove ] && [ "${3:-}" = removable ]; then
				continue
			fi
			echo "link-into-tree.sh $flag was content"
			return 1
		fi
		grep -q "$2" "$tmp/err" || {
			cat "$tmp/err"
			return 1
		}
		[ ! -s "$tmp/out" ] || return 1
	done
	listing "$1" >"$tmp/after" 2>/dev/null || true
	cmp "$tmp/before" "$tmp/after"
}

manners()
{
	check "refuses what isn't there" refused "$tmp/nowhere" 'no such directory'
	check "refuses a directory that is no kernel source" refused "$top/Documentation" 'not a kernel source tree'
	make_tree "$tmp/headers" 6 1
	rm "$tmp/headers/mm/shmem.c"
	check "refuses mere headers" refused "$tmp/headers" 'not a whole kernel source tree'
	make_tree "$tmp/old" 5 9
	check "refuses 5.9" refused "$tmp/old" 'this is Linux 5.9; the driver is for 5.10 to 7.3'
	make_tree "$tmp/new" 7 4
	check "refuses 7.4" refused "$tmp/new" 'this is Linux 7.4; the driver is for'
	make_tree "$tmp/own" 6 6
	mkdir "$tmp/own/drivers/android/ashmem"
	: >"$tmp/own/drivers/android/ashmem/Makefile"
	check "refuses a driver of the same name" refused "$tmp/own" 'has a drivers/android/ashmem that is not ours'
	make_tree "$tmp/uapi" 6 6
	: >"$tmp/uapi/include/uapi/linux/ashmem.h"
	check "refuses a header of the same name" refused "$tmp/uapi" 'ashmem.h that is not ours'
	make_tree "$tmp/other" 6 6
	mkdir "$tmp/other/drivers/misc"
	echo 'config ASHMEM' >"$tmp/other/drivers/misc/Kconfig"
	check "refuses another CONFIG_ASHMEM" refused "$tmp/other" \
		'has another ashmem, in drivers/misc/Kconfig' removable
	make_tree "$tmp/strange" 6 6
	echo '# no menu' >"$tmp/strange/drivers/android/Kconfig"
	check "refuses a Kconfig that it can't read" refused "$tmp/strange" \
		'found no place in drivers/android/Kconfig'
}

# --- Whole kernels

# Is directory $1 as directory $2? Files are links of each other for the most part.
same_tree()
{
	find "$1" -printf '%P %y %m %l\n' | sort >"$tmp/list-1"
	find "$2" -printf '%P %y %m %l\n' | sort >"$tmp/list-2"
	diff "$tmp/list-1" "$tmp/list-2" || return
	find "$1" -type f -printf '%P %i\n' | sort >"$tmp/list-1"
	find "$2" -type f -printf '%P %i\n' | sort >"$tmp/list-2"
	diff "$tmp/list-1" "$tmp/list-2" | awk '/^[<>]/ { print $2 }' |
		sort -u | while read -r file; do
			cmp "$1/$file" "$2/$file" || exit 1
		done
}

# Does the tree have the same files, of the same contents, by links as by a patch?
# That a copy has the version written into it is the one difference.
patch_is_like_links()
{
	for part in drivers/android drivers/staging/android include/uapi/linux/ashmem.h; do
		case $part in
		*/staging/*) [ -e "$1/$part" ] || [ -e "$2/$part" ] || continue ;;
		esac
		diff -r "$1/$part" "$2/$part" || [ $? -eq 1 ] || return 1
	done >"$tmp/diff"
	! grep -E '^([<>]|Only in|File|Binary)' "$tmp/diff" |
		grep -v -e ashmem-version -e realpath
}

try_patch()
{
	patched=$cache/linked/patched.$$
	for how in "git apply" "patch -s -p1 -i"; do
		command -v "${how%% *}" >/dev/null || continue
		rm -rf "$patched"
		cp -al "$dir/root/src/linux" "$patched"
		# shellcheck disable=SC2086 # words of a command
		check "$kernel: '$how' takes the patch" \
			env -C "$patched" GIT_CEILING_DIRECTORIES="$cache/linked" \
			$how "$(realpath "$logs/$kernel.patch")"
		check "$kernel: with $how, the tree is as with links" \
			patch_is_like_links "$copy/linux" "$patched"
		check "$kernel: linking refuses the patched tree" refused "$patched" 'that is not ours; if a patch'
		check "$kernel: 'patch -R' takes all of it back" \
			patch -s -R -p1 -d "$patched" -i "$(realpath "$logs/$kernel.patch")"
		check "$kernel: the tree is as before" same_tree "$dir/root/src/linux" "$patched"
	done
	rm -rf "$patched"
}

# The symbols of option $1, on machine $2; nothing where there is no such option.
symbols()
{
	awk -v option="$1" -v machine="$2" -v kernel="$kernel" '
	$1 == "option" && $2 == option && ($3 == "any" || $3 == machine) &&
	($4 == "any" || index("," $4 ",", "," kernel ",")) {
		for (i = 5; i <= NF; i++)
			print $i
	}' "$here/configs"
}

all_options()
{
	awk '$1 == "option" { print $2 }' "$here/configs" | sort -u
}

# The options of a build: words as in the file configs.
options()
{
	case " $* " in
	*" all "* | *" -"*)
		for option in $(all_options); do
			case " $* " in
			*" -$option "*) ;;
			*) echo "$option" ;;
			esac
		done
		;;
	*)
		[ $# -eq 0 ] || printf '%s\n' "$@"
		;;
	esac
}

kmake()
{
	machine=$1
	shift
	cross=
	if [ "$machine" = arm64 ]; then
		cross=CROSS_COMPILE=aarch64-linux-gnu-
	fi
	# 6.12's kernel-doc, which W=1 runs, wants all of perl; the newest one will do.
	kerneldoc=
	if [ "$kernel" != "$(kernels | tail -n 1)" ]; then
		kerneldoc=cmd_checkdoc=:
	fi
	in_copy "$build" make -s -C /mnt/linux O=/mnt/build ARCH="$machine" \
		${cross:+"$cross"} ${kerneldoc:+"$kerneldoc"} -j"$(nproc)" "$@"
}

# configure MACHINE y|m OPTION...: the smallest kernel with that, and no less.
configure()
{
	machine=$1
	value=$2
	shift 2
	{
		echo "CONFIG_EXPERT=y CONFIG_MODULES=y CONFIG_SHMEM=y CONFIG_TMPFS=y"
		echo "CONFIG_PRINTK=y CONFIG_BUG=y CONFIG_ANDROID=y CONFIG_ASHMEM=$value"
		for option in $(all_options); do
			on=n
			case " $* " in
			*" $option "*) on=y ;;
			esac
			symbols "$option" "$machine" | sed "s/.*/CONFIG_&=$on/"
		done
	} | tr ' ' '\n' >"$tmp/asked"
	mkdir -p "$copy/$build"
	cp "$tmp/asked" "$copy/$build/asked"
	in_copy "$build" make -s -C /mnt/linux O=/mnt/build ARCH="$machine" \
		KCONFIG_ALLCONFIG=/mnt/build/asked allnoconfig || return
	grep -v '=n$\|CONFIG_ANDROID=' "$tmp/asked" | while read -r line; do
		grep -qx "$line" "$copy/$build/.config" || {
			echo "Kconfig won't have $line"
			exit 1
		}
	done || return
	sed -n 's/=n$//p' "$tmp/asked" | while read -r symbol; do
		if grep "^$symbol=" "$copy/$build/.config"; then
			echo "but should not be there"
			exit 1
		fi
	done
}

# compile MACHINE y|m OPTION...: the driver's own objects, in the strictest way.
compile()
{
	configure "$@" || return
	rm -rf "$copy/$build/drivers/android/ashmem"
	kmake "$1" prepare || return
	# 5.10 builds no modules for the name of their directory.
	goal=drivers/android/ashmem/
	if [ "$2" = m ]; then
		goal=${goal}ashmem_linux.o
	fi
	kmake "$1" W=1 "$goal" >"$tmp/log" 2>&1 || {
		cat "$tmp/log"
		return 1
	}
	# The kernel's own headers aren't W=1 clean in all configurations; ours is.
	if grep -i 'warning:' "$tmp/log" |
	   grep -v '^/mnt/linux/include/' ||
	   grep -i '^/mnt/linux/include/uapi/linux/ashmem.h.*warning:' "$tmp/log"; then
		return 1
	fi
	[ -s "$copy/$build/drivers/android/ashmem/main.o" ] || {
		echo "nothing was built"
		return 1
	}
}

# A kernel with the driver in it, then its module for that kernel.
whole()
{
	build=whole
	configure x86_64 y proc sysfs || return
	rm -rf "$copy/$build/drivers/android/ashmem"
	kmake x86_64 vmlinux || return
	in_copy "$build" nm /mnt/build/vmlinux >"$tmp/nm"
	grep -q ' ashmem_mmap$' "$tmp/nm"
}

module()
{
	build=whole
	configure x86_64 m proc sysfs || return
	kmake x86_64 modules >"$tmp/log" 2>&1 || {
		cat "$tmp/log"
		return 1
	}
	if grep -i warning "$tmp/log"; then
		return 1
	fi
	in_copy "$build" modinfo /mnt/build/drivers/android/ashmem/ashmem_linux.ko >"$tmp/info"
	# The version is that of dkms.conf, wherever the tree is.
	grep -x "version: *$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")" \
		"$tmp/info" && grep -x 'intree: *Y' "$tmp/info"
}

# Without $1 there is no ashmem, with any other option.
kconfig_refuses()
{
	build=refuse
	mkdir -p "$copy/$build"
	printf 'CONFIG_%s\n' EXPERT=y MODULES=y SHMEM=y TMPFS=y ANDROID=y ASHMEM=y |
		sed "s/CONFIG_$1=y/CONFIG_$1=n/" >"$copy/$build/asked"
	in_copy "$build" make -s -C /mnt/linux O=/mnt/build ARCH=x86_64 \
		KCONFIG_ALLCONFIG=/mnt/build/asked allnoconfig || return
	grep -q "^CONFIG_$1=y" "$copy/$build/.config" && return 1
	! grep 'CONFIG_ASHMEM=' "$copy/$build/.config"
}

# The kernel's own ashmem builds without ours, and not with it.
original_gives_way()
{
	build=original
	mkdir -p "$copy/$build"
	for ours in y n; do
		printf 'CONFIG_%s\n' EXPERT=y SHMEM=y TMPFS=y ANDROID=y STAGING=y \
			ASHMEM=$ours ASHMEM_STAGING=y >"$copy/$build/asked"
		in_copy "$build" make -s -C /mnt/linux O=/mnt/build ARCH=x86_64 \
			KCONFIG_ALLCONFIG=/mnt/build/asked allnoconfig || return
		if [ "$ours" = y ]; then
			! grep -q '^CONFIG_ASHMEM_STAGING=' "$copy/$build/.config" || return
			grep -x 'CONFIG_ASHMEM=y' "$copy/$build/.config" || return
		else
			grep -x 'CONFIG_ASHMEM_STAGING=y' "$copy/$build/.config" || return
		fi
	done
	kmake x86_64 prepare || return
	kmake x86_64 drivers/staging/android/ashmem.o
}

builds()
{
	awk -v kernel="$kernel" '$1 == "build" && ($3 == "any" || $3 == kernel) {
		$1 = $3 = ""
		print
	}' "$here/configs"
}

try_kernel()
{
	take_copy "$kernel"
	linux=$copy/linux
	"$link" --remove "$linux" >/dev/null
	check "$kernel: the copy is as the source" same_tree "$dir/root/src/linux" "$linux"
	"$link" --patch "$linux" >"$logs/$kernel.patch"
	check "$kernel: the driver is linked" "$link" "$linux"
	listing "$linux/drivers/android" >"$tmp/once"
	"$link" "$linux" >/dev/null
	listing "$linux/drivers/android" >"$tmp/twice"
	check "$kernel: a second time changes nothing" cmp "$tmp/once" "$tmp/twice"
	"$link" --patch "$linux" >"$tmp/patch"
	check "$kernel: the patch is the same from the linked tree" \
		cmp "$tmp/patch" "$logs/$kernel.patch"
	try_patch

	# From here on by the name that the root knows this place by.
	in_copy . /mnt/ashmem/tools/scripts/link-into-tree.sh /mnt/linux >/dev/null
	for symbol in SHMEM TMPFS; do
		check "$kernel: Kconfig refuses ashmem without $symbol" kconfig_refuses "$symbol"
	done
	if grep -qx 'config ASHMEM_STAGING' "$linux/drivers/staging/android/Kconfig" 2>/dev/null; then
		check "$kernel: the original gives way" original_gives_way
	fi
	builds >"$tmp/builds"
	while read -r machine value words <&3; do
		build=build-$machine
		# shellcheck disable=SC2046,SC2086 # lists
		check "$kernel: $machine, CONFIG_ASHMEM=$value${words:+, $words}" \
			compile "$machine" "$value" $(options $words)
	done 3<"$tmp/builds"
	check "$kernel: x86_64, linked into vmlinux" whole
	check "$kernel: x86_64, a module of that kernel" module

	"$link" --remove "$linux" >/dev/null
	check "$kernel: nothing is left of it" same_tree "$dir/root/src/linux" "$linux"
}

# Boots a small kernel of the source and runs the tests there.
try_boot()
{
	say "given: a kernel of it takes ten minutes to build, the tests eight ..."
	KERNEL=given TEST='' EXTRA_MODULES="?zram ?binder_linux:devices=binder" \
		"$bed/matrix.sh" >"$logs/boot.log" 2>&1 || true
	grep -E '^(not ok|ok - given:|\| kernel|\| ---|\|.*plain source)' "$logs/boot.log" || true
	said=$(grep -E '^[0-9]+ passed, ' "$logs/boot.log" | tail -n 1)
	# shellcheck disable=SC2086 # words
	set -- ${said:-0 passed, 1 failed}
	passed=$((passed + $1))
	failed=$((failed + $3))
}

begun=$(date +%s)
manners
for kernel in $KERNEL; do
	say "kernel $kernel: some five minutes ..."
	start=$(date +%s)
	try_kernel
	echo "# $kernel: $(($(date +%s) - start)) s"
done
if [ -n "${KSRC:-}" ] && [ -z "${TEST:-}" ]; then
	try_boot
fi
say "$(($(date +%s) - begun)) s, patches in $logs"
[ $((passed + failed)) -ne 0 ] || die "no check matches TEST=${TEST:-}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
