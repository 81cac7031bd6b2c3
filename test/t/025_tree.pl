# A large tree: first read, touched, renamed, half deleted. After each the collection is what a fresh one of the same tree would be,
# and what only moved or was touched is not embedded again.
#
# Environment: TREE_FILES (400). Notes say how long each took, and the most private memory that the watcher had.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $files = $ENV{TREE_FILES} // 400;
my $half = $files / 2;
my $patience = 60 + $files / 20;
my $dir = folder('tree');
my $node = new_node('main', conf => Watched::conf());
srand(1);
my @words = map { my $n = $_; join('', map { chr(97 + ($n * $_ * 7 + $_ * $_) % 26) } 1 .. 3 + $n % 5) } 1 .. 5000;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub text { return join("\n\n", map { join(' ', map { $words[ int(rand(@words)) ] } 1 .. 60) } 1 .. 1 + int(rand(6))) . "\n"; }

sub path { my ($i) = @_; return sprintf('%s/%s/file%d.%s', 'a' . $i % 7, 'b' . $i % 41, $i, (qw(txt md c))[ $i % 3 ]); }

my $most_memory = 0;

sub look_at_memory
{
	my ($pid) = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'vectorizer watcher'");
	return if !$pid;
	open(my $status, '<', "/proc/$pid/status") or return;
	while (<$status>) { $most_memory = $1 if /^RssAnon:\s+(\d+) kB/ && $1 > $most_memory; }
	return;
}

# Until the query gives t.
sub settles
{
	my ($name, $begun, $query) = @_;
	my $settled = 0;
	while (!$settled && time() < $begun + $patience)
	{
		look_at_memory();
		$settled = sql($query) eq 't';
		select(undef, undef, undef, 0.1) if !$settled;
	}
	ok($settled, $name) or diag(sql('TABLE vectorizer.activity; TABLE vectorizer.project')
		. sql('SELECT state, reason, substring(path, 1, 3), count(*) FROM vectorizer.files GROUP BY 1, 2, 3 ORDER BY 3'));
	note(sprintf('%s: %.1f s', $name, time() - $begun));
	return;
}

sub is_idle { return "(SELECT phase = 'idle' AND files_done = files_total AND files_total = $_[0] FROM vectorizer.activity)"; }

my $rows = 'SELECT path, ordinal, content, metadata, tsv FROM vectorizer_data.%s';
my $options = "chunk_size => 300, chunk_overlap => 30, debounce => '1 s'";

# What a fresh collection of the same tree holds; its project is gone again afterwards.
sub is_true
{
	my ($name) = @_;
	sql("SELECT vectorizer.add_project('fresh', '$dir', $options); SELECT vectorizer.sync('fresh')");
	is( sql("WITH mine AS (" . sprintf($rows, 'tree') . "), fresh AS (" . sprintf($rows, 'fresh') . ")"
		  . " SELECT (SELECT count(*) FROM (TABLE mine EXCEPT ALL TABLE fresh) o), (SELECT count(*) FROM (TABLE fresh EXCEPT ALL TABLE mine) m)"),
		'0|0', "$name: no orphan, no missing row");
	sql("SELECT vectorizer.drop_project('fresh')");
	return;
}

my $embedded = "SELECT count(*), md5(string_agg(id || ' ' || embedding::text, ',' ORDER BY id)) FROM vectorizer_data.tree";

put("$dir/" . path($_), text()) for 1 .. $files;
my $begun = time();
sql("SELECT vectorizer.add_project('tree', '$dir', $options)");
settles('first read', $begun, "SELECT " . is_idle($files) . " AND (SELECT model_state = 'ready' FROM vectorizer.collections)");
is_true('first read');
my $before = sql($embedded);

$begun = time();
utime(undef, undef, "$dir/" . path($_)) for 1 .. $files;
my $now = sql('SELECT extract(epoch FROM now()) * 1e9');
settles('all touched', $begun,
	"SELECT count(*) = 0 FROM vectorizer.file WHERE mtime_ns < $now - " . int((time() - $begun + 0.5) * 1e9));
is(sql($embedded), $before, 'touched: no embedding is new');

$begun = time();
rename "$dir/" . path($_), "$dir/" . path($_) =~ s/file/renamed/r for 1 .. $half;
settles("$half renamed", $begun, "SELECT count(*) = $half AND " . is_idle($files) . " FROM vectorizer.file WHERE path ~ 'renamed'");
is(sql($embedded), $before, 'renamed: no embedding is new');
is_true('renamed');

$begun = time();
rename "$dir/a1", "$dir/z1";
settles('a directory renamed', $begun, "SELECT count(*) = 0 AND " . is_idle($files) . " FROM vectorizer.file WHERE path ~ '^a1/'");
is(sql($embedded), $before, 'a directory renamed: no embedding is new');

$begun = time();
unlink grep { -e } map { my $path = path($_) =~ s/^a1/z1/r; ("$dir/$path" =~ s/file(?=\d+\.)/renamed/r) } 1 .. $half;
settles('half deleted', $begun, "SELECT " . is_idle($files - $half));
is_true('half deleted');
is(sql("SELECT count(*) FROM vectorizer_data.tree d WHERE NOT EXISTS (SELECT FROM vectorizer.file f WHERE f.id = d.file_id AND f.path = d.path)"),
	0, 'no chunk is without its file');
# Inserts may leave a node without a link to it; a vacuum that repairs links gives it one.
sql('VACUUM vectorizer_data.tree');
is(sql("SELECT unreachable FROM vectorizer.index_check('vectorizer_data.\"tree:embedding\"')"), 0, 'the index is sound');
note(sprintf('%d files, private memory of the watcher at most %.1f MB', $files, $most_memory / 1024));

$node->stop;
done_testing();
