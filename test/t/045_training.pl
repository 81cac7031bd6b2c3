# An index that was created before its rows is fitted to them in the background, whatever comes between.
use strict;
use warnings;
use HnswCheck qw(index_is_sound);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorizerNode qw(new_node);

my $node = new_node('main', conf => "autovacuum = off\nrestart_after_crash = on\nmax_worker_processes = 12\n");

sub sql { return $node->safe_psql('postgres', join("\n", @_)) }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name) }

# rows(table, dimensions, first, last): inserts rows; those of two dimensions lie so far from zero that codes tell too little
sub rows
{
	my ($table, $dimensions, $first, $last) = @_;
	my $from = $dimensions == 2 ? 100000 : 0;
	return "INSERT INTO $table SELECT n, (SELECT array_agg($from + hashint8(n * 1000 + i) % 1000 ORDER BY i) FROM generate_series(1, $dimensions) AS i)::vector"
	  . " FROM generate_series($first, $last) AS n;";
}
my $trainers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'vectorizer trainer'";
my $invalid = 'SELECT count(*) FROM pg_index WHERE NOT indisvalid';
sub trained { return "SELECT trained FROM vectorizer.index_info('$_[0]')" }

# auto
sql('CREATE TABLE auto (id int, v vector(2)); CREATE INDEX auto_v ON auto USING hnsw (v vector_l2_ops);');
is(sql("SELECT bits, trained, recall_at_10 IS NULL FROM vectorizer.index_info('auto_v')"), '4|f|t', 'an empty index has the data-free code');
sql(rows('auto', 2, 1, 9000));
sleep(.5);
is(sql("$trainers;", trained('auto_v')), "0\nf", 'some thousand rows change nothing');
sql(rows('auto', 2, $_ * 1000 + 1, $_ * 1000 + 1000)) for 9 .. 14;
wait_for(trained('auto_v'), 'ten thousand do');
my $chosen = "SELECT quantization, bits FROM vectorizer.index_info('%s')";
isnt(sql(sprintf($chosen, 'auto_v')), 'scalar|4', 'they have the code that suits them');
sql('CREATE INDEX auto_after ON auto USING hnsw (v vector_l2_ops);');
is(sql(sprintf($chosen, 'auto_v')), sql(sprintf($chosen, 'auto_after')), 'that of an index built on them');
is(sql("SELECT sampled_rows >= 1000 AND recall_at_10 >= .95 FROM vectorizer.index_info('auto_v')"), 't', 'with the evidence');
is(sql($invalid), '0', 'and nothing is left behind');
index_is_sound($node, 'auto_v', 'afterwards');

# A code that suits stays
sql('CREATE TABLE suits (id int, v vector(64)); CREATE INDEX suits_v ON suits USING hnsw (v vector_l2_ops);');
my $file = "SELECT pg_relation_filenode('suits_v')";
my $before = sql($file);
sql(rows('suits', 64, 1, 12000));
wait_for(trained('suits_v'), 'one transaction is as good as many');
is(sql($file), $before, 'no index is rebuilt whose code suits its rows');
is(sql("SELECT bits FROM vectorizer.index_info('suits_v')"), '4', 'that was the data-free code');

# product
sql('CREATE TABLE product (id int, v vector(32));',
	'CREATE INDEX product_v ON product USING hnsw (v vector_l2_ops) WITH (quantization = product, subspaces = 8);');
sql(rows('product', 32, 1, 11000), rows('product', 32, 11001, 13000));
wait_for(trained('product_v'), 'a product code is trained');
is(sql('SET enable_seqscan = off; SELECT count(*) FROM generate_series(1, 1000, 100) AS n, LATERAL',
		'(SELECT id FROM product ORDER BY v <-> (SELECT v FROM product WHERE id = n) LIMIT 1) AS p WHERE p.id = n'), '10',
	'and finds');
index_is_sound($node, 'product_v', 'afterwards');

# Several at once, in a table that is vacuumed as soon as it is loaded
sql("CREATE TABLE many (id int, v vector(2), w vector(2));", 'CREATE TABLE more (id int, v vector(2));',
	'CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops); CREATE INDEX many_w ON many USING hnsw (w vector_l2_ops);',
	'CREATE INDEX more_v ON more USING hnsw (v vector_l2_ops);');
sql('BEGIN;', rows('more', 2, 1, 12000), 'INSERT INTO many SELECT id, v, v FROM more;', 'COMMIT;', 'VACUUM ANALYZE many;', 'VACUUM more;');
wait_for(trained($_), "$_ of three in one transaction") for qw(many_v many_w more_v);

