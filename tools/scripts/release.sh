#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: release.sh VERSION
#
# Makes a release of the branch that is checked out: one commit that sets version and
# dates, a signed tag vVERSION, and out/dist/ashmem-VERSION.tar.gz. Publishes nothing. Checks
# first: clean tree, publisher, NEWS.md, versions, tests, signing key. The commit is made and
# tested in a separate work tree. The branch is moved as the last step, or not at all.

set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"

say()
{
	echo "release.sh: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

[ $# -eq 1 ] || die "usage: release.sh VERSION"
version=$1
tag=v$version
echo "$version" | grep -qxE '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}' ||
	die "the version '$version' is not of the form 1.2.3"
branch=$(git symbolic-ref --quiet HEAD) || die "no branch is checked out"
base=$(git rev-parse HEAD)

check_tree()
{
	[ -z "$(git status --porcelain)" ] ||
		die "the tree has changes that no commit has: git status"
	! git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null ||
		die "there is a tag $tag already"
}

check_publisher()
{
	if grep -E '^[^#].*(example\.(org|com|net)|\.(example|invalid|test)([/>"'\'' ]|$))' \
	     packaging/publisher >&2; then
		die "packaging/publisher has placeholders: put your own address and URL there"
	fi
}

check_versions()
{
	tools/scripts/stamp.sh --check >&2 ||
		die "these lines differ from dkms.conf or packaging/publisher; to mend them:" \
			"tools/scripts/stamp.sh, and commit"
	current=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	[ "$(printf '%s\n' "$current" "$version" | sort -V | tail -n 1)" = "$version" ] ||
		die "the tree has version $current, which is newer than $version"
}

# The entry of NEWS.md for this version, without its heading.
news()
{
	awk -v heading="## $version" '
		/^## / { inside = index($0, heading " ") == 1; next }
		inside' "${1:-.}/NEWS.md"
}

check_news()
{
	[ "$(grep -m 1 '^## ' NEWS.md)" = "## $version (not released)" ] ||
		die "the first entry of NEWS.md must be '## $version (not released)'"
	news | grep -q '^- ' || die "NEWS.md says nothing of $version"
}

check_tests()
{
	[ "$(cat "${OUT:-out}/tests-passed" 2>/dev/null)" = "$(git rev-parse 'HEAD^{tree}')" ] ||
		die "no record says that all tests passed for this commit: run .ci/run here"
}

# Signs a commit object that no ref points to.
check_key()
{
	git commit-tree -S -m probe 'HEAD^{tree}' >/dev/null ||
		die "git cannot sign: set user.signingkey (and gpg.format for SSH keys)"
}

check_tree
check_publisher
check_versions
check_news
check_tests
check_key
# Installs what is missing before anything is made.
tools/scripts/setup.sh deb install

tmp=$(mktemp -d)
cleanup()
{
	git worktree remove --force "$tmp/tree" 2>/dev/null || true
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

git worktree add --quiet --detach "$tmp/tree" "$base"
cd "$tmp/tree"
tools/scripts/stamp.sh "$version" >/dev/null
tools/scripts/stamp.sh --check
news . >"$tmp/news"
{
	printf 'packaging: release %s\n' "$version"
	cat "$tmp/news"
} >"$tmp/message"
git commit --quiet --all --signoff --file="$tmp/message"
commit=$(git rev-parse HEAD)

say "testing the packages of $version ..."
OUT=$tmp/out tools/scripts/distcheck.sh | tee "$tmp/distcheck" >&2 || true
tail -n 1 "$tmp/distcheck" | grep -qxE '[1-9][0-9]* passed, 0 failed' ||
	die "make distcheck fails for the release: nothing was changed"

cd "$top"
git tag --sign --file=<(printf 'ashmem %s\n' "$version"; cat "$tmp/news") "$tag" "$commit" ||
	die "git tag could not sign: nothing was changed"
# Another process may have committed while the tests ran.
if ! { [ "$(git symbolic-ref --quiet HEAD)" = "$branch" ] &&
       [ "$(git rev-parse HEAD)" = "$base" ] && git merge --quiet --ff-only "$commit"; }; then
	git tag --delete "$tag" >/dev/null
	die "the branch moved or the tree changed in the meantime: nothing was changed"
fi
mkdir -p "${OUT:-out}/dist"
cp "$tmp"/out/distcheck/ashmem-"$version".tar.gz* "${OUT:-out}/dist/"
say "to publish: git push origin ${branch#refs/heads/} $tag, and upload the tarball"
echo "released ashmem $version: tag $tag, ${OUT:-out}/dist/ashmem-$version.tar.gz"
