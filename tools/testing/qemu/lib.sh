# shellcheck shell=sh disable=SC2034 # most is used by the script that sources this
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of the test bed share. Sourced with $bed set to the directory
# that holds this file.

# shellcheck disable=SC2154 # set by the script that sources this
top=$(cd "$bed/../../.." && pwd)
cache=${ASHMEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ashmem}
out=${OUT:-$top/out}
# Made as the user, so that root does not own them.
mkdir -p "$cache/roots" "$cache/trees" "$cache/builds" "$cache/locks" "$out"
cache=$(realpath "$cache")
out=$(realpath "$out")

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# Puts a reliable QEMU for machine $1 before those of PATH. Sets bare_qemu, a guest without
# default devices, and guest_words, the kernel command line of every guest. A kernel that
# dies ends QEMU. On a busy host the timer may seem not to tick at all, and the kernel would
# panic. Mitigations are useless in an emulator and cost half of its speed.
find_qemu()
{
	found=$(REFRESH="" "$bed/emulator.sh" "$1")
	PATH=${found:+$found:}$PATH
	case $1 in
	arm64)
		bare_qemu="qemu-system-aarch64"
		guest_words="console=ttyAMA0"
		;;
	*)
		bare_qemu="qemu-system-x86_64"
		guest_words="console=ttyS0,115200"
		;;
	esac
	bare_qemu="$bare_qemu -nodefaults -no-user-config -display none -no-reboot"
	guest_words="$guest_words panic=-1 oops=panic no_timer_check mitigations=off"
}

# Sets machine_words, QEMU's words for a machine $1 that runs kernel $2, and $accel.
choose_machine()
{
	case $1 in
	arm64)
		accel=tcg,thread=multi
		# Pointer authentication by QARMA is slow to emulate.
		machine_words="-M virt,gic-version=3 -cpu max,pauth-impdef=on"
		;;
	*)
		accel=${ACCEL:-$("$bed/accel.sh" "$2")}
		machine_words="-M q35"
		[ "$accel" != kvm ] || machine_words="$machine_words -cpu host"
		;;
	esac
	machine_words="-accel $accel $machine_words"
}

# Runs QEMU, with the arguments from $3 on, for $2 s at the most; its own output goes to $1.
# Returns its status, which is 124 or 137 on timeout. It runs in the background, so that a
# signal to the script takes effect at once; the script's cleanup calls stop_qemu.
#
# A guest's kernel can die or stall before its first process, or QEMU abort: one in some
# thousand does on a busy host. $sign is a file in which the guest's first process writes at
# once. If it is empty at the end or after $sign_seconds, QEMU is restarted, twice at the most.
qemu=
watcher=
sign=
run_qemu()
{
	qemu_log=$1
	qemu_seconds=$2
	shift 2
	for qemu_try in 1 2 3; do
		rm -f "$qemu_log.still"
		# shellcheck disable=SC2086 # a list of words
		timeout --kill-after=5 "$qemu_seconds" $bare_qemu "$@" \
			</dev/null >"$qemu_log" 2>&1 &
		qemu=$!
		if [ -n "$sign" ]; then
			watch_boot &
			watcher=$!
		fi
		qemu_status=0
		wait "$qemu" || qemu_status=$?
		qemu=
		stop_watcher
		if [ -z "$sign" ] || [ -s "$sign" ]; then
			break
		elif [ -e "$qemu_log.still" ]; then
			ended="stood still for $sign_seconds s"
		elif [ "$qemu_status" -eq 0 ]; then
			ended=died
		elif [ "$qemu_status" -eq 134 ]; then
			ended="died of an assertion in QEMU"
		else
			break
		fi
		say "the guest's kernel $ended before its first process (time $qemu_try of 3)"
	done
	return "$qemu_status"
}

# Ends QEMU if $sign is still empty after $sign_seconds, and leaves word of it.
watch_boot()
{
	left=$sign_seconds
	while [ ! -s "$sign" ]; do
		if [ "$left" -le 0 ]; then
			: >"$qemu_log.still"
			kill "$qemu"
			return
		fi
		left=$((left - 1))
		sleep 1
	done
}

stop_watcher()
{
	if [ -n "$watcher" ]; then
		kill "$watcher" 2>/dev/null || true
		wait "$watcher" 2>/dev/null || true
		watcher=
	fi
}

stop_qemu()
{
	stop_watcher
	if [ -n "$qemu" ]; then
		kill "$qemu" 2>/dev/null || true
		wait "$qemu" 2>/dev/null || true
	fi
}

# QEMU's words for $1 MiB of memory on two nodes, with a processor on each.
two_nodes()
{
	# A node in the middle of a socket makes kernels warn.
	printf '%s' "-smp 2,sockets=2"
	for node in 0 1; do
		printf ' -object memory-backend-ram,id=node%s,size=%sM' "$node" "$(($1 / 2))"
		printf ' -numa node,nodeid=%s,cpus=%s,memdev=node%s' "$node" "$node" "$node"
	done
}

# Has run.sh start a guest of kind $1 on kernel $2: "numa" with two nodes of memory,
# "nokmem" with cgroup.memory=nokmem, any other as always.
choose_kind()
{
	case $1 in
	numa)
		MEM=${MEM:-$(kernel_column "$2" MiB)}
		export MEM
		QEMU_ARGS="$(two_nodes "$MEM") ${QEMU_ARGS:-}"
		export QEMU_ARGS
		;;
	nokmem)
		export APPEND="cgroup.memory=nokmem ${APPEND:-}"
		;;
	esac
}

