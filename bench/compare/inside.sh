#!/bin/bash
# The comparison inside the Debian folder that run.sh opened: packages, builds, then compare.py with all arguments.
# PROGRAMS_DIR and WORK are folders to build the programs in and to work in.
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

here=$ROOT/bench/compare
packages=(postgresql-17-pgvector libhnswlib-dev libpq-dev python3)
if ! dpkg-query -W "${packages[@]}" > /dev/null 2>&1; then
	apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${packages[@]}"
fi

use_server
build /tmp/compare-build.log all
stage_build > /dev/null
make -C "$here" -s OUT="$ROOT/build/compare"

own_dir "$WORK/server"
rm -rf "$WORK/stage"
cp -r "$ROOT/build/stage" "$WORK/stage"
chmod -R a+rX "$WORK/stage"
chmod a+x "$WORK"

export BINDIR PKGLIBDIR STAGE=$WORK/stage PROGRAMS=$ROOT/build/compare
HNSWLIB_VERSION=$(dpkg-query -W -f '${Version}' libhnswlib-dev)
export HNSWLIB_VERSION
cd "$here"
exec python3 -B compare.py --work "$WORK" "$@"
