# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of ashmem(8) for fish. The program says what could come next.

function __ashmem_complete
	set -l words (commandline --tokenize --cut-at-cursor --current-process)
	set -l program $words[1]
	set -e words[1]
	set -l word (commandline --current-token --cut-at-cursor)
	for line in ($program --complete $words "$word" 2>/dev/null)
		switch $line
			case :file
				__fish_complete_path $word
			case :command
				__fish_complete_command
			case '*'
				echo $line
		end
	end
end

complete --command ashmem --no-files --arguments '(__ashmem_complete)'
