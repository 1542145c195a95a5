#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: scenarios.sh [--short] KERNEL DEBS
#
# Tests the life of the package in the system of KERNEL: installation, boot, upgrades of the
# kernel and of the package, failures, removal. DEBS holds the
# packages current.deb, newer.deb and broken.deb and guest/ with what is run in
# guests. --short does without kernel upgrades and boots once, with containers.
# Prints "ok - ..." or "not ok - ..." for each thing looked at.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

short=
if [ "${1:-}" = --short ]; then
	short=1
	shift
fi
[ $# -eq 2 ] || die "usage: scenarios.sh [--short] KERNEL DEBS"
kernel=$1
debs=$2
base=$(REFRESH="" "$here/root.sh" "$kernel")
from=$(cat "$base/from")
to=$from
if [ -f "$base/to" ]; then
	to=$(cat "$base/to")
fi
version=$(cat "$debs/current.version")
newer=$(cat "$debs/newer.version")
logs=$out/install/$kernel
rm -rf "$logs"
mkdir -p "$logs"

# In the cache, not in /tmp, which may be a small file system in memory.
work=$(mktemp -d "$cache/installing.XXXXXX")
trap 'stop_qemu; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=tools/testing/install/lib.sh
. "$here/lib.sh"
machine=$(kernel_column "$kernel" machine)
find_qemu "$machine"
choose_machine "$machine" "$(echo "$base/root/boot/vmlinuz-"*)"
guest_files=$work/guest
cp -R "$debs/guest" "$guest_files"
uname=$machine
if [ "$machine" = arm64 ]; then
	uname=aarch64
	# What runs in guests is built by the system's own compiler.
	shown="source $top
guest $guest_files" in_root "$base/root" \
		make -s -B -C /mnt/source/tools/testing/install OUTPUT=/mnt/guest all
fi

purge_is_clean()
{
	check "the package is purged" inside apt-get --quiet --yes purge ashmem-dkms
	check "and nothing of it is left" same_inventory "$work/inventory"
}

# DKMS doesn't build for the kernel $1, whose directory is made up.
refuses()
{
	check "DKMS doesn't build it for $1" not inside dkms build "ashmem/$version" -k "$1"
	check "and says what troubleshooting.rst explains" \
		says 'for module ashmem.* includes a BUILD_EXCLUSIVE directive'
	rm -r "$root/lib/modules/$1"
}

# Kernels that the module isn't for: older than 5.10; Red Hat's; and without TMPFS, where
# DKMS looks at options.
refused()
{
	modules=$root/lib/modules
	for release in 5.4.0-0-amd64 5.14.0-0.el9_4.x86_64; do
		mkdir "$modules/$release"
		ln -s "/lib/modules/$from/build" "$modules/$release/build"
		refuses "$release"
	done
	if grep -q BUILD_EXCLUSIVE_CONFIG "$root/usr/sbin/dkms"; then
		headers=$modules/6.99.0-0-amd64/build
		mkdir -p "$headers/include/config"
		in_root "$root" grep -v '^CONFIG_TMPFS=' "/lib/modules/$from/build/.config" \
			>"$headers/.config"
		cp "$headers/.config" "$headers/include/config/auto.conf"
		refuses 6.99.0-0-amd64
	fi
}

# The helper that the package has installed, with Debian's shell and commands, and in a
# root that has nothing but busybox.
names()
{
	small=$work/small
	helper=/usr/sbin/ashmem-nodes
	check "the package has the rule for udev" grep -F "RUN+=\"$helper" \
		"$root/usr/lib/udev/rules.d/71-ashmem-nodes.rules"
	check "and what LXC includes" grep -x 'lxc.hook.mount = /usr/share/lxc/hooks/ashmem' \
		"$root/usr/share/lxc/config/ashmem.conf"
	nodes_in "$root" "Debian's shell"
	mkdir -p "$small/bin" "$small/dev" "$small/mnt" "$small/proc" "$small/run" \
		"$small/sys" "$small/tmp" "$small/usr/sbin" "$small/usr/share/lxc/hooks"
	cp "$(busybox_path)" "$small/bin/busybox"
	chroot "$small" /bin/busybox --install -s /bin
	cp "$root$helper" "$small$helper"
	cp "$root/usr/share/lxc/hooks/ashmem" "$small/usr/share/lxc/hooks/"
	nodes_in "$small" "busybox's shell"
}

# Each link of README.md that isn't to the network. A lambda of C++ in an indented
# example looks like one.
links_lead()
{
	doc=$root/usr/share/doc/ashmem-dkms
	sed '/^    /d' "$doc/README.md" | grep -o ']([^)]*)' | tr -d '()[]' | grep -v '^http' >"$work/links"
	[ -s "$work/links" ] || return 1
	while read -r link; do
		[ -e "$doc/$link" ] || { echo "no $link"; return 1; }
	done <"$work/links"
}

# What every system goes through.
life()
{
	fresh_root "$base"
	case $1 in
	*in_use*)
		precompile newer "$newer" "$from" "$guest_files"
		precompile current "$version" "$from" "$guest_files"
		;;
	esac >>"$logs/commands.log" 2>&1
	inventory >"$work/inventory"
	check "apt installs the package from its file" apt_install "$debs/current.deb"
	check "DKMS has built it for $from" dkms_has "$version" "$from"
	check "and modprobe picks that module" picked "$from" "$version"
	check "the links of the installed README lead somewhere" links_lead
	names
	if [ -z "$short" ]; then
		boot installed "$from" "$1"
	fi
	if [ -z "$short" ] && [ "$from" != "$to" ]; then
		check "the kernel is upgraded to $to" apt_install "$base/upgrade/"*.deb
		check "DKMS has built the module for it" dkms_has "$version" "$to"
		check "and modprobe picks that module there" picked "$to" "$version"
		if [ -n "$2" ]; then
			boot upgraded "$to" "$2"
		fi
		# The rest of the file names is compared with those of this kernel.
		check "the new kernel's package is removed" inside apt-get --quiet --yes \
			-o APT::Get::AutomaticRemove=true purge "linux-image-$to"
		check "and the module for it" not test -e \
			"$root/lib/modules/$to/updates/dkms"
		fresh_root "$base"
		apt_install "$debs/current.deb" >>"$logs/commands.log"
	fi
	check "the package is upgraded to $newer" apt_install "$debs/newer.deb"
	check "which takes the place of $version" dkms_has "$newer" "$from"
	if [ -z "$short" ]; then
		check "the package is downgraded to $version" \
			apt_install "$debs/current.deb"
		check "which takes the place of $newer" dkms_has "$version" "$from"
		refused
	fi
	purge_is_clean
}

