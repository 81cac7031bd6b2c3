#!/bin/bash
# Every test, from a bare clone: installs what is missing, builds, and runs the stages below on servers of its own.
# The last line of standard output is "N passed, N failed", whatever happens. Logs are kept in .local/check/.
#
# usage: check.sh [STAGE...]     all of them by default
#        fence        core includes no server header
#        objects      test/objects/*.sh: what must be in the library's object code: counts lines of TAP
#        unit         test/unit/**.cpp, GoogleTest: counts test cases
#        regression   test/sql/*.sql against expected/*.out, pg_regress: counts files; init first, then by name
#        pgtap        test/pgtap/*.sql, pg_prove: counts assertions
#        isolation    test/isolation/specs/*.spec, pg_isolation_regress: counts specs
#        tap          test/t/*.pl, prove with the server's Perl modules: counts assertions
# Environment: TESTS, a glob for the names of tests ("02*"), for all stages but unit.
# Setup, build and a stage that breaks off count as one failure each, and as nothing when they go well.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

STAGES=(fence objects unit regression pgtap isolation tap)
LOGS=$LOCAL/check
STAGE_LIMIT=1200  # seconds
declare -A passed failed skipped seconds
current=start
finished=
where=

count() { grep -cE -- "$1" "$2" || true; }

# result NAME STATUS LOG PASSED FAILED [SKIPPED]: records what the patterns find in the log. A stage that ends badly and
# shows no failed test, or is ended by a signal or by timeout, broke off.
result() {
	local name=$1 status=$2 log=$3
	passed[$name]=$(count "$4" "$log")
	failed[$name]=$(count "$5" "$log")
	skipped[$name]=$(count "${6:-^no such line$}" "$log")
	if [ "$status" -ge 124 ] || { [ "$status" != 0 ] && [ "${failed[$name]}" = 0 ]; }; then
		failed[$name]=$((failed[$name] + 1))
		say "   $name broke off with status $status"
	fi
	[ "${failed[$name]}" = 0 ] || tail -n 60 "$log" | sed 's/^/   | /'
}

summary() {
	local status=$? name p=0 f=0
	trap - EXIT
	trap '' INT TERM HUP
	set +e
	[ -z "${RUN:-}" ] || [ ! -d "$RUN/server" ] || server_stop "$RUN/server" immediate
	if [ -z "$finished" ]; then
		[ "${failed[$current]:-0}" != 0 ] || failed[$current]=1
		say "   $current broke off with status $status${where:+ at $where}"
	fi
	say
	printf '%-12s %8s %8s %8s %8s\n' "" passed failed skipped seconds
	for name in start setup build "${STAGES[@]}"; do
		if [ -n "${passed[$name]:-}${failed[$name]:-}" ]; then
			printf '%-12s %8d %8d %8d %8d\n' \
				"$name" "${passed[$name]:-0}" "${failed[$name]:-0}" "${skipped[$name]:-0}" "${seconds[$name]:-0}"
			p=$((p + ${passed[$name]:-0}))
			f=$((f + ${failed[$name]:-0}))
		fi
	done
	say "logs: $LOGS"
	say
	if [ "$f" = 0 ]; then
		status=0
		server_remove "$RUN/server"
		rm -rf "$RUN"
	else
		status=1
	fi
	say "$p passed, $f failed"
	exit "$status"
}

# logged NAME COMMAND...: runs a step whose output goes to its log, and shows the log's end if it fails.
logged() {
	local name=$1
	shift
	if ! "$@" > "$LOGS/$name.log" 2>&1; then
		tail -n 60 "$LOGS/$name.log" | sed 's/^/   | /'
		return 1
	fi
}

# files DIR PATTERN: the files below DIR, relative to it, without their suffix, in order of name.
files() { [ ! -d "$1" ] || find "$1" -name "${TESTS:-*}${2#\*}" -printf '%P\n' | sed 's/\.[^.]*$//' | LC_ALL=C sort; }

# Beside the stage that is installed: the same with places that a test can stop it at (src/pg/crash_point.hpp).
CRASH_STAGE=$ROOT/build/crash/stage
stage_crash_points() {
	rm -rf "$CRASH_STAGE"
	cp -a "$ROOT/build/stage" "$CRASH_STAGE"
	install -m 755 "$ROOT/build/crash/vectorizer.so" "$CRASH_STAGE$PKGLIBDIR/vectorizer.so"
}

# start_server STAGED
start_server() {
	own_dir "$RUN/server"
	SERVER_LOG=$LOGS/initdb.log server_start "$RUN/server" "$1" <<-'CONF'
		fsync = off
		max_prepared_transactions = 10
		max_worker_processes = 16
		log_statement = 'none'
	CONF
}

