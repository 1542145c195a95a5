#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: java.sh OUTPUT CLASSES
#
# Runs JavaTest of CLASSES with the jar and the libraries of OUTPUT, on both kinds of
# memory. What the JVM says of a wrong use of JNI is a failure, too.

set -eu
[ $# -eq 2 ] || { echo "usage: java.sh OUTPUT CLASSES" >&2; exit 1; }

status=0
for ASHMEM_BACKEND in ashmem memfd; do
	if [ "$ASHMEM_BACKEND" = ashmem ] && [ ! -e /dev/ashmem ]; then
		echo "ok java.ashmem # SKIP no /dev/ashmem here"
		continue
	fi
	export ASHMEM_BACKEND
	said=$(LD_LIBRARY_PATH="$1" LD_PRELOAD="$2/purge_shim.so $1/libashmem.so.0" \
		java -Xcheck:jni -Xmx256m -Djava.library.path="$1" -cp "$1/ashmem.jar:$2" \
		JavaTest 2>&1) || status=1
	echo "$said" | sed 's/^WARNING in native\|^FATAL ERROR in native/not ok java &/'
done
exit "$status"
