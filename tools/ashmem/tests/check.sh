#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: check.sh [--valgrind] PROGRAM
#
# Checks of the ashmem command on the machine that builds it, besides its test
# programs: help, man page and completion agree, the man page renders, other programs
# can read its JSON, and make install puts its files in place. With --valgrind only
# runs each command under valgrind. Needs neither root nor the module. Prints what
# failed; the last line is "N passed, N failed, N skipped".

set -euo pipefail
tests=$(cd "$(dirname "$0")" && pwd)
top=$tests/..

valgrind=
if [ "${1:-}" = --valgrind ]; then
	valgrind=1
	shift
fi
[ $# -eq 1 ] || { echo "usage: check.sh [--valgrind] PROGRAM" >&2; exit 2; }
program=$(realpath "$1")
commands='list show top purge create cat fill doctor bench'

tmp=$(mktemp -d)
holder=
trap 'rm -rf "$tmp"; [ -z "$holder" ] || kill "$holder"' EXIT
trap 'exit 1' HUP INT TERM

passed=0
failed=0
skipped=0
# Records status $1 of the command before as the result of test $2.
result()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok $2"
	fi
}

skip()
{
	skipped=$((skipped + 1))
	echo "# skipped: $1"
}

finish()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

export ASHMEM_BACKEND=memfd
region=$("$program" create --detach --size 64K --name $'check \xff\n"\e[31m')
holder=${region%/*}

# Runs a command line that must exit with status $1.
under_valgrind()
{
	local expected=$1 status=0
	shift
	timeout 120 valgrind --quiet --error-exitcode=99 --leak-check=no \
		--track-fds=no "$program" "$@" >"$tmp/out" 2>"$tmp/err" \
		</dev/null || status=$?
	if [ "$status" -ne "$expected" ] || grep -q '^==' "$tmp/err"; then
		sed 's/^/# /' "$tmp/err"
		status=1
	else
		status=0
	fi
	result "$status" "valgrind: ashmem $*"
}

if [ -n "$valgrind" ]; then
	command -v valgrind >/dev/null || { skip "no valgrind here"; finish; }
	for command in $commands; do
		under_valgrind 0 "$command" --help
		under_valgrind 2 "$command" --nonsense
	done
	under_valgrind 0 list
	under_valgrind 0 list --json
	under_valgrind 0 list --sort name
	under_valgrind 0 list --pid 1
	under_valgrind 0 show "$region"
	under_valgrind 0 show --json "$region"
	under_valgrind 0 top -b -n 3 -d 0.1
	# valgrind 3.19 does not know the call that takes a descriptor of another process.
	under_valgrind 0 create -s 4K -f /etc/hostname -m r true
	under_valgrind 1 cat "$$/0"
	status=0
	"$program" doctor >/dev/null || status=$?
	under_valgrind "$status" doctor
	under_valgrind "$status" doctor --json
	finish
fi

# ---- the man page ----

groff -man -ww -Tascii -P-c "$top/ashmem.8" >"$tmp/page" 2>"$tmp/warnings" || true
status=0
[ -s "$tmp/page" ] && [ ! -s "$tmp/warnings" ] || status=1
result "$status" "the man page renders without warnings"
# Without overstrikes, which make letters bold on a printer.
sed 's/.\x08//g' "$tmp/page" >"$tmp/text"

# The options of command $1 in its help, a line each.
help_options()
{
	"$program" "$1" --help | grep -oE '^ +-., --[a-z]+(=[A-Z]+)?' |
		sed 's/^ *//' | grep -v -- --help
}

# The same in the section of the man page.
page_options()
{
	awk -v name="$1" '
		/^[A-Z]/ || /^   [a-z]/ { inside = $0 == "   " name }
		inside' "$tmp/text" | grep -oE '^ +-., --[a-z]+(=[A-Z]+)?' | sed 's/^ *//'
}

for command in $commands; do
	status=0
	diff <(help_options "$command" | sort) <(page_options "$command" | sort) ||
		status=1
	[ -n "$(help_options "$command")" ] || status=1
	result "$status" "$command: help and man page name the same options"
done
status=0
diff <("$program" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') \
	<(echo "$commands" | tr ' ' '\n') || status=1
result "$status" "help names all commands"

# The device's man page has every command of the header, and every errno of the page
# that describes the calls.
device=$top/../../packaging/man/ashmem.4
{
	sed -n 's/^#define \(ASHMEM_[A-Z_]*\).*/\1/p' \
		"$top/../../include/uapi/linux/ashmem.h" | grep -v '^ASHMEM_NAME_'
	grep -ohE '^E[A-Z]+' "$top/../../Documentation/userspace-api/ashmem.rst" | sort -u
} >"$tmp/words"
status=0
while read -r word; do
	grep -qwE "(Dv|Er) $word" "$device" ||
		{ echo "# ashmem(4) lacks $word"; status=1; }
done <"$tmp/words"
[ "$(wc -l <"$tmp/words")" -gt 20 ] || status=1
result "$status" "ashmem(4) has all commands and errnos"
if command -v mandoc >/dev/null; then
	status=0
	for page in "$device" "$top/../../packaging/udev/ashmem-nodes.8"; do
		mandoc -Tlint -Wwarning "$page" || status=1
	done
	result "$status" "mandoc has nothing to say of the mdoc pages"
else
	skip "no mandoc"
fi

# ---- completion, in a separate bash ----

# Prints the completions of the words on one line; the last word is incomplete.
complete_words()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	PATH=$(dirname "$program"):$PATH bash --norc -euc '
		source "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_ashmem
		echo "${COMPREPLY[*]}"' bash "$top/completion/ashmem.bash" "$@"
}

