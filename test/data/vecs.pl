#!/usr/bin/perl
# Turns vectors as files hold them (fvecs, bvecs, ivecs: per row the dimension as int32, then that many float32, uint8 or
# int32, little-endian) into rows (id, value) of COPY ... FROM STDIN (FORMAT binary). Ids count from 0.
#
# usage: xz -dc base.fvecs.xz | vecs.pl fvecs | psql -c 'COPY t (id, v) FROM STDIN (FORMAT binary)'
#        fvecs and bvecs give (integer, vector), ivecs (integer, integer[])
use strict;
use warnings;

# bytes an element; what it becomes in network byte order; the header of the value and what stands before each element
my %formats = (
	fvecs => [ 4, sub { pack 'nnN*', scalar @_, 0, @_ } ],
	bvecs => [ 1, sub { pack 'nnN*', scalar @_, 0, map { unpack 'L', pack 'f', $_ } @_ } ],
	ivecs => [ 4, sub { pack 'N5(N2)*', 1, 0, 23, scalar @_, 1, map { (4, $_) } @_ } ],
);
die "usage: vecs.pl fvecs | bvecs | ivecs\n" unless @ARGV == 1 && $formats{ $ARGV[0] };
my ($bytes, $value) = @{ $formats{ $ARGV[0] } };

binmode STDIN;
binmode STDOUT;
print "PGCOPY\n\377\r\n\0", pack 'NN', 0, 0;
for (my $id = 0; read(STDIN, my $header, 4); ++$id)
{
	my $length = $bytes * unpack 'V', $header;
	die "row $id is cut off\n" unless read(STDIN, my $row, $length) == $length;
	my $datum = $value->(unpack $bytes == 1 ? 'C*' : 'V*', $row);
	print pack('nNNN', 2, 4, $id, length $datum), $datum;
}
print pack 'n', 65535;
