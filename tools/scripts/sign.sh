#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: sign.sh KDIR KEY CERT MODULE.ko
#
# Signs MODULE.ko with the private KEY (PEM) that belongs to CERT (DER or PEM), by
# the sign-file of the kernel headers in KDIR and with the hash that this kernel
# was built for. Replaces an existing signature. On any error the module is unchanged.

set -eu

die()
{
	echo "sign.sh: $*" >&2
	exit 1
}

[ $# -eq 4 ] || die "usage: sign.sh KDIR KEY CERT MODULE.ko (make sign KEY= CERT=)"
kdir=$1
key=$2
cert=$3
module=$4
if [ -z "$key" ] || [ -z "$cert" ]; then
	die "say with what: make sign KEY=private-key.pem CERT=certificate.der"
fi
[ -r "$key" ] || die "cannot read the private key '$key'"
[ -r "$cert" ] || die "cannot read the certificate '$cert'"
[ -f "$module" ] || die "no module $module: run make first"
sign=$kdir/scripts/sign-file
[ -x "$sign" ] || die "no $sign: the headers of this kernel come without the tool"

# The kernel supports only the hashes that are built in.
hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' "$kdir/.config" \
	"$kdir/include/config/auto.conf" 2>/dev/null | head -n 1)

# Otherwise only the kernel, when it refuses the module, would show that key and certificate
# do not match.
if command -v openssl >/dev/null; then
	public=$(openssl pkey -in "$key" -pubout 2>/dev/null) ||
		die "'$key' is no private key that can be read without a passphrase"
	named=$(openssl x509 -in "$cert" -inform DER -noout -pubkey 2>/dev/null ||
		openssl x509 -in "$cert" -noout -pubkey 2>/dev/null) ||
		die "'$cert' is no certificate"
	[ "$public" = "$named" ] ||
		die "the key '$key' does not belong to the certificate '$cert'"
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# The end of a signed module: the signature, twelve bytes of which the last four
# are its length (big-endian), and this line of 28 bytes.
magic='~Module signature appended~'
size=$(wc -c <"$module")
if [ "$(tail -c 28 "$module" | tr -d '\0')" = "$magic" ]; then
	# shellcheck disable=SC2046 # four numbers
	set -- $(tail -c 32 "$module" | head -c 4 | od -An -tu1)
	size=$((size - 40 - (($1 * 256 + $2) * 256 + $3) * 256 - $4))
fi
head -c "$size" "$module" >"$tmp/plain.ko"
"$sign" "${hash:-sha256}" "$key" "$cert" "$tmp/plain.ko" "$tmp/signed.ko" ||
	die "sign-file failed, see above; the module is as it was"
cat "$tmp/signed.ko" >"$module"
echo "sign.sh: signed ${module##*/} (${hash:-sha256})"
