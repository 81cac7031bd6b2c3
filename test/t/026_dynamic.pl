# Dynamic collections under the watcher: rows get their embeddings without being asked for, whoever writes meanwhile.
use strict;
use warnings;
use Config;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use HnswCheck qw(index_is_sound);
use VectorizerNode qw(new_node);
use Watched qw(wait_for);

my $node = new_node('main', conf => Watched::conf());

sub sql { return $node->safe_psql('postgres', $_[0]); }

my @things = qw(whale shark wolf deer eagle salmon oak moss beetle falcon);
my @verbs = qw(hunts eats sees hears follows flees finds loses);

sub sentence
{
	my ($i) = @_;
	return "The $things[$i % 10] $verbs[$i % 8] the $things[($i * 7 + 3) % 10] by the river, number $i.";
}

# Rows whose embedding is not that of their text by the generation in force, and is not awaited either.
sub wrong
{
	my ($name) = @_;
	return sql("SELECT count(*) FROM vectorizer_data.$name a, vectorizer.collection c WHERE c.name = '$name' AND a.model_generation > 0"
		. " AND (a.model_generation <> c.model_generation OR a.embedding IS DISTINCT FROM vectorizer.embed(a.content, '$name'))");
}

sub generation { return sql("SELECT model_generation FROM vectorizer.collections WHERE name = '$_[0]'"); }

sql("SELECT vectorizer.create_collection('animals', dimension => 32)");
is(sql("SELECT count(*) FROM vectorizer.search('animals', 'whale')"), '0', 'an empty collection can be searched');
sql("INSERT INTO vectorizer_data.animals (content) VALUES " . join(', ', map { "('" . sentence($_) . "')" } 1 .. 300));
ok(wait_for($node, 10, "SELECT state = 'ready' AND chunks = 300 FROM vectorizer.collections WHERE name = 'animals'"),
	'a model is trained a moment after the first rows');
is(wrong('animals'), '0', 'and every row has its embedding');
sql("INSERT INTO vectorizer_data.animals (content) VALUES ('The wolf hunts the salmon.')");
ok(wait_for($node, 10, "SELECT chunks = 301 FROM vectorizer.collections WHERE name = 'animals'"), 'a row more is counted');

# Writers while the model is trained anew, again and again
my $writers = <<'SQL';
\set i random(1, 1000000)
\set who random(1, 300)
INSERT INTO vectorizer_data.animals (content) VALUES ('The falcon ' || :i || ' finds a beetle and ' || (:i % 97) || ' leaves.');
UPDATE vectorizer_data.animals SET content = 'The oak ' || :i || ' loses moss, ' || (:i % 89) || ' times.' WHERE id = :who;
SQL
my $script = PostgreSQL::Test::Utils::tempdir() . '/write.sql';
append_to_file($script, $writers);
my $bench = IPC::Run::start([ 'pgbench', '--no-vacuum', '-c', '4', '-j', '1', '-T', '8', '-f', $script, '-h', $node->host, '-p',
	$node->port, 'postgres' ], '>', \my $output, '2>', \my $errors);
my $searches = 0;
for (1 .. 30) {
	$searches++ if sql("SELECT count(*) FROM vectorizer.search('animals', 'falcon beetle', 5)") == 5;
	sleep(0.25);
}
$bench->finish;
is($searches, 30, 'every search meanwhile finds');
like($output, qr/number of failed transactions: 0 /, 'no writer failed') or diag($errors);
ok(wait_for($node, 40, "SELECT state = 'ready' AND model_generation > 1 AND (SELECT count(*) FROM vectorizer_data.animals) = chunks"
	. " AND NOT EXISTS (SELECT FROM vectorizer_data.animals a WHERE a.model_generation <> c.model_generation)"
	. " FROM vectorizer.collections c WHERE name = 'animals'"), 'it settles on a later generation');
