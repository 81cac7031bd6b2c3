# A physical standby answers like its primary, watches nothing, and takes over when promoted.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use Test::More;
use VectorizerNode qw(new_node);
use Watched qw(folder put wait_for);

my $dir = folder('docs');
put("$dir/$_.txt", "Document $_ is about " . ('apples', 'pears', 'plums', 'figs')[$_ % 4] . " and the number $_.\n") for 1 .. 40;
my $primary = new_node('primary', conf => Watched::conf(), allows_streaming => 1);
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', "SELECT vectorizer.add_project('docs', '$dir', scan_interval => '0.5 s')");
ok(wait_for($primary, 10, "SELECT phase = 'idle' AND rows = 40 FROM vectorizer.activity"), 'the primary has indexed');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

my $search = "SELECT string_agg(path || ' ' || score, ',') FROM vectorizer.search('docs', 'a document about plums')";
is($standby->safe_psql('postgres', $search), $primary->safe_psql('postgres', $search), 'the standby gives the same answers');
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'vectorizer%'"), 0,
	'no worker runs there');
is($standby->safe_psql('postgres', 'SELECT state FROM vectorizer.projects'), 'watched', 'the catalogue can be read there');
is($standby->safe_psql('postgres', 'SELECT vectorizer.watcher_state()'), 'not running on a standby', 'and says why');
my ($status, undef, $error) = $standby->psql('postgres', "SELECT vectorizer.sync('docs')");
like($error, qr/cannot execute vectorizer\.sync\(\) during recovery/, 'nothing is written there');

$primary->stop;
$standby->promote;
put("$dir/new.txt", "A new document about quinces.\n");
ok(wait_for($standby, 10, 'SELECT count(*) = 41 FROM vectorizer_data.docs'), 'promoted, it watches');
$standby->stop;
done_testing();