# A build that fails, and no headers to build with.
failures()
{
	fresh_root "$base"
	inventory >"$work/inventory"
	check "apt says so when the build fails" not apt_install "$debs/broken.deb"
	check "the message has the compiler's words" says 'error:.*planted'
	check "and says where the rest and the advice are" \
		says 'What to do: /usr/share/doc/ashmem-dkms/admin-guide/troubleshooting.rst'
	check "the package that is mended installs over it" apt_install "$debs/current.deb"
	check "and has its module" dkms_has "$version" "$from"
	purge_is_clean

	mv "$root/lib/modules/$from/build" "$work/build"
	check "apt installs the package without kernel headers" \
		apt_install "$debs/current.deb"
	check "the message says that and what to install" \
		says "no module was built.*linux-headers|no kernel's headers were found"
	mv "$work/build" "$root/lib/modules/$from/build"
	# What installing headers runs.
	check "the headers' hook builds the module" \
		inside /etc/kernel/header_postinst.d/dkms "$from"
	check "which is there then" dkms_has "$version" "$from"
	check "the package is removed" inside apt-get --quiet --yes remove ashmem-dkms
	check "and nothing of it is left" same_inventory "$work/inventory"
}

# Python and, where its packages were built, a JVM.
install_runtimes()
{
	inside apt-get --quiet --yes --no-install-recommends install python3 ||
		return
	[ -z "$java" ] || inside apt-get --quiet --yes --no-install-recommends install \
		default-jre-headless
}

