# The library is preloaded into every backend, also those of databases that do not have the extension.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorizerNode qw(new_node);

my $node = new_node('main');

is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), 'vectorizer', 'the library is preloaded');
is( $node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'vectorizer'"),
	1, 'the extension is there');

$node->safe_psql('postgres', 'CREATE DATABASE plain');
is( $node->safe_psql('plain', "SELECT count(*) FROM pg_extension WHERE extname = 'vectorizer'"),
	0, 'a database without the extension works');

$node->safe_psql('postgres', 'DROP EXTENSION vectorizer CASCADE');
$node->safe_psql('postgres', 'CREATE EXTENSION vectorizer');
$node->restart;
is( $node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'vectorizer'"),
	1, 'the extension can be dropped, created again, and survives a restart');

done_testing();