# Not for those who do not want it, nor where nothing is to be chosen
sql('CREATE TABLE none (id int, v vector(2)); CREATE INDEX none_v ON none USING hnsw (v vector_l2_ops);',
	'SET vectorizer.auto_train = off;', rows('none', 2, 1, 12000));
sql('CREATE TABLE fixed (id int, v vector(2)); CREATE INDEX fixed_v ON fixed USING hnsw (v vector_l2_ops) WITH (quantization = scalar, bits = 4);',
	rows('fixed', 2, 1, 12000));
sql('BEGIN; CREATE TABLE undone (id int, v vector(2)); CREATE INDEX undone_v ON undone USING hnsw (v vector_l2_ops);',
	rows('undone', 2, 1, 12000), 'ROLLBACK;');
sql('CREATE TEMP TABLE mine (id int, v vector(2)); CREATE INDEX mine_v ON mine USING hnsw (v vector_l2_ops);', rows('mine', 2, 1, 12000));
sleep(1);
is(sql("$trainers;", trained('none_v'), ';', trained('fixed_v')), "0\nf\nf", 'nor where it is switched off or there is no choice');

# A trainer that waits for a writer stands in nobody's way, and leaves nothing behind wherever it is ended
my $writer = $node->background_psql('postgres');
my $keep_waiting = sub {
	my $name = shift;
	my $does = shift // "INSERT INTO $name VALUES (0, NULL)";
	$writer->query_safe("BEGIN; $does;");
	sql(rows($name, 2, 1, 12000));
	wait_for("SELECT count(*) > 0 FROM pg_index WHERE indrelid = '$name'::regclass AND NOT indisvalid", "$name: a trainer waits");
};
my $goes_on = sub {
	my ($name, $first) = @_;
	sql(rows($name, 2, $first, $first + 2000));
	wait_for(trained("${name}_v"), "$name: the next one does the work");
	wait_for("SELECT ($trainers) = 0", "$name: and ends");  # REINDEX and index_check want each other's locks
	is(sql($invalid), '0', "$name: and nothing is left behind");
	index_is_sound($node, "${name}_v", "$name, afterwards");
};
sql("CREATE TABLE $_ (id int, v vector(2)); CREATE INDEX ${_}_v ON $_ USING hnsw (v vector_l2_ops);") for qw(ended swapped killed);
sql('CREATE INDEX ended_w ON ended USING hnsw (v vector_l2_ops)');  # put down for the same trainer
$keep_waiting->('ended');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'vectorizer trainer'");
wait_for("SELECT ($trainers) = 0", 'a trainer can be ended');
$writer->query_safe('COMMIT;');
$goes_on->('ended', 20001);
is(sql(trained('ended_w')), 't', 'ended: the other index, too');

# The new index is in the old one's place, and the old one waits for its readers to end
$keep_waiting->('swapped', 'SELECT count(*) FROM swapped');
wait_for("SELECT count(*) = 1 FROM pg_class WHERE relname LIKE 'swapped\\_v\\_ccold'", 'it waits for a reader');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'vectorizer trainer'");
wait_for("SELECT ($trainers) = 0", 'there, too, it can be ended');
is(sql($invalid), '1', 'the old index is still there');
$writer->query_safe('COMMIT;');
sql(rows('swapped', 2, 20001, 23000));
wait_for("SELECT ($invalid) = 0", 'the next one drops it');
is(sql(trained('swapped_v')), 't', 'the new one is in place');
index_is_sound($node, 'swapped_v', 'swapped, afterwards');

$keep_waiting->('killed');
my $trainer = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer trainer'");
kill 'KILL', $trainer;
eval { $writer->quit };  # it has gone with the server
$node->poll_query_until('postgres', 'SELECT true') or die 'no restart';
is(sql($invalid), '1', 'a server that dies leaves an index behind');
$goes_on->('killed', 20001);

# A database can be dropped
sql('CREATE DATABASE other');
$node->safe_psql('other', "CREATE EXTENSION vectorizer; CREATE TABLE t (id int, v vector(2)); CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);");
my $reader = $node->background_psql('other');
$reader->query_safe('BEGIN; INSERT INTO t VALUES (0, NULL);');
$node->safe_psql('other', rows('t', 2, 1, 12000));
wait_for("SELECT ($trainers AND datname = 'other') = 1", 'a trainer is at work in another database');
$reader->quit;
is(($node->psql('postgres', 'DROP DATABASE other'))[0], 0, 'which can be dropped');

$node->stop;
done_testing();