stage_fence() {
	local log=$LOGS/fence.log
	if grep -nE '#[[:space:]]*include[[:space:]]*[<"](postgres|pg/|server/|postgresql/|access/|catalog/|executor/|miscadmin|fmgr|libpq|lib/stringinfo|nodes/|storage/|utils/|port[./])' \
		-r "$ROOT/src/core" "$ROOT/test/unit" > "$log" 2> /dev/null; then
		sed 's/^/not ok /' -i "$log"
		result fence 1 "$log" '^ok ' '^not ok '
	else
		say "ok core includes no server header" > "$log"
		result fence 0 "$log" '^ok ' '^not ok '
	fi
}

stage_objects() {
	local status=0 log=$LOGS/objects.log test
	: > "$log"
	for test in $(files "$ROOT/test/objects" '*.sh'); do
		"$ROOT/test/objects/$test.sh" "$ROOT/vectorizer.so" >> "$log" 2>&1 || status=$?
	done
	tap_result objects "$status" "$log"
}

stage_unit() {
	local status=0 log=$LOGS/unit.log
	: > "$log"
	if [ -z "$(TESTS='' files "$ROOT/test/unit" '*.cpp')" ]; then
		:
	elif ! build "$LOGS/unit-build.log" build/unit_tests; then
		status=1
	else
		(cd "$ROOT" && timeout -k 10 "$STAGE_LIMIT" build/unit_tests) > "$log" 2>&1 || status=$?
	fi
	result unit "$status" "$log" '^\[       OK \] ' '^\[  FAILED  \] .* \([0-9]+ ms\)$' '^\[  SKIPPED \] .* \([0-9]+ ms\)$'
}

# pg_regress prints "test name ... ok" up to PostgreSQL 15, TAP later.
REGRESS_OK='^(test .* \.\.\. ok |ok [0-9]+ )'
REGRESS_FAILED='^(test .* \.\.\. FAILED|not ok [0-9]+ )'

# expect_nothing DIR TEST...: an empty expected output for each test that has none, so that it fails like any other
# instead of ending the run.
expect_nothing() {
	local dir=$1
	shift
	as_server mkdir -p "$dir"
	set -- "${@/#/$dir/}"
	as_server touch "${@/%/.out}"
}

# Inputs and expected outputs lie side by side in a folder of this run, as pg_regress wants them, and nothing else does.
stage_regression() {
	local status=0 log=$LOGS/regression.log tests work=$RUN/regression
	tests=$(files "$ROOT/test/sql" '*.sql')
	tests=$(grep -x init <<< "$tests" || true; grep -vx init <<< "$tests" || true)
	: > "$log"
	if [ -n "$tests" ]; then
		as_server mkdir -p "$work/out"
		put "$ROOT/test/sql" "$work/sql"
		[ ! -d "$ROOT/expected" ] || put "$ROOT/expected" "$work/expected"
		# shellcheck disable=SC2086 # a list of names
		expect_nothing "$work/expected" $tests
		[ ! -d "$ROOT/test/data" ] || put "$ROOT/test/data" "$work/data"
		# shellcheck disable=SC2086 # a list of names
		as_server env PG_ABS_SRCDIR="$work" timeout -k 10 "$STAGE_LIMIT" "$PGXS_SRC/test/regress/pg_regress" \
			--bindir="$BINDIR" --host="$SOCKET" --user=postgres --dbname=regression \
			--inputdir="$work" --outputdir="$work/out" $tests > "$log" 2>&1 || status=$?
		keep "$work/out" regression
	fi
	result regression "$status" "$log" "$REGRESS_OK" "$REGRESS_FAILED"
	show_diffs regression
}

stage_isolation() {
	local status=0 log=$LOGS/isolation.log specs work=$RUN/isolation
	specs=$(files "$ROOT/test/isolation/specs" '*.spec')
	: > "$log"
	if [ -n "$specs" ]; then
		as_server mkdir -p "$work/out"
		put "$ROOT/test/isolation" "$work"
		# shellcheck disable=SC2086 # a list of names
		expect_nothing "$work/expected" $specs
		# shellcheck disable=SC2086 # a list of names
		as_server timeout -k 10 "$STAGE_LIMIT" "$PGXS_SRC/test/isolation/pg_isolation_regress" \
			--bindir="$BINDIR" --host="$SOCKET" --user=postgres --dbname=isolation --load-extension=vectorizer \
			--inputdir="$work" --outputdir="$work/out" $specs > "$log" 2>&1 || status=$?
		keep "$work/out" isolation
	fi
	result isolation "$status" "$log" "$REGRESS_OK" "$REGRESS_FAILED"
	show_diffs isolation
}

# keep FROM NAME: copies a server-owned folder of results to the logs.
keep() {
	rm -rf "${LOGS:?}/$2"
	mkdir -p "$LOGS/$2"
	as_server tar -C "$1" -cf - . | tar -C "$LOGS/$2" --no-same-owner -xf -
}

show_diffs() {
	[ ! -s "$LOGS/$1/regression.diffs" ] || head -n 100 "$LOGS/$1/regression.diffs" | sed 's/^/   | /'
}

