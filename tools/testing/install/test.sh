#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: test.sh [--short]
#
# Builds the package and takes it through installation, boots, upgrades and
# removal in whole systems of the kernels' suites. --short takes one suite,
# bookworm, and boots it once, with containers. The last line is "N passed, N failed".
#
# Variables, besides those of 'make help':
#	SCENARIO="by_hand"	only these of the functions in scenarios.sh; all
#				packages are built with "libraries" only
#	PACKAGES=dir		these packages, as built from the tarball TARBALL (with
#				--short; make distcheck); also the library's are tested

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"
# shellcheck source=tools/testing/qemu/guests.sh
. "$bed/guests.sh"

short=
if [ "${1:-}" = --short ]; then
	short=--short
	shift
	: "${KERNEL:=6.1}"
fi
[ $# -eq 0 ] || die "usage: test.sh [--short] (see KERNEL= in 'make help')"
for name in ${SCENARIO:-}; do
	grep -q "scenario $name\( \|$\)" "$here/scenarios.sh" ||
		die "no scenario '$name', known are: $(sed -n \
			's/^.*[^a-z]scenario \([a-z_]*\).*/\1/p' "$here/scenarios.sh" |
			sort -u | tr '\n' ' ')"
done
need_root ${short:+"$short"}
for kernel in ${KERNEL:=$(kernels)}; do
	suite=$(kernel_suite "$kernel")
done

begun=$(date +%s)
tmp=$(mktemp -d)
mkdir -p "$out/install"
trap 'end_jobs; hand_back "$out/install"; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
# Builds $tmp/$1.deb of the version $2 from a tree that the command $3 changed.
build_deb()
{
	if ! "$top/tools/scripts/deb.sh" -e "$3" "$tmp/debs" >"$tmp/log" 2>&1; then
		cat "$tmp/log" >&2
		die "the package '$1' could not be built"
	fi
	mv "$tmp/debs"/ashmem-dkms_*_all.deb "$tmp/$1.deb"
	echo "$2" >"$tmp/$1.version"
}

say "building packages ..."
newer=$version+newer
broken=$version+broken
# shellcheck disable=SC2016 # expanded where the copy is changed
rename='sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$VERSION\"/" dkms.conf
	sed -i "1s/(.*)/($VERSION-1)/" debian/changelog'
if [ -n "${PACKAGES:-}" ]; then
	cp "$PACKAGES"/ashmem-dkms_*_all.deb "$tmp/current.deb"
	echo "$version" >"$tmp/current.version"
	ln -s "$PACKAGES" "$tmp/all"
else
	build_deb current "$version" :
fi
build_deb newer "$newer" "VERSION=$newer; $rename"
build_deb broken "$broken" "VERSION=$broken; $rename
	echo '#error planted' >>drivers/android/ashmem/main.c"

other_formats()
{
	("$here/formats.sh" "$tmp/current.deb" ${TARBALL:+"$TARBALL"} ||
		echo "not ok - formats.sh ran through") >"$tmp/formats.said" 2>&1
}

# All packages, and the formats of other systems.
case $short" ${SCENARIO:-libraries} " in
--short*)
	if [ -n "${PACKAGES:-}" ]; then
		: >"$tmp/packages.said"
		other_formats &
	fi
	;;
*" libraries "*)
	{
		echo "# packages"
		if "$top/tools/scripts/deb.sh" "$tmp/all" >"$out/install/deb.log" 2>&1; then
			echo "ok - make deb: built, and lintian found nothing"
		else
			cat "$out/install/deb.log"
			echo "not ok - make deb: built, and lintian found nothing"
		fi
	} >"$tmp/packages.said" 2>&1
	other_formats &
	;;
esac

mkdir "$tmp/guest"
cp "$tmp"/current.* "$tmp"/newer.* "$tmp/guest/"
make -s -C "$here" OUTPUT="$tmp/guest" all

for kernel in $KERNEL; do
	"$here/root.sh" "$kernel" >/dev/null
done

# Counts the checks in what was said in the file $1.
count()
{
	awk '/^ok/ { p++ } /^not ok/ { f++ } END { print p + 0, f + 0, 0 }' "$1"
}

# Takes the package through its life in the system of kernel $1.
try_guest()
{
	said=$tmp/$1.said
	"$here/scenarios.sh" $short "$1" "$tmp" || true
	tail -n 1 "$said" | grep -qx 'done' ||
		echo "not ok - $1: went through all scenarios"
	count "$said" >"$tmp/$1.counts"
}

# Those with most boots first, so that none of them is left for the end.
# shellcheck disable=SC2086 # a list
printf '%s\n' $KERNEL >"$tmp/wanted"
# shellcheck disable=SC2086
order=$(printf '%s\n' 6.12 6.1 $KERNEL | grep -xF -f "$tmp/wanted" | awk '!seen[$1]++')
time='five to ten minutes'
[ -z "$short" ] || time='three minutes'
# shellcheck disable=SC2086
say "the systems of" $order "($time for each) ..."
# shellcheck disable=SC2086
run_guests $order
wait
if [ -e "$tmp/formats.said" ]; then
	echo
	cat "$tmp/packages.said" "$tmp/formats.said" | tee "$tmp/others.said"
	read -r p f _ <<<"$(count "$tmp/others.said")"
	passed=$((passed + p))
	failed=$((failed + f))
fi

echo
echo "logs: $out/install; seconds: $(($(date +%s) - begun))"
total
