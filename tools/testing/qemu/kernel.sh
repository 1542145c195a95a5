#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: kernel.sh KERNEL
#
# Builds, or finds in the cache, a KERNEL that isn't stock but configured here
# (debug, race, realtime, cfi, given): see the table in kernels. Prints a directory of the same
# shape as root.sh does, which calls this; its root holds the source that the kernel
# was built from and all that builds modules for it. REFRESH=1 builds it again.

set -eu
bed=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || die "usage: kernel.sh KERNEL"
kernel=$1
kernel_suite "$kernel" >/dev/null
base=$(kernel_column "$kernel" source)
[ -n "$base" ] || die "kernel $kernel is a stock one, see root.sh"
fragments=$(kernel_column "$kernel" fragments |
	sed "s|[^,]*|$bed/configs/&.config|g; s/,/ /g")
word=$(kernel_column "$kernel" word | sed 's/^-$//')

case $word in
LLVM=*) tree=$(REFRESH='' "$bed/tree.sh" "$base" clang lld llvm) ;;
*) tree=$(REFRESH='' "$bed/tree.sh" "$base") ;;
esac
# A later fragment overrules an earlier one.
# shellcheck disable=SC2086 # a list of files
options=$(grep -hE '^(# )?CONFIG_' $fragments | awk '{
	name = $1 == "#" ? $2 : substr($1, 1, index($1, "=") - 1)
	if (name in at)
		line[at[name]] = ""
	at[name] = NR
	line[NR] = $0
} END {
	for (i = 1; i <= NR; i++)
		if (line[i] != "")
			print line[i]
}')
recipe=$( (cat "$tree/version"; echo "$options $word") | sha256sum | cut -c 1-12)
dir=$cache/roots/$kernel-$recipe

make_once "$dir" "kernel-$kernel" "$@"

log=$cache/roots/$kernel.log
say "building the $kernel kernel from the source of $base (some 15 minutes of CPU, once) ..."
start=$(date +%s)
# Of links, because builds do not write to the tree's files.
cp -al "$tree/root" "$tmp/root"
mkdir "$tmp/root/kernel" "$tmp/kernel"

kernel_make()
{
	# shellcheck disable=SC2086 # may be none
	in_root "$tmp/root" make -C /src/linux O=/kernel ARCH=x86_64 \
		-j"$(nproc)" $word "$@" >>"$log" 2>&1 || {
		tail -n 30 "$log" >&2
		die "the $kernel kernel could not be built, whole log: $log"
	}
}

: >"$log"
printf '%s\n' "$options" "CONFIG_LOCALVERSION=\"-$kernel\"" \
	>"$tmp/root/kernel/wanted"
kernel_make KCONFIG_ALLCONFIG=/kernel/wanted allnoconfig

# What depends on something that isn't there falls away without a word.
while read -r line; do
	case $line in
	'# '*)
		name=${line#\# }
		! grep -q "^${name%% *}=" "$tmp/root/kernel/.config"
		;;
	*) grep -qxF "$line" "$tmp/root/kernel/.config" ;;
	esac || echo "$line"
done <"$tmp/root/kernel/wanted" >"$tmp/lost"
if [ -s "$tmp/lost" ]; then
	cat "$tmp/lost" >&2
	# A given source may be older than an option.
	[ "$kernel" = given ] ||
		die "these lines of configs/ have no effect on kernel $kernel"
	say "this source doesn't know the options above"
fi
rm "$tmp/lost"

kernel_make bzImage modules
kernel_make INSTALL_MOD_PATH=/kernel/installed modules_install

release=$(cat "$tmp/root/kernel/include/config/kernel.release")
cp "$tmp/root/kernel/arch/x86/boot/bzImage" "$tmp/kernel/vmlinuz"
mv "$tmp/root/kernel/installed/lib/modules/$release" "$tmp/kernel/modules"
cp "$tmp/root/kernel/.config" "$tmp/kernel/config"
echo "$release" >"$tmp/kernel/release"
echo "$(cat "$tree/version") $recipe" >"$tmp/kernel/version"
rm -rf "$tmp/root/kernel/installed"
# Modules are built against headers and scripts; the rest is ballast.
find "$tmp/root/kernel" \( -name '*.o' -o -name '*.a' -o -name 'vmlinux*' \) \
	! -path '*/scripts/*' ! -path '*/tools/*' ! -name vmlinux.symvers -delete
mkdir -p "$tmp/root/lib/modules/$release"
ln -sfn /kernel "$tmp/root/lib/modules/$release/build"
made "$kernel-*"
say "kernel $kernel is $release, $(cat "$dir/kernel/version"), built in $(($(date +%s) - start)) s"
echo "$dir"
