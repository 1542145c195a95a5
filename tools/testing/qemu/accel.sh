#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: accel.sh VMLINUZ
#
# Prints the accelerator for QEMU's -accel: kvm if a guest with this kernel ran
# to its first process under it, else tcg. It is not enough that /dev/kvm can be opened: on
# some hosts the guest then hangs. The answer is valid until the host's next boot.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: accel.sh VMLINUZ"
tcg=tcg,thread=multi

if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
	echo "$tcg"
	exit 0
fi

known=$cache/accel-$(cat /proc/sys/kernel/random/boot_id)
if [ ! -s "$known" ]; then
	say "trying a guest under KVM (10 s at most) ..."
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM

	mkdir -p "$tmp/root/bin" "$tmp/root/dev"
	cp "$(busybox_path)" "$tmp/root/bin/busybox"
	cat >"$tmp/root/init" <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox mount -t devtmpfs dev /dev
		echo alive >/dev/ttyS1
		/bin/busybox poweroff -f
	INIT
	chmod +x "$tmp/root/init"
	pack_initramfs "$tmp/root" >"$tmp/initramfs"
	: >"$tmp/answer"
	timeout --kill-after=2 10 qemu-system-x86_64 -accel kvm -M q35 -m 256 \
		-nodefaults -display none -no-reboot -kernel "$1" \
		-initrd "$tmp/initramfs" -append "console=ttyS0 panic=-1 quiet" \
		-serial null -serial "file:$tmp/answer" \
		</dev/null >/dev/null 2>&1 || true

	rm -f "$cache"/accel-*
	if grep -q alive "$tmp/answer"; then
		echo kvm >"$known"
	else
		echo "$tcg" >"$known"
	fi
	say "guests run under $(cat "$known")"
fi
cat "$known"
