# shellcheck shell=sh disable=SC2034 # most is used by whoever sources this
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts of the test bed share. Sourced with $bed set to the directory
# that holds this file.

# shellcheck disable=SC2154 # set by whoever sources this
top=$(cd "$bed/../../.." && pwd)
cache=${ASHMEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ashmem}
out=${OUT:-$top/out}
# Made as the user, so that parts which run as root don't come to own them.
mkdir -p "$cache/roots" "$cache/trees" "$cache/builds" "$cache/locks" "$out"

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# Puts a QEMU that can be relied on before those of PATH.
find_qemu()
{
	found=$(REFRESH="" "$bed/emulator.sh")
	PATH=${found:+$found:}$PATH
}

# A guest of which nothing is there that isn't asked for.
bare_qemu="qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot"

# Runs QEMU, with the arguments from $3 on, for $2 s at the most; what it says
# itself is in $1. Returns its status, which is 124 or 137 if time was up. It is in
# the background, so that a signal that ends the script needn't wait for it; the
# script's cleanup calls stop_qemu.
qemu=
run_qemu()
{
	qemu_log=$1
	qemu_seconds=$2
	shift 2
	# shellcheck disable=SC2086 # a list of words
	timeout --kill-after=5 "$qemu_seconds" $bare_qemu "$@" \
		</dev/null >"$qemu_log" 2>&1 &
	qemu=$!
	qemu_status=0
	wait "$qemu" || qemu_status=$?
	qemu=
	return "$qemu_status"
}

stop_qemu()
{
	if [ -n "$qemu" ]; then
		kill "$qemu" 2>/dev/null || true
		wait "$qemu" 2>/dev/null || true
	fi
}

# All kernels of the table, oldest first.
kernels()
{
	sed -n 's/^\([0-9][0-9.]*\)[[:space:]].*/\1/p' "$bed/kernels"
}

# Column $2 of the table's row for kernel $1; nothing if there is none.
kernel_column()
{
	awk -v kernel="$1" -v column="$2" '$1 == kernel { print $column }' \
		"$bed/kernels"
}

# The suite of kernel $1; an unknown kernel ends the script.
kernel_suite()
{
	suite=$(kernel_column "$1" 2)
	[ -n "$suite" ] || die "unknown kernel '$1', known are:" \
		"$(sed 's/^#.*//; s/[[:space:]].*//' "$bed/kernels" | tr -s '\n' ' ')"
	echo "$suite"
}

# Starts the calling script anew as root, with the user's own cache, when it
# isn't root already: device nodes, chroot and mounts need it.
need_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		return 0
	fi
	command -v sudo >/dev/null ||
		die "needs root for chroot and mounts: run it as root or install sudo"
	exec sudo -- env ASHMEM_CACHE="$cache" OUT="$out" \
		REFRESH="${REFRESH:-}" KBUILD_ARGS="${KBUILD_ARGS:-}" \
		KERNEL="${KERNEL:-}" SCENARIO="${SCENARIO:-}" \
		ARCH="${ARCH:-}" TEST="${TEST:-}" SEED="${SEED:-}" PAGES="${PAGES:-}" \
		JOBS="${JOBS:-}" TIMEOUT="${TIMEOUT:-}" MINUTES="${MINUTES:-}" \
		MEM="${MEM:-}" APPEND="${APPEND:-}" QEMU_ARGS="${QEMU_ARGS:-}" \
		http_proxy="${http_proxy:-}" "$0" "$@"
}

# Gives what root made here to the user who called sudo.
hand_back()
{
	[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID" "$@"
}

# Runs a command in root directory $1. The mounts live in a namespace of their
# own, so that nothing stays mounted however this ends. With $shown, lines of
# "NAME DIRECTORY", the command finds these directories as /mnt/NAME, and a /tmp of
# its own.
in_root()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount sh -euc '
		shown=$1
		root=$2
		shift 2
		mount -t proc proc "$root/proc"
		if [ -n "$shown" ]; then
			mount -t tmpfs tmp "$root/tmp"
			mount -t tmpfs mnt "$root/mnt"
			echo "$shown" | while read -r name directory; do
				mkdir "$root/mnt/$name"
				mount --bind "$directory" "$root/mnt/$name"
			done
		fi
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/ LC_ALL=C DEBIAN_FRONTEND=noninteractive \
			${http_proxy:+"http_proxy=$http_proxy"} "$@"
	' sh "${shown:-}" "$@"
}

# Takes the lock named $1 for the rest of the script's life.
lock()
{
	exec 9>"$cache/locks/$1"
	flock --nonblock 9 || {
		say "waiting for another run that holds the lock '$1'"
		flock 9
	}
}

# For a script that makes the directory $1 of the cache: prints it and ends the
# script if it's there, and not to be made anew (REFRESH=1). Else goes on as root
# with the lock named $2 and with an empty $tmp, which goes when the script ends.
# The other arguments are the script's own.
make_once()
{
	dir=$1
	lock=$2
	shift 2
	for holder in nobody us; do
		if [ -d "$dir" ] && [ -z "${REFRESH:-}" ]; then
			echo "$dir"
			exit 0
		fi
		if [ "$holder" = nobody ]; then
			# Another run may make it while this one waits for the lock.
			need_root "$@"
			lock "$lock"
		fi
	done
	tmp=$dir.tmp
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 1' HUP INT TERM
	rm -rf "$tmp"
	mkdir -p "$tmp"
	# mmdebstrap's own user reads the root's parents, and so must nobody else's
	# umask get in the way.
	chmod 0755 "${dir%/*}" "$tmp"
}

# Makes $tmp/root, of make_once, a root of suite $1 with the packages of list $2;
# further arguments are mmdebstrap's. $log gets what it says.
make_root()
{
	suite=$1
	packages=$2
	shift 2
	if [ "$suite" != "${suite%-backports}" ]; then
		set -- "$@" --setup-hook="$bed/hook-backports"
	fi
	if ! mmdebstrap --variant=apt --aptopt='Acquire::Retries "5"' \
	     --include="$(echo "$packages" | tr ' ' ',')" "$@" \
	     "${suite%-backports}" "$tmp/root" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		die "could not make the $suite root, whole log: $log"
	fi
}

# Gives $tmp of make_once its name, in place of those named $1 of recipes of the
# past; a younger one may be another checkout's.
made()
{
	find "${dir%/*}" -mindepth 1 -maxdepth 1 -type d -name "$1" \
		-mtime +7 -exec rm -rf {} +
	rm -rf "$dir"
	mv "$tmp" "$dir"
}

# The file of stock module $2 of the kernel in $1 and of those that it needs,
# these first; nothing if the kernel has it built in.
stock_module()
{
	awk -v name="$2" '{
		path = $1
		sub(/:$/, "", path)
		base = path
		sub(/.*\//, "", base)
		sub(/\.ko.*/, "", base)
		gsub(/-/, "_", base)
		if (base == name) {
			for (i = NF; i >= 2; i--)
				print $i
			print path
		}
	}' "$1/modules/modules.dep"
}

# The static busybox of the host.
busybox_path()
{
	command -v busybox || die "busybox is missing: apt-get install busybox-static"
}

# Writes directory $1 to stdout as an initramfs. Not compressed: an emulated
# processor unpacks slower than the firmware loads.
pack_initramfs()
{
	(cd "$1" && find . | cpio --quiet --create --format=newc --owner=0:0)
}
