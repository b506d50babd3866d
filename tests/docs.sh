#!/bin/sh
# Silent, or says where the documents are wrong: every test that they name is
# there, they name every script, and every function of architecture.md exists.
set -u
cd "$(dirname "$0")/.."
tables='docs/xeps.md docs/stanzas.md'
bad=0

complain()
{
	echo "$1" >&2
	bad=1
}

# The words of $1 (an extended regular expression) in the other files.
words()
{
	pattern=$1
	shift
	grep -ohE "$pattern" "$@" | sort -u
}

for script in $(words '[a-z0-9_]+\.xt' $tables docs/adding-a-xep.md); do
	[ -e "tests/scripts/$script" ] || [ "$script" = x.xt ] ||
		complain "docs: there is no tests/scripts/$script"
done
for script in tests/scripts/*.xt; do
	grep -qF "\`${script##*/}\`" $tables ||
		complain "$script is in neither of $tables: say what it shows"
done
for test in $(words 'test_[a-z0-9_]+\.c' $tables); do
	[ -e "tests/unit/$test" ] || complain "docs: there is no tests/unit/$test"
done
for name in $(words 'interop:[a-z0-9_]+' $tables); do
	grep -q "^async def ${name#interop:}(" tests/interop/test_*.py ||
		complain "docs: tests/interop has no case ${name#interop:}"
done
for function in $(words '[a-z0-9_]+\(\)' docs/architecture.md); do
	grep -qrE "^${function%()}\(" src ||
		complain "docs/architecture.md: there is no $function"
done
for link in $(grep -oE '\]\([^):#]+' README.md | cut -c3-); do
	[ -e "$link" ] || complain "README.md: there is no $link"
done
for link in $(grep -ohE '\]\([^):#]+' docs/*.md | cut -c3-); do
	[ -e "docs/$link" ] || complain "docs: there is no $link"
done

# Each row of core/address.c stands once in the table of addresses, with a dialogue in
# which that element is.
places=$(sed -nE 's/^\t\{ "([A-Za-z-]+)", (NS_[A-Z0-9_]+), ("([a-z]+)"|NULL) \},$/\1 \2 \4/p' \
	src/core/address.c)
[ "$(echo "$places" | wc -l)" -eq \
	"$(grep -c '^| .* | `.*` | `.*` [a-z]* | ' docs/stanzas.md)" ] ||
	complain 'docs/stanzas.md: not as many addresses as in core/address.c'
while read -r name ns attr; do
	url=$(sed -nE "s/^#define $ns +\"(.*)\"/\1/p" include/xmpp/ns.h \
		src/core/address.c)
	row=$(grep -F "| \`$url\` | \`$name\` ${attr:-text} |" docs/stanzas.md)
	script=$(echo "$row" | grep -oE '[a-z_]+\.xt' | head -n 1)
	grep -qE "<$name[ >]" "tests/scripts/${script:-none}" 2>/dev/null ||
		complain "docs/stanzas.md: $name of $url is not shown"
done <<END
$places
END

exit $bad
