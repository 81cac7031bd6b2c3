# A database with pgvector and one with vectorizer in one cluster, vectorizer preloaded: both work, in one order of
# loading and in the other, and neither can be created where the other is.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);

my $node = new_node('main', extension => 0);
if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") eq '0')
{
	$node->stop;
	plan skip_all => 'this server has no pgvector';
}

$node->safe_psql('postgres', 'CREATE DATABASE theirs');
$node->safe_psql('postgres', 'CREATE DATABASE ours');
$node->safe_psql('theirs', 'CREATE EXTENSION vector');
$node->safe_psql('ours', 'CREATE EXTENSION vectorizer');

my $query = "SELECT '[1,2,3]'::vector <-> '[1,2,5]', vector_norm('[3,4]'), '[1,2]'::vector = '[1,2]'";
my $theirs = "SET enable_seqscan = off; SET hnsw.ef_search = 100;
	SELECT id FROM item ORDER BY embedding <-> '[7,7,7]' LIMIT 3";
$node->safe_psql('theirs', "CREATE TABLE item (id int, embedding vector(3));
	INSERT INTO item SELECT i, ARRAY[i, i, i] FROM generate_series(1, 100) AS i;
	CREATE INDEX ON item USING hnsw (embedding vector_l2_ops)");

for my $round ('fresh', 'again after a restart')
{
	is($node->safe_psql('ours', $query), '2|5|t', "vectorizer works, $round");
	is($node->safe_psql('theirs', $query), '2|5|t', "pgvector works, $round");
	like($node->safe_psql('theirs', $theirs), qr/^7\n[68]\n[68]$/, "pgvector's index works, $round");
	$node->restart;
}

# pgvector loaded into every backend first: its settings exist, ours still get along.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'vector,vectorizer'");
$node->restart;
is($node->safe_psql('ours', $query), '2|5|t', 'vectorizer works with both preloaded');
is($node->safe_psql('theirs', $query), '2|5|t', 'pgvector works with both preloaded');

isnt($node->psql('theirs', 'CREATE EXTENSION vectorizer'), 0, 'vectorizer is refused where pgvector is');
isnt($node->psql('ours', 'CREATE EXTENSION vector'), 0, 'pgvector is refused where vectorizer is');

done_testing();
