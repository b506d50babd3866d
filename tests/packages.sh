#!/bin/sh
# Installs the Debian 12 packages that building (build), showing (run) and
# testing (check) take, where they are missing. -n only names them.
set -eu

build='gcc libc6-dev make pkg-config libexpat1-dev libssl-dev libxml2-dev
	liblog4c-dev libgsasl-dev libc-ares-dev libidn-dev uthash-dev
	libsqlite3-dev ca-certificates'
run='prosody python3 python3-slixmpp libstrophe-dev openssl'
check='libcmocka-dev clang libclang-rt-14-dev clang-format cppcheck prosody
	profanity-light
	ejabberd python3 python3-slixmpp libstrophe-dev openssl libxml2-utils
	mandoc systemd valgrind'

only_name=false
if [ "${1-}" = -n ]; then
	only_name=true
	shift
fi
wanted=
for group in "$@"; do
	case $group in
	build) wanted="$wanted $build" ;;
	run) wanted="$wanted $run" ;;
	check) wanted="$wanted $check" ;;
	*) echo "usage: packages.sh [-n] build|run|check ..." >&2; exit 2 ;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	echo "not Debian: these have to be there:" $wanted
	exit 0
fi
missing=
for package in $wanted; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
		2>/dev/null) || :
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if $only_name; then
	echo "missing Debian packages:$missing (make deps installs them)"
	exit 0
fi

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "installing:$missing"

# Debian starts the daemons that it installs. The tests start servers of their
# own, on ports of their own, and a Prosody that is suddenly open on 5222 is
# nothing that a test should leave behind. policy-rc.d is how Debian is told
# not to; one that is there already is the administrator's and stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$as_root rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
fi
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
	--no-install-recommends $missing
