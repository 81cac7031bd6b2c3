# The watcher is told by the kernel what changes: with minutes between scans, everything shows within the debounce and a second.
use strict;
use warnings;
use Config;
use File::Path qw(make_path remove_tree);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $debounce = 0.5;
my $limit = $debounce + 1;
my $dir = folder('docs');
my $node = new_node('main', conf => Watched::conf());

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub found
{
	my ($query, $path) = @_;
	return "SELECT count(*) > 0 FROM vectorizer.search('docs', '$query', mode => 'text') WHERE path = '$path'";
}

# Which rows there are, and with which embeddings.
my $state = "SELECT md5(string_agg(id || ' ' || embedding::text || ' ' || content, ',' ORDER BY id)) FROM vectorizer_data.docs";

put("$dir/page$_.txt", "Page number $_ is about subject $_.\n") for 1 .. 20;
put("$dir/sea/whale.txt", "The whale breathes air.\n");
put("$dir/sea/deep/squid.txt", "The squid squirts ink.\n");
sql("SELECT vectorizer.add_project('docs', '$dir', scan_interval => '1 hour', debounce => '$debounce s')");
ok(wait_for($node, 10, "SELECT phase = 'idle' AND files_done = 22 AND files_total = 22 AND rows = 22 AND noticed_by = 'events' FROM vectorizer.activity"),
	'a new project is read, and watched');
my $pid = sql('SELECT pid FROM vectorizer.activity');

put("$dir/sea/shark.txt", "The shark has teeth.\n");
ok(wait_for($node, $limit, found('teeth', 'sea/shark.txt')), 'a new file');
put("$dir/sea/shark.txt", "The shark smells blood.\n");
ok(wait_for($node, $limit, found('blood', 'sea/shark.txt')), 'a changed file');
append_to_file("$dir/sea/shark.txt", "Its skin is rough.\n");
ok(wait_for($node, $limit, found('rough', 'sea/shark.txt')), 'a longer one');
unlink "$dir/sea/shark.txt";
ok(wait_for($node, $limit, "SELECT count(*) = 0 FROM vectorizer_data.docs WHERE path = 'sea/shark.txt'"), 'a deleted one');
put("$dir/.shark.tmp", "The shark never sleeps.\n");
rename "$dir/.shark.tmp", "$dir/sea/shark.txt";
ok(wait_for($node, $limit, found('sleeps', 'sea/shark.txt')), 'one that was written under another name');

put("$dir/far/below/in/the/tree/fish.txt", "A fish far below.\n");
ok(wait_for($node, $limit, found('fish', 'far/below/in/the/tree/fish.txt')), 'directories in new directories');
put("$dir/far/below/in/the/tree/crab.txt", "A crab beside it.\n");
ok(wait_for($node, $limit, found('crab', 'far/below/in/the/tree/crab.txt')), 'are watched from then on');
ok(wait_for($node, $limit, "SELECT files_done = 25 AND files_total = 25 AND rows = 25 AND phase = 'idle' FROM vectorizer.activity"),
	'activity counts along');

# What is the same is not embedded again
my $before = sql($state);
rename "$dir/sea", "$dir/ocean";
ok(wait_for($node, $limit, "SELECT count(*) = 3 FROM vectorizer_data.docs WHERE path LIKE 'ocean/%'"), 'a directory is renamed');
ok(wait_for($node, $limit, found('squirts', 'ocean/deep/squid.txt')), 'with what is below it');
rename "$dir/ocean/whale.txt", "$dir/far/whale.txt";
ok(wait_for($node, $limit, found('breathes', 'far/whale.txt')), 'a file is moved');
utime(undef, undef, "$dir/far/whale.txt");
chmod 0600, "$dir/page1.txt";
put("$dir/last.txt", "Written last.\n");
ok(wait_for($node, $limit, found('written', 'last.txt')), 'others are touched');
unlink "$dir/last.txt";
ok(wait_for($node, $limit, "SELECT count(*) = 0 FROM vectorizer_data.docs WHERE path = 'last.txt'"), 'and that is over');
is(sql($state), $before, 'every row kept its id, content and embedding');
put("$dir/ocean/whale.txt", "Another whale.\n");
ok(wait_for($node, $limit, found('another', 'ocean/whale.txt')), 'the renamed directory is watched under its name');
rename "$dir/page2.txt", "$dir/page2.html";
ok(wait_for($node, $limit, "SELECT media_type = 'text/html' FROM vectorizer.files WHERE path = 'page2.html'"),
	'another extension is read anew');
is(sql("SELECT count(*) FROM vectorizer_data.docs WHERE path = 'page2.txt'"), 0, 'and leaves nothing behind');

# A tree that is being deleted looks like a small loss at first.
for my $name (glob "$dir/page*") { unlink $name; select(undef, undef, undef, $debounce / 10); }
remove_tree("$dir/ocean", "$dir/far");
ok(wait_for($node, $limit + 1, "SELECT state = 'waiting for confirmation' AND pending_deletions = 26 FROM vectorizer.projects"),
	'an emptied root waits');
is(sql('SELECT count(*) FROM vectorizer_data.docs'), 26, 'with all its rows, though it was emptied slowly');
sql("SELECT vectorizer.confirm_deletions('docs')");
ok(wait_for($node, $limit, 'SELECT count(*) = 0 FROM vectorizer_data.docs'), 'and is empty when that is confirmed');
put("$dir/m$_.txt", "Many are number $_.\n") for 1 .. 40;
ok(wait_for($node, $limit, 'SELECT count(*) = 40 FROM vectorizer_data.docs'), 'many files at once');
unlink map { "$dir/m$_.txt" } 1 .. 20;
ok(wait_for($node, $limit + $debounce, 'SELECT count(*) = 20 FROM vectorizer_data.docs'), 'half of them may go');

# Whoever listens hears of it.
my ($out, $err) = ('', '');
my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN vectorizer');
put("$dir/news.txt", "News of the day.\n");
ok(wait_for($node, $limit, found('news', 'news.txt')), 'a file with news');
like($listener->query('SELECT 1'), qr/notification "vectorizer" with payload "\{"project": "docs", "collection": "docs", "files": 1\}"/,
	'is told to who listens');
$listener->quit;

is(sql('SELECT pid FROM vectorizer.activity'), $pid, 'one watcher did all that');

# Where the kernel tells nothing, it is scanned instead, and that shows.
SKIP:
{
	my ($create) = { x86_64 => 294, aarch64 => 26 }->{ (split /-/, $Config{archname})[0] };
	my $most = slurp_file('/proc/sys/fs/inotify/max_user_instances');
	skip 'no way to take all instances of inotify', 3 if !defined $create || $most > 1000;
	my $watcher = sql('SELECT pid FROM vectorizer.activity');
	sql("SELECT vectorizer.pause('docs')");
	ok(wait_for($node, 10, "SELECT vectorizer.watcher_state() = 'not running'"), 'a paused project needs no watcher');
	sleep(0.05) while kill(0, $watcher);  # until then it has an instance itself
	my @instances;
	while (1)
	{
		my $instance = syscall($create, 0);
		last if $instance < 0;
		push @instances, $instance;
	}
	sql("SELECT vectorizer.resume('docs')");
	ok(wait_for($node, 10, "SELECT noticed_by = 'scans: fs.inotify.max_user_instances is exhausted' FROM vectorizer.activity"),
		'a watcher without ears says so');
	put("$dir/unheard.txt", "Nobody hears of this.\n");
	ok(wait_for($node, 7, found('nobody', 'unheard.txt')), 'and looks every five seconds');
	POSIX::close($_) for @instances;
}

$node->stop;
done_testing();