# The library's tests in Python and Java, to be run by the installed packages.
put_tests()
{
	place=$root/opt/languages
	mkdir -p "$place/lib"
	cp "$top/README.md" "$top/tools/lib/ashmem/tests/lib_python_test.py" "$place/"
	[ -n "$java" ] || return 0
	cp "$top/tools/lib/ashmem/tests/java.sh" "$top/tools/lib/ashmem/tests/purge_shim.c" \
		"$place/"
	javac --release 11 -cp "$root/usr/share/java/ashmem.jar" -d "$place/lib" \
		"$top/tools/lib/ashmem/tests/JavaTest.java" || return
	# As java.sh wants it: all in one directory.
	# shellcheck disable=SC2016 # expanded by the inner shell
	inside sh -euc '
		cd /opt/languages/lib
		ln -s /usr/share/java/ashmem.jar /usr/lib/*/libashmem.so.0 \
			/usr/lib/*/jni/libashmem_jni.so .
		cc $(pkg-config --cflags libashmem) -D_GNU_SOURCE -fPIC -shared -o purge_shim.so \
			../purge_shim.c -ldl'
}

# The packages of the library and of the command, built on the suite or an older
# one: their libc is no newer than the suite's.
libraries()
{
	source=/opt/source
	programs=/opt/programs
	fresh_root "$base"
	java=$(find "$debs/all" -name 'libashmem-java_*.deb')
	[ -n "$short" ] || check "apt installs Python${java:+ and a JVM}" install_runtimes
	inventory >"$work/inventory"
	check "apt installs library, headers and command" \
		apt_install "$debs/all/"libashmem0_*.deb "$debs/all/"libashmem-dev_*.deb \
		"$debs/all/"ashmem-tools_*.deb
	dpkg-deb --contents "$debs/all/"ashmem-doc_*.deb >"$work/doc"
	check "the documentation is there as HTML" \
		grep -q '/ashmem-doc/html/admin-guide/android.html$' "$work/doc"

	mkdir -p "$root$source/debian/tests" "$root$source/tools/lib/ashmem/tests"
	for file in dkms.conf README.md debian/tests/client tools/lib/ashmem/tests/client.c; do
		cp "$top/$file" "$root$source/$file"
	done
	check "the packages' own test passes (debian/tests/client)" \
		inside sh -euc "cd $source; debian/tests/client $programs"
	if [ -n "$short" ]; then
		rm -r "$root$source" "$root$programs"
		check "the packages are purged" \
			inside apt-get --quiet --yes purge libashmem0 libashmem-dev ashmem-tools
		check "and nothing of them is left" same_inventory "$work/inventory"
		return
	fi

	check "apt installs the packages of the languages" apt_install \
		"$debs/all/"python3-ashmem_*.deb ${java:+"$java" "$debs/all/"libashmem-jni_*.deb}
	sed -n '/^    import ashmem$/,/^$/s/^    //p' "$top/README.md" >"$root/readme.py"
	check "README's Python runs" inside python3 /readme.py
	rm "$root/readme.py"
	check "their tests are there" put_tests
	check "apt installs the module beside them" apt_install "$debs/current.deb"
	boot libraries "$from" programs,languages
	rm -r "$root$source" "$root$programs" "$root/opt/languages"
	check "the packages are purged" inside apt-get --quiet --yes purge \
		'libashmem*' python3-ashmem ashmem-tools ashmem-dkms
	check "and nothing of them is left" same_inventory "$work/inventory"
}

# Makes $1 headers of a kernel that was built with clang; it says what it's told.
clang_kernel()
{
	mkdir -p "$1/include/config" "$1/include/generated"
	echo CONFIG_CC_IS_CLANG=y >"$1/include/config/auto.conf"
	echo '#define UTS_RELEASE "6.1.0-clang"' >"$1/include/generated/utsrelease.h"
	# shellcheck disable=SC2016 # make's own
	echo 'modules: ; @echo LLVM=$(LLVM)' >"$1/Makefile"
}

# The tree as a user has it, in the system's directory $1.
copy_sources()
{
	mkdir -p "$root$1"
	tar --create --file=- -C "$top" --exclude=./out --exclude=./.git . |
		tar --extract --file=- --no-same-owner -C "$root$1"
}

