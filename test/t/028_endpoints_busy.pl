# The process that asks endpoints among others: locks, triggers, other databases and encodings, its own end. Nobody else waits for what one of
# them does, and nothing that was paid for is thrown away.
use strict;
use warnings;
use EmbeddingsServer;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $server = EmbeddingsServer->start(dimension => 8);
my $other = EmbeddingsServer->start(dimension => 8);
my $node = new_node('main', conf => Watched::conf() . "vectorizer.allowed_endpoints = 'http://127.0.0.1:" . $server->port . ', http://127.0.0.1:' . $other->port . "'\nmax_worker_processes = 16\n");

sub sql { my ($query, $database) = @_; return $node->safe_psql($database // 'postgres', $query); }
sub add_endpoint
{
	my ($name, $url, $options, $database) = @_;
	sql("SELECT vectorizer.add_endpoint('$name', '$url', 'm', 8, options => '" . ($options // '{}') . "')", $database);
	return;
}
sub settled
{
	my ($name, $seconds, $database) = @_;
	return wait_for($node, $seconds, "SELECT NOT EXISTS (SELECT FROM vectorizer_data.\"$name\" WHERE embedding IS NULL OR model_generation = 0)", $database);
}
sub inputs
{
	my ($from) = @_;
	my $sum = 0;
	$sum += $_->{inputs} for $from->requests;
	return $sum;
}
sub batches { my ($from) = @_; return scalar grep { $_->{inputs} > 1 } $from->requests; }

add_endpoint('a', $server->url('ok'), '{"max_batch": 10}');
add_endpoint('b', $other->url('ok'));
sql("SELECT vectorizer.create_collection('$_', model => 'a') FROM generate_series(1, 1)") for 'one', 'two';
sql("SELECT vectorizer.create_collection('three', model => 'b')");
sql("INSERT INTO vectorizer_data.$_ (content) SELECT '$_ ' || i FROM generate_series(1, 30) i") for 'one', 'two', 'three';
ok(settled($_, 20), "$_ is embedded") for 'one', 'two', 'three';

# Locks

my $locker = $node->background_psql('postgres');
$locker->query_safe("BEGIN; LOCK TABLE vectorizer_data.one IN ACCESS EXCLUSIVE MODE; INSERT INTO vectorizer_data.one (content) VALUES ('from within')");
sql("INSERT INTO vectorizer_data.$_ (content) VALUES ('beside a lock')") for 'two', 'three';
ok(settled($_, 5), "$_ does not wait for another table's lock") for 'two', 'three';
is(sql("SELECT content FROM vectorizer.search('three', 'beside a lock', 1, 'vector')"), 'beside a lock', 'nor do queries');
$locker->query_safe('COMMIT');
ok(settled('one', 10), 'and the table is looked at after its lock');

$locker->query_safe("BEGIN; SELECT vectorizer.describe_collection('one', 'something'); SELECT FROM vectorizer_data.one WHERE id = 3 FOR UPDATE");
sql("INSERT INTO vectorizer_data.one (content) VALUES ('its collection is changed')");
sleep 1.5;
sql("INSERT INTO vectorizer_data.two (content) VALUES ('of the same endpoint')");
ok(settled('two', 5), 'an answer that cannot be stored holds up no other collection of its endpoint');
$locker->query_safe('ROLLBACK');
ok(settled('one', 5), 'and is stored once it can be');

$server->forget;
$server->control('slow/2');
sql("INSERT INTO vectorizer_data.one (content) SELECT 'locked ' || i FROM generate_series(1, 5) i");
ok(wait_for($node, 10, "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'vectorizer embedder' AND state = 'active'"), 'while a request runs');
$locker->query_safe("BEGIN; SELECT FROM vectorizer_data.one WHERE content = 'locked 3' FOR UPDATE");
ok(wait_for($node, 10, "SELECT count(*) = 4 FROM vectorizer_data.one WHERE content LIKE 'locked%' AND embedding IS NOT NULL"), 'a locked row is left out');
$locker->query_safe('ROLLBACK');
ok(settled('one', 10), 'and gets what came for it when it is free again');
is(inputs($server), 5, 'without being asked for again');
$server->control('ok');

$locker->query_safe("BEGIN; SELECT vectorizer.alter_endpoint('a')");
sql("INSERT INTO vectorizer_data.$_ (content) VALUES ('an administrator thinks')") for 'one', 'three';
ok(settled($_, 10), "$_ goes on beside an open alter_endpoint()") for 'one', 'three';
$locker->query_safe('ROLLBACK');

# Rows that cannot be stored

sql("CREATE FUNCTION no_luck() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.content = 'unlucky 3' AND NEW.embedding IS NOT NULL THEN RAISE EXCEPTION 'no luck'; END IF; RETURN NEW; END \$\$;"
	. "CREATE TRIGGER no_luck BEFORE UPDATE ON vectorizer_data.one FOR EACH ROW EXECUTE FUNCTION no_luck()");
$server->forget;
sql("INSERT INTO vectorizer_data.one (content) SELECT 'unlucky ' || i FROM generate_series(1, 40) i");
ok(wait_for($node, 15, "SELECT count(*) = 39 FROM vectorizer_data.one WHERE content LIKE 'unlucky%' AND embedding IS NOT NULL"), 'one row that a trigger refuses holds up no other');
is(sql("SELECT collection, error FROM vectorizer.refused_rows"), 'one|no luck', 'and shows');
is(inputs($server), 40, 'each text was asked for once');
sql("DROP TRIGGER no_luck ON vectorizer_data.one; SELECT vectorizer.alter_endpoint('a')");
ok(settled('one', 10), 'without the trigger it is stored');

# Files of a project that is paused and resumed with requests on their way

my $tree = folder('tree');
put("$tree/$_.txt", "File number $_.\n") for 1 .. 3;
$server->control('slow/3');
sql("SELECT vectorizer.add_project('files', '$tree', model => 'a')");
ok(wait_for($node, 10, "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'vectorizer embedder' AND state = 'active'"), 'while a request runs');
sql("SELECT vectorizer.pause('files')");
sql("INSERT INTO vectorizer_data.three (content) VALUES ('meanwhile')");
ok(settled('three', 5), 'other rows are asked for');
sql("SELECT vectorizer.resume('files')");
$server->control('ok');
ok(settled('files', 10), 'a project that was paused and resumed is embedded');
put("$tree/4.txt", "File number 4.\n");
ok(wait_for($node, 10, 'SELECT count(*) = 4 AND bool_and(embedding IS NOT NULL) FROM vectorizer_data.files'), 'also what comes later');

# Its end

my $embedder = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer embedder'");
sql("SELECT pg_cancel_backend($embedder)");
$server->control('slow/1');
sql("INSERT INTO vectorizer_data.one (content) SELECT 'ended ' || i FROM generate_series(1, 30) i");
ok(wait_for($node, 10, "SELECT count(*) > 0 FROM vectorizer_data.one WHERE content LIKE 'ended%' AND embedding IS NOT NULL"), 'a cancel is nothing to it');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'vectorizer embedder'");
$server->control('ok');
ok(settled('one', 20), 'when it is terminated another one comes');

# What the endpoint says of time

$server->control('retry-after/600');
sql("INSERT INTO vectorizer_data.one (content) SELECT 'too many ' || i FROM generate_series(1, 20) i");
ok(wait_for($node, 10, "SELECT next_try > now() + interval '9 minutes' FROM vectorizer.endpoints WHERE name = 'a'"), 'Retry-After is kept');
$server->control('ok');
$server->forget;
sql("SELECT vectorizer.embed('a query $_', 'two')") for 1 .. 5;
$node->reload;
sleep 2;
is(batches($server), 0, 'whatever queries succeed, and whatever settings are read again');
sql("SELECT vectorizer.alter_endpoint('a')");
ok(settled('one', 10), 'until somebody says otherwise');

# A batch that takes too long

sql("SELECT vectorizer.alter_endpoint('a', url => '" . $server->url('each/0.2') . "', options => '{\"max_batch\": 16, \"timeout_ms\": 2000}')");
sql("INSERT INTO vectorizer_data.one (content) SELECT 'heavy ' || i FROM generate_series(1, 40) i");
ok(settled('one', 40), 'is made smaller');
sql("SELECT vectorizer.alter_endpoint('a', url => '" . $server->url('ok') . "')");

# Refused for no reason of their own

sql("SELECT vectorizer.alter_endpoint('a', options => '{\"max_batch\": 1, \"max_requests\": 1}')");
$server->control('status/500');
sql("INSERT INTO vectorizer_data.one (content) SELECT 'blamed ' || i FROM generate_series(1, 3) i");
ok(wait_for($node, 20, 'SELECT count(*) >= 2 FROM vectorizer.refused_rows'), 'texts are blamed for an endpoint that fails');
$server->control('ok');
ok(settled('one', 30), 'and forgiven when it is back');

# Many collections, and an endpoint that hangs

$server->control('slow/30');
my $begin = time;
my ($status, $out, $error) = $node->psql('postgres', "SET vectorizer.embed_timeout = '3s'; SELECT count(*) > 0 FROM vectorizer.search('one, two, files', 'a number of files', 5)");
is($out, 't', 'words find in many collections');
cmp_ok(time - $begin, '<', 5.9, 'after one time-out');
is(() = $error =~ /WARNING/g, 1, 'and one warning') or diag($error);
sql("CREATE ROLE someone; GRANT vectorizer_reader TO someone");
($status, $out, $error) = $node->psql('postgres', "SET vectorizer.embed_timeout = '100ms'; SET ROLE someone; SELECT vectorizer.embed('a secret address', 'one')");
like($error, qr/gave no embedding.*vectorizer_admin are told why/s, 'why is for administrators');
$server->control('ok');
sql("SELECT vectorizer.alter_endpoint('a', options => '{\"timeout_ms\": null}')");

# Another answer than before

is(sql("SELECT vectorizer.embed('hello', 'a') = vectorizer.embed('hello', 'one')"), 't', 'an endpoint has one answer');
my $before = sql("SELECT vectorizer.embed('hello', 'a')");
sql("SELECT vectorizer.alter_endpoint('a', options => '{\"query_prefix\": \"query: \"}')");
isnt(sql("SELECT vectorizer.embed('hello', 'a')"), $before, 'until it is asked otherwise');
is(sql("SELECT vectorizer.embed('query: hello', 'b') = vectorizer.embed('hello', 'a')"), 't', 'by a prefix');

# Other encodings

for my $encoding ('LATIN1', 'SQL_ASCII')
{
	my $database = lc $encoding;
	sql("CREATE DATABASE $database ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	sql('CREATE EXTENSION vectorizer', $database);
	add_endpoint('a', $other->url('ok'), undef, $database);
	sql("SELECT vectorizer.create_collection('notes', model => 'a')", $database);
	sql("INSERT INTO vectorizer_data.notes (content) SELECT 'plain ' || i FROM generate_series(1, 10) i; INSERT INTO vectorizer_data.notes (content) VALUES (E'caf\\xe9')", $database);
	ok(settled('notes', 20, $database), "$encoding: rows are embedded, whatever their bytes are");
	is(sql("SELECT count(*) FROM vectorizer.search('notes', E'caf\\xe9', 5, 'vector')", $database), '5', "$encoding: and queries");
	is(sql("SELECT content FROM vectorizer.search('notes', 'plain 7', 1, 'vector')", $database), 'plain 7', "$encoding: which find");
}
sql("CREATE DATABASE utf8 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
sql('CREATE EXTENSION vectorizer', 'utf8');
add_endpoint('a', $other->url('ok'), undef, 'utf8');
is(sql("SELECT vectorizer.embed(U&'caf\\00e9', 'a')", 'utf8'), sql("SELECT vectorizer.embed(E'caf\\xe9', 'a')", 'latin1'), 'a text is the same text in another encoding');

$locker->quit;
done_testing();