is(wrong('animals'), '0', 'and every row has the embedding of what it says');
is(sql("SELECT last_error FROM vectorizer.collections WHERE name = 'animals'"), '', 'without an error');
index_is_sound($node, 'vectorizer_data."animals:embedding"', 'animals');

# A row that is being changed when its first embedding is made
my $writer = $node->background_psql('postgres');
sql("SELECT vectorizer.create_collection('plants', dimension => 16)");
sql("INSERT INTO vectorizer_data.plants (content) VALUES " . join(', ', map { "('" . sentence($_) . "')" } 1 .. 50));
$writer->query_safe("BEGIN; UPDATE vectorizer_data.plants SET content = 'The moss finds the oak.' WHERE id = 7");
ok(wait_for($node, 20, "SELECT count(*) = 49 FROM vectorizer_data.plants WHERE model_generation = 1 AND embedding IS NOT NULL"), 'the watcher does not wait for a row');
$writer->query_safe('COMMIT');
ok(wait_for($node, 20, "SELECT count(*) = 50 FROM vectorizer_data.plants WHERE model_generation = 1 AND embedding IS NOT NULL"), 'which is embedded later');
is(wrong('plants'), '0', 'by what it says then');

# Rows before all others
sql("INSERT INTO vectorizer_data.plants (id, content) OVERRIDING SYSTEM VALUE VALUES (0, 'The oak sees the moss.'), (-3, 'The moss sees the oak.')");
is(sql("SELECT count(*) FROM vectorizer_data.plants WHERE id <= 0 AND embedding IS NOT NULL"), '2', 'any id will do');

# A row that is not committed when the next generation is due
$writer->query_safe("BEGIN; INSERT INTO vectorizer_data.plants (content) VALUES ('The oak hears the falcon.')");
sql("INSERT INTO vectorizer_data.plants (content) VALUES " . join(', ', map { "('" . sentence($_) . "')" } 51 .. 110));
sleep(3);
is(generation('plants'), '1', 'which waits for it');
sql("SELECT count(*) FROM vectorizer.search('plants', 'oak')");
$writer->query_safe('COMMIT');
ok(wait_for($node, 20, "SELECT model_generation = 2 AND state = 'ready' FROM vectorizer.collections WHERE name = 'plants'"), 'and comes then');
is(wrong('plants'), '0', 'with its row');
$writer->quit;
sql("SELECT vectorizer.drop_collection('plants')");

# The server dies
sql("INSERT INTO vectorizer_data.animals (content) SELECT 'The eagle number ' || i FROM generate_series(1, 500) i");
$node->stop('immediate');
$node->start;
ok(wait_for($node, 20, "SELECT count(*) = chunks FROM vectorizer_data.animals, vectorizer.collections c WHERE c.name = 'animals' GROUP BY chunks"),
	'after a crash the watcher is there without being asked');
is(wrong('animals'), '0', 'nothing is wrong');

# A transaction that sees an older state than the one in force
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->query_safe('SELECT count(*) FROM vectorizer_data.animals');
my $generation = generation('animals');
sql("INSERT INTO vectorizer_data.animals (content) SELECT 'A moss ' || i || ' upon an oak ' || i % 7 FROM generate_series(1, 10 + (SELECT count(*) FROM vectorizer_data.animals)) i");
ok(wait_for($node, 60, "SELECT model_generation > $generation AND state = 'ready' FROM vectorizer.collections WHERE name = 'animals'"),
	'the next generation comes into force');
$old->query_safe("INSERT INTO vectorizer_data.animals (content) VALUES ('The shark follows the oak.')");
$old->query_safe('COMMIT');
$old->quit;
is(wrong('animals'), '0', 'it writes embeddings of that one');

sql("SELECT vectorizer.drop_collection('animals')");
ok(wait_for($node, 5, "SELECT vectorizer.watcher_state() <> 'running'"), 'without collections there is no watcher');
$node->stop;
done_testing();
