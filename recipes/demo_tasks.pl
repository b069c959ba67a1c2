#!/usr/bin/perl
# Small tasks for an agent with a Python tool, and an expert who solves those for training: `make demo`.
#   perl recipes/demo_tasks.pl FOLDER TRAIN TEST
# writes FOLDER/train/tasks and FOLDER/test/tasks (questions.jsonl, prompt.txt: what `lemur eval --tasks tasks` reads)
# and FOLDER/expert.jsonl, what the expert answers to which messages (`lemur eval -m script:FILE`): where Python printed
# something else than the expert expects, the script has no answer.
# No task for testing is among those for training: each is a form of words with its numbers.
use strict;
use warnings;

my ($folder, $train, $test) = @ARGV;
die "usage: perl recipes/demo_tasks.pl FOLDER TRAIN TEST\n" unless defined $test && $train > 0 && $test > 0;

# Numerical Recipes' generator, modulo 2^32: the same tasks wherever Perl runs.
my $state = 20231010;
sub below {
    my ($n) = @_;
    $state = ($state * 1664525 + 1013904223) % 4294967296;
    return int($state / 65536) % $n;
}
sub number { my ($low, $high) = @_; return $low + below($high - $low + 1) }
sub one_of { return $_[below(scalar @_)] }

my @names = qw(Anna Ben Carla David Emma Felix Greta Hugo Ida Jonas);
my @things = qw(apples books coins eggs letters nails pens stones tickets trees);

# A form takes no words and gives its question, the Python that answers it, and the answer.
my @forms = (
    sub { my ($x, $y) = (number(10, 99), number(10, 99)); ("What is $x + $y?", "$x + $y", $x + $y) },
    sub { my ($x, $y) = (number(50, 99), number(10, 49)); ("What is $x - $y?", "$x - $y", $x - $y) },
    sub { my ($x, $y) = (number(3, 99), number(3, 99)); ("What is $x times $y?", "$x * $y", $x * $y) },
    sub {
        my ($x, $y, $who, $what) = (number(10, 99), number(10, 99), one_of(@names), one_of(@things));
        ("$who has $x $what and gets $y more. How many $what does $who have now?", "$x + $y", $x + $y);
    },
    sub {
        my ($x, $y, $who, $what) = (number(50, 99), number(10, 49), one_of(@names), one_of(@things));
        ("$who has $x $what and gives away $y. How many $what are left?", "$x - $y", $x - $y);
    },
    sub {
        my ($x, $y, $what) = (number(3, 30), number(10, 99), one_of(@things));
        ("There are $x boxes with $y $what in each. How many $what are there?", "$x * $y", $x * $y);
    },
);

sub escape { my ($text) = @_; $text =~ s/([\\"])/\\$1/g; $text =~ s/\n/\\n/g; return "\"$text\"" }

sub open_file {
    my ($path) = @_;
    open my $f, '>', $path or die "$path: $!\n";
    return $f;
}

# The messages so far, and what comes next.
sub say_next {
    my ($f, $next, @texts) = @_;
    my @roles = ('user', 'assistant');
    my @messages = map { '{"role":"' . $roles[$_ % 2] . '","content":' . escape($texts[$_]) . '}' } 0 .. $#texts;
    print $f '{"text":', escape($next), ',"messages":[', join(',', @messages), "]}\n";
}

my ($RULES, %seen) = ("Use Python in <execute>, then answer in <solution>.\n");
sub write_tasks {
    my ($name, $count, $expert) = @_;
    my $tasks = "$folder/$name/tasks";
    mkdir $_ for $folder, "$folder/$name", $tasks;
    my $prompt = open_file("$tasks/prompt.txt");
    print $prompt "$RULES\{task_prompt}";
    close $prompt or die "$tasks/prompt.txt: $!\n";
    my $questions = open_file("$tasks/questions.jsonl");
    for (my $id = 0; $id < $count;) {
        my ($question, $code, $answer) = one_of(@forms)->();
        next if $seen{$question}++;
        print $questions "{\"id\":$id,\"prompt\":", escape($question), ",\"reference\":\"$answer\"}\n";
        $id++;
        next unless $expert;
        my @begin = ("${RULES}Task:\n$question");
        my $program = "<execute>print($code)</execute>";
        say_next($expert, $program, @begin);
        say_next($expert, "<solution>$answer</solution>", @begin, "Assistant:\n$program\n",
            "Observation:\n$answer\nYou have 4 steps left and 2 chances to propose solution left.\n");
    }
    close $questions or die "$tasks/questions.jsonl: $!\n";
}

mkdir $folder;
my $expert = open_file("$folder/expert.jsonl");
write_tasks('train', $train, $expert);
close $expert or die "$folder/expert.jsonl: $!\n";
write_tasks('test', $test);
print "$train tasks for training, $test others for testing\n";
