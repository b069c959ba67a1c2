#!/usr/bin/perl
# Prints an episode of a transcript: the first that was solved, else the first.
#   perl recipes/demo_episode.pl transcripts_tasks.jsonl
use strict;
use warnings;
use JSON::PP;

my ($path) = @ARGV;
die "usage: perl recipes/demo_episode.pl TRANSCRIPTS\n" unless defined $path;
open my $f, '<', $path or die "$path: $!\n";
my @episodes = map { decode_json($_) } <$f>;
die "$path holds no episode\n" unless @episodes;
my ($shown) = ((grep { $_->{success} } @episodes), $episodes[0]);
binmode STDOUT, ':utf8';
for my $message (@{$shown->{messages}}) {
    my $text = $message->{content};
    $text =~ s/\n+$//;
    $text =~ s/^/    /mg;
    print "$message->{role}:\n$text\n";
}
print $shown->{success} ? "solved\n" : "not solved ($shown->{end})\n";
