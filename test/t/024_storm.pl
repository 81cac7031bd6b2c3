# A tree that changes at random while watcher and server are killed at random: once it rests, what is in the collection is what a
# fresh collection of the same tree holds.
#
# Environment: STORM_OPERATIONS (400), STORM_SEED (1).
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $operations = $ENV{STORM_OPERATIONS} // 400;
my $seed = $ENV{STORM_SEED} // 1;
srand($seed);

my $dir = folder('storm');
my $node = new_node('main', conf => Watched::conf() . "restart_after_crash = on\n");
my @words = qw(sea whale shark squid ink teeth hive bee nectar honey wolf deer forest grass river salt stone wind);

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub pick { return $_[int(rand(@_))]; }

sub text { return join(' ', map { pick(@words) } 0 .. int(rand($_[0]))) . ".\n"; }

sub name { return pick(qw(a b c d e f g h)) . int(rand(12)) . pick('.txt', '.md', '.c', '.html', ''); }

# What there is, by kind, seen now.
sub existing
{
	my (@files, @directories);
	my @todo = ('');
	while (@todo)
	{
		my $at = shift @todo;
		push @directories, "$dir$at";
		opendir(my $handle, "$dir$at") or next;
		for my $entry (sort grep { !/^\.\.?$/ } readdir $handle)
		{
			my $path = "$at/$entry";
			if (!-l "$dir$path" && -d "$dir$path") { push @todo, $path; }
			else { push @files, "$dir$path"; }
		}
		closedir $handle;
	}
	return (\@files, \@directories);
}

sub write_some
{
	my ($path, $mode, $size) = @_;
	return if -l $path || -d $path;
	open(my $file, $mode, $path) or return;
	print $file text($size);
	close $file;
	return;
}

my %operation = (
	create => sub { write_some(pick(@{ $_[1] }) . '/' . name(), '>:raw', 60) },
	grow => sub { write_some(pick(@{ $_[1] }) . '/' . name(), '>:raw', 2000) },
	write => sub { write_some(pick(@{ $_[0] }), '>:raw', 60) },
	append => sub { write_some(pick(@{ $_[0] }), '>>:raw', 60) },
	truncate => sub { my $path = pick(@{ $_[0] }); truncate($path, int(rand(40))) if !-l $path; },
	binary => sub { my $path = pick(@{ $_[0] }); put($path, "\0\1\2" x 100) if !-l $path && -w $path; },
	touch => sub { utime(undef, undef, pick(@{ $_[0] })) },
	move => sub { rename pick(@{ $_[0] }), pick(@{ $_[1] }) . '/' . name() },
	rename_over => sub { rename pick(@{ $_[0] }), pick(@{ $_[0] }) },
	delete => sub { unlink pick(@{ $_[0] }) },
	link => sub { link pick(@{ $_[0] }), pick(@{ $_[1] }) . '/' . name() },
	symlink => sub { symlink pick('/etc/passwd', '..', 'a1.txt', '/nowhere'), pick(@{ $_[1] }) . '/' . name() },
	permission => sub { my $path = pick(@{ $_[0] }, @{ $_[1] }); chmod pick(0000, 0400, 0700), $path if !-l $path && $path ne $dir; },
	directory => sub { mkdir pick(@{ $_[1] }) . '/dir' . int(rand(20)) },
	move_directory => sub { my $path = pick(@{ $_[1] }); rename $path, pick(@{ $_[1] }) . '/dir' . int(rand(20)) if $path ne $dir; },
	delete_directory => sub { my $path = pick(@{ $_[1] }); remove_tree($path, { error => \my $kept }) if $path ne $dir && rand() < 0.3; },
);
my @often = (('create') x 8, ('write') x 4, ('append') x 3, ('move') x 3, ('directory') x 2, sort keys %operation);

# Any process that is killed takes the server through recovery. Waits until that is over.
sub kill_watcher
{
	my ($pid) = split /\n/, sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer watcher'");
	return 0 if !$pid;
	kill 'KILL', $pid;
	$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)")
	  or die 'the server does not come back';
	return 1;
}

put("$dir/first.txt", text(60));
sql("SELECT vectorizer.add_project('storm', '$dir', debounce => '0.2 s', chunk_size => 200, chunk_overlap => 20)");
my %done;
my ($watchers, $servers) = (0, 0);
for my $step (1 .. $operations)
{
	my ($files, $directories) = existing();
	my $what = @$files ? pick(@often) : 'create';
	$operation{$what}->($files, $directories);
	++$done{$what};
	sleep(rand(0.6)) if rand() < 0.06;
	if (rand() < 0.004 || $step == int($operations / 3))
	{
		$watchers += kill_watcher();
	}
	if (rand() < 0.002 || $step == int($operations / 2))
	{
		$node->stop('immediate');
		$node->start;
		++$servers;
	}
}
note("seed $seed: $watchers watchers and $servers servers killed; " . join(', ', map { "$_ $done{$_}" } sort keys %done));

my (undef, $directories) = existing();
# A closed directory hides others: open them from above.
while (my @closed = grep { !-r || !-w || !-x } @$directories)
{
	chmod 0700, @closed;
	(undef, $directories) = existing();
}
my ($files) = existing();
chmod 0600, grep { !-l && -f } @$files;

# What a fresh collection of the same tree holds: in another database, so that nobody wakes this watcher.
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION vectorizer');
$node->safe_psql('fresh', "SELECT vectorizer.add_project('fresh', '$dir', chunk_size => 200, chunk_overlap => 20); SELECT vectorizer.sync('fresh')");
my $rows = 'SELECT path, ordinal, md5(content), metadata, md5(tsv::text) FROM vectorizer_data.%s ORDER BY path COLLATE "C", ordinal';
my $fresh = $node->safe_psql('fresh', sprintf($rows, 'fresh'));
my $begun = time();
my $storm = '';
while (time() < $begun + 60 && $storm ne $fresh)
{
	sql("SELECT vectorizer.confirm_deletions('storm') FROM vectorizer.projects WHERE state = 'waiting for confirmation'");
	sleep(0.2);
	$storm = sql(sprintf($rows, 'storm'));
}
ok($storm eq $fresh, 'the collection holds what a fresh one does')
  or diag("ours: $storm\nfresh: $fresh\n" . sql('SELECT path, state, reason, attempts, next_try FROM vectorizer.files ORDER BY path'));
note(sprintf('settled after %.1f s', time() - $begun));
cmp_ok(scalar(split(/\n/, $fresh)), '>', $operations / 10, 'which is not nothing');
is(sql("SELECT count(*) FROM vectorizer_data.storm d WHERE NOT EXISTS (SELECT FROM vectorizer.file f WHERE f.id = d.file_id AND f.path = d.path)"),
	0, 'no chunk is without its file');
is( sql("SELECT count(*) FROM vectorizer.file f JOIN vectorizer.collection c ON c.id = f.collection_id AND c.name = 'storm' WHERE f.n_chunks <> (SELECT count(*) FROM vectorizer_data.storm d WHERE d.file_id = f.id)"),
	0, 'every file has its chunks');
is(sql("SELECT count(*) FROM vectorizer.model m JOIN vectorizer.collection c ON c.id = m.collection_id WHERE c.name = 'storm' AND m.state = 'filling'"),
	0, 'the model is ready');
# Inserts may leave a node without a link to it; a vacuum that repairs links gives it one.
sql('VACUUM vectorizer_data.storm');
is(sql("SELECT unreachable FROM vectorizer.index_check('vectorizer_data.\"storm:embedding\"')"), 0, 'the index is sound');

$node->stop;
done_testing();
