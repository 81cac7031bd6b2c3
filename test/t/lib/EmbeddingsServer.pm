# A server of embeddings for a test (test/t/lib/embeddings_server, which says what its paths do). It ends with the test.
#
#   use EmbeddingsServer;
#   my $server = EmbeddingsServer->start(dimension => 8);
#   $server->url('ok/8')                  # http://127.0.0.1:PORT/ok/8/v1/embeddings
#   $server->control('status/503');       # whatever the path says; 'down': nobody listens; 'ok': as before
#   $server->requests                     # what came since the last forget(): hashes of path, inputs, headers, fields
#   $server->forget;
#   $server->stop;
package EmbeddingsServer;

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp ();
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw(sleep);

sub start
{
	my ($class, %options) = @_;
	my $folder = File::Temp->newdir;
	my $self = bless { folder => $folder, log => "$folder/log", control => "$folder/control", owner => $$ }, $class;
	my @command = ($^X, dirname(__FILE__) . '/embeddings_server', '--log', $self->{log}, '--control', $self->{control},
		map { ("--$_", $options{$_}) } sort keys %options);
	$self->{pid} = open($self->{output}, '-|', @command) or die "embeddings_server: $!\n";
	my $line = readline $self->{output};
	die "embeddings_server does not start\n" unless defined $line && $line =~ /^(\d+)$/;
	$self->{port} = $1;
	return $self;
}

sub port { return $_[0]{port}; }

sub url
{
	my ($self, $faults) = @_;
	return "http://127.0.0.1:$self->{port}/" . ($faults // 'ok') . '/v1/embeddings';
}

# Returns when new connections see it: a server that is to be down refuses them, one that is to be up accepts them.
sub control
{
	my ($self, $word) = @_;
	open my $file, '>', "$self->{control}.new" or die "control: $!\n";
	print $file "$word\n";
	close $file or die "control: $!\n";
	rename "$self->{control}.new", $self->{control} or die "control: $!\n";
	for (1 .. 100)
	{
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'tcp');
		return if ($word eq 'down') == !defined $socket;
		sleep 0.05;
	}
	die "embeddings_server does not do as it is told\n";
}

sub requests
{
	my ($self) = @_;
	open my $file, '<:raw', $self->{log} or return ();
	my $json = JSON::PP->new->utf8;
	my @requests = map { $json->decode($_) } <$file>;
	close $file;
	return @requests;
}

sub forget
{
	my ($self) = @_;
	unlink $self->{log};
	return;
}

sub stop
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'TERM', $self->{pid};
	close $self->{output};    # waits for it
	$self->{pid} = undef;
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $!, $@);
	$self->stop;
	return;
}

1;
