# A directory that a node's projects may watch, and what tests do with it.
#
#   use Watched qw(folder put wait_for);
#   my $dir = folder('docs');                    # absolute; new_node(conf => Watched::conf()) allows it
#   put("$dir/a/b.txt", "text\n");
#   ok(wait_for($node, 6, 'SELECT ...'), 'within six seconds the query gives t');
package Watched;

use strict;
use warnings;
use Cwd qw(realpath);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(folder put wait_for);

my $roots = realpath(PostgreSQL::Test::Utils::tempdir());

sub conf { return "vectorizer.allowed_roots = '$roots'\n"; }

sub folder
{
	my ($name) = @_;
	make_path("$roots/$name");
	return "$roots/$name";
}

sub put
{
	my ($path, $text) = @_;
	make_path(dirname($path));
	open(my $file, '>:raw', $path) or die "$path: $!";
	print $file $text;
	close($file) or die "$path: $!";
	return;
}

# Polls a query that gives t or f. False after that many seconds.
sub wait_for
{
	my ($node, $seconds, $query, $database) = @_;
	my $end = time() + $seconds;
	while (1)
	{
		my ($status, $answer) = $node->psql($database // 'postgres', $query);
		return 1 if $status == 0 && $answer eq 't';
		last if time() > $end;
		sleep(0.1);
	}
	diag_state($node, $database // 'postgres');
	return 0;
}

sub diag_state
{
	my ($node, $database) = @_;
	for my $query ('TABLE vectorizer.activity', 'TABLE vectorizer.endpoints', 'SELECT path, state, reason, chunks FROM vectorizer.files')
	{
		my ($status, $answer, $error) = $node->psql($database, $query);
		Test::More::diag("$query: $answer $error");
	}
	return;
}

1;