# Fails unless the words before "--" complete to those after it.
completes()
{
	local expected=$1 got
	shift
	got=$(complete_words "$@")
	if [ "$got" = "$expected" ]; then
		result 0 "completion: $*"
	else
		echo "# got '$got', expected '$expected'"
		result 1 "completion: $*"
	fi
}

completes "$commands --help --version" ashmem ""
completes "create cat" ashmem c
completes "doctor" ashmem "do"
completes "--sort" ashmem list --s
completes "size" ashmem list --sort si
completes "resident" ashmem list --sort = re
completes "pid size resident purgeable name" ashmem top -s ""
completes "pid size resident purgeable name" ashmem top --sort =
completes "--hex --help" ashmem fill --he
completes "$region" ashmem show "${region%/*}/"
completes "$region" ashmem cat "$holder"
completes "" ashmem cat -o ""
completes "" ashmem nonsense x
completes "r rw rx rwx" ashmem create --mask ""
completes "16" ashmem doctor --android 16
completes "--android" ashmem doctor --a
completes "root" ashmem list --user roo
for command in $commands; do
	completes "$(help_options "$command" | sed 's/.* //; s/=.*//' | tr '\n' ' ')--help" \
		ashmem "$command" --
done

# fish prints what it would offer. In zsh the functions that offer are replaced.
if command -v fish >/dev/null; then
	status=0
	# shellcheck disable=SC2016 # fish's
	PATH=$(dirname "$program"):$PATH HOME=$tmp fish --no-config -c '
		source $argv[1]
		complete --do-complete="ashmem list --s"
		complete --do-complete="ashmem top --sort=re"
		complete --do-complete="ashmem doctor -a 1"' "$top/completion/ashmem.fish" |
		cut -f 1 | tr '\n' ' ' >"$tmp/fish" || status=1
	[ "$(cat "$tmp/fish")" = \
		'--sort --sort=resident 10 11 12 13 14 15 16 17 ' ] || status=1
	[ "$status" -eq 0 ] || sed 's/^/# /' "$tmp/fish"
	result "$status" "completion: fish"
else
	skip "no fish"
fi
if command -v zsh >/dev/null; then
	status=0
	# shellcheck disable=SC2016 # zsh's
	PATH=$(dirname "$program"):$PATH zsh -fc '
		compadd() { print -r -- $found; print -rl -- $shown }
		_files() { print files }
		_command_names() { print commands }
		complete_words() { words=("$@"); CURRENT=$#; . "$file" }
		file=$1
		complete_words ashmem list --s
		complete_words ashmem top --sort=re
		complete_words ashmem create -f x
		complete_words ashmem create -- x' zsh "$top/completion/_ashmem" \
		>"$tmp/zsh" || status=1
	diff "$tmp/zsh" - <<-SHOWN || status=1
		--sort
		--sort  -- pid (the default), size, resident, purgeable or name
		--sort=resident
		--sort=resident
		files
		commands
	SHOWN
	result "$status" "completion: zsh"
else
	skip "no zsh"
fi

# ---- JSON, by another program's parser ----

# Runs the rest with python3, if there is one.
valid_json()
{
	local status=0
	"$program" "$@" >"$tmp/json" 2>/dev/null || true
	python3 - "$tmp/json" "$region" <<-'PYTHON' || status=1
		import json, sys
		data = json.load(open(sys.argv[1], encoding="utf-8"))
		pid, fd = map(int, sys.argv[2].split("/"))
		if "regions" in data:
		    mine = [r for r in data["regions"]
		            if any(h["pid"] == pid and h["fd"] == fd for h in r["held_by"])]
		elif "region" in data:
		    mine = [data["region"]]
		else:
		    sys.exit(0 if data else 1)
		assert len(mine) == 1
		assert bytes.fromhex(mine[0]["name_hex"]) == b'check \xff\n"\x1b[31m'
		assert mine[0]["name"] == 'check \ufffd\n"\x1b[31m'
		assert mine[0]["size"] == 65536
	PYTHON
	result "$status" "python3 reads the JSON of $1"
}

if command -v python3 >/dev/null; then
	valid_json list --json
	valid_json show --json "$region"
	valid_json doctor --json
	valid_json doctor --json --android 16
else
	skip "no python3 to read JSON with"
fi

# ---- install and uninstall ----

# All files are installed, and none depends on the directory where it was staged.
make_here()
{
	make -s -C "$top" OUTPUT="$(dirname "$program")" "$@"
}

status=0
make_here install DESTDIR="$tmp/stage" PREFIX=/usr >"$tmp/log" 2>&1 || status=1
diff <(cd "$tmp/stage" && find . ! -type d | sort) - <<-FILES || status=1
	./usr/bin/ashmem
	./usr/share/bash-completion/completions/ashmem
	./usr/share/fish/vendor_completions.d/ashmem.fish
	./usr/share/man/man8/ashmem.8
	./usr/share/zsh/site-functions/_ashmem
FILES
version=$("$program" --version | cut -d ' ' -f 2)
grep -q "\"ashmem $version\"" "$tmp/stage/usr/share/man/man8/ashmem.8" || status=1
cmp -s "$program" "$tmp/stage/usr/bin/ashmem" || status=1
result "$status" "make install"
status=0
make_here uninstall DESTDIR="$tmp/stage" PREFIX=/usr >"$tmp/log" 2>&1 || status=1
[ -z "$(find "$tmp/stage" ! -type d)" ] || status=1
result "$status" "make uninstall"

finish
