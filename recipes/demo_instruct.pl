#!/usr/bin/perl
# Questions and answers from what this machine's packages document: the examples that `make demo` tunes on.
#   perl recipes/demo_instruct.pl FOLDER      writes FOLDER/text.jsonl and FOLDER/code.jsonl
#
# text.jsonl (OpenAI's messages):
#   perl-doc (Artistic or GPL): perlfaq's questions with their answers, perlfunc's functions, perldiag's messages
#   vim-runtime (Vim licence): what each option of Vim does
#   libpython3-stdlib (PSF-2.0): what a function's docstring says
# code.jsonl (instruction and output, as Evol-CodeAlpaca is written):
#   libpython3-stdlib (PSF-2.0): small functions, asked for by their docstrings
# Files are taken in the order of their names: the same packages, the same bytes.
use strict;
use warnings;

my ($LONGEST_ANSWER, $LONGEST_CODE) = (500, 700);    # characters
my $folder = shift or die "usage: perl recipes/demo_instruct.pl FOLDER\n";

sub escape {
    my ($text) = @_;
    my %letter = ("\n" => '\n', "\t" => '\t', '"' => '\"', "\\" => "\\\\");
    $text =~ s/([\n\t"\\])/$letter{$1}/g;
    $text =~ s/([\x00-\x1f\x7f])/sprintf '\u%04x', ord $1/ge;
    return "\"$text\"";
}

open my $text_file, '>:utf8', "$folder/text.jsonl" or die "$folder/text.jsonl: $!\n";
open my $code_file, '>:utf8', "$folder/code.jsonl" or die "$folder/code.jsonl: $!\n";
my ($texts, $codes) = (0, 0);

sub answer_text {
    my ($question, $answer) = @_;
    return if $answer !~ /\w/ or length $answer < 20;
    print $text_file '{"messages":[{"role":"user","content":', escape($question),
        '},{"role":"assistant","content":', escape($answer), "}]}\n";
    $texts++;
}

sub answer_code {
    my ($question, $code) = @_;
    print $code_file '{"instruction":', escape($question), ',"output":', escape($code), "}\n";
    $codes++;
}

# Whole sentences, as many as fit.
sub shorten {
    my ($text) = @_;
    return $text if length $text <= $LONGEST_ANSWER;
    my $cut = substr $text, 0, $LONGEST_ANSWER;
    return $cut =~ /^(.*[.!?])(?:\s|$)/s ? $1 : '';
}

# Files by name; folders that are links (5.36 -> 5.36.0) would bring them twice.
sub of_packages {
    my @found = map { glob } @_;
    return sort grep { !grep { -l } /^(.+?\/.+?\/.+?\/[^\/]+)/ } @found;
}

sub lines_of {
    my ($path) = @_;
    open my $f, '<:utf8', $path or return;
    local $SIG{__WARN__} = sub { };    # a file that is not UTF-8 is passed over
    my @lines = <$f>;
    return grep { utf8::valid($_) } @lines;
}

# POD's marks away: C<x>, L<text|target>, E<gt>.
sub plain {
    my ($pod) = @_;
    my %entity = (lt => '<', gt => '>', verbar => '|', sol => '/');
    for (1 .. 4) {
        $pod =~ s/[XZ]<[^<>]*>//g;
        $pod =~ s/L<([^<>|]*)\|[^<>]*>/$1/g;
        $pod =~ s/L<([^<>]*)>/$1/g;
        $pod =~ s/[BCFIS]<< +(.*?) +>>/$1/gs;
        $pod =~ s/[BCFIS]<([^<>]*)>/$1/g;
    }
    $pod =~ s/E<(\w+)>/$entity{$1} || '?'/ge;
    $pod =~ s/[ \t]*\n(?![ \t\n])/ /g;    # a paragraph is one line
    $pod =~ s/^\s+|\s+$//g;
    return $pod;
}

# The paragraphs under each heading or item that matches, up to the next one.
sub pod_parts {
    my ($path, $begins, $ends) = @_;
    my ($title, $body, @parts) = (undef, '');
    for my $paragraph (split /\n\s*\n/, join '', lines_of($path)) {
        if ($paragraph =~ $ends) {
            push @parts, [$title, $body] if defined $title;
            ($title, $body) = ($paragraph =~ $begins ? $1 : undef, '');
        } elsif (defined $title and $paragraph !~ /^=/ and $paragraph !~ /^[ \t]/) {
            my $next = plain($paragraph);
            $body .= ($body ne '' && $next ne '' ? "\n\n" : '') . $next;
        }
    }
    push @parts, [$title, $body] if defined $title;
    return @parts;
}

for my $pod (of_packages('/usr/share/perl/5.*/pod/perlfaq[1-9].pod')) {
    for my $part (pod_parts($pod, qr/^=head2\s+(.+)/s, qr/^=head/)) {
        my $question = plain($part->[0]);
        answer_text($question, shorten($part->[1])) if $question =~ /\?$/;
    }
}

for my $pod (of_packages('/usr/share/perl/5.*/pod/perlfunc.pod')) {
    my %seen;
    for my $part (pod_parts($pod, qr/^=item\s+(\w+).*/s, qr/^=(?:item|over|head)/)) {
        next if $part->[1] eq '' or $seen{$part->[0]}++;
        answer_text("What does the Perl function $part->[0] do?", shorten($part->[1]));
    }
}

for my $pod (of_packages('/usr/share/perl/5.*/pod/perldiag.pod')) {
    for my $part (pod_parts($pod, qr/^=item\s+(.+)/s, qr/^=(?:item|over|head|back)/)) {
        my ($message, $body) = (plain($part->[0]), $part->[1]);
        $body =~ s/^\([^()]*(?:\([^()]*\))?[^()]*\)\s*//;    # its class: (F), (W syntax)
        answer_text("Perl says: $message\nWhat does that mean?", shorten($body));
    }
}

for my $help (of_packages('/usr/share/vim/vim*/doc/options.txt')) {
    my ($option, $body) = (undef, '');
    for my $line (lines_of($help), "\t\t*'end'*\n") {
        if ($line =~ /^('\w+')\s.*\t(?:boolean|number|string)\s/) {
            ($option, $body) = ($1, '');
        } elsif ($line =~ /\*'\w+'\*/) {
            answer_text("What does the option $option of Vim do?", shorten(plain($body))) if defined $option;
            $option = undef;
        } elsif (defined $option and $line =~ /^\t(\S.*)/ and $line !~ /^\t\{/) {
            my $words = $1;
            next if $words =~ /^(?:global|local)/ or $words =~ /^not available/i;
            $words =~ s/\|([^|\s]+)\|/$1/g;
            $body .= "$words\n";
        }
    }
}

# A function or method with its docstring and body, by indentation.
sub python_functions {
    my ($path) = @_;
    my @lines = lines_of($path);
    my ($module) = $path =~ m{/([\w.]+)\.py$};
    for (my $i = 0; $i < @lines; $i++) {
        next if $lines[$i] !~ /^( *)def ([a-z]\w*)\((.*)\):\s*$/;
        my ($indent, $name, $arguments) = ($1, $2, $3);
        my $depth = length $indent;
        next if !defined $lines[$i + 1] or $lines[$i + 1] !~ /^ {@{[$depth + 4]}}"""(.*)$/;
        my ($doc, $j, $first) = ('', $i + 1, $1);
        if ($first =~ /^(.*?)"""\s*$/) {
            $doc = $1;
        } else {
            $doc = "$first\n";
            while (++$j < @lines and $lines[$j] !~ /"""/) { $doc .= $lines[$j] }
            next if $j >= @lines or $lines[$j] !~ /^(.*)"""\s*$/;
            $doc .= $1;
        }
        my $code = $lines[$i];
        my $k = $j + 1;
        for (; $k < @lines and ($lines[$k] =~ /^\s*$/ or $lines[$k] =~ /^ {@{[$depth + 4]}}/); $k++) {
            $code .= $lines[$k];
        }
        $code =~ s/^ {$depth}//mg if $depth; # {0} takes a space off where the text is UTF-8 (Perl 5.36)
        $code =~ s/\s+$/\n/;
        $doc =~ s/^[ \t]+//mg;
        $doc =~ s/^\s+|\s+$//g;
        my ($summary) = split /\n\s*\n/, $doc;
        next if !defined $summary or length $summary < 20 or length $summary > 300;
        $summary =~ s/\s*\n\s*/ /g;
        my $of = $depth ? 'method' : 'function';
        answer_text("What does the $of $name of the Python module $module do?", shorten($doc));
        answer_code("Write a Python $of $name($arguments).\n$summary", $code)
            if $code =~ /\n.*\n/ and length $code <= $LONGEST_CODE;
        $i = $k - 1;
    }
}

for my $path (of_packages('/usr/lib/python3.*/*.py', '/usr/lib/python3.*/{asyncio,collections,concurrent/futures,email,'
        . 'http,importlib,json,logging,multiprocessing,unittest,urllib,wsgiref,xml/dom,xml/etree,xml/sax}/*.py')) {
    python_functions($path);
}

close $text_file or die "$folder/text.jsonl: $!\n";
close $code_file or die "$folder/code.jsonl: $!\n";
die "nothing was found to ask about; ./setup.sh installs the packages that hold it\n" unless $texts && $codes;
print "$texts questions about text, $codes about code\n";
