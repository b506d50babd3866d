#!/bin/sh
# Silent, or says what is wrong: layers, third-party headers, documents, format,
# cppcheck.
set -u
cd "$(dirname "$0")/.."
bad=0

complain()
{
	echo "$1" >&2
	bad=1
}

# A file of a layer includes that layer or a lower one, or what lies beside it
# (src/main.c: any).
allowed='base'
for layer in base io xmpp core mod; do
	[ $layer = base ] || allowed="$allowed|$layer"
	wrong=$(grep -nE '^#[[:space:]]*include[[:space:]]+"' \
		src/$layer/*.[ch] include/$layer/*.h 2>/dev/null |
		grep -vE "\"(($allowed)/)?[a-z0-9_]+\.h\"")
	[ -z "$wrong" ] || complain "layer $layer includes a higher one:
$wrong"
done

# header, the files that may include it, as regular expressions
only()
{
	wrong=$(grep -lE "^#[[:space:]]*include[[:space:]]+[<\"]$1" \
		src/*.c src/*/*.[ch] include/*/*.h 2>/dev/null |
		grep -vE "^($2)\$")
	[ -z "$wrong" ] || complain "<$1> is not for: $(echo $wrong)"
}
# header, how many files may include it
at_most()
{
	files=$(grep -lE "^#[[:space:]]*include[[:space:]]+[<\"]$1" \
		src/*.c src/*/*.[ch] include/*/*.h 2>/dev/null)
	[ "$(echo "$files" | grep -c .)" -le "$2" ] ||
		complain "<$1> is included by more than $2: $(echo $files)"
}
only 'log4c' 'src/base/log\.c'
only 'uthash' 'include/base/table\.h'
only 'openssl/' 'src/io/tls[a-z_]*\.c'
at_most 'openssl/' 2
at_most 'libxml/' 1
at_most 'gsasl' 1
at_most 'ares' 1
at_most '(stringprep|idna|punycode|idn-)' 1
at_most 'expat' 1
at_most 'sqlite3' 1

tests/docs.sh || bad=1
/usr/bin/python3 tests/chaos/mutate.py --check || bad=1

c_files=$(find src include tests -name '*.[ch]')
clang-format --dry-run -Werror $c_files || bad=1

# missingIncludeSystem: the system's headers are described by --library; only
# the macros of queue.h have to be seen, and those of uthash simplified.
# unusedStructMember: what these macros use.
# variableScope: variables stand at the start of a function.
# constParameter, constParameterCallback: the signature of a callback is given.
queue_h=/usr/include/$(gcc -print-multiarch)/sys/queue.h
cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr -j2 \
	--enable=warning,style,performance,portability \
	--library=posix,gnu,tests/cppcheck.cfg --include="$queue_h" \
	--suppress=missingIncludeSystem --suppress=unusedStructMember \
	--suppress=variableScope --suppress=constParameter \
	--suppress=constParameterCallback -Iinclude src || bad=1

# The unit as it is installed: hardened to 2.0 or better.
unit=$(mktemp -d)/xmpproxy.service
sed 's|@sbindir@|/usr/sbin|' conf/xmpproxy.service >"$unit"
rating=$(systemd-analyze security --offline=true --threshold=20 "$unit") ||
	{ printf '%s\n' "$rating"; bad=1; }
rm -r "${unit%/*}"

exit $bad
