# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scenarios share: systems in directories, changed by chroot and booted
# from images made of them. Sourced after qemu/lib.sh, with $here, $work (for what
# may go at the end) and $logs set.

# shellcheck disable=SC2154 # set by the script that sources this
root=$work/root
said=$work/said

# check TEXT COMMAND...: one test. What a failed one said is shown.
check()
{
	text=$1
	shift
	if "$@" >"$said" 2>&1; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		tail -n 25 "$said" | sed 's/^/#   /'
	fi
	cat "$said" >>"$logs/commands.log"
}

not()
{
	! "$@"
}

# True if what the last checked command said has pattern $1.
says()
{
	grep -E "$1" "$said.last"
}

is()
{
	[ "$1" = "$2" ] || { echo "is '$1', not '$2'"; return 1; }
}

# A fresh system of the kernel $1, from the cache.
fresh_root()
{
	rm -rf "$root"
	cp -a "$1/root" "$root"
}

inside()
{
	status=0
	in_root "$root" "$@" >"$said.last" 2>&1 || status=$?
	cat "$said.last"
	return "$status"
}

# Checks ashmem-nodes in the root directory $1, named $2 in what is said. The root is
# one of a mount namespace, not of chroot, in which no user namespace can be made.
nodes_in()
{
	mkdir -p "$1/opt/cdi"
	cp "$here/nodes" "$1/opt/nodes"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount sh -euc '
		cd "$1"
		mount --bind . "$1"
		cd "$1"
		mount -t proc proc proc
		pivot_root . mnt
		exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
			/bin/sh -c "umount -l /mnt; exec /bin/sh /opt/nodes /opt/cdi"
	' sh "$1" >"$work/nodes.said" 2>&1 || true
	cat "$work/nodes.said" >>"$logs/commands.log"
	grep -E '^(not ok|#  )' "$work/nodes.said" || true
	check "ashmem-nodes in $2: ends after $(grep -c '^ok' "$work/nodes.said") checks" \
		grep -x 'done' "$work/nodes.said"
	for json in "$1"/opt/cdi/*.json; do
		check "ashmem-nodes in $2: ${json##*/} is JSON" python3 -m json.tool "$json"
	done
	rm -r "$1/opt/cdi" "$1/opt/nodes"
	# Of mount(8).
	rmdir "$1/run/mount" 2>/dev/null || true
}

# Installs packages, given by their files, with apt.
apt_install()
{
	mkdir -p "$root/var/tmp/packages"
	cp "$@" "$root/var/tmp/packages/"
	status=0
	inside sh -c 'apt-get --quiet --yes --allow-downgrades install \
		/var/tmp/packages/*.deb' || status=$?
	rm -rf "$root/var/tmp/packages"
	return "$status"
}

# Everything that a package could leave behind: names and types of all files, and the output
# of depmod. Without the data of dpkg, apt and journals, and the key that DKMS makes once.
inventory()
{
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/log \
		-o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
		-o -path './var/lib/dkms/mok.*' -o -path ./root \) -prune \
		-o -printf '%p %y %m %l\n' | sort
	find . -path './lib/modules/*/modules.dep' -o \
		-path './usr/lib/modules/*/modules.dep' | sort |
		xargs sha256sum)
}

same_inventory()
{
	inventory >"$work/inventory.now"
	diff "$1" "$work/inventory.now"
}

# True if DKMS has the module of version $1 installed for the kernel $2, and no
# other version of it. DKMS 2.8 puts a comma where later ones put a slash.
dkms_has()
{
	in_root "$root" dkms status -m ashmem | sed 's|^ashmem/|ashmem, |' \
		>"$work/status"
	cat "$work/status"
	grep -F "ashmem, $1, $2, $uname: installed" "$work/status" &&
		not grep -v -F "ashmem, $1, " "$work/status"
}

# True if the module file that modprobe would pick for the kernel $1 is DKMS's,
# was built for that kernel and has the version $2.
picked()
{
	file=$(in_root "$root" modinfo -k "$1" -n ashmem_linux)
	case $file in
	"/lib/modules/$1/updates/dkms/"*) ;;
	*) echo "modprobe picks $file"; return 1 ;;
	esac
	is "$(in_root "$root" modinfo -F vermagic "$file" | cut -d ' ' -f 1)" "$1" &&
		is "$(in_root "$root" modinfo -F version "$file")" "$2"
}

# Compiles the module of package $1, version $2, for the kernel $3 where DKMS will
# do it, and keeps all as $1.built in $4. An emulated processor takes minutes for
# what then only has to be linked; make itself decides that it's up to date. For
# a system that has none of the packages yet.
precompile()
{
	build=/var/lib/dkms/ashmem/$2/build
	mkdir -p "$root$build"
	dpkg-deb --fsys-tarfile "$debs/$1.deb" |
		tar --extract --file=- --strip-components=4 -C "$root$build" \
			"./usr/src/ashmem-$2"
	inside make -C "/lib/modules/$3/build" M="$build" -j2 modules
	rm -rf "$4/$1.built"
	cp -a "$root$build" "$4/$1.built"
	rm -rf "$root/var/lib/dkms/ashmem"
}

