#!/usr/bin/perl
# Instructions from what this machine's packages document: three of the four kinds that recipes/mini.yaml tunes on.
#   perl recipes/mini_instruct.pl FOLDER      writes FOLDER/prose.jsonl, FOLDER/dialogues.jsonl and FOLDER/code.jsonl
#
# prose.jsonl (OpenAI's messages), a question and its answer:
#   perl-doc (Artistic or GPL): perlfaq's questions, perlfunc's functions, perldiag's messages
#   vim-runtime (Vim licence): what each option of Vim does
#   libpython3-stdlib (PSF-2.0): what a function's docstring says
# dialogues.jsonl (OpenAI's messages), where each question stands on what was said before:
#   vim-runtime (Vim licence): an option's short name, its kind, its default
#   libpython3-stdlib (PSF-2.0): a function's arguments, then its code
# code.jsonl (instruction and output, as Evol-CodeAlpaca is written):
#   libpython3-stdlib (PSF-2.0): small functions, asked for by their docstrings
# Files are taken in the order of their names: the same packages, the same bytes.
use strict;
use warnings;

my ($LONGEST_ANSWER, $LONGEST_CODE) = (500, 700);    # characters
my $folder = shift or die "usage: perl recipes/mini_instruct.pl FOLDER\n";

sub escape {
    my ($text) = @_;
    my %letter = ("\n" => '\n', "\t" => '\t', '"' => '\"', "\\" => "\\\\");
    $text =~ s/([\n\t"\\])/$letter{$1}/g;
    $text =~ s/([\x00-\x1f\x7f])/sprintf '\u%04x', ord $1/ge;
    return "\"$text\"";
}

-d $folder or mkdir $folder or die "$folder: $!\n";
my (%file, %count);
for my $kind (qw(prose dialogues code)) {
    open $file{$kind}, '>:utf8', "$folder/$kind.jsonl" or die "$folder/$kind.jsonl: $!\n";
    $count{$kind} = 0;
}

sub answer {
    my ($kind, $line) = @_;
    print {$file{$kind}} $line, "\n";
    $count{$kind}++;
}

sub conversation {
    my @texts = @_;
    my @messages = map { '{"role":"' . ($_ % 2 ? 'assistant' : 'user') . '","content":' . escape($texts[$_]) . '}' } 0 .. $#texts;
    return '{"messages":[' . join(',', @messages) . ']}';
}

sub answer_prose {
    my ($question, $answer) = @_;
    answer('prose', conversation($question, $answer)) if $answer =~ /\w/ and length $answer >= 20;
}

sub answer_code {
    my ($question, $code) = @_;
    answer('code', '{"instruction":' . escape($question) . ',"output":' . escape($code) . '}');
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
        answer_prose($question, shorten($part->[1])) if $question =~ /\?$/;
    }
}

for my $pod (of_packages('/usr/share/perl/5.*/pod/perlfunc.pod')) {
    my %seen;
    for my $part (pod_parts($pod, qr/^=item\s+(\w+).*/s, qr/^=(?:item|over|head)/)) {
        next if $part->[1] eq '' or $seen{$part->[0]}++;
        answer_prose("What does the Perl function $part->[0] do?", shorten($part->[1]));
    }
}

for my $pod (of_packages('/usr/share/perl/5.*/pod/perldiag.pod')) {
    for my $part (pod_parts($pod, qr/^=item\s+(.+)/s, qr/^=(?:item|over|head|back)/)) {
        my ($message, $body) = (plain($part->[0]), $part->[1]);
        $body =~ s/^\([^()]*(?:\([^()]*\))?[^()]*\)\s*//;    # its class: (F), (W syntax)
        answer_prose("Perl says: $message\nWhat does that mean?", shorten($body));
    }
}

# What an option does; then, where the manual tells them in its first line, its short name, kind and default.
sub vim_option {
    my ($option, $short, $kind, $default, $body) = @_;
    my ($question, $answer) = ("What does the option $option of Vim do?", shorten(plain($body)));
    answer_prose($question, $answer);
    my ($first) = $answer =~ /^(.{20,240}?[.:])(?:\s|$)/;
    return if !defined $first;
    my @more;
    push @more, 'Is there a shorter name for it?', "Yes, it is $short." if defined $short;
    push @more, 'Is it a boolean, a number or a string?', "The option $option is a $kind.";
    push @more, 'And its default?', "It is $default." if defined $default;
    answer('dialogues', conversation($question, $first, @more));
}

for my $help (of_packages('/usr/share/vim/vim*/doc/options.txt')) {
    my ($option, $short, $kind, $default, $body);
    for my $line (lines_of($help), "\t\t*'end'*\n") {
        if ($line =~ /^('\w+')(?:\s+('\w+'))?\s.*?\t(boolean|number|string)\s*(?:\(default:?\s+([^()]+?)\))?/) {
            ($option, $short, $kind, $default, $body) = ($1, $2, $3, $4, '');
        } elsif ($line =~ /\*'\w+'\*/) {
            vim_option($option, $short, $kind, $default, $body) if defined $option;
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
        answer_prose("What does the $of $name of the Python module $module do?", shorten($doc));
        if ($code =~ /\n.*\n/ and length $code <= $LONGEST_CODE) {
            answer_code("Write a Python $of $name($arguments).\n$summary", $code);
            answer('dialogues', conversation("What does $name in Python's module $module do?", $summary,
                'Which arguments does it take?', $arguments eq '' ? 'None.' : $arguments, 'Show me its code.', $code));
        }
        $i = $k - 1;
    }
}

for my $path (of_packages('/usr/lib/python3.*/*.py', '/usr/lib/python3.*/{asyncio,collections,concurrent/futures,email,'
        . 'http,importlib,json,logging,multiprocessing,unittest,urllib,wsgiref,xml/dom,xml/etree,xml/sax}/*.py')) {
    python_functions($path);
}

for my $kind (sort keys %file) {
    close $file{$kind} or die "$folder/$kind.jsonl: $!\n";
    die "nothing was found for $kind.jsonl; ./setup.sh installs the packages that hold it\n" if !$count{$kind};
}
print join(', ', map { "$count{$_} of $_" } sort keys %count), "\n";
