#!/bin/sh
# The main job, from the files on this machine to a model that writes and then to one that answers: called by
# `make demo`.
#   recipes/demo.sh [--minutes N] [-o FOLDER]
set -eu
cd "$(dirname "$0")/.."

minutes=4
run=run/demo
while [ $# -gt 0 ]; do
    case $1 in
    --minutes) minutes=${2-}; shift $(($# > 1 ? 2 : 1)) ;;
    -o) run=${2-}; shift $(($# > 1 ? 2 : 1)) ;;
    *) run= ; break ;;
    esac
done
case $minutes in '' | . | *[!0-9.]* | *.*.*) run= ;; esac
if [ -z "$run" ]; then
    echo "usage: recipes/demo.sh [--minutes N] [-o FOLDER]     N is a number such as 4 or 0.5" >&2
    exit 2
fi
lemur=${LEMUR:-build/lemur}
recipe=recipes/demo.yaml
say() { printf '\n== %s\n' "$*"; }

# Of an earlier demo; whatever else lies in the folder stays.
rm -rf "$run/corpus" "$run/tokenizer" "$run/packed" "$run/model" "$run/examples" "$run/chat" "$run/agent"
mkdir -p "$run"

say "1. Corpus: source code and prose of this machine, cleaned, without duplicates"
"$lemur" corpus build "$recipe" -o "$run/corpus"

say "2. Vocabulary: byte-level BPE learned from the training part"
"$lemur" tokenizer train --vocab-size 8192 -o "$run/tokenizer" "$run/corpus/train"

say "3. Packing: rows of 512 tokens, code : text = 10 : 1"
"$lemur" pack "$run/corpus" --tokenizer "$run/tokenizer" --recipe "$recipe" -o "$run/packed"

say "4. Training for $minutes minutes"
"$lemur" train --recipe "$recipe" --data "$run/packed" --minutes "$minutes" -o "$run/model"

say "5. The loss curve, and what held-out documents cost"
"$lemur" train --show "$run/model" | tee "$run/summary.txt"

say "6. Bits per byte of held-out documents: the model, and compressors on the same bytes"
printf '%-8s %10s %10s %10s %10s\n' kind bytes lemur 'xz -9' 'zstd -19'
for kind in code text; do
    "$lemur" corpus cat "$run/corpus" --split held_out --kind $kind > "$run/held_out.$kind"
    bytes=$(wc -c < "$run/held_out.$kind")
    xz=$(xz -9 -c "$run/held_out.$kind" | wc -c)
    zs=$(zstd -19 -q -c "$run/held_out.$kind" | wc -c)
    awk -v k=$kind -v b="$bytes" -v x="$xz" -v z="$zs" '$1 == k {
        printf "%-8s %10d %10.3f %10.3f %10.3f\n", k, b, $5, 8 * x / b, 8 * z / b}' "$run/summary.txt"
done
echo "(all three over every held-out byte; the model also pays for telling where each document ends)"

say "7. What it writes"
echo "--- code"
"$lemur" generate -m "$run/model" --echo -n 120 --temp 0.7 --top-p 0.9 --seed 1 "def read_lines(path):
    "
echo "--- prose"
"$lemur" generate -m "$run/model" --echo -n 120 --temp 0.7 --top-p 0.9 --seed 1 \
    "This section describes how to "
say "8. Questions and answers from the same packages: what Perl, Vim and Python document, and Python functions"
mkdir -p "$run/examples"
perl recipes/demo_instruct.pl "$run/examples"

say "9. Tasks for an agent: an expert solves 3000 with Python in the sandbox, and its episodes are kept"
"$lemur" env make words -o "$run/agent" --train 3000 --test 60
"$lemur" eval -m "script:$run/agent/expert.jsonl" --tasks tasks --data "$run/agent/train" --wikipedia none \
    --parallel 3 -o "$run/agent/expert"

tuning=$(awk -v m="$minutes" 'BEGIN {printf "%g", m / 2}')
say "10. Tuning for $tuning minutes on questions, functions and episodes: the answers are learned and nothing else"
sed "s|run/demo/|$run/|" "$recipe" > "$run/examples/recipe.yaml"
"$lemur" tune --recipe "$run/examples/recipe.yaml" -m "$run/model" --minutes "$tuning" -o "$run/chat"

say "11. What it was taught: three of the examples, with what is learned between the brackets"
"$lemur" tune --show "$run/chat" --inspect 3 | tee "$run/examples/shown.txt"

say "12. A short chat"
for question in "What does the Perl function join do?" "What does the option 'hlsearch' of Vim do?" \
    "Write a Python function is_empty(self). Return True if the queue is empty."; do
    printf '\n> %s\n' "$question"
    printf '%s\n' "$question" | "$lemur" chat -m "$run/chat" --private --max-tokens 100 --temp 0.3 --top-p 0.9 --seed 1
done

say "13. The agent: 60 tasks that it has not seen, with Python in the sandbox; then one of its episodes"
"$lemur" eval -m "$run/chat" --tasks tasks --data "$run/agent/test" --wikipedia none -o "$run/agent/result"
perl recipes/demo_episode.pl "$run/agent/result/transcripts_tasks.jsonl"

say "done: everything is in $run; go on with: $lemur chat -m $run/chat   or: $lemur agent -m $run/chat"