# Makes the files of $work/firmware that a machine with Secure Boot has: shim, GRUB
# and kernel $2 as Debian signs them in esp.img, of the packages in $1, the firmware
# with Microsoft's keys in vars.fd, and vars-enrolled.fd with DKMS's certificate
# enrolled as MokManager does it. The kernel's words are $3.
make_firmware()
{
	rm -rf "$work/firmware"
	mkdir -p "$work/firmware/tree"
	for package in "$1"/*.deb; do
		dpkg-deb --extract "$package" "$work/firmware/tree"
	done
	esp=$work/firmware/esp.img
	truncate -s 96M "$esp"
	mformat -i "$esp" -F ::
	mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/EFI/debian
	mcopy -i "$esp" "$work/firmware/tree/usr/lib/shim/shimx64.efi.signed" \
		::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$esp" "$work/firmware/tree/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" \
		::/EFI/BOOT/grubx64.efi
	mcopy -i "$esp" "$root/boot/vmlinuz-$2" ::/vmlinuz
	mcopy -i "$esp" "$root/boot/initrd.img-$2" ::/initrd
	printf '%s\n' 'set timeout=0' "linux /vmlinuz $3" 'initrd /initrd' boot |
		mcopy -i "$esp" - ::/EFI/debian/grub.cfg
	cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$work/firmware/vars.fd"
	mkdir -p "$root/root/firmware"
	cp "$work/firmware/vars.fd" "$root/root/firmware/"
	openssl x509 -inform DER -in "$root/var/lib/dkms/mok.pub" \
		-out "$root/root/firmware/mok.pem"
	# The owner's GUID is any; this is shim's own.
	inside virt-fw-vars --input /root/firmware/vars.fd \
		--output /root/firmware/enrolled.fd \
		--add-mok 605dab50-e046-4300-abb6-3dd810dd8b23 /root/firmware/mok.pem
	mv "$root/root/firmware/enrolled.fd" "$work/firmware/vars-enrolled.fd"
	rm -rf "$root/root/firmware" "$work/firmware/tree"
}

# The words of the kernel's command line for the release $1, the steps $2 and the
# root device $3. What no test needs costs an emulated processor half a minute:
# logins, drivers of a desktop, a line on the serial console for each unit.
kernel_words()
{
	# shellcheck disable=SC2154 # of qemu/lib.sh
	echo "root=$3 rw $guest_words quiet" \
		"systemd.show_status=false systemd.mask=getty-static.service" \
		"systemd.mask=getty@.service systemd.mask=serial-getty@ttyS0.service" \
		"systemd.mask=serial-getty@ttyAMA0.service" \
		"modprobe.blacklist=drm,psmouse,pcspkr,i2c_i801,lpc_ich,evdev,serio_raw" \
		"ashmem.release=$1 ashmem.steps=$2"
}

# boot NAME RELEASE STEPS [WORDS]: boots an image of the system as it is with the
# kernel RELEASE, and prints what the steps found. With $vars, a firmware's
# variables, it boots by that firmware and what make_firmware made. $cpu is another
# processor than QEMU's usual one.
vars=
cpu=
boot()
{
	name=$1
	release=$2
	steps=$3
	words=${4:-}
	place=$root/opt/ashmem-test
	image=$work/$name.img
	mkdir -p "$place"
	cp -a "$here/guest" "$guest_files"/* "$place/"
	cp "$here/ashmem-test.service" "$root/etc/systemd/system/"
	ln -s /etc/systemd/system/ashmem-test.service \
		"$root/etc/systemd/system/multi-user.target.wants/"
	mkfs.ext4 -q -F -d "$root" "$image" 4G >"$logs/$name.mkfs" 2>&1
	cp "$root/boot/initrd.img-$release" "$work/initrd"
	cp "$root/boot/vmlinuz-$release" "$work/vmlinuz"
	rm -rf "$place" "$root/etc/systemd/system/ashmem-test.service" \
		"$root/etc/systemd/system/multi-user.target.wants/ashmem-test.service"

	if [ -n "$vars" ]; then
		# OVMF keeps its variables behind SMM when Secure Boot is on.
		set -- -accel "$accel" -M q35,smm=on \
			-global driver=cfi.pflash01,property=secure,value=on \
			-drive "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd" \
			-drive "if=pflash,unit=1,format=raw,file=$vars" \
			-drive "file=$work/firmware/esp.img,if=virtio,format=raw,index=0" \
			-drive "file=$image,if=virtio,format=raw,cache=unsafe,index=1"
	else
		# shellcheck disable=SC2086 # a list of words
		set -- $machine_words -kernel "$work/vmlinuz" -initrd "$work/initrd" \
			-append "$(kernel_words "$release" "$steps" /dev/vda) $words" \
			-drive "file=$image,if=virtio,format=raw,cache=unsafe"
	fi
	: >"$logs/$name.log"
	# shellcheck disable=SC2154 # set by the script that sources this
	run_qemu "$logs/$name.qemu" "${TIMEOUT:-900}" -smp 2 -m 1024 \
		"$@" ${cpu:+-cpu "$cpu"} \
		-serial "file:$logs/$name.console" -serial "file:$logs/$name.log" ||
		true
	rm -f "$image"
	tr -d '\r' <"$logs/$name.log" | grep -E '^(ok|not ok|#)' || true
	if [ "$(tr -d '\r' <"$logs/$name.log" | tail -n 1)" = 'verdict: done' ]; then
		echo "ok - $name: booted, and ran all steps"
	else
		echo "not ok - $name: booted, and ran all steps"
		# Without what moves a cursor, and with an end to its last line.
		tail -n 15 "$logs/$name.console" | tr -cd '\n -~' | awk '{ print "#   " $0 }'
	fi
}
