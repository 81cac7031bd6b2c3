-- What becomes of files of each format: where they are cut, what their chunks stand under.
\ir files.psql
BEGIN;
SELECT plan(26);

SELECT pg_temp.put(:'files' || '/src/boat.c', E'#include <stdio.h>\n\nstatic int oars(void)\n{\n\treturn 2;\n}\n\nint main(void)\n{\n\tprintf("%d", oars());\n\treturn 0;\n}\n');
SELECT pg_temp.put(:'files' || '/Makefile', E'boat: src/boat.c\n\tcc -o boat src/boat.c\n');
SELECT pg_temp.put(:'files' || '/deploy.toml', E'title = "fleet"\n\n[harbour]\ncity = "Bergen"\nberths = 12\nlanguage = "norwegian"\n\n[weather]\nsource = "yr"\nwarnings = true\n');
SELECT pg_temp.put(:'files' || '/crew.csv', E'name,role,motto\nAnna,captain,"steady,\nalways"\nBen,cook,"more ""pepper"""\nCarla,mate,none at all\n');
SELECT pg_temp.put(:'files' || '/fleet.json', '{"boats": [{"name": "Tern", "sails": ["jib", "genoa"]}, {"name": "Gull", "sails": ["spinnaker"]}], "harbour": {"city": "Bergen", "berths": 12}}');
SELECT pg_temp.put(:'files' || '/log.jsonl', E'{"event": "anchor lifted", "by": "Anna"}\n{"event": "sail torn", "by": "Ben"}\n');
SELECT pg_temp.shell(format($sh$
	cd %L
	printf 'Le caf\351 est ferm\351 \340 cause de la gr\350ve, o\371 \352tes-vous all\351s cet \351t\351?' > french.txt
	printf '\223\372\226\173\214\352\202\314\225\266\217\315\202\305\202\267\201\102\214\341\224\171\202\315\224\114\202\305\202\240\202\351\201\102' > japanese.txt
	perl -e '
		my @objects = ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>");
		my $page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents %%d 0 R /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>";
		for my $text ("Lighthouses warn ships.", "Buoys mark channels.") {
			my $stream = "BT /F 12 Tf 20 200 Td ($text) Tj ET";
			push @objects, sprintf($page, @objects + 2), "<< /Length " . length($stream) . " >>\nstream\n$stream\nendstream";
		}
		my $pdf = "%%PDF-1.4\n"; my @at;
		for my $i (0 .. $#objects) { push @at, length $pdf; $pdf .= ($i + 1) . " 0 obj\n$objects[$i]\nendobj\n" }
		my $xref = length $pdf;
		$pdf .= "xref\n0 " . (@objects + 1) . "\n0000000000 65535 f \n" . join("", map { sprintf "%%010d 00000 n \n", $_ } @at);
		print $pdf . "trailer << /Size " . (@objects + 1) . " /Root 1 0 R >>\nstartxref\n$xref\n%%%%EOF\n"' > guide.pdf
	head -c 300 guide.pdf > torn.pdf
$sh$, :'files'));
SELECT vectorizer.add_project('fleet', :'files', dimension => 16, chunk_size => 64, chunk_overlap => 0);
SELECT vectorizer.sync('fleet');

CREATE FUNCTION pg_temp.cut(wanted text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(content ORDER BY ordinal) FROM vectorizer_data.fleet WHERE path = wanted
$$;
CREATE FUNCTION pg_temp.headings(wanted text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(coalesce(heading, '') ORDER BY ordinal) FROM vectorizer_data.fleet WHERE path = wanted
$$;
CREATE FUNCTION pg_temp.fate(wanted text) RETURNS text LANGUAGE sql AS $$
	SELECT state || coalesce(': ' || reason, '') || coalesce(' ' || media_type, '') FROM vectorizer.files WHERE path = wanted
$$;

SELECT is(pg_temp.cut('src/boat.c'), ARRAY[E'#include <stdio.h>\n\nstatic int oars(void)\n{\n\treturn 2;\n}',
	E'int main(void)\n{\n\tprintf("%d", oars());\n\treturn 0;\n}'], 'code is cut between definitions');
SELECT is((SELECT array_agg(start_line || '-' || end_line ORDER BY ordinal) FROM vectorizer_data.fleet WHERE path = 'src/boat.c'), '{1-6,8-12}',
	'with its lines');
SELECT is(pg_temp.headings('deploy.toml'), '{"",harbour,weather}', 'configuration stands under its sections');
SELECT is((pg_temp.cut('deploy.toml'))[3], E'[weather]\nsource = "yr"\nwarnings = true', 'and is cut at them');
SELECT is(pg_temp.cut('crew.csv'), ARRAY[E'name,role,motto\nAnna,captain,"steady,\nalways"', E'Ben,cook,"more ""pepper"""\nCarla,mate,none at all'],
	'a table is cut between records');
SELECT is(pg_temp.headings('crew.csv'), '{"","name,role,motto"}', 'which stand under its header');
SELECT is((SELECT text_rank FROM vectorizer.search('fleet', 'motto of the mate', 1, 'text') WHERE content LIKE '%Carla%'), 1, 'and are found by it');
SELECT is(pg_temp.cut('fleet.json'), ARRAY['{"boats": [{"name": "Tern", "sails": ["jib", "genoa"]},', '{"name": "Gull", "sails": ["spinnaker"]}],',
	'"harbour": {"city": "Bergen", "berths": 12}}'], 'JSON is cut between members');
SELECT is(pg_temp.headings('fleet.json'), '{"",boats,""}', 'and says where they stand');
SELECT is(pg_temp.cut('log.jsonl'), ARRAY['{"event": "anchor lifted", "by": "Anna"}', '{"event": "sail torn", "by": "Ben"}'], 'a record a line');
SELECT is(pg_temp.cut('guide.pdf'), '{Lighthouses warn ships.,Buoys mark channels.}', 'a PDF is read by pdftotext');
SELECT is(pg_temp.headings('guide.pdf'), '{page 1,page 2}', 'page by page');
SELECT is(pg_temp.fate('guide.pdf'), 'indexed application/pdf', 'and is what it is');
SELECT matches(pg_temp.fate('torn.pdf'), '^skipped: a PDF that pdftotext cannot read: it failed with status', 'a broken one has a reason');
SELECT is(array_to_string(pg_temp.cut('french.txt'), ' '), 'Le café est fermé à cause de la grève, où êtes-vous allés cet été?', 'Latin-1 is told');
SELECT is(pg_temp.fate('french.txt'), 'indexed: read as ISO-8859-1 text/plain', 'and said');
SELECT is(array_to_string(pg_temp.cut('japanese.txt'), ' '), '日本語の文章です。吾輩は猫である。', 'so is Shift JIS');
SELECT is(pg_temp.fate('japanese.txt'), 'indexed: read as Shift_JIS text/plain', 'and said');
SELECT is((SELECT k::text FROM vectorizer.kind_of('a/Makefile') k), '(make,configuration)', 'a file may be known by its name');
SELECT is((SELECT k::text FROM vectorizer.kind_of('a/b.unheard') k), '(,)', 'or not at all');
SELECT is((SELECT count(*) FROM vectorizer.file_kinds() WHERE (extension IS NULL) = (name IS NULL)), 0::bigint, 'kinds are told by one or the other');
SELECT ok((SELECT tags @> '{c,json}' FROM vectorizer.collections WHERE name = 'fleet'), 'languages are counted');

-- A file that becomes one of another format
SELECT pg_temp.shell(format('cd %L; mv crew.csv crew.txt', :'files'));
SELECT vectorizer.sync('fleet');
SELECT is(pg_temp.headings('crew.txt'), '{"",""}', 'another name is another format');
SELECT is(pg_temp.cut('crew.csv'), NULL, 'and the old one is gone');
SELECT pg_temp.shell(format('cd %L; mv src/boat.c src/ship.cpp', :'files'));
CREATE TEMP TABLE ids AS SELECT id FROM vectorizer_data.fleet WHERE path = 'src/boat.c';
SELECT vectorizer.sync('fleet');
SELECT results_eq('SELECT id FROM vectorizer_data.fleet WHERE path = ''src/ship.cpp'' ORDER BY 1', 'SELECT id FROM ids ORDER BY 1', 'of the same format keeps its rows');
SELECT is((SELECT count(*) FROM vectorizer_data.fleet WHERE path = 'src/boat.c'), 0::bigint, 'under the new name');

SELECT * FROM finish();
ROLLBACK;
