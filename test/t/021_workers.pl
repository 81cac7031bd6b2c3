# The workers: they come back after a crash, serve several databases, and stand in nobody's way.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $dir = folder('docs');
my $node = new_node('main', conf => Watched::conf() . "restart_after_crash = on\n");
my $add = "SELECT vectorizer.add_project('docs', '$dir', scan_interval => '0.5 s')";

sub watcher
{
	my ($database) = @_;
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer watcher' AND datname = '$database'");
}

put("$dir/$_.txt", "File number $_ speaks of apples.\n") for 1 .. 20;
is(watcher('postgres'), '', 'a database without projects has no watcher');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'vectorizer launcher' AND datname IS NULL"),
	1, 'the launcher is connected to no database');
$node->safe_psql('postgres', $add);
ok(wait_for($node, 5, 'SELECT count(*) = 20 FROM vectorizer_data.docs'), 'the first project starts one');

# Two databases
$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION vectorizer');
$node->safe_psql('second', $add);
ok(wait_for($node, 5, 'SELECT count(*) = 20 FROM vectorizer_data.docs', 'second'), 'a second database has its own');
isnt(watcher('second'), watcher('postgres'), 'watcher');

# Nobody is blocked
is(($node->psql('postgres', 'CREATE DATABASE copied TEMPLATE second'))[0], 0, 'a watched database can be a template');
ok(wait_for($node, 10, "SELECT vectorizer.watcher_state() = 'running'", 'second'), 'its watcher comes back');
is($node->safe_psql('copied', 'SELECT state FROM vectorizer.projects'), 'restored', 'the copy does nothing');
is(($node->psql('copied', "SELECT vectorizer.sync('docs')"))[0], 3, 'not even on demand');
$node->safe_psql('copied', "SELECT vectorizer.resume('docs')");
put("$dir/new.txt", "New and about pears.\n");
ok(wait_for($node, 5, 'SELECT count(*) = 21 FROM vectorizer_data.docs', 'copied'), 'until it is resumed');
is(($node->psql('postgres', 'ALTER DATABASE copied RENAME TO renamed'))[0], 0, 'a watched database can be renamed');
ok(wait_for($node, 10, "SELECT vectorizer.watcher_state() = 'running'", 'renamed'), 'and is watched again');
is(($node->psql('postgres', 'DROP DATABASE renamed'))[0], 0, 'a watched database can be dropped');
my $many = folder('many');
put("$many/$_.txt", "Many files, of which this is number $_, speak of oranges.\n" x 100) for 1 .. 300;
$node->safe_psql('second', "SELECT vectorizer.add_project('many', '$many', scan_interval => '0.5 s')");
ok(wait_for($node, 10, "SELECT phase = 'reading' FROM vectorizer.activity WHERE project = 'many'", 'second'), 'while a pass goes on');
is(($node->psql('second', 'DROP EXTENSION vectorizer CASCADE'))[0], 0, 'the extension can be dropped');
ok(wait_for($node, 5, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'vectorizer watcher' AND datname = 'second'"),
	'then the watcher leaves');

$node->safe_psql('postgres', "SELECT vectorizer.sync('docs')");

# A hold ends with its backend
my $guest = $node->background_psql('second');
$guest->query_safe('SELECT 1');
my $dropper = IPC::Run::start([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', 'DROP DATABASE second' ], '>', '/dev/null', '2>', '/dev/null');
ok(wait_for($node, 5, "SELECT count(pg_terminate_backend(pid)) = 1 FROM pg_stat_activity WHERE query = 'DROP DATABASE second' AND state = 'active'"),
	'dropping a database is cut short');
$dropper->finish;
$guest->quit;
$node->safe_psql('second', 'CREATE EXTENSION vectorizer');
$node->safe_psql('second', "SELECT vectorizer.add_project('many', '$many', scan_interval => '0.5 s')");
ok(wait_for($node, 10, "SELECT vectorizer.watcher_state() = 'running'", 'second'), 'and it is watched again');

# The database's owner is no superuser
$node->safe_psql('postgres', 'CREATE ROLE landlord LOGIN; ALTER DATABASE second OWNER TO landlord');
$node->safe_psql('second', <<'SQL', extra_params => [ '-U', 'landlord' ]);
CREATE SCHEMA trap;
CREATE FUNCTION trap.spy(text, text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a
			   WHERE a.backend_type OPERATOR(pg_catalog.=) 'vectorizer watcher') THEN
		RAISE LOG 'trapped %', current_user;
	END IF;
	RETURN $1 OPERATOR(pg_catalog.=) $2;
END
$$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, PROCEDURE = trap.spy);
ALTER DATABASE second SET search_path = trap, pg_catalog, public;
SQL
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'second'");
ok(wait_for($node, 10, "SELECT vectorizer.watcher_state() = 'running'", 'second'), 'a watcher in a database of traps');
put("$many/trap.txt", "A trap for the watcher, with dates.\n");
ok(wait_for($node, 10, "SELECT count(*) = 1 FROM vectorizer_data.many WHERE path = 'trap.txt'", 'second'), 'works');
unlike(slurp_file($node->logfile), qr/LOG:  trapped/, 'and falls in none');
$node->safe_psql('postgres', 'DROP DATABASE second');

# A crash
my $pid = watcher('postgres');
ok($pid, 'a watcher');
kill 9, $pid;
ok(wait_for($node, 30, "SELECT vectorizer.watcher_state() = 'running'"), 'killed, it comes back');
put("$dir/after.txt", "After the crash there are plums.\n");
ok(wait_for($node, 5, "SELECT count(*) = 22 FROM vectorizer_data.docs"), 'and works');

$node->restart;
put("$dir/restarted.txt", "After the restart there are figs.\n");
ok(wait_for($node, 10, "SELECT count(*) = 23 FROM vectorizer_data.docs"), 'after a restart too');
is($node->safe_psql('postgres', 'SELECT count(*) = count(DISTINCT path) FROM vectorizer_data.docs'), 't', 'no chunk is there twice');

# Everything a dump holds
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
my $rows = $node->safe_psql('postgres', 'SELECT md5(string_agg(d::text, chr(10) ORDER BY id)) FROM vectorizer_data.docs d');
my $answer = "SELECT string_agg(path || score, ',' ORDER BY score DESC, path) FROM vectorizer.search('docs', 'plums and pears', 3)";
my $before = $node->safe_psql('postgres', $answer);
$node->command_ok([ 'pg_dump', '--file', $dump, '--dbname', $node->connstr('postgres') ], 'pg_dump');
my $other = new_node('other', conf => Watched::conf(), extension => 0);
$other->command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--file', $dump, '--dbname', $other->connstr('postgres') ],
	'restores into an empty cluster');
is($other->safe_psql('postgres', 'SELECT md5(string_agg(d::text, chr(10) ORDER BY id)) FROM vectorizer_data.docs d'), $rows, 'the same rows');
is($other->safe_psql('postgres', $answer), $before, 'the same answers');
is($other->safe_psql('postgres', 'SELECT state FROM vectorizer.projects'), 'restored', 'the project is restored');
is($other->safe_psql('postgres', 'SELECT phase FROM vectorizer.activity'), 'restored', 'and does nothing');
like(($other->psql('postgres', 'DELETE FROM vectorizer_data.docs'))[2], qr/read-only/, 'the guard is there');
$other->safe_psql('postgres', "SELECT vectorizer.resume('docs')");
put("$dir/again.txt", "Again there are cherries.\n");
ok(wait_for($other, 10, 'SELECT count(*) = 24 FROM vectorizer_data.docs'), 'resumed, it works');
is($other->safe_psql('postgres', 'SELECT count(*) = count(DISTINCT path) FROM vectorizer_data.docs'), 't', 'no chunk is there twice');

# Without a free worker slot
$other->append_conf('postgresql.conf', 'max_worker_processes = 2');
$other->restart;
ok( wait_for($other, 10, "SELECT phase = 'watcher waits for a free worker slot' FROM vectorizer.activity"),
	'no free worker slot: activity says so');
like(slurp_file($other->logfile), qr/no worker slot is free for the vectorizer watcher.*max_worker_processes/s, 'and the log');
put("$dir/last.txt", "Last come the grapes.\n");
is($other->safe_psql('postgres', "SELECT added FROM vectorizer.sync('docs')"), 1, 'sync works all the same');

# Without the preloaded library
$other->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$other->restart;
put("$dir/more.txt", "More grapes.\n");
is($other->safe_psql('postgres', "SELECT added FROM vectorizer.sync('docs')"), 1, 'sync works without the preloaded library');
is($other->safe_psql('postgres', "SELECT count(*) FROM vectorizer.search('docs', 'grapes', mode => 'text')"), 2, 'and search');

$node->stop;
$other->stop;
done_testing();
