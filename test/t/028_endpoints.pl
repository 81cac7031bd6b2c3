# Endpoints: an HTTP server that speaks /v1/embeddings embeds what is written and what files say, and queries; whatever it does wrong,
# nothing is lost, nothing is stored wrong, and those who write do not feel it.
#
# OUTAGE_SECONDS=600: the endpoint is down for so long, and written for all the time.
use strict;
use warnings;
use EmbeddingsServer;
use HnswCheck qw(index_is_sound);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $server = EmbeddingsServer->start(dimension => 8);
my $other = EmbeddingsServer->start(dimension => 8);
my $conf = Watched::conf() . "vectorizer.allowed_endpoints = 'http://127.0.0.1:" . $server->port . ', http://127.0.0.1:' . $other->port . "'\nrestart_after_crash = on\n";
my $node = new_node('main', conf => $conf, allows_streaming => 1);

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub add_endpoint
{
	my ($name, $url, $options) = @_;
	sql("SELECT vectorizer.add_endpoint('$name', '$url', 'm', 8, options => '" . ($options // '{}') . "')");
	return;
}

# All rows are embedded, each as the endpoint embeds what it says now: the query path asks for the same text without a prefix.
sub settled
{
	my ($name, $seconds) = @_;
	return wait_for($node, $seconds // 20, "SELECT NOT EXISTS (SELECT FROM vectorizer_data.\"$name\" WHERE embedding IS NULL OR model_generation = 0)");
}
sub wrong
{
	my ($name) = @_;
	return sql("SELECT count(*) FROM vectorizer_data.\"$name\" WHERE embedding IS NOT NULL AND embedding IS DISTINCT FROM"
		. " vectorizer.embed(concat_ws(E'\\n\\n', heading, content), (SELECT model FROM vectorizer.collections WHERE name = '$name'))");
}
sub becomes
{
	my ($model, $seconds) = @_;
	return wait_for($node, $seconds, "SELECT model = '$model' AND next_model IS NULL AND waiting = 0 AND state = 'ready' FROM vectorizer.collections WHERE name = 'files'");
}
sub inputs
{
	my ($from) = @_;
	my $sum = 0;
	$sum += $_->{inputs} for $from->requests;
	return $sum;
}
sub state_of { return sql("SELECT state FROM vectorizer.models WHERE name = '$_[0]'"); }

# A dynamic collection

add_endpoint('remote', $server->url('ok'));
is(state_of('remote'), 'new', 'an endpoint that was not asked yet is new');
sql("SELECT vectorizer.create_collection('notes', model => 'remote')");
is(sql("SELECT dimension FROM vectorizer.collections WHERE name = 'notes'"), '8', 'a collection has the dimension of its endpoint');
sql("INSERT INTO vectorizer_data.notes (content, heading) SELECT 'note number ' || i, CASE WHEN i % 3 = 0 THEN 'heading ' || i END FROM generate_series(1, 300) i");
ok(settled('notes'), 'rows get their embeddings');
is(wrong('notes'), '0', 'each that of what it says, under its heading');
is(inputs($server), 300 + 300, 'each text is asked for once, and each query');
my @requests = grep { $_->{inputs} > 1 } $server->requests;
cmp_ok(scalar @requests, '<=', 12, 'in batches');
is(wrong('notes'), '0', 'queries that were asked lately');
is(inputs($server), 300 + 300, 'are not asked again');
is(state_of('remote'), 'ready', 'it is ready');
is(sql("SELECT embedded, waiting, failures, embedder FROM vectorizer.endpoints"), '300|0|0|running', 'which shows');
ok(wait_for($node, 10, "SELECT state = 'ready' AND waiting = 0 FROM vectorizer.collections WHERE name = 'notes'"), 'and so is the collection');
is(sql("SELECT content FROM vectorizer.search('notes', 'note number 77', 1, 'vector')"), 'note number 77', 'a search by meaning finds');
is(sql("SELECT content FROM vectorizer.search('notes', 'note number 77', 1)"), 'note number 77', 'a search by both');
like(sql("SET enable_seqscan = off; SELECT string_agg(plan, ' ') FROM vectorizer.explain_search('notes', 'note number 78', mode => 'vector')"), qr/notes:embedding/, 'by the index');
index_is_sound($node, 'vectorizer_data."notes:embedding"', 'notes');

$server->forget;
sql("UPDATE vectorizer_data.notes SET content = 'another text' WHERE id = 5");
sql("UPDATE vectorizer_data.notes SET metadata = '{\"a\": 1}' WHERE id = 6");
is(sql("SELECT embedding IS NULL FROM vectorizer_data.notes WHERE id = 5"), 't', 'a row that says something else loses its embedding at once');
ok(settled('notes'), 'and gets another');
is(inputs($server), 1, 'nothing else is asked for');
my ($status, $out, $error) = $node->psql('postgres', "INSERT INTO vectorizer_data.notes (content, embedding) VALUES ('x', '[1,2,3,4,5,6,7,8]')");
like($error, qr/made by its model/, 'an embedding of one\'s own is refused');

# Files

my $tree = folder('tree');
put("$tree/a.md", "# One\n\nFirst text about whales.\n\n# Two\n\nSecond text about sharks.\n\n# Three\n\nThird text about wolves.\n");
put("$tree/b.txt", "Some other text.\n");
sql(qq{SELECT vectorizer.add_project('files', '$tree', model => 'remote', chunk_size => 64, chunk_overlap => 0)});
ok(wait_for($node, 20, "SELECT count(*) = 4 FROM vectorizer_data.files WHERE model_generation = 1 AND embedding IS NOT NULL"), 'files are embedded');
is(wrong('files'), '0', 'each chunk as what it says');
$server->forget;
rename "$tree/b.txt", "$tree/c.txt" or die $!;
put("$tree/a.md", "# One\n\nFirst text about whales.\n\n# Two\n\nSecond text, about eagles.\n\n# Three\n\nThird text about wolves.\n");
ok(wait_for($node, 20, "SELECT count(*) FILTER (WHERE path = 'c.txt') = 1 AND count(*) FILTER (WHERE content LIKE '%eagles%') = 1 AND bool_and(embedding IS NOT NULL)"
	. " FROM vectorizer_data.files"), 'a renamed file and a changed one settle');
is(inputs($server), 1, 'only the chunk that is new is asked for');
is(sql("SELECT count(*) FROM vectorizer.search('files', 'eagles')"), '4', 'and found');

# An endpoint that is not there

$server->control('down');
my $begin = time;
sql("INSERT INTO vectorizer_data.notes (content) SELECT 'while it is down ' || i FROM generate_series(1, 100) i");
cmp_ok(time - $begin, '<', 5, 'who writes does not wait');
ok(wait_for($node, 10, "SELECT state = 'failing' FROM vectorizer.models WHERE name = 'remote'"), 'it shows that the endpoint fails');
like(sql("SELECT failures > 0, next_try IS NOT NULL, last_error FROM vectorizer.endpoints"), qr/^t\|t\|.*127\.0\.0\.1/, 'why, and when it is asked again');
ok(wait_for($node, 10, "SELECT state = 'embedding' AND waiting = 100 FROM vectorizer.collections WHERE name = 'notes'"), 'how many rows wait');
ok(wait_for($node, 10, "SELECT phase = 'endpoint failing' AND rows_total - rows = 100 FROM vectorizer.activity WHERE collection = 'notes'"), 'and that nothing goes on');
($status, $out, $error) = $node->psql('postgres', "SELECT count(*) FROM vectorizer.search('notes', 'the number of a note', 3)");
is($out, '3', 'words find meanwhile');
like($error, qr/WARNING:.*words alone find/, 'with a warning');
($status, $out, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT count(*) FROM vectorizer.search('notes', 'never asked either', 3, 'vector')");
like($error, qr/VZ003.*gave no embedding/, 'where no words are wanted it is an error');
$begin = time;
is(sql("SELECT count(*) FROM vectorizer.search('notes', 'the notes of a number', 3, 'text')"), '3', 'where only words are, nobody is asked');
for (1 .. ($ENV{OUTAGE_SECONDS} // 0) / 10)
{
	sql("INSERT INTO vectorizer_data.notes (content) VALUES ('later while it is down $_')");
	sleep 10;
}
$server->control('ok');
ok(settled('notes', 90), 'once it is back all rows are embedded');
is(wrong('notes'), '0', 'and right');
is(state_of('remote'), 'ready', 'it is ready again');

# What it does wrong

sub survives
{
	my ($word, $seconds) = @_;
	$server->control($word);
	sql("INSERT INTO vectorizer_data.notes (content) SELECT '$word ' || i FROM generate_series(1, 50) i");
	ok(wait_for($node, 15, "SELECT failures >= 2 FROM vectorizer.endpoints WHERE name = 'remote'"), "$word shows");
	is(sql("SELECT count(*) FROM vectorizer_data.notes WHERE content LIKE '$word %' AND embedding IS NOT NULL"), '0', '- and nothing is stored');
	$server->control('ok');
	sql("SELECT vectorizer.alter_endpoint('remote')");  # asks at once
	ok(settled('notes', 40), '- until it behaves');
	is(wrong('notes'), '0', '- and all is right');
	return;
}
survives($_) for 'wrong-dimension', 'not-json', 'index-twice', 'nan', 'status/503', 'status/500', 'status/401', 'retry-after/1', 'cut-short';

$server->control('half');
sql("INSERT INTO vectorizer_data.notes (content) SELECT 'half of ' || i FROM generate_series(1, 50) i");
ok(settled('notes'), 'half a batch is stored, and the other half asked for again');
$server->control('ok');
is(wrong('notes'), '0', 'and all is right');

# A text that it refuses

sql("SELECT vectorizer.alter_endpoint('remote', url => '" . $server->url('poison') . "')");
sql("INSERT INTO vectorizer_data.notes (content) SELECT CASE WHEN i = 37 THEN 'this is poison' ELSE 'harmless ' || i END FROM generate_series(1, 100) i");
ok(wait_for($node, 20, "SELECT count(*) = 1 AND bool_and(content = 'this is poison') FROM vectorizer_data.notes WHERE model_generation = 0"), 'one text that is refused holds up no other');
is(sql("SELECT collection, attempts, error FROM vectorizer.refused_rows"), 'notes|1|HTTP 400: it is poison', 'it shows');
is(sql("SELECT count(*) FROM vectorizer.search('notes', 'poison', mode => 'text')"), '1', 'and is found by words');
is(sql("SELECT count(*) FROM (VALUES (1, 'this is poison'), (2, 'harmless 3')) q (n, words), LATERAL vectorizer.search('notes', words, 1) s"
	. " WHERE (n, s.vector_rank IS NOT NULL) IN ((1, false), (2, true))"), '2', 'a query that is refused leaves others of its statement alone');
sql("UPDATE vectorizer_data.notes SET content = 'this is medicine' WHERE content = 'this is poison'");
ok(settled('notes'), 'once it says something else it is asked for at once');
ok(wait_for($node, 5, 'SELECT count(*) = 0 FROM vectorizer.refused_rows'), 'and refused no more');
is(wrong('notes'), '0', 'and all is right');

# What says nothing has no embedding, and nobody is asked for one

sql("INSERT INTO vectorizer_data.notes (content) VALUES (''), (E' \\n\\t')");
sql("INSERT INTO vectorizer_data.notes (content, heading) VALUES ('', 'A heading')");
ok(wait_for($node, 20, 'SELECT NOT EXISTS (SELECT FROM vectorizer_data.notes WHERE model_generation = 0)'), 'blank texts wait for nothing');
is(sql("SELECT count(*), count(embedding) FROM vectorizer_data.notes WHERE content !~ '[^[:space:]]'"), '3|1', 'and have no embedding, unless there is a heading');
is(sql("SELECT count(*) FROM vectorizer.refused_rows"), '0', 'nor has anybody refused them');
($status, $out, $error) = $node->psql('postgres', "SELECT vectorizer.embed(' ', 'notes') IS NULL, (SELECT count(*) FROM vectorizer.search('notes', ' '))");
is("$out$error", 't|0', 'a blank query finds nothing, without a warning');
sql("DELETE FROM vectorizer_data.notes WHERE content !~ '[^[:space:]]'");

# Slow, and beside it another endpoint

sql("SELECT vectorizer.alter_endpoint('remote', url => '" . $server->url('ok') . "')");
add_endpoint('quick', $other->url('ok'));
sql("SELECT vectorizer.create_collection('quick.notes', model => 'quick')");
$server->control('slow/8');
sql("INSERT INTO vectorizer_data.notes (content) SELECT 'slowly ' || i FROM generate_series(1, 40) i");
ok(wait_for($node, 10, "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'vectorizer embedder' AND state = 'active'"), 'while a request runs');
sleep 1.5;
sql("UPDATE vectorizer_data.notes SET content = 'quickly ' || id WHERE content LIKE 'slowly 1_'");
sql("DELETE FROM vectorizer_data.notes WHERE content LIKE 'slowly 2_'");
sql("INSERT INTO vectorizer_data.\"quick.notes\" (content) VALUES ('not held up')");
$begin = time;
ok(settled('quick.notes', 7), 'another endpoint is asked');
is(sql("SELECT content FROM vectorizer.search('quick.notes', 'not held up', mode => 'vector')"), 'not held up', 'for queries, too');
cmp_ok(time - $begin, '<', 7.5, 'and answers');
($status, $out, $error) = $node->psql('postgres', "SET vectorizer.embed_timeout = '500ms'; SELECT vectorizer.embed('new query', 'notes')");
like($error, qr/no answer within 500 ms/, 'a query waits as long as it is told to');
my $impatient = $node->background_psql('postgres', on_error_stop => 0);
my ($impatient_pid) = $impatient->query('SELECT pg_backend_pid()') =~ /(\d+)/;
$impatient->query_until(qr/asked/, "\\echo asked\nSELECT vectorizer.embed('another new query', 'notes');\n");
ok(wait_for($node, 5, "SELECT state = 'active' AND wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $impatient_pid"), 'who waits for a query');
sql("SELECT pg_cancel_backend($impatient_pid)");
ok(wait_for($node, 2, "SELECT state <> 'active' FROM pg_stat_activity WHERE pid = $impatient_pid"), 'can be cancelled');
$impatient->quit;
$server->control('ok');
ok(settled('notes', 30), 'what was changed while it was asked for');
is(wrong('notes'), '0', 'has the embedding of what it says now');

# Another model, while answers are on their way

$server->control('slow/2');
sql("SELECT vectorizer.reindex('files')");
sql("SELECT vectorizer.alter_collection('files', model => 'quick')");
ok(becomes('quick', 20), 'files are embedded by another endpoint');
is(wrong('files'), '0', 'alone');
sql("SELECT vectorizer.alter_collection('files', model => 'lsa', dimension => 8)");
ok(becomes('lsa', 20), 'or by their own words');
is(sql("SELECT to_regclass('vectorizer_data.\"files:new\"') IS NULL AND to_regclass('vectorizer_data.\"files:embedding\"') IS NOT NULL"), 't', 'with the indexes that belong to it');
sql("SELECT vectorizer.alter_collection('files', model => 'remote')");
$server->control('ok');
ok(becomes('remote', 20), 'and back');
is(wrong('files'), '0', 'each right');
index_is_sound($node, 'vectorizer_data."files:embedding"', 'files');
sql("SELECT vectorizer.pause('files')");
put("$tree/d.txt", "A text that nobody should read.\n");
sql("SELECT vectorizer.resume('files')");
ok(wait_for($node, 20, "SELECT count(*) = 1 FROM vectorizer_data.files WHERE path = 'd.txt' AND embedding IS NOT NULL"), 'a project that was paused goes on');

# The process is killed, and with it the server; so is the server

$server->control('slow/1');
sql("INSERT INTO vectorizer_data.notes (content) SELECT 'killed ' || i FROM generate_series(1, 200) i");
ok(wait_for($node, 10, "SELECT count(*) > 0 FROM vectorizer_data.notes WHERE content LIKE 'killed %' AND embedding IS NOT NULL"), 'some rows are embedded');
my $embedder = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer embedder'");
kill 'KILL', $embedder;
my $up = 0;    # not by psql, whose input would be a broken pipe while the server refuses it
for (1 .. 300)
{
	last if $up = system('pg_isready', '-q', '-h', $node->host, '-p', $node->port) == 0;
	sleep 0.2;
}
ok($up, 'the server recovers from the death of the embedder');
$server->control('ok');
ok(settled('notes', 60), 'and the rows that waited are embedded');
$server->control('slow/1');
sql("INSERT INTO vectorizer_data.notes (content) SELECT 'killed again ' || i FROM generate_series(1, 200) i");
sleep 2;
$node->stop('immediate');
$server->control('ok');
$node->start;
ok(settled('notes', 60), 'so they are after the server was killed');
is(wrong('notes'), '0', 'each right');
index_is_sound($node, 'vectorizer_data."notes:embedding"', 'notes');

# Keys

my $key = PostgreSQL::Test::Utils::tempdir() . '/key';
sub alter_fails
{
	my ($arguments, $pattern, $name) = @_;
	my ($code, undef, $said) = $node->psql('postgres', "SELECT vectorizer.alter_endpoint('quick', $arguments)");
	like($said, $pattern, $name);
	return;
}
append_to_file($key, "secret-1\n");
chmod 0644, $key;
alter_fails("key_file => '$key'", qr/accessible to others/, 'a key that others can read is refused');
chmod 0600, $key;
symlink $key, "$key.link";
alter_fails("key_file => '$key.link'", qr/could not read key file/, 'so is a link');
alter_fails("key_file => '/dev/zero'", qr/is not a regular file/, 'what is no file');
alter_fails("key_file => 'key'", qr/not absolute/, 'a path from nowhere');
alter_fails("url => 'http://127.0.0.2:1/v1/embeddings'", qr/not among vectorizer.allowed_endpoints/, 'an origin that is not allowed');
alter_fails("url => 'http://127.0.0.1:" . $other->port . "\@evil/v1'", qr/credentials/, 'one that only looks like it');
sql("SELECT vectorizer.alter_endpoint('quick', url => '" . $other->url('key/secret-1') . "', key_file => '$key')");
sql("INSERT INTO vectorizer_data.\"quick.notes\" (content) VALUES ('with a key')");
ok(settled('quick.notes'), 'the key in a file is sent');
unlink $key;
append_to_file($key, "secret-2\n");
chmod 0600, $key;
sql("SELECT vectorizer.alter_endpoint('quick')");
sql("INSERT INTO vectorizer_data.\"quick.notes\" (content) VALUES ('with another key')");
ok(wait_for($node, 10, "SELECT last_error LIKE '%[key]%is not the key%' FROM vectorizer.endpoints WHERE name = 'quick'"), 'one that is wrong shows, but not what it is');
unlink $key;
append_to_file($key, "secret-1\n");
chmod 0600, $key;
ok(settled('quick.notes', 30), 'and is read again when it is asked again');
my $dump = slurp_command('pg_dump', $node);
unlike($dump, qr/secret-2/, 'no dump holds it');

# A standby

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', "SELECT content FROM vectorizer.search('notes', 'a query for the standby: note number 9', 1, 'vector')") ne '', 1, 'a standby asks for its queries');
sql("INSERT INTO vectorizer_data.notes (content) VALUES ('written while there is a standby')");
ok(settled('notes'), 'rows are asked for by the primary');
$server->control('down');
sql("INSERT INTO vectorizer_data.notes (content) VALUES ('waits for another primary')");
$node->wait_for_catchup($standby);
$node->stop('immediate');
$standby->promote;
$server->control('ok');
ok(wait_for($standby, 60, "SELECT NOT EXISTS (SELECT FROM vectorizer_data.notes WHERE embedding IS NULL)"), 'a standby that is promoted asks for rows, too');

sub slurp_command
{
	my ($command, $of) = @_;
	my ($output, $errors) = ('', '');
	IPC::Run::run([ $command, '-d', $of->connstr('postgres') ], '>', \$output, '2>', \$errors) or die $errors;
	return $output;
}

done_testing();
