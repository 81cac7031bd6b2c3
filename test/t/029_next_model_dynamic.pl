# Another model for a dynamic collection while it is written and searched: nobody fails or finds less, and every row has in the end what
# its text says.
use strict;
use warnings;
use EmbeddingsServer;
use HnswCheck qw(index_is_sound);
use IPC::Run;
use Time::HiRes qw(sleep);
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);
use Watched qw(wait_for);

my $server = EmbeddingsServer->start(dimension => 8);
my $node = new_node('main', conf => Watched::conf() . "vectorizer.allowed_endpoints = 'http://127.0.0.1:" . $server->port . "'\n");

sub sql { return $node->safe_psql('postgres', $_[0]); }

my $text = q{format('The %s hunts the %s by the river, number %s.', (ARRAY['whale', 'shark', 'wolf', 'deer', 'eagle'])[1 + n % 5],
	(ARRAY['salmon', 'beetle', 'falcon'])[1 + n % 3], n)};
sql("SELECT vectorizer.create_collection('notes', dimension => 32), vectorizer.add_endpoint('remote', '" . $server->url('ok') . "', 'm', 8)");
sql("INSERT INTO vectorizer_data.notes (content) SELECT $text FROM generate_series(1, 3000) n");
ok(wait_for($node, 30, "SELECT state = 'ready' AND chunks = 3000 FROM vectorizer.collections"), 'a collection');

# One in three writes, two search: five rows by meaning, or the division fails.
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/search.sql", "\\set i random(1, 600)\nSELECT 1 / (count(*) = 5)::int FROM vectorizer.search('notes', 'the whale hunts number ' || :i, 5, 'vector');\n");
append_to_file("$dir/write.sql", "\\set n random(3001, 9000)\n\\set id random(1, 3000)\n"
	. "INSERT INTO vectorizer_data.notes (content) SELECT $text FROM (SELECT :n AS n) x;\n"
	. "UPDATE vectorizer_data.notes SET content = $text || ' Again.' FROM (SELECT :n AS n) x WHERE id = :id;\n"
	. "DELETE FROM vectorizer_data.notes WHERE id = :id + 100 AND content LIKE '%Again%';\n");
my $load = IPC::Run::start([ 'pgbench', '--no-vacuum', '-c', '3', '-j', '1', '-T', '20', '--rate', '200', '-f', "$dir/search.sql\@2", '-f', "$dir/write.sql\@1",
	'-h', $node->host, '-p', $node->port, 'postgres' ], '>', \my $output, '2>', \my $errors);

sub becomes
{
	my ($arguments, $condition) = @_;
	sql("SELECT vectorizer.alter_collection('notes', $arguments)");
	ok(wait_for($node, 60, "SELECT $condition AND next_model IS NULL AND state <> 'new' FROM vectorizer.collections"), "it becomes $arguments");
	return;
}
foreach my $m (8, 12, 16)
{
	becomes('dimension => 24', 'dimension = 24');
	becomes("model => 'remote', metric => 'cosine'", "model = 'remote'");
	becomes("model => 'lsa', dimension => 32, metric => 'l2'", "model = 'lsa' AND metric = 'l2'");
	becomes("index_options => '{\"m\": $m}'", "coalesce(index_options ->> 'm', '16') = '$m'");
}
$load->finish;
like($output, qr/number of failed transactions: 0 /, 'nobody has failed') or diag($output);
unlike($errors, qr/ERROR|WARNING/, 'nor found less') or diag($errors);
like($output, qr/number of transactions actually processed: [1-9]\d\d/, 'of hundreds');

sub all_true
{
	my ($what) = @_;
	ok(wait_for($node, 30, 'SELECT count(*) = 0 FROM vectorizer_data.notes WHERE embedding IS NULL'), "$what: every row has an embedding");
	is(sql("SELECT count(*) FROM vectorizer_data.notes WHERE embedding IS DISTINCT FROM vectorizer.embed(content, 'notes')"), '0', 'that of its text');
	index_is_sound($node, 'vectorizer_data."notes:embedding"', $what);
	return;
}
all_true('after all that');

# Whoever holds the table keeps it waiting, and nobody else; it is tried again
my $writer = $node->background_psql('postgres');
sql("SELECT vectorizer.alter_collection('notes', dimension => 16)");
$writer->query_safe(q{BEGIN; INSERT INTO vectorizer_data.notes (content) VALUES ('The last whale.')});
ok(wait_for($node, 40, "SELECT last_error LIKE 'its next model waits%' FROM vectorizer.collections"), 'the next model waits for a writer, and says so');
is(sql("SET lock_timeout = '1s'; SELECT count(*) FROM vectorizer.search('notes', 'the whale', 5, 'vector')"), '5', 'beside whom others read');
sql("SET lock_timeout = '2s'; INSERT INTO vectorizer_data.notes (content) VALUES ('The very last whale.')");
$writer->query_safe('COMMIT');
$writer->quit;
ok(wait_for($node, 30, 'SELECT dimension = 16 AND last_error IS NULL FROM vectorizer.collections'), 'and comes after him');
all_true('after the writer');

# The server is killed on the way
$server->control('slow/1');
sql("SELECT vectorizer.alter_collection('notes', model => 'remote')");
ok(wait_for($node, 20, 'SELECT count(*) > 0 FROM vectorizer_data.notes WHERE next_generation = 1'), 'some rows have got their next embedding');
$node->stop('immediate');
$node->start;
is(sql("SELECT count(*) FROM vectorizer.search('notes', 'the whale', 5, 'vector')"), '5', 'the old model finds after that');
sql("INSERT INTO vectorizer_data.notes (content) VALUES ('A whale after the crash.')");
$server->control('ok');
ok(wait_for($node, 60, "SELECT model = 'remote' AND next_model IS NULL AND waiting = 0 FROM vectorizer.collections"), 'and the new one comes');
all_true('after the crash');

# A change of language keeps what an endpoint has made, and asks for nothing
my $asked = sql("SELECT embedded FROM vectorizer.endpoints");
sql("SELECT vectorizer.alter_collection('notes', text_config => 'simple')");
ok(wait_for($node, 20, "SELECT state = 'ready' AND text_config = 'pg_catalog.simple' FROM vectorizer.collections"), 'another language');
is(sql(q{SELECT count(*) FROM vectorizer_data.notes WHERE NOT tsv @@ 'the'::tsquery AND content ILIKE '%the%'}), '0', 'of all rows');
is(sql("SELECT embedded FROM vectorizer.endpoints"), $asked, 'of which none is embedded anew');

# Progress shows
sql("INSERT INTO vectorizer_data.notes (content) SELECT $text FROM generate_series(10001, 22000) n");
sql("SELECT vectorizer.alter_collection('notes', model => 'lsa', dimension => 64)");
ok(wait_for($node, 60, "SELECT count(*) > 0 FROM vectorizer.activity WHERE collection = 'notes' AND worker = 'watcher' AND phase = 'embedding' AND rows > 0 AND rows_total > 12000"),
	'how far it is shows');
ok(wait_for($node, 120, "SELECT model = 'lsa' AND next_model IS NULL FROM vectorizer.collections"), 'until it is done');
ok(wait_for($node, 20, "SELECT count(*) = 0 FROM vectorizer.activity WHERE collection = 'notes'"), 'and then no more');
all_true('after growth');

done_testing();
