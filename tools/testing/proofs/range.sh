#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: range.sh DIRECTORY RANGE_C N WORD...
#
# Builds range_proof in DIRECTORY, of N pieces, with this file range.c. WORDs are clang's.
# RANGE_BATCH becomes 2, so that few ranges fill a batch. The budget is counted once below 0,
# which is no fault, so it gets a sign.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
range=$2
pieces=$3
shift 3
mkdir -p "$dir"
sed -e 's/^\(#define RANGE_BATCH\).*/\1 2/' -e 's/unsigned int budget = /int budget = /' \
	"$range" >"$dir/range.c"
clang -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-unused -Wno-unused-parameter "$@" -DN="$pieces" \
	-fsanitize=undefined,unsigned-integer-overflow,address -fno-sanitize-recover=all \
	-I"$dir" -I"$here/include" -I"$here/../../../drivers/android/ashmem" \
	"$here/range_proof.c" -o "$dir/range_proof"
