# alter_collection, rename_collection, refresh_collection and the watcher beside each other, and beside those who keep transactions open:
# nobody is kept waiting for long or fails for it, and what is altered is what was meant.
use strict;
use warnings;
use EmbeddingsServer;
use IPC::Run;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $server = EmbeddingsServer->start(dimension => 8);
my $node = new_node('main', conf => Watched::conf() . "vectorizer.allowed_endpoints = 'http://127.0.0.1:" . $server->port . "'\n");

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Statements in a session of their own, which may have to wait. said() is what they gave, errors too, once they have ended.
sub later
{
	my (@statements) = @_;
	my $run = { said => '' };
	$run->{session} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), map { ('-c', $_) } @statements ],
		'<', '/dev/null', '>&', \$run->{said});
	return $run;
}

sub said
{
	my ($run) = @_;
	$run->{session}->finish;
	return $run->{said};
}

sub waits
{
	my ($what, $name) = @_;
	ok(wait_for($node, 20, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%$what%' AND pid <> pg_backend_pid()"), $name);
	return;
}

# A session with a transaction open
sub opened
{
	my (@statements) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_safe($_) for 'BEGIN', @statements;
	return $session;
}

sub ends
{
	my ($session) = @_;
	$session->query_safe('COMMIT');
	$session->quit;
	return;
}

my $text = q{format('The %s hunts the %s by the river, number %s.', (ARRAY['whale', 'shark', 'wolf', 'deer', 'eagle'])[1 + n % 5],
	(ARRAY['salmon', 'beetle', 'falcon'])[1 + n % 3], n)};

sub collection
{
	my ($name, $rows) = @_;
	sql("SELECT vectorizer.create_collection('$name', dimension => 8)");
	sql("INSERT INTO vectorizer_data.$name (content) SELECT $text FROM generate_series(1, $rows) n");
	ok(wait_for($node, 30, "SELECT state = 'ready' AND chunks = $rows FROM vectorizer.collections WHERE name = '$name'"), "collection $name");
	return;
}

sub all_true
{
	my ($name) = @_;
	return sql("SELECT count(*) FROM vectorizer_data.$name WHERE embedding IS DISTINCT FROM vectorizer.embed(concat_ws(E'\\n', heading, content), '$name')");
}

sql("SELECT vectorizer.add_endpoint('remote', '" . $server->url('ok') . "', 'm', 8)");

# Another collection gets the name while one waits for it
collection('live', 100);
sql("SELECT vectorizer.create_collection('mine', dimension => 8, model => 'none')");
sql("INSERT INTO vectorizer_data.mine (content, embedding) SELECT $text, '[1,2,3,4,5,6,7,8]' FROM generate_series(1, 50) n");
my $names = opened(q{SELECT vectorizer.rename_collection('live', 'old'), vectorizer.rename_collection('mine', 'live')});
my $alter = later(q{SELECT vectorizer.alter_collection('live', model => 'remote', text_config => 'simple')});
waits('alter_collection', 'whoever alters a collection waits for whoever renames it');
ends($names);
like(said($alter), qr/40001/, 'and is told that another one has the name now');
is(sql("SELECT string_agg(format('%s %s %s %s', name, model, text_config, next), ', ' ORDER BY name) FROM vectorizer.collection"),
	'live none pg_catalog.english , old lsa pg_catalog.english ', 'neither has changed');
is(sql("SELECT count(*) FROM vectorizer_data.live WHERE embedding = '[1,2,3,4,5,6,7,8]'"), '50', 'nor its embeddings');

# So it is for roles: the owner of the one is not that of the other
sql("CREATE ROLE alice LOGIN; GRANT vectorizer_writer TO alice; CREATE ROLE bob LOGIN; GRANT vectorizer_writer TO bob");
sql("SET SESSION AUTHORIZATION alice; SELECT vectorizer.create_collection('team', dimension => 8)");
my $holder = opened('SET SESSION AUTHORIZATION alice', "SELECT vectorizer.alter_collection('team')");
$alter = later('SET SESSION AUTHORIZATION alice', q{SELECT vectorizer.alter_collection('team', text_config => 'simple')});
waits('alter_collection', 'she waits');
my $rename = later('SET SESSION AUTHORIZATION alice', q{SELECT vectorizer.drop_collection('team')});
waits('drop_collection', 'so does whoever drops it');
ends($holder);
said($_) for $alter, $rename;
is(sql("SELECT count(*) FROM vectorizer.collection WHERE name = 'team'"), '0', 'one after the other');

# A transaction that sees the time before
collection('a', 200);
my $before = $node->background_psql('postgres', on_error_stop => 0);
$before->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$before->query_safe('SELECT 1');
sql("INSERT INTO vectorizer_data.a (content) VALUES ('The late whale.')");
$before->query(q{SELECT vectorizer.alter_collection('a', model => 'remote', text_config => 'simple')});
like($before->{stderr}, qr/isolation level READ COMMITTED/, 'a transaction that does not see all rows cannot have them changed');
$before->{stderr} = '';
$before->query('ROLLBACK');
$before->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($before->query_safe('SELECT count(*) FROM vectorizer_data.a'), '201', 'a transaction reads');
$before->query_safe('COMMIT');
$before->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$before->query_safe('SELECT 1');
sql("SELECT vectorizer.alter_collection('a', text_config => 'simple', dimension => 12)");
is($before->query_safe('SELECT count(*) FROM vectorizer_data.a'), '201', 'and finds its rows where columns have been changed since');
ends($before);
is(sql("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'vectorizer_data.a'::regclass AND attname = 'embedding'"), 'vector(12)', 'by another column');
ok(wait_for($node, 30, "SELECT state = 'ready' AND dimension = 12 FROM vectorizer.collections WHERE name = 'a'"), 'which is filled');
is(all_true('a'), '0', 'altogether');

# Somebody reads and does not end
my $reader = opened('SELECT count(*) FROM vectorizer_data.a');
my $begun = time();
$alter = later(q{SELECT vectorizer.alter_collection('a', dimension => 16)});
waits('alter_collection', 'whoever alters waits for a reader');
is(sql("SET lock_timeout = '900ms'; SELECT count(*) FROM vectorizer.search('a', 'the whale', 5)"), '5', 'and keeps others waiting for moments alone');
like(said($alter), qr/55P03/, 'then he gives up');
cmp_ok(time() - $begun, '<', 15, 'soon');

# Who reads and then writes is not the one who fails
$alter = later(q{SELECT vectorizer.alter_collection('a', metric => 'l2')});
ok(wait_for($node, 20, "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND granted AND relation = 'vectorizer_data.a'::regclass"), 'he keeps writers out');
is($reader->query_safe("INSERT INTO vectorizer_data.a (content) VALUES ('A whale of a reader.') RETURNING 'written'"), 'written', 'who then writes');
like(said($alter), qr/55P03/, 'while it is the alter that gives up');
ends($reader);
is(sql("SELECT metric FROM vectorizer.collections WHERE name = 'a'"), 'cosine', 'and has changed nothing');

# Nor who writes and then refreshes, beside a watcher that wants the table
my $writer = opened("INSERT INTO vectorizer_data.a (content) VALUES ('A whale of a writer.')");
$alter = later(q{SELECT vectorizer.alter_collection('a', dimension => 16)});
like(said($alter), qr/55P03/, 'beside a writer nothing is begun');
ends($writer);
$holder = opened("SELECT vectorizer.alter_collection('a', dimension => 16)");
$writer = $node->background_psql('postgres', on_error_stop => 0);
$writer->query_safe('BEGIN');
ends($holder);
$writer->query_safe("INSERT INTO vectorizer_data.a (content) VALUES ('Another whale.')");
ok(wait_for($node, 20, "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND l.relation = 'vectorizer_data.a'::regclass AND a.backend_type = 'vectorizer watcher'")
	|| sql("SELECT dimension = 16 FROM vectorizer.collections WHERE name = 'a'") eq 't', 'the watcher waits for a writer');
is($writer->query("SELECT vectorizer.refresh_collection('a') > 0"), 't', 'who has the collection refreshed');
ends($writer);
ok(wait_for($node, 40, "SELECT dimension = 16 AND next_model IS NULL FROM vectorizer.collections WHERE name = 'a'"), 'and then it is done');
is(all_true('a'), '0', 'for all rows');

# Whoever describes a collection and does not end
collection('b', 200);
my $description = opened("SELECT vectorizer.describe_collection('b', 'animals')");
$alter = later("SELECT vectorizer.alter_collection('b', dimension => 24)");
waits('alter_collection', 'he waits for whoever describes the collection');
ends($description);
is(said($alter), "\n", 'and then goes on');
$writer = opened("INSERT INTO vectorizer_data.b (content) VALUES ('A whale.')");
ok(wait_for($node, 30, "SELECT last_error LIKE 'its next model waits%' OR dimension = 24 FROM vectorizer.collections WHERE name = 'b'"), 'the watcher waits');
$description = opened("SELECT vectorizer.describe_collection('b', 'more animals')");
ends($writer);
my $longest = 0;
for (1 .. 25)
{
	my $asked = time();
	sql("SELECT count(*) FROM vectorizer.search('b', 'the whale', 5)");
	$longest = time() - $asked if time() - $asked > $longest;
	sleep(0.2);
}
cmp_ok($longest, '<', 5, 'nobody hangs behind whoever describes it and does not end');
collection('c', 100);
ends($description);
ok(wait_for($node, 40, "SELECT dimension = 24 AND last_error IS NULL FROM vectorizer.collections WHERE name = 'b'"), 'and then the next model comes');

# Rows that come late, many at once: an endpoint's embeddings take over when there are some for them
$server->control('status/503');
sql("SELECT vectorizer.alter_collection('c', model => 'remote')");
$writer = opened("INSERT INTO vectorizer_data.c (content) SELECT $text || ' Again.' FROM generate_series(1, 2000) n");
$server->control('ok');
sql("SELECT vectorizer.alter_endpoint('remote')");
ok(wait_for($node, 60, "SELECT last_error LIKE 'its next model waits%' FROM vectorizer.collections WHERE name = 'c'"), 'the endpoint has embedded what there is');
$server->control('slow/3');
ends($writer);
for (1 .. 50)
{
	last if sql("SELECT next_model IS NULL FROM vectorizer.collections WHERE name = 'c'") eq 't';
	sleep(0.1);
}
cmp_ok(sql("SELECT count(*) FILTER (WHERE embedding IS NULL) FROM vectorizer_data.c"), '<=', '21', 'rows that came late are not left without');
$server->control('ok');
ok(wait_for($node, 60, "SELECT model = 'remote' AND waiting = 0 FROM vectorizer.collections WHERE name = 'c'"), 'until they all have one');
is(all_true('c'), '0', 'that of their text');

# A trigger of the owner's would give rows another text while they are embedded
sql(q{CREATE TABLE title (says text); INSERT INTO title VALUES ('Whales'); GRANT SELECT ON title TO PUBLIC;
	CREATE FUNCTION entitle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.heading := (SELECT says FROM public.title); RETURN NEW; END';
	CREATE TRIGGER entitle BEFORE INSERT OR UPDATE ON vectorizer_data.b FOR EACH ROW EXECUTE FUNCTION entitle()});
sql("UPDATE vectorizer_data.b SET metadata = '{}'; UPDATE title SET says = 'Beetles'; SELECT vectorizer.alter_collection('b', dimension => 20)");
ok(wait_for($node, 40, "SELECT dimension = 20 FROM vectorizer.collections WHERE name = 'b'"), 'embedded anew, past a trigger');
is(sql("SELECT count(*) FROM vectorizer_data.b WHERE NOT tsv @@ 'whale'::tsquery OR heading <> 'Whales'"), '0', 'rows say what they said');
is(all_true('b'), '0', 'and have the embedding of that');
sql("UPDATE vectorizer_data.b SET metadata = '{}'");
is(sql("SELECT count(*) FROM vectorizer_data.b WHERE NOT tsv @@ 'beetl'::tsquery OR heading <> 'Beetles'"), '0', 'until somebody writes them');
is(all_true('b'), '0', 'with the embedding of what they say then');

# A search that has to wait for other embeddings finds by them, though it began before they were there
$holder = opened("SELECT vectorizer.alter_collection('a', dimension => 32)", "SELECT vectorizer.refresh_collection('a')");
my @searches = map { later("SELECT count(*), count(vector_rank) FROM vectorizer.search('a', 'the whale', 5, '$_')") } qw(vector hybrid);
waits("search%$_", "a search waits ($_)") for qw(vector hybrid);
ends($holder);
is(said($_), "5|5\n", 'and finds') for @searches;

# What could not be begun is not shown as going on
sql("SELECT vectorizer.create_collection('d', dimension => 8)");
$writer = opened("INSERT INTO vectorizer_data.d (content) SELECT $text FROM generate_series(1, 10) n");
sql("INSERT INTO vectorizer_data.d (content) SELECT $text FROM generate_series(1, 100) n");
ok(wait_for($node, 20, "SELECT count(*) > 0 FROM vectorizer.model m JOIN vectorizer.collection c ON c.id = m.collection_id WHERE c.name = 'd'"), 'trained beside a writer');
ok(wait_for($node, 20, "SELECT count(*) = 0 FROM vectorizer.activity WHERE collection = 'd'"), 'nothing goes on');
ends($writer);
ok(wait_for($node, 40, "SELECT state = 'ready' AND chunks = 110 FROM vectorizer.collections WHERE name = 'd'"), 'and then it does');

my $log = slurp_file($node->logfile);
is(scalar(() = $log =~ /ERROR:  deadlock detected/g), 0, 'nobody was told of a deadlock') or diag($log);

done_testing();
