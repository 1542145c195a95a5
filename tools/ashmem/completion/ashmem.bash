# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of ashmem(8) for bash. The program says what could come next; it needs
# nothing of bash-completion's own functions.

_ashmem()
{
	local word=${COMP_WORDS[COMP_CWORD]} line

	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
		:command) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <("${COMP_WORDS[0]}" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _ashmem ashmem
