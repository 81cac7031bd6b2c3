# Another model for a collection: whoever searches meanwhile always finds, by one model or the other, and no search fails.
use strict;
use warnings;
use EmbeddingsServer;
use HnswCheck qw(index_is_sound);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $server = EmbeddingsServer->start(dimension => 8);
my $node = new_node('main', conf => Watched::conf() . "vectorizer.allowed_endpoints = 'http://127.0.0.1:" . $server->port . "'\n");

sub sql { return $node->safe_psql('postgres', $_[0]); }

my @things = qw(whale shark wolf deer eagle salmon oak moss beetle falcon);
my @verbs = qw(hunts eats sees hears follows flees finds loses);
my $dir = folder('docs');
put("$dir/$_.txt", "The $things[$_ % 10] $verbs[$_ % 8] the $things[($_ * 7 + 3) % 10] by the river, number $_.\n") for 1 .. 600;
sql("SELECT vectorizer.add_project('docs', '$dir', dimension => 32)");
ok(wait_for($node, 30, "SELECT state = 'ready' AND chunks = 600 FROM vectorizer.collections"), 'a collection');
sql("SELECT vectorizer.add_endpoint('remote', '" . $server->url('ok') . "', 'm', 8)");

# Five of them by meaning, or the division fails.
my $script = PostgreSQL::Test::Utils::tempdir() . '/search.sql';
append_to_file($script, "\\set i random(1, 600)\nSELECT 1 / (count(*) = 5)::int FROM vectorizer.search('docs', 'the whale hunts number ' || :i, 5, 'vector');\n");
my $searches = IPC::Run::start([ 'pgbench', '--no-vacuum', '-c', '3', '-j', '1', '-T', '25', '-f', $script, '-h', $node->host, '-p', $node->port,
	'postgres' ], '>', \my $output, '2>', \my $errors);

sub becomes
{
	my ($arguments, $model, $dimension) = @_;
	sql("SELECT vectorizer.alter_collection('docs', $arguments)");
	ok(wait_for($node, 30, "SELECT model = '$model' AND dimension = $dimension AND next_model IS NULL AND state = 'ready' AND waiting = 0 FROM vectorizer.collections"),
		"it becomes $model of $dimension dimensions");
	return;
}
becomes('dimension => 48', 'lsa', 48);
becomes("model => 'remote'", 'remote', 8);
put("$dir/late.txt", "The late whale.\n");
becomes("model => 'lsa', dimension => 32", 'lsa', 32);
becomes("model_options => '{\"k1\": 1.5}'", 'lsa', 32);
becomes("metric => 'l2'", 'lsa', 32);
$searches->finish;
like($output, qr/number of failed transactions: 0 /, 'no search has failed') or diag($output);
unlike($errors, qr/ERROR|WARNING/, 'nor found less') or diag($errors);
like($output, qr/number of transactions actually processed: [1-9]\d\d/, 'of hundreds');

is(sql("SELECT count(*) FROM vectorizer_data.docs WHERE embedding IS DISTINCT FROM vectorizer.embed(content, 'docs')"), '0', 'every row has its embedding');
index_is_sound($node, 'vectorizer_data."docs:embedding"', 'docs');

# The server is killed on the way
$server->control('slow/1');
sql("SELECT vectorizer.alter_collection('docs', model => 'remote')");
ok(wait_for($node, 20, 'SELECT count(*) > 0 FROM vectorizer_data.docs WHERE next_generation = 1'), 'some rows have got their next embedding');
is(sql("SELECT next_model FROM vectorizer.collections"), 'remote', 'which shows');
ok(wait_for($node, 10, "SELECT phase = 'embedding' AND rows_total = 601 FROM vectorizer.activity WHERE worker = 'embedder'"), 'and how far it is');
$node->stop('immediate');
$node->start;
is(sql("SELECT count(*) FROM vectorizer.search('docs', 'the whale', 5, 'vector')"), '5', 'the old model finds after that');
$server->control('ok');
ok(wait_for($node, 60, "SELECT model = 'remote' AND next_model IS NULL AND waiting = 0 FROM vectorizer.collections"), 'and the new one comes');
is(sql("SELECT count(*) FROM vectorizer_data.docs WHERE embedding IS DISTINCT FROM vectorizer.embed(content, 'docs')"), '0', 'complete');
is(sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'vectorizer_data.docs'::regclass AND attname LIKE 'next%'"), '0', 'without a trace');

# A reader who does not end keeps it waiting, and nobody else
my $reader = $node->background_psql('postgres');
$reader->query_safe("BEGIN; SELECT count(*) FROM vectorizer_data.docs");
$node->psql('postgres', "SET lock_timeout = '1s'; SELECT vectorizer.alter_collection('docs', model => 'lsa', dimension => 24)", stderr => \my $refused);
like($refused, qr/lock timeout/, 'whoever wants another model waits for readers');
$reader->query_safe('COMMIT');
sql("SELECT vectorizer.alter_collection('docs', model => 'lsa', dimension => 24)");
$reader->query_safe("BEGIN; SELECT count(*) FROM vectorizer_data.docs");
ok(wait_for($node, 20, q{SELECT to_regclass('vectorizer_data."docs:next"') IS NOT NULL}), 'the next model waits for a reader');
is(sql("SET lock_timeout = '1s'; SELECT count(*) FROM vectorizer.search('docs', 'the whale', 5, 'vector')"), '5', 'beside whom others read');
$reader->query_safe("SELECT count(*) FROM vectorizer.search('docs', 'the whale', 5, 'vector'); COMMIT");
$reader->quit;
put("$dir/later.txt", "The later whale.\n");
ok(wait_for($node, 20, "SELECT model = 'lsa' AND dimension = 24 FROM vectorizer.collections"), 'and comes after him');

done_testing();