TAP_OK='^ok [0-9]+'
TAP_FAILED='^not ok [0-9]+'
# what is skipped or expected to fail is neither passed nor failed
tap_result() {
	sed -E -i 's/^(ok|not ok)( [0-9]+.*# *(SKIP|TODO))/skipped\2/I' "$3"
	result "$1" "$2" "$3" "$TAP_OK" "$TAP_FAILED" '^(skipped [0-9]+|.*\.\. skipped: )'
}

stage_pgtap() {
	local status=0 log=$LOGS/pgtap.log tests
	tests=$(files "$ROOT/test/pgtap" '*.sql')
	: > "$log"
	if [ -n "$tests" ]; then
		put "$ROOT/test/pgtap" "$RUN/pgtap"
		put "$ROOT/docs" "$RUN/docs"
		put "$ROOT/test/data/workspace" "$RUN/workspace"
		server_psql "$RUN/server" postgres -c 'CREATE DATABASE pgtap'
		server_psql "$RUN/server" pgtap -c 'CREATE EXTENSION vectorizer' -c 'CREATE EXTENSION pgtap'
		# shellcheck disable=SC2046,SC2086 # a list of names
		as_server_in "$RUN/pgtap" timeout -k 10 "$STAGE_LIMIT" pg_prove --verbose --psql-bin "$BINDIR/psql" \
			-h "$SOCKET" -U postgres -d pgtap $(printf '%s.sql\n' $tests) > "$log" 2>&1 || status=$?
	fi
	tap_result pgtap "$status" "$log"
}

stage_tap() {
	local status=0 log=$LOGS/tap.log tests work=$RUN/tap
	tests=$(files "$ROOT/test/t" '*.pl')
	: > "$log"
	if [ -n "$tests" ]; then
		put "$ROOT" "$work" test
		put "$ROOT" "$work" src
		server_conf "$RUN/server/stage" | as_server tee "$work/node.conf" > /dev/null
		put "$CRASH_STAGE" "$work/crash_stage"
		server_conf "$work/crash_stage" | as_server tee "$work/crash.conf" > /dev/null
		# shellcheck disable=SC2046,SC2086 # a list of names
		as_server_in "$work" env PATH="$BINDIR:$PATH" PERL5LIB="$PGXS_SRC/test/perl:$work/test/t/lib" \
			TEMP_CONFIG="$work/node.conf" CRASH_CONFIG="$work/crash.conf" PG_REGRESS="$PGXS_SRC/test/regress/pg_regress" \
			TESTDIR="$work" TESTDATADIR="$work/tmp_check" TESTLOGDIR="$work/tmp_check/log" TMPDIR=/tmp \
			timeout -k 10 "$STAGE_LIMIT" prove --verbose $(printf 'test/t/%s.pl\n' $tests) > "$log" 2>&1 || status=$?
		! as_server test -d "$work/tmp_check/log" || keep "$work/tmp_check/log" tap
	fi
	tap_result tap "$status" "$log"
}

mkdir -p "$LOGS"
trap summary EXIT
trap 'where="${BASH_SOURCE[0]##*/} line $LINENO (${FUNCNAME[*]})"' ERR
set -E
# A signal often comes twice, to the group and from make: the second one must not cut the summary short.
trap 'trap "" INT TERM HUP; exit 130' INT
trap 'trap "" INT TERM HUP; exit 143' TERM HUP
exec 9> "$LOGS/lock"
flock -n 9 || { say "another check runs in this checkout"; exit 1; }
[ $# = 0 ] || STAGES=("$@")
for stage in "${STAGES[@]}"; do
	declare -F "stage_$stage" > /dev/null || die "there is no stage named $stage"
done

begin() {
	current=$1
	began=$SECONDS
}
end() { seconds[$current]=$((SECONDS - began)); }

begin setup
say "== setup"
"$ROOT/scripts/setup.sh" check
use_server
end

begin build
say "== build for PostgreSQL $PG_MAJOR ($(nproc) jobs)"
build "$LOGS/build.log" all build/crash/vectorizer.so
logged stage stage_build
stage_crash_points
HOME_DIR=$(home)
mkdir -p "$HOME_DIR/check"
RUN=$HOME_DIR/check/run
server_remove "$RUN/server"
rm -rf "$RUN"
own_dir "$RUN"
end

for stage in "${STAGES[@]}"; do
	begin "$stage"
	say "== $stage"
	case $stage in
		fence | objects | unit) ;;
		*)
			case $stage in
				isolation) start_server "$CRASH_STAGE" ;;
				*) start_server "$ROOT/build/stage" ;;
			esac
			SOCKET=$(socket_dir "$RUN/server")
			;;
	esac
	"stage_$stage"
	end
	say "   ${passed[$stage]} passed, ${failed[$stage]} failed, ${seconds[$stage]} s"
done
finished=yes