# The targets of Makefile, each twice.
by_hand()
{
	# Where the inventory doesn't look: what make leaves there is make's.
	src=/root/ashmem
	module=$root$src/drivers/android/ashmem/ashmem_linux.ko
	kdir=/lib/modules/$from/build
	fresh_root "$base"
	copy_sources "$src"
	inside make -C "$src" clean >>"$logs/commands.log"
	inventory >"$work/inventory"

	check "make without headers says so" not inside make -C "$src" KDIR=/nowhere
	check "and which are wanted" says '^no kernel headers in /nowhere: install'
	clang_kernel "$root/root/clang"
	for given in "" LLVM=-19 CC=gcc; do
		case $given in
		CC=*) taken=LLVM= ;;
		*) taken=${given:-LLVM=1} ;;
		esac
		# shellcheck disable=SC2086 # a word or none
		check "make $given for a kernel of clang" inside make -C "$src" \
			KDIR=/root/clang $given
		check "builds with $taken" says "^$taken\$"
	done
	check "make builds for the kernel of KDIR" inside make -C "$src" KDIR="$kdir"
	check "make sign without a key says so" not inside make -C "$src" KDIR="$kdir" sign
	check "and what to type" says 'make sign KEY=.* CERT='
	for pair in a b; do
		inside openssl req -new -x509 -newkey rsa:2048 -nodes -subj "/CN=$pair/" \
			-keyout "/root/$pair.key" -outform DER -out "/root/$pair.der"
	done >>"$logs/commands.log"
	cp "$module" "$work/unsigned.ko"
	check "make sign with another's certificate says so" not inside make -C "$src" \
		KDIR="$kdir" sign KEY=/root/a.key CERT=/root/b.der
	check "by these words" says "'/root/a.key' does not belong to .* '/root/b.der'"
	check "and leaves the module alone" cmp "$module" "$work/unsigned.ko"
	check "make sign signs" inside make -C "$src" KDIR="$kdir" sign \
		KEY=/root/a.key CERT=/root/a.der
	check "with that key" is "$(in_root "$root" modinfo -F signer \
		"${module#"$root"}")" a
	size=$(wc -c <"$module")
	check "make sign signs again" inside make -C "$src" KDIR="$kdir" sign \
		KEY=/root/b.key CERT=/root/b.der
	check "with the other key" is "$(in_root "$root" modinfo -F signer \
		"${module#"$root"}")" b
	check "instead of the first" is "$(wc -c <"$module")" "$size"

	for time in first second; do
		check "make install, the $time time" inside make -C "$src" KDIR="$kdir" install
		check "without a complaint" not says '[Ee]rror|signing_key'
	done
	file=$(in_root "$root" modinfo -k "$from" -n ashmem_linux)
	check "modprobe picks its module" is "${file%%/drivers/*}" \
		"/lib/modules/$from/updates"
	check "the names in /dev are seen to" test -x "$root/usr/sbin/ashmem-nodes" -a \
		-e "$root/usr/lib/udev/rules.d/71-ashmem-nodes.rules"
	check "which is still signed" is "$(in_root "$root" modinfo -F signer "$file")" b
	for time in first second; do
		check "make uninstall, the $time time" \
			inside make -C "$src" KDIR="$kdir" uninstall
	done
	check "nothing of it is left" same_inventory "$work/inventory"

	check "make install INSTALL_MOD_PATH=dir" inside make -C "$src" KDIR="$kdir" \
		INSTALL_MOD_PATH=/root/stage install
	check "puts ashmem-nodes there" test -x "$root/root/stage/usr/sbin/ashmem-nodes"
	check "and the module, with an index" grep -q 'updates/.*ashmem_linux.ko' \
		"$root/root/stage/lib/modules/$from/modules.dep"
	# As packaging/container/Dockerfile does.
	check "modprobe -d dir would load it" inside modprobe -d /root/stage -S "$from" \
		--dry-run --verbose ashmem_linux
	check "from there" says "^insmod /root/stage/lib/modules/$from/updates/"
	check "make dkms-install DESTDIR=dir" inside make -C "$src" DESTDIR=/root/stage2 \
		dkms-install
	check "puts ashmem-nodes there" test -x "$root/root/stage2/usr/sbin/ashmem-nodes"
	check "and sources" test -f "$root/root/stage2/usr/src/ashmem-$version/Kbuild"
	check "and not a file elsewhere" same_inventory "$work/inventory"

	other=$from-other
	mkdir "$root/lib/modules/$other"
	cp -P "$root$kdir" "$root/lib/modules/$other/build"
	for time in first second; do
		check "make dkms-install, the $time time" inside make -C "$src" KDIR="$kdir" \
			dkms-install
	done
	check "DKMS has it" dkms_has "$version" "$from"
	check "for the other kernel, too" dkms_has "$version" "$other"
	check "make uninstall leaves that of DKMS" inside make -C "$src" KDIR="$kdir" \
		uninstall
	check "which is still picked" picked "$from" "$version"
	check "and the helper that goes with it" test -x "$root/usr/sbin/ashmem-nodes"
	for time in first second; do
		check "make dkms-uninstall, the $time time" inside make -C "$src" dkms-uninstall
	done
	rm -r "${root:?}/lib/modules/$other"
	check "nothing of it is left" same_inventory "$work/inventory"

	# shellcheck disable=SC2016 # expanded by the inner shell
	check "dkms add . && dkms install" inside sh -euc 'cd "$1"; dkms add .
		dkms install "ashmem/$2" -k "$3"' sh "$src" "$version" "$from"
	check "DKMS has it" dkms_has "$version" "$from"
	inside make -C "$src" dkms-uninstall >>"$logs/commands.log"
}

# trixie's kernels have their modules compressed.
without_xz()
{
	fresh_root "$base"
	copy_sources /root/ashmem
	rm "$root/usr/bin/xz"
	check "make install does without xz" inside make -C /root/ashmem \
		KDIR="/lib/modules/$from/build" install
	check "and installs the module as it is" test -f \
		"$root$(in_root "$root" modinfo -k "$from" -n ashmem_linux | grep 'updates/.*ko$')"
}

# Another module of the name: the 5.10 kernel's own, a fork in DKMS, a fork's
# package.
others()
{
	fresh_root "$base"
	own=/lib/modules/$from/kernel/drivers/staging/android/ashmem_linux.ko
	check "modprobe picks the kernel's own module" is \
		"$(in_root "$root" modinfo -k "$from" -n ashmem_linux)" "$own"
	mkdir -p "$root/usr/src/redroid-ashmem-1"
	cat >"$root/usr/src/redroid-ashmem-1/dkms.conf" <<-'CONF'
		PACKAGE_NAME="redroid-ashmem"
		PACKAGE_VERSION="1"
		CLEAN="make clean"
		MAKE[0]="make -C $kernel_source_dir M=$dkms_tree/redroid-ashmem/1/build"
		BUILT_MODULE_NAME[0]="ashmem_linux"
		DEST_MODULE_LOCATION[0]="/updates"
		AUTOINSTALL="yes"
	CONF
	echo 'obj-m := ashmem_linux.o' >"$root/usr/src/redroid-ashmem-1/Makefile"
	printf '%s\n' '#include <linux/module.h>' 'MODULE_LICENSE("GPL");' \
		>"$root/usr/src/redroid-ashmem-1/ashmem_linux.c"
	mkdir -p "$work/fork/DEBIAN"
	printf '%s\n' "Package: anbox-modules-dkms" "Version: 14" "Architecture: all" \
		"Maintainer: test <test@example.org>" "Description: a stand-in" \
		>"$work/fork/DEBIAN/control"
	dpkg-deb --build "$work/fork" "$work/fork.deb" >>"$logs/commands.log"

	check "a fork's package is there" apt_install "$work/fork.deb"
	check "a fork is in DKMS" inside dkms install redroid-ashmem/1 -k "$from"
	check "the package installs" apt_install "$debs/current.deb"
	check "in place of the fork's" says 'Removing anbox-modules-dkms'
	check "it says that DKMS has a fork" says 'DKMS has redroid-ashmem too'
	check "modprobe picks ours" picked "$from" "$version"
	check "what it says to type removes the fork" \
		inside dkms remove redroid-ashmem/1 --all
	rm -r "$root/usr/src/redroid-ashmem-1"
	check "ours is still picked" picked "$from" "$version"
	check "the package is removed" inside apt-get --quiet --yes purge ashmem-dkms
	check "modprobe picks the kernel's own again" is \
		"$(in_root "$root" modinfo -k "$from" -n ashmem_linux)" "$own"
	precompile current "$version" "$from" "$guest_files" >>"$logs/commands.log" 2>&1
	boot original "$from" original
}

# A kernel that has to see signatures, without Secure Boot.
enforced()
{
	fresh_root "$base"
	check "apt installs the package" apt_install "$debs/current.deb"
	boot enforced "$from" unsigned module.sig_enforce=1
}

# The way of a user's machine, from the firmware on; first with a key that the
# firmware doesn't know, then with DKMS's enrolled.
secure_boot()
{
	fresh_root "$base"
	check "apt installs the package" apt_install "$debs/current.deb"
	check "and what writes keys into firmware" apt_install "$base/firmware/tools/"*.deb
	for steps in unsigned loaded; do
		check "a disk with shim and GRUB is made" make_firmware "$base/firmware" \
			"$from" "$(kernel_words "$from" "secure,$steps" /dev/vdb)"
		vars=$work/firmware/vars.fd
		[ "$steps" = unsigned ] || vars=$work/firmware/vars-enrolled.fd
		boot "secure-boot-$steps" "$from" "secure,$steps"
	done
	vars=
}

# Containers of the engines that the suite has. No image of Android is available here: the
# programs in them open and use the device as Android's libcutils does.
containers()
{
	steps=$1
	engines=$("$here/containers.sh" "$kernel")/debs
	fresh_root "$base"
	check "apt installs podman, LXC, and Waydroid if the suite has it" \
		apt_install "$engines"/*.deb
	check "apt installs the package" apt_install "$debs/current.deb"
	printf '%s\n' root:100000:65536 user:200000:65536 |
		tee "$root/etc/subuid" >"$root/etc/subgid"

	android=$guest_files/android
	mkdir -p "$android/bin" "$android/dev" "$android/proc" "$android/sys" \
		"$android/tmp" "$android/run" "$android/var" "$android/data" "$android/etc"
	make -s -C "$top/tools/testing/selftests/ashmem" OUTPUT="$work/tests" \
		LDFLAGS=-static \
		KSELFTEST_DIR="$("$bed/source.sh")/tools/testing/selftests" \
		"$work/tests/android_test"
	make -s -C "$top/tools/ashmem" OUTPUT="$work/command" LDFLAGS=-static all
	cp "$(busybox_path)" "$work/tests/android_test" "$here/clients" "$android/bin/"
	ln -s busybox "$android/bin/sh"
	ln -s busybox "$android/bin/mv"
	ln -s busybox "$android/bin/sleep"
	cp "$here/containers" "$work/tests/android_test" "$work/command/ashmem" \
		"$guest_files/"
	if [ -z "$short" ] && [ -e "$root/usr/bin/waydroid" ]; then
		steps=$steps,waydroid
		waydroid_images
	fi
	# Engines in Go and Python, on an emulated processor.
	seconds=${TIMEOUT:-}
	TIMEOUT=${seconds:-3000}
	# Waydroid wants SSSE3.
	cpu=max
	boot containers "$from" "$steps"
	TIMEOUT=$seconds
	cpu=
	rm -r "$android" "$guest_files/containers" "$guest_files/android_test" \
		"$guest_files/ashmem"
}

# What Waydroid takes for an Android: init is clients, which does what /data/wanted says.
waydroid_images()
{
	images=$root/usr/share/waydroid-extra/images
	system=$work/system
	mkdir -p "$images" "$work/vendor/etc"
	cp -a "$android" "$system"
	mkdir -p "$system/system" "$system/vendor" "$system/mnt_extra" "$system/odm_extra"
	echo 'ro.build.version.sdk=33' >"$system/system/build.prop"
	# shellcheck disable=SC2016 # expanded in the container
	printf '%s\n' '#!/bin/sh' 'export PATH=/bin' 'read -r wanted </data/wanted' \
		'exec /bin/clients --wait "$wanted"' >"$system/init"
	chmod +x "$system/init"
	: >"$work/vendor/waydroid.prop"
	mkfs.ext4 -q -F -d "$system" "$images/system.img" 16M
	mkfs.ext4 -q -F -d "$work/vendor" "$images/vendor.img" 4M
	rm -r "$system" "$work/vendor"
}

# Runs a scenario, by its name and its arguments, if it is wanted.
scenario()
{
	case " ${SCENARIO:-$1} " in
	*" $1 "*) "$@" ;;
	esac
}

case ${short:-$kernel} in
1)
	life "" ""
	containers containers_short
	if [ -d "$debs/all" ]; then
		libraries
	fi
	;;
5.10)
	scenario others
	scenario life loaded ""
	scenario enforced
	scenario failures
	;;
6.1)
	scenario life loaded,udev,in_use,remove loaded
	scenario failures
	scenario by_hand
	scenario libraries
	scenario containers podman,lxc
	;;
*-arm64)
	scenario life loaded,in_use,remove loaded
	;;
*)
	scenario without_xz
	scenario life loaded loaded
	scenario containers podman,lxc
	if [ -d "$base/firmware" ]; then
		scenario secure_boot
	fi
	;;
esac
echo "done"
