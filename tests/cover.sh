#!/bin/sh
# Line coverage of src/, by what the programs built in the folder $1 left there.
set -eu
cd "$(dirname "$0")/.."

for source in src/*.c src/*/*.c; do
	gcov -n -o "$1/$source" "$1/${source%.c}.o" 2>/dev/null |
		grep -A 1 "^File '$source'" || echo "File '$source'"
done | awk -F "'" '
	/^File/ { file = $2; order[++files] = file }
	/^Lines/ {
		split($0, part, /[:%]| of /)
		percent[file] = part[2]; lines[file] = part[4]
		hit += part[2] * part[4] / 100; all += part[4]
	}
	END {
		for (i = 1; i <= files; i++)
			printf "%6.1f%% %5d  %s\n", percent[order[i]],
			    lines[order[i]], order[i]
		printf "%6.1f%% %5d  lines in all\n", 100 * hit / all, all
	}'
