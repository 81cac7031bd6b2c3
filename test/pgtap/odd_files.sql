-- What stands in a directory and is no ordinary text: each has a state and a reason, and none holds up the others.
\ir files.psql
BEGIN;
SELECT plan(26);

SELECT pg_temp.put(:'files' || '/fine.txt', 'Tulips and daisies.');
SELECT pg_temp.put(:'files' || '/zzz.txt', 'The last of all, roses.');
SELECT pg_temp.shell(format($sh$
	cd %L
	: > empty.txt
	printf ' \n\t\n  ' > white.txt
	echo 'the and of it' > stop.txt
	echo 'Quoted peonies.' > "it's \"so\".txt"
	echo 'A line break.' > "$(printf 'new\nline.txt')"
	echo 'Not UTF-8.' > "$(printf 'bad\377name.txt')"
	echo 'Looks like the other: irises.' > 'bad\xFFname.txt'
	printf '\377\376p\0e\0o\0n\0y\0' > utf16.txt
	head -c 3000 /dev/urandom | tr -d '\0' > noise.bin
	head -c 20000 /dev/zero | tr '\0' 'y' > no-space.txt
	truncate -s 17M huge.txt
	ln -s /etc outside
	ln -s /etc/passwd link
	mkfifo pipe
	perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "sock", Listen => 1) or die $!'
	perl -e 'print "<p>Before</p>", "<div>" x 100000, "inner", "</div>" x 100000, "<p>after</p>"' > deep.html
	perl -e 'print "<title>", "tulip " x 100000, "</title><h1>", "rose " x 100000, "</h1>", "<p>Some text.</p>" x 1000' > title.html
	perl -e 'print "<!DOCTYPE html [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"", "&a;" x 100, "\"><!ENTITY c \"", "&b;" x 100000, "\">]><p>&c; end"' > bomb.html
	perl -e 'print "word" . " lorem" x 200000' > line.txt
	perl -e 'for (1 .. 70) { mkdir "d"; chdir "d" } print STDERR "" ; open F, ">", "deep.txt"; print F "too deep"'
	perl -e 'srand 1; for (1 .. 14) { my $n = join "", "nnn", map { chr(97 + rand 26) } 1 .. 237; mkdir $n; chdir $n;
		open F, ">", "f.txt"; print F "Level $_ of lilies" }'
	mkdir locked; echo 'Behind a door.' > locked/in.txt; chmod 0 locked
	echo 'Unreadable.' > secret.txt; chmod 0 secret.txt
$sh$, :'files'));
SELECT vectorizer.add_project('odd', :'files', dimension => 16);
SELECT lives_ok('SELECT vectorizer.sync(''odd'')', 'a directory of odd files is read');

CREATE FUNCTION pg_temp.fate(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT state || coalesce(': ' || reason, '') FROM vectorizer.files WHERE path = wanted
$$;
SELECT is((SELECT path FROM vectorizer.search('odd', 'tulips and daisies', 1, 'text')), 'fine.txt', 'the ordinary ones are found');
SELECT is((SELECT path FROM vectorizer.search('odd', 'last of all', 1, 'text')), 'zzz.txt', 'to the last');
SELECT is(pg_temp.fate('empty.txt'), 'indexed: no text', 'an empty file');
SELECT is(pg_temp.fate('white.txt'), 'indexed: no text', 'white space');
SELECT is(pg_temp.fate('stop.txt'), 'indexed', 'stop words');
SELECT is(pg_temp.fate($$it's "so".txt$$), 'indexed', 'quotes in a name');
SELECT is(pg_temp.fate('new\x0Aline.txt'), 'skipped: name is not valid UTF-8 or holds a control character', 'a line break in a name');
SELECT is(pg_temp.fate('bad\xFFname.txt'), 'indexed', 'a name that looks like another one that is not UTF-8');
SELECT is((SELECT path FROM vectorizer.search('odd', 'irises', 1, 'text')), 'bad\xFFname.txt', 'is found');
SELECT is((SELECT content FROM vectorizer_data.odd WHERE path = 'utf16.txt'), 'peony', 'UTF-16');
SELECT is(pg_temp.fate('noise.bin'), 'skipped: binary', 'noise');
SELECT is(pg_temp.fate('no-space.txt'), 'indexed', 'a word of twenty thousand letters');
SELECT is(pg_temp.fate('huge.txt'), 'skipped: larger than 16777216 bytes', 'a huge file');
SELECT is(pg_temp.fate('outside'), 'skipped: symbolic link', 'a link to a directory outside');
SELECT is(pg_temp.fate('sock'), 'skipped: socket', 'a socket');
SELECT is(pg_temp.fate('deep.html'), 'indexed: elements are nested too deeply: the text ends there', 'HTML nested too deeply');
SELECT cmp_ok((SELECT max(length(metadata::text)) FROM vectorizer_data.odd WHERE path = 'title.html'), '<', 1000, 'a title of half a megabyte');
SELECT cmp_ok((SELECT sum(length(content)) FROM vectorizer_data.odd WHERE path = 'bomb.html'), '<', 1000000::bigint, 'entities do not multiply');
SELECT is((SELECT sum(length(content)) > 1000000 FROM vectorizer_data.odd WHERE path = 'line.txt'), true, 'a line of a megabyte');
SELECT is((SELECT count(*) FROM vectorizer.files WHERE reason = 'deeper than 64 directories'), 1::bigint, 'a tree too deep');
SELECT results_eq($$SELECT count(*) FILTER (WHERE state = 'indexed'), count(*) FILTER (WHERE reason = 'path is longer than 1500 bytes')
	FROM vectorizer.files WHERE path LIKE 'nnn%'$$, 'VALUES (6::bigint, 1::bigint)', 'paths too long');
SELECT is(pg_temp.fate('locked'), 'skipped: permission denied', 'a directory that cannot be read');
SELECT is(pg_temp.fate('secret.txt'), 'failed: permission denied', 'a file that cannot be read');

SELECT results_eq('SELECT added, changed, deleted FROM vectorizer.sync(''odd'')', 'VALUES (0::bigint, 0::bigint, 0::bigint)',
	'a second pass finds nothing to do');
SELECT pg_temp.shell(format('cd %L; chmod 755 locked; chmod 644 secret.txt', :'files'));
SELECT results_eq('SELECT added, changed, deleted FROM vectorizer.sync(''odd'')', 'VALUES (2::bigint, 0::bigint, 0::bigint)',
	'what can be read again is');

SELECT * FROM finish();
ROLLBACK;
