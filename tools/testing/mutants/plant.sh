#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: plant.sh LIST NAME [TREE]
#
# Makes in the new directory TREE a copy of what is built, with the fault NAME of
# LIST. Without TREE it only sees whether the fault is up to date. The file mutants
# says how faults are written down. A list that isn't of the driver has the lines
# "in DIRECTORY", where its files are, and "with PATH...", what is copied.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)

case $# in
2 | 3) ;;
*)
	echo "usage: plant.sh LIST NAME [TREE]" >&2
	exit 1
	;;
esac
list=$1
name=$2
tree=${3:-}
# shellcheck source=tools/testing/mutants/lib.sh
. "$here/lib.sh"

file=$(field "$name" 3)
[ -n "$file" ] || {
	echo "plant.sh: no fault '$name' in $list" >&2
	exit 1
}
dir=$(sed -n 's/^in //p' "$list")
parts=$(sed -n 's/^with //p' "$list")
file=${dir:-drivers/android/ashmem}/$file
planted=/dev/null
if [ -n "$tree" ]; then
	planted=$tree/$file
	mkdir -p "$tree"
	# shellcheck disable=SC2086 # a list
	(cd "$top" && tar -c ${parts:-Kbuild dkms.conf include drivers}) |
		tar -x -C "$tree"
	find "$tree" \( -name '*.o' -o -name '*.ko' -o -name '.*.cmd' \
		-o -name '*.mod*' \) -delete
fi

# The line must be there exactly once behind the context, or the fault is out of
# date.
awk -v name="$name" '
FNR == 1 { file++ }
file == 1 && /^mutant / { on = $2 == name }
file == 1 {
	kind = substr($0, 1, 1)
	rest = substr($0, 2)
	if (!on)
		next
	if (kind == "@")
		context = rest
	else if (kind == "-")
		from = rest
	else if (kind == "+")
		to = to (to == "" ? "" : "\n") rest
	next
}
context == "" || index($0, context) == 1 { inside = 1 }
context != "" && inside && /^}/ { inside = 0 }
inside && $0 == from {
	found++
	$0 = to
}
{ print }
END { exit found != 1 }
' "$list" "$top/$file" >"$planted" || {
	echo "plant.sh: the line of $name is not in $file exactly once" >&2
	exit 1
}
