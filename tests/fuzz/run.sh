#!/bin/sh
# run.sh seconds [target]: fuzzes each target that long. What is new goes to
# build/fuzz/corpus, a finding to build/fuzz/findings; tests/fuzz/corpus is only
# read, and grows by hand.
set -eu
cd "$(dirname "$0")/../.."

seconds=$1
bad=0
ASAN_OPTIONS=detect_leaks=1
export ASAN_OPTIONS
for source in tests/fuzz/fuzz_${2:-*}.c; do
	[ -e "$source" ] || { echo "no such target: ${2:-}" >&2; exit 2; }
	name=$(basename "$source" .c)
	target=${name#fuzz_}
	seeds=tests/fuzz/corpus/$target
	dict=tests/fuzz/$target.dict
	mkdir -p "build/fuzz/corpus/$target" build/fuzz/findings
	set -- "build/fuzz/corpus/$target"
	[ ! -d "$seeds" ] || set -- "$@" "$seeds"
	[ ! -e "$dict" ] || set -- "$@" "-dict=$dict"
	echo "  FUZZ  $target, $seconds s"
	if ! "build/fuzz/tests/fuzz/$name" "$@" -max_total_time="$seconds" \
		-timeout=20 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="build/fuzz/findings/$target-"; then
		echo "  FAIL  $target: see build/fuzz/findings" >&2
		bad=1
	fi
done
exit $bad
