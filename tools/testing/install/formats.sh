#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: formats.sh DEB [TARBALL]
#
# Checks packaging/ for systems that are not here, as far as Debian's tools can: builds
# the RPM and runs the PKGBUILD's functions, both from TARBALL (one made of this tree), and
# compares what they install with the package DEB; parses the Dockerfile and the Module.
# Prints "ok - ..." or "not ok - ..." for each.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../qemu
# shellcheck source=tools/testing/qemu/lib.sh
. "$bed/lib.sh"

[ $# -eq 1 ] || [ $# -eq 2 ] || die "usage: formats.sh DEB [TARBALL]"
deb=$1
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
spec=$top/packaging/rpm/ashmem-dkms.spec
pkgbuild=$top/packaging/arch/PKGBUILD
dockerfile=$top/packaging/container/Dockerfile
manifest=$top/packaging/container/module.yaml
daemons=$top/packaging/container/nodes.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
logs=$out/install/formats
mkdir -p "$logs"
: >"$logs/commands.log"
# shellcheck source=tools/testing/install/lib.sh
. "$here/lib.sh"

tarball=${2:-$work/ashmem-$version.tar.gz}
if [ $# -eq 1 ]; then
	tar --create --gzip --file="$tarball" -C "$top" --exclude=./out --exclude=./.git \
		--transform="s,^\.,ashmem-$version," .
fi

# What all of them have to install: sources, the entry for the boot, and what makes
# the names in /dev. Arch Linux has no sbin.
payload()
{
	sed 's|^\./*|/|; s|^/*|/|; s|^/usr/bin/|/usr/sbin/|' |
		grep -E '^/usr/(src|sbin|share/lxc|lib/modules-load.d|lib/udev)/.*[^/]$' |
		grep -v -E '^/usr/src/ashmem-[^/]*$' | sort
}

# rpmlint of Debian: its own path for "lib" isn't Fedora's, BuildRoot is of the
# past, and the source is a tarball that the user makes.
spec_lint()
{
	rpmlint "$spec" >"$work/rpmlint" 2>&1 || true
	grep -q '1 specfiles checked' "$work/rpmlint" || { cat "$work/rpmlint"; return 1; }
	grep -E ': [EW]: ' "$work/rpmlint" | not grep -v -E \
		'no-buildroot-tag|invalid-url Source0|hardcoded-library-path in %\{_prefix\}/lib/(modules|udev)'
}

rpm_built()
{
	rpmbuild -bb --nodeps --define "_topdir $work/rpm" \
		--define "_sourcedir ${tarball%/*}" "$spec" &&
		rpm -qp --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' \
			"$work"/rpm/RPMS/noarch/*.rpm | sed -n 's/^-[^ ]* //p' \
			>"$work/rpm.list"
}

pkgbuild_run()
{
	mkdir -p "$work/arch/src" "$work/arch/pkg" &&
		tar --extract --file="$tarball" -C "$work/arch/src" &&
		srcdir=$work/arch/src pkgdir=$work/arch/pkg \
			bash -euc '. "$1"; is=$pkgver; prepare; package
				[ "$is" = "$2" ] && [ -n "$pkgname$pkgrel$arch$license" ]' \
			bash "$pkgbuild" "$version"
}

same_payload()
{
	payload <"$1" >"$work/payload"
	[ -s "$work/payload" ] && diff "$work/deb.payload" "$work/payload"
}

# Each COPY from the tree names something that is there, and stages are made
# before they are used.
dockerfile_reads()
{
	sed -n 's/^COPY \([^-].*\) [^ ]*$/\1/p' "$dockerfile" | tr ' ' '\n' >"$work/copied"
	[ -s "$work/copied" ] || return 1
	while read -r path; do
		[ -e "$top/$path" ] || { echo "COPY of $path, which isn't there"; return 1; }
	done <"$work/copied"
	awk '
		toupper($1) !~ /^(ARG|FROM|SHELL|RUN|WORKDIR|COPY|CMD)$/ && !more && NF &&
			!/^#/ { print "unknown: " $0; bad = 1 }
		/^FROM/ { made[$NF] = 1; froms++ }
		match($0, /--from=[a-z]+/) {
			if (!made[substr($0, RSTART + 7, RLENGTH - 7)]) {
				print "no such stage: " $0
				bad = 1
			}
		}
		{ if (!/^[ \t]*#/) more = /\\$/ }
		END { exit bad || froms != 2 || more }' "$dockerfile"
}

# The fields of KMM's Module that this one uses, and the kernels it is for.
manifest_reads()
{
	python3 - "$manifest" <<-'PYTHON'
		import re, sys, yaml
		module, = yaml.safe_load_all(open(sys.argv[1]))
		assert module["apiVersion"] == "kmm.sigs.x-k8s.io/v1beta1"
		assert module["kind"] == "Module"
		spec = module["spec"]
		assert set(spec) == {"moduleLoader", "selector"}
		assert all(isinstance(v, str) for v in spec["selector"].values())
		container = spec["moduleLoader"]["container"]
		assert set(container) <= {"modprobe", "imagePullPolicy", "kernelMappings"}
		assert container["modprobe"]["moduleName"] == "ashmem_linux"
		assert container["modprobe"]["dirName"] == "/opt"
		mapping, = container["kernelMappings"]
		assert set(mapping) == {"regexp", "containerImage"}
		assert "${KERNEL_FULL_VERSION}" in mapping["containerImage"]
		kernels = re.compile(mapping["regexp"])
		for release in "5.10.0-46-amd64", "6.1.0", "7.3.4+deb13-amd64", "10.0.1":
		    assert kernels.match(release), release
		for release in "5.9.16", "5.4.0", "4.19.0", "3.10.0-1160.el7":
		    assert not kernels.match(release), release
	PYTHON
}

# The DaemonSet mounts what its script writes, and its shell takes that script.
daemons_read()
{
	python3 - "$daemons" >"$work/daemons.sh" <<-'PYTHON' && sh -n "$work/daemons.sh"
		import sys, yaml
		daemons, = yaml.safe_load_all(open(sys.argv[1]))
		assert (daemons["apiVersion"], daemons["kind"]) == ("apps/v1", "DaemonSet")
		spec = daemons["spec"]
		template = spec["template"]
		assert spec["selector"]["matchLabels"] == template["metadata"]["labels"]
		pod = template["spec"]
		container, = pod["containers"]
		assert container["securityContext"]["privileged"] is True
		volumes = {v["name"]: v for v in pod["volumes"]}
		mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
		for path in "/dev", "/run/cdi":
		    assert volumes[mounts[path]]["hostPath"]["path"] == path
		assert volumes[mounts["/ashmem"]]["configMap"]["name"] == "ashmem-nodes"
		shell, option, script = container["command"]
		assert (shell, option) == ("sh", "-c")
		print(script)
	PYTHON
	grep -q "/ashmem/ashmem-nodes" "$work/daemons.sh"
}

# The longest part of the first sentence, without variables, of each message that
# scripts, makefiles and the driver's sources have for who installs it. What follows
# on another message in the same breath isn't looked up.
messages()
{
	{
		sed -n 's/.*\(say\|die\) "\([^"]*\).*/\2/p' "$top/debian/ashmem-dkms.postinst" \
			"$top/tools/scripts/dkms.sh" "$top/tools/scripts/sign.sh"
		sed -n 's/.*\(fail\|die\|error=\) *"\([^"]*\).*/\2/p' \
			"$top/packaging/udev/ashmem-nodes"
		sed -n 's/.*echo "\([^"]*\).*/\1/p' "$top/debian/ashmem-dkms.prerm" \
			"$top/Makefile"
		# shellcheck disable=SC2016 # make's
		sed -n 's/^\$(error \([^\\]*\).*/\1/p' "$top/debian/rules"
		find "$top/drivers" -name '*.[ch]' -exec sed -n \
			-e 's/^#error "\([^"]*\).*/\1/p' \
			-e 's/.*pr_\(err\|warn\|notice\)("\([^"\\]*\).*/\2/p' {} +
	} |
		grep -v -E '^(usage|The whole output|A module that is loaded|What to do)' |
		awk '{
			n = split($0, part, /\047?(\$[A-Za-z0-9_{}()*#:-]+|%[a-z]+)\047?/)
			longest = ""
			for (i = 1; i <= n; i++) {
				sub(/[.:;]( .*)?$/, "", part[i])
				if (length(part[i]) > length(longest))
					longest = part[i]
			}
			gsub(/^ +| +$/, "", longest)
			if (length(longest) > 9)
				print longest
		}'
}

all_explained()
{
	messages >"$work/messages"
	[ "$(wc -l <"$work/messages")" -gt 15 ] || { echo "no messages found"; return 1; }
	status=0
	while read -r message; do
		grep -qF -e "$message" "$top/Documentation/admin-guide/troubleshooting.rst" || {
			echo "not in troubleshooting.rst: $message"
			status=1
		}
	done <"$work/messages"
	return "$status"
}

check "troubleshooting.rst has every message of the scripts" all_explained
dpkg-deb --contents "$deb" | awk '{ print $6 }' | payload >"$work/deb.payload"
check "the spec has dkms.conf's version" grep -qxE "Version: +$version" "$spec"
check "rpmlint has nothing to say that isn't excused" spec_lint
check "rpmbuild builds the package" rpm_built
check "with the files that the Debian package has" same_payload "$work/rpm.list"
check "shellcheck has nothing to say of the PKGBUILD" shellcheck "$pkgbuild"
check "its functions run" pkgbuild_run
(cd "$work/arch/pkg" && find . ! -type d) >"$work/arch.list" || true
check "and install the files that the Debian package has" same_payload "$work/arch.list"
check "the Dockerfile names what is there" dockerfile_reads
check "the Module is in form" manifest_reads
check "so is the DaemonSet" daemons_read
check "yamllint has nothing to say of them" yamllint --strict "$manifest" "$daemons"
echo "done"
