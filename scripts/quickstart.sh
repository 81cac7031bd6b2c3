#!/bin/bash
# From a clone to answers: installs what is missing, builds, starts a private cluster, makes PostgreSQL's own HTML manual
# a project, watches it being indexed, asks three questions, and says how to go on. Running it again is quick and harmless.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROJECT=manual
INDEX_LIMIT=900  # seconds
QUESTIONS=(
	'how do I set up streaming replication'
	'recover a table dropped by mistake'
	'which index for full text'
)

# sql COMMAND [PSQL_ARGUMENT...]: unaligned rows, columns separated by the unit separator
sql() {
	local command=$1
	shift
	as_server "$BINDIR/psql" -X -q -A -t -F $'\x1f' -v ON_ERROR_STOP=1 -d "$DSN" "$@" <<< "$command"
}

fetch_manual() {
	local unpacked=$LOCAL/manual.tmp
	[ ! -e "$(manual)/index.html" ] || return 0
	as_server test ! -e "$(manual)/index.html" || return 0
	say "   this system leaves documentation out of packages: unpacking postgresql-doc-$PG_MAJOR for ourselves"
	rm -rf "$unpacked"
	mkdir -p "$unpacked"
	(cd "$unpacked" && apt-get -q -o APT::Sandbox::User=root download "postgresql-doc-$PG_MAJOR" && dpkg-deb -x ./*.deb .)
	own_dir "$(home)/manual"
	put "$unpacked/usr/share/doc/postgresql-doc-$PG_MAJOR/html" "$(manual)"
	rm -rf "$unpacked"
}

add_project() {
	sql "SELECT vectorizer.add_project(:'name', :'path')
		WHERE NOT EXISTS (SELECT FROM vectorizer.projects WHERE name = :'name')" \
		-v name="$PROJECT" -v path="$(manual)" > /dev/null
}

watch_indexing() {
	local activity phase files total rows error spent began=$SECONDS
	while :; do
		spent=$((SECONDS - began))
		activity=$(sql "SELECT phase, files_done, files_total, rows, last_error FROM vectorizer.activity
			WHERE project = :'name' AND worker = 'watcher'" -v name="$PROJECT")
		IFS=$'\x1f' read -r phase files total rows error <<< "$activity"
		case $phase in
			idle) break ;;
			failed) progress_end && die "indexing failed: $error" ;;
			restored | paused) progress_end && die "the project is $phase: SELECT vectorizer.resume('$PROJECT');" ;;
			waiting*) progress_end && die "half of the manual is gone: SELECT vectorizer.confirm_deletions('$PROJECT');" ;;
		esac
		[ "$spent" -lt "$INDEX_LIMIT" ] || { progress_end && die "still not done after $spent s ($phase): scripts/cluster.sh log"; }
		progress "$phase: $files of $total files, $rows chunks, $spent s" "$phase $((spent / 10))"
		sleep 0.5
	done
	progress_end
	say "   $files files, $rows chunks, $spent s"
}

ask() {
	local answers path heading snippet n=0
	answers=$(sql "SELECT path, heading, regexp_replace(snippet, '\s+', ' ', 'g')
		FROM vectorizer.search(:'name', :'question', k => 3) JOIN vectorizer_data.:\"name\" USING (path, ordinal)
		ORDER BY score DESC" -v name="$PROJECT" -v question="$1")
	[ -n "$answers" ] || die "no answer to: $1"
	say
	say "   $1"
	while IFS=$'\x1f' read -r path heading snippet; do
		n=$((n + 1))
		say "   $n. $path${heading:+: $heading}"
		fold -s -w 100 <<< "$snippet" | head -n 3 | sed 's/^/        /'
	done <<< "$answers"
}

say "== what is needed"
"$ROOT/scripts/setup.sh" quickstart
use_server
fetch_manual

say "== build for PostgreSQL $PG_MAJOR"
mkdir -p "$LOCAL"
build "$LOCAL/build.log" all
stage_build > "$LOCAL/stage.log"

say "== a private cluster"
"$ROOT/scripts/cluster.sh" start
DSN=$("$ROOT/scripts/cluster.sh" dsn)
"$ROOT/scripts/cluster.sh" status | sed 's/^/   /'

say "== PostgreSQL's manual as a project"
add_project
watch_indexing

say "== three questions"
for question in "${QUESTIONS[@]}"; do
	ask "$question"
done

cat <<EOT

== go on
   psql "\$(make -s dsn)"
      SELECT path, score, snippet FROM vectorizer.search('$PROJECT', 'your question');
      SELECT * FROM vectorizer.collections;
   make stop            stops the cluster; make quickstart starts it again
   make check           runs every test
   README.md, docs/     your own files, the vector type, the hnsw index
EOT
