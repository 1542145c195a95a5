#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: functions.sh
#
# Fails, with a line for each, if the driver or the library lacks a function that a proof
# names behind "Stands for:": then the proof may be of code that is gone.

set -eu
cd "$(dirname "$0")/../../.."

grep -noE 'Stands for: [a-z0-9_ ]+' tools/testing/proofs/*.pml /dev/null \
	Documentation/litmus-tests/*.litmus | {
	missing=0
	while IFS=: read -r file line _ names; do
		for name in $names; do
			# A definition begins its line, and ends without a semicolon.
			cat drivers/android/ashmem/*.[ch] tools/lib/ashmem/frame/*.[ch] |
				grep -E "^[a-z].*[ *]$name\(" | grep -qv ';$' && continue
			echo "$file:$line: no function '$name'"
			missing=$((missing + 1))
		done
	done
	[ "$missing" -eq 0 ]
}
