# Another model for a collection: whoever searches meanwhile always finds, by one model or the other, and no search fails.
use strict;
use warnings;
use EmbeddingsServer;
use HnswCheck qw(index_is_sound);
use IPC::Run;
use Time::HiRes qw(sleep);
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
sql("SELECT vectorizer.add_project('docs', '$dir', include => '{*.txt}', dimension => 32)");
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

# An endpoint that refuses everything takes the place of nothing, and keeps nobody busy
sql("SELECT vectorizer.add_endpoint('refuses', '" . $server->url('status/400') . "', 'm', 8)");
sql("SELECT vectorizer.alter_collection('docs', model => 'lsa', dimension => 32)");
ok(wait_for($node, 30, "SELECT model = 'lsa' AND next_model IS NULL FROM vectorizer.collections"), 'back to its own words');
put("$dir/small/$_.txt", "A small file about whales, number $_.\n") for 1 .. 12;
sql("SELECT vectorizer.add_project('small', '$dir/small', dimension => 8)");
ok(wait_for($node, 30, "SELECT state = 'ready' FROM vectorizer.collections WHERE name = 'small'"), 'a small collection');
sql("SELECT vectorizer.alter_collection('small', model => 'refuses')");
ok(wait_for($node, 60, "SELECT last_error LIKE 'its next model does not take over%' FROM vectorizer.collections WHERE name = 'small'"), 'a model that embeds nothing does not take over, and says so');
is(sql("SELECT count(*) FROM vectorizer.search('small', 'whales', 5, 'vector')"), '5', 'and the one in force finds');
unlink "$dir/small/1.txt";
ok(wait_for($node, 10, "SELECT count(*) = 11 FROM vectorizer_data.small"), 'a file whose chunk was refused goes');
sql("UPDATE vectorizer.refused_row SET next_try = now(); SELECT vectorizer.wake_embedder()");
sleep 2;
my $before = sql("SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'");
sleep 5;
cmp_ok(sql("SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'") - $before, '<', 1000, 'which keeps nobody busy');
ok(wait_for($node, 20, "SELECT count(*) = 11 FROM vectorizer.refused_rows WHERE collection = 'small'"), 'nor is it known any more once it is due');
sql("SELECT vectorizer.alter_collection('small', model => 'lsa')");

# What stands in its way is one collection's trouble
sql("SELECT vectorizer.alter_collection('small', model => 'remote'); CREATE VIEW in_the_way AS SELECT embedding FROM vectorizer_data.small");
sql("SELECT vectorizer.add_collection('small', 'zebra', dimension => 8)");
ok(wait_for($node, 30, "SELECT last_error LIKE 'its next model cannot take over%' FROM vectorizer.collections WHERE name = 'small'"), 'a view of the embeddings is in the way');
ok(wait_for($node, 30, "SELECT state = 'ready' AND chunks = 11 FROM vectorizer.collections WHERE name = 'zebra'"), 'of no other collection');
sql('DROP VIEW in_the_way');
put("$dir/small/13.txt", "One more.\n");
ok(wait_for($node, 90, "SELECT model = 'remote' AND last_error IS NULL FROM vectorizer.collections WHERE name = 'small'"), 'once it is gone the next model takes over');
sql("SELECT vectorizer.drop_project('small')");
sql("SELECT vectorizer.alter_collection('docs', model => 'remote')");
ok(wait_for($node, 60, "SELECT model = 'remote' AND next_model IS NULL AND waiting = 0 FROM vectorizer.collections"), 'on');

# A reader who does not end keeps it waiting, and nobody else
my $reader = $node->background_psql('postgres');
$reader->query_safe("BEGIN; SELECT count(*) FROM vectorizer_data.docs");
$node->psql('postgres', "SELECT vectorizer.alter_collection('docs', model => 'lsa', dimension => 24)", stderr => \my $refused);
like($refused, qr/somebody reads or writes it, and does not end/, 'whoever wants another model waits for readers');
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
