#!/bin/bash
# Installs what is missing, Debian packages by apt, as root or with sudo. It looks first and does nothing when everything
# is there. No system cluster is created or started by it.
#
# usage: setup.sh [check | quickstart]     for one of the two, or for both
# PG_CONFIG chooses the server where several are installed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# packages MAJOR: their names, and what each is for.
packages() {
	cat <<-LIST
		make
		g++
		postgresql-$1          the server
		postgresql-client-$1   psql, pg_regress, the isolation tester, the Perl test modules
		postgresql-server-dev-$1   the server's headers
		libsimde-dev   portable SIMD intrinsics, headers only
		libeigen3-dev   linear algebra, headers only
		libxml2-dev   HTML to text
		libmd4c-dev   the headings of Markdown
		libicu-dev   character sets
		libyaml-cpp-dev   workspace files
		libcurl4-openssl-dev   HTTP to embeddings endpoints
		nlohmann-json3-dev   what they answer, headers only
	LIST
	[ "$purpose" = quickstart ] || cat <<-LIST
		libgtest-dev   unit tests
		poppler-utils   text of PDF, in a process of its own
		postgresql-$1-pgtap   SQL tests
		libtap-parser-sourcehandler-pgtap-perl   pg_prove, which runs them
		libipc-run-perl   for the server's Perl test modules
		xz-utils   unpacks test/data
	LIST
	[ "$purpose" = check ] || cat <<-LIST
		postgresql-doc-$1   the manual that the quickstart indexes
	LIST
}

missing() {
	local name
	packages "$1" | while read -r name _; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^.i' || say "$name"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

command -v dpkg-query > /dev/null || die "this is not Debian: install by hand what packages() in $0 lists"
purpose=${1:-}
major=$(pg_major)
wanted=
[ -z "$major" ] || wanted=$(missing "$major")
if [ -n "$major" ] && [ -z "$wanted" ]; then
	say "   nothing is missing for PostgreSQL $major"
	exit
fi

if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
	die "packages are missing, and neither root nor sudo is at hand; as root: scripts/setup.sh
${wanted:-the list of packages is empty: run apt-get update first}"
fi

say "   fetching the list of packages"
apt_get update
[ -n "$major" ] || major=$(pg_major)
[ -n "$major" ] || die "apt knows no package named postgresql: check /etc/apt/sources.list*"
wanted=$(missing "$major")

# A server package creates a cluster named main when it is first installed and starts it. Ours is not that server.
no_cluster=/etc/postgresql-common/createcluster.d/vectorizer-setup.conf
if grep -qx "postgresql-$major" <<< "$wanted"; then
	trap 'as_root rm -f "$no_cluster"; as_root rmdir --ignore-fail-on-non-empty "$(dirname "$no_cluster")"' EXIT
	as_root mkdir -p "$(dirname "$no_cluster")"
	say 'create_main_cluster = false' | as_root tee "$no_cluster" > /dev/null
fi
say "   installing ${wanted//$'\n'/ }"
# shellcheck disable=SC2086 # a list of names
apt_get install --no-install-recommends $wanted
say "   installed"
