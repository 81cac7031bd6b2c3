# A node of PostgreSQL::Test::Cluster that finds the extension in the stage of this run and preloads it. Those settings
# come from the file that TEMP_CONFIG names, which the server's module appends to every new node's configuration
# (scripts/check.sh writes it); a standby made from a backup has its primary's.
#
#   use VectorizerNode qw(new_node);
#   my $node = new_node('main', conf => "vectorizer.allowed_roots = '/tmp'");   # runs, has the extension in postgres
#   my $node = new_node('primary', allows_streaming => 1, extension => 0);      # runs, without the extension
#   my $node = new_node('main', crash_points => 1);                              # the library of src/pg/crash_point.hpp
package VectorizerNode;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(slurp_file);

our @EXPORT_OK = qw(new_node);

# new_node(name, conf => text, extension => 1, checksums => 1, more => for init): a node that runs. checksums => 0: without
# those that PostgreSQL 18 gives every page by default, for a test that damages pages and wants our own checks to meet them.
sub new_node
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf};
	my $extension = delete $options{extension} // 1;
	my $checksums = delete $options{checksums} // 1;
	my $crash_points = delete $options{crash_points};
	die "TEMP_CONFIG does not name the node configuration: run scripts/check.sh tap\n"
	  unless defined $ENV{TEMP_CONFIG} && -r $ENV{TEMP_CONFIG};

	my $node = PostgreSQL::Test::Cluster->new($name);
	push @{ $options{extra} }, '--no-data-checksums' if !$checksums && $node->pg_version >= 18;
	$node->init(%options);
	$node->append_conf('postgresql.conf', $conf) if defined $conf;
	$node->append_conf('postgresql.conf', slurp_file($ENV{CRASH_CONFIG})) if $crash_points;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION vectorizer') if $extension;
	return $node;
}

1;