# True if program $1 was asked for by TEST.
asked_for()
{
	# shellcheck disable=SC2254 # a pattern is what it's meant to be
	case $1 in
	*${TEST:-}*) return 0 ;;
	*) return 1 ;;
	esac
}

# The kernels whose column "when" matches $1.
rows()
{
	awk -v wanted="^($1)\$" '
		$1 == "#:" {
			column = 0
			for (i = 2; i <= NF; i++)
				if ($i == "when")
					column = i - 1
		}
		!/^#/ && column && $column ~ wanted { print $1 }
	' "$bed/kernels"
}

# The kernels of which 'make test' runs all tests, oldest first, those of which it runs any,
# and those of 'make test-matrix'.
kernels()
{
	rows test
}

test_kernels()
{
	rows "test|short"
}

all_kernels()
{
	rows "test|short|matrix|build"
}

# The column named $2 of the table's row for kernel $1; nothing if there is none.
kernel_column()
{
	awk -v kernel="$1" -v column="$2" '
		$1 == "#:" {
			split("", at)
			for (i = 2; i <= NF; i++)
				at[$i] = i - 1
		}
		$1 == kernel && column in at { print $at[column] }
	' "$bed/kernels"
}

# What versions of kernel $1 begin with, as a regular expression.
kernel_series()
{
	case $1 in
	[0-9]*) echo "${1%%-*}" | sed 's/\./\\./g' ;;
	*) echo '[0-9]+\.[0-9]+' ;;
	esac
}

# What kbuild is told of the machine of kernel $1, in a root for another one, and of the
# compiler if it isn't gcc.
kbuild_machine()
{
	case $(kernel_column "$1" machine) in
	arm64) echo "ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-" ;;
	i386) echo "ARCH=i386" ;;
	esac
	case $(kernel_column "$1" word) in
	LLVM=*) kernel_column "$1" word ;;
	esac
}

# The suite of kernel $1; an unknown kernel ends the script.
kernel_suite()
{
	suite=$(kernel_column "$1" suite)
	[ -n "$suite" ] || die "unknown kernel '$1', known are:" \
		"$(sed 's/^#.*//; s/[[:space:]].*//' "$bed/kernels" | tr -s '\n' ' ')"
	echo "$suite"
}

# Restarts the calling script as root, with the user's own cache, when it
# isn't root already: device nodes, chroot and mounts need it.
need_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		return 0
	fi
	command -v sudo >/dev/null ||
		die "needs root for chroot and mounts: run it as root or install sudo"
	set -- "$0" "$@"
	for name in REFRESH KBUILD_ARGS KERNEL KSRC SCENARIO PACKAGES TARBALL ARCH TEST SEED \
		PAGES JOBS TIMEOUT TEST_TIMEOUT MINUTES MEM APPEND QEMU_ARGS EXTRA_MODULES \
		AGAIN DOC http_proxy
	do
		eval "set -- \"$name=\${$name:-}\" \"\$@\""
	done
	exec sudo -- env ASHMEM_CACHE="$cache" OUT="$out" "$@"
}

# Gives what root made here to the user who called sudo.
hand_back()
{
	[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID" "$@"
}

# Runs a command in root directory $1. The mounts are in a separate namespace, so that nothing
# stays mounted however this ends. With $shown, lines of "NAME DIRECTORY", the command finds
# these directories as /mnt/NAME, and a separate /tmp.
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
# script if it exists and REFRESH is not set. Else goes on as root
# with the lock named $2 and with an empty $tmp, which goes when the script ends.
# The other arguments are the script's own.
make_once()
{
	dir=$1
	lock=$2
	shift 2
	for holder in none us; do
		if [ -d "$dir" ] && [ -z "${REFRESH:-}" ]; then
			echo "$dir"
			exit 0
		fi
		if [ "$holder" = none ]; then
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
	# mmdebstrap's own user reads the root's parents, so the caller's
	# umask must not exclude it.
	chmod 0755 "${dir%/*}" "$tmp"
}

# Makes $tmp/root, of make_once, a root of suite $1 with the packages of list $2;
# further arguments are mmdebstrap's. $log gets what it says.
make_root()
{
	suite=$1
	packages=$2
	shift 2
	case $suite in
	*-backports) set -- "$@" --setup-hook="$bed/hook-backports" ;;
	experimental)
		# Where a mirror lags, what it has is still the newest there is.
		# shellcheck disable=SC2016 # the hook's own
		set -- "$@" --aptopt='Acquire::Check-Valid-Until "false"' --setup-hook='
			sed -i "/ sid main/{p; s/ sid / experimental /}" \
				"$1/etc/apt/sources.list"'
		suite=sid
		;;
	esac
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

# Replaces what is between the lines $2 and $3 of file $1 by what is in file $4. Without
# such lines nothing changes.
put_between()
{
	awk -v begin="$2" -v end="$3" -v file="$4" '
		$0 == end { skip = 0 }
		!skip { print }
		$0 == begin {
			skip = 1
			while ((getline line <file) > 0)
				print line
		}' "$1" >"$4.page"
	# Written in place, so that owner and mode stay.
	cat "$4.page" >"$1"
	rm "$4.page"
}

# Copies programs of the root $1 to /usr/bin below $2, with the libraries that they need.
add_programs()
{
	from=$1
	to=$2
	shift 2
	mkdir -p "$to/usr/bin"
	for program; do
		cp "$from/usr/bin/$program" "$to/usr/bin/"
		chroot "$from" ldd "/usr/bin/$program"
	done | grep -o '/[^ ]*' | sort -u | while read -r object; do
		mkdir -p "$to$(dirname "$object")"
		cp -L "$from$object" "$to$object"
	done
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
