#!/bin/sh
# lemur tune with the real program: every format of examples, plain and packed, sound and broken; the ledger; the proof of
# the masks; a vocabulary that grows; kill -9 and resume to the same bytes.
#   tests/tune_test.sh      LEMUR: the program ($B/lemur)
set -u
lemur=${LEMUR:-${B:-build}/lemur}
. tools/expect.sh
in=$work/in
mkdir "$in" "$work/tmp"
TMPDIR=$work/tmp
export TMPDIR
number() { grep -o "\"$2\": *[-0-9.e+]*" "$1" | head -n 1 | sed 's/.*: *//'; }

# A base model that knows ChatML's marks, and one whose vocabulary does not ---------------------------------------------
. tools/tiny_model.sh
mkdir "$work/bare"
cp "$work"/vocab/* "$work/bare"
# The same ids without ChatML's two: they are renamed, so that nothing is special about them.
sed -i 's/<|im_start|>/<|a|>/g; s/<|im_end|>/<|b|>/g; /chat_template/d' "$work"/bare/*.json
ok "rows of it" "$lemur" pack "$work/corpus" --tokenizer "$work/bare" --recipe "$work/base.yaml" -o "$work/packed-bare"
ok "a base model without the marks" "$lemur" train --data "$work/packed-bare" --recipe "$work/base.yaml" -o "$work/base-bare"

# Examples ---------------------------------------------------------------------------------------------------------------
i=0
while [ $i -lt 40 ]; do
    echo "{\"messages\": [{\"role\": \"system\", \"content\": \"Be short.\"}, {\"role\": \"user\", \"content\": \"What is $i + 1?\"}, {\"role\": \"assistant\", \"content\": \"It is $((i + 1)).\"}]}" >> "$in/messages.jsonl"
    echo "{\"prompt\": \"Say the number $i.\", \"completion\": \"$i\"}" >> "$in/completion.jsonl"
    echo "{\"instruction\": \"Double it.\", \"input\": \"$i\", \"output\": \"$((i * 2))\"}" >> "$in/alpaca.jsonl"
    printf '{"instruction": "Write f%d.", "output": "int f%d(void)\\n{\\n    return %d;\\n}"}\n' $i $i $i >> "$in/evol.jsonl"
    echo "{\"id\": \"flan.$i\", \"system_prompt\": \"\", \"question\": \"Is $i odd?\", \"response\": \"$([ $((i % 2)) -eq 1 ] && echo Yes || echo No)\"}" >> "$in/orca.jsonl"
    echo "{\"message_tree_id\": \"t$i\", \"tree_state\": \"ready_for_export\", \"prompt\": {\"text\": \"Tell me of $i.\", \"role\": \"prompter\", \"lang\": \"en\", \"replies\": [{\"text\": \"$i is big.\", \"role\": \"assistant\", \"rank\": 1, \"replies\": []}, {\"text\": \"$i is small.\", \"role\": \"assistant\", \"rank\": 0, \"replies\": []}]}}" >> "$in/oasst.jsonl"
    echo "{\"transcript\": 1, \"reward\": $((i % 2)), \"messages\": [{\"role\": \"user\", \"content\": \"Run job $i.\"}, {\"role\": \"assistant\", \"content\": \"make $i\"}, {\"role\": \"tool\", \"content\": \"done\"}, {\"role\": \"assistant\", \"content\": \"Job $i is done.\"}]}" >> "$in/transcript.jsonl"
    i=$((i + 1))
done
{
    echo '['
    i=0
    while [ $i -lt 40 ]; do
        [ $i -gt 0 ] && echo ','
        echo "  {\"id\": \"$i\", \"conversations\": [{\"from\": \"human\", \"value\": \"Name $i <|im_end|>\"}, {\"from\": \"gpt\", \"value\": \"n$i\"},"
        echo "    {\"from\": \"human\", \"value\": \"again\"}, {\"from\": \"gpt\", \"value\": \"n$i\"}]}"
        i=$((i + 1))
    done
    echo ']'
} > "$in/sharegpt.json"
gzip "$in/oasst.jsonl"
zstd -q --rm "$in/orca.jsonl"
xz "$in/evol.jsonl"
{
    cat "$in/alpaca.jsonl"
    echo '{"instruction": "cut in the mid'
    echo '{"instruction": "x", "output": "  "}'
    echo '{"instruction": "y"}'
    printf '{"instruction": "\377", "output": "z"}\n'
    head -n 1 "$in/alpaca.jsonl"
} > "$in/broken.jsonl"

cat > "$work/tune.yaml" <<EOF
tune:
  base: $work/base
  context: 128
  template: chatml
  held_out: 0.1
  batch: 4
  epochs: 6
  learning_rate: 2e-3
  save_every: 5
  threads: 1
  peak_flops: 1e11
  sources:
    - {name: openai, kind: text, path: $in/messages.jsonl, weight: 2}
    - {name: prompts, kind: text, path: $in/completion.jsonl}
    - {name: alpaca, kind: text, path: $in/broken.jsonl}
    - {name: evol, kind: code, path: $in/evol.jsonl.xz, limit: 10}
    - {name: orca, kind: text, path: "$in/*.zst"}
    - {name: assistant, kind: text, path: $in/oasst.jsonl.gz, paths: all}
    - {name: episodes, kind: code, path: $in/transcript.jsonl, min_reward: 1}
    - {name: shared, kind: text, path: $in/sharegpt.json}
EOF
ok "tune" "$lemur" tune --recipe "$work/tune.yaml" -o "$work/run" --json
ok "every format is recognised" sh -c 'for f in messages completion alpaca orca oasst transcript sharegpt; do
    grep -q "\"format\": \"$f\"" "$1" || { echo no $f; exit 1; }; done' - "$work/run/data/manifest.json"
m=$work/run/data/manifest.json
ok "broken ones are counted" grep -q '"not_json": 1' "$m"
ok "... empty answers" grep -q '"empty_answer": 1' "$m"
ok "... other shapes" grep -q '"other_format": 1' "$m"
ok "... bytes that are no text" grep -q '"invalid_utf8": 1' "$m"
ok "... duplicates" grep -q '"duplicate": 1' "$m"
ok "... episodes that failed" grep -q '"low_reward": 20' "$m"
ok "and kept aside with their place" grep -q 'broken.jsonl:41' "$work/run/data/rejected.jsonl"
expect 0 '2.00x' "$lemur" tune --show "$work/run"
ok "the tuned model is a model" "$lemur" generate -m "$work/run" -n 4 x
ok "a chat template goes with it" grep -q chat_template "$work/run/model/tokenizer_config.json"
ok "and what ends a turn" grep -q eos_token_id "$work/run/model/generation_config.json"
loss=$(number "$work/run/results.json" loss_nats)
ok "it learned: $loss nats" awk -v l="${loss:-9}" 'BEGIN {exit !(l > 0 && l < 4.5)}'

# What is learned is shown, and is right ----------------------------------------------------------------------------------
ok "inspect" "$lemur" tune --recipe "$work/tune.yaml" --inspect 400
cp "$work/out" "$work/shown"
ok "answers are marked" grep -q '⟦It is [0-9]*\.<|im_end|>⟧' "$work/shown"
ok "questions are not" sh -c '! grep -q "⟦[^⟧]*What is" "$1"' - "$work/shown"
ok "text that spells a mark is text" grep -q 'Name [0-9]* <|im_end|><|im_end|>' "$work/shown"

# Refusals -----------------------------------------------------------------------------------------------------------------
no "a run is not overwritten" 'holds a run' "$lemur" tune --recipe "$work/tune.yaml" -o "$work/run"
no "without a model" 'give -m' "$lemur" tune --data "$in/alpaca.jsonl" -o "$work/x"
expect 0 'so few steps teach little; more come of more --epochs, and of a smaller --batch' \
    "$lemur" tune -m "$work/base" --data "$in/alpaca.jsonl" --dry-run -o "$work/few"
no "without examples" 'give --data' "$lemur" tune -m "$work/base" -o "$work/x"
no "a file that is not there" 'no file matches' "$lemur" tune -m "$work/base" --data "$in/absent.jsonl" -o "$work/x"
no "documents" 'lemur corpus build' "$lemur" tune -m "$work/base" --data README.md -o "$work/x" --format auto --max-rejected 1
echo '{"text": "a story"}' > "$in/text.jsonl"
no "plain text is no example" 'plain documents are for' "$lemur" tune -m "$work/base" --data "$in/text.jsonl" -o "$work/x"
cat "$in/alpaca.jsonl" "$in/completion.jsonl" > "$in/mixed.jsonl"
no "two formats in one source" 'is written as alpaca' "$lemur" tune -m "$work/base" --data "$in/mixed.jsonl" -o "$work/x"
no "... unless it is named, and too much is broken" 'max_rejected' "$lemur" tune -m "$work/base" --data "$in/mixed.jsonl" \
    --format alpaca --max-rejected 0.2 -o "$work/x"
no "a slip in the recipe" "learning_rate" sh -c 'sed s/learning_rate/learning_rat/ "$1" > "$1.slip"; "$2" tune -r "$1.slip" -o "$3"' \
    - "$work/tune.yaml" "$lemur" "$work/x"
no "an unknown template" 'chatml' "$lemur" tune -m "$work/base" --data "$in/alpaca.jsonl" --template chatlm -o "$work/x"
no "too long for the rows" 'too_long' "$lemur" tune -m "$work/base" --data "$in/sharegpt.json" --context 20 -o "$work/x"
ok "... but for what fits, when asked" "$lemur" tune -m "$work/base" --data "$in/sharegpt.json" --context 50 --too-long cut \
    --inspect 3
ok "nothing was left behind by refusals" sh -c '! test -e "$1/x/data/manifest.json" && ! test -e "$1/x/log.jsonl"' - "$work"

# Other templates, one example a row, the plan alone ------------------------------------------------------------------------
for t in llama2 alpaca plain; do
    ok "template $t" "$lemur" tune -m "$work/base" --data "$in/alpaca.jsonl" --template $t --context 128 --inspect 1
done
expect 0 '40 rows x 128' "$lemur" tune -m "$work/base" --data "$in/alpaca.jsonl" --held-out 0 --packing single --context 128 --dry-run

# A vocabulary that grows ---------------------------------------------------------------------------------------------------
expect 0 'added to the vocabulary: <|im_start|> <|im_end|>' "$lemur" tune -m "$work/base-bare" -d "$in/messages.jsonl" \
    --context 128 --steps 8 --batch 2 -o "$work/grown"
ok "two ids more" sh -c 'a=$(grep -o "\"vocab_size\": *[0-9]*" "$1/base-bare/model/config.json" | grep -o "[0-9]*"); grep -q "\"vocab_size\": *$((a + 2))" "$1/grown/model/config.json"' - "$work"
ok "the grown model writes" "$lemur" generate -m "$work/grown" -n 4 x
ok "... and is tuned on" "$lemur" tune -m "$work/grown" -d "$in/messages.jsonl" --context 128 --steps 2 --batch 2 -o "$work/again"
ok "spelled out instead" "$lemur" tune -m "$work/base-bare" -d "$in/messages.jsonl" --context 256 --markers text --inspect 1

# ... over a quantised base: its matrices stay in their blocks, the embedding and the head grow and are trained whole.
ok "a quantised base" "$lemur" convert "$work/base-bare" --type Q8_0 -o "$work/bare.gguf"
expect 0 'added to the vocabulary: <|im_start|> <|im_end|>' "$lemur" tune -m "$work/bare.gguf" -d "$in/messages.jsonl" \
    --lora --context 128 --steps 60 --learning-rate 5e-3 --batch 2 -o "$work/grown-lora"
ok "a run over it goes on by lemur train, too" "$lemur" train --resume -o "$work/grown-lora"
ok "adapters of lemur train over a GGUF file" "$lemur" train --data "$work/packed-bare" --init "$work/bare.gguf" --lora \
    --steps 2 --batch 2 -o "$work/train-lora"
no "... which is a model's, or none" 'base.yaml' "$lemur" train --data "$work/packed-bare" --init "$work/base.yaml" --lora \
    --steps 2 --batch 2 -o "$work/none-lora"
ok "the grown adapter merges" "$lemur" convert "$work/bare.gguf" --merge "$work/grown-lora" --type F32 -o "$work/merged.gguf"
# Likelihoods of an answer it learned: texts would differ where two tokens are about equally likely.
likelihoods() { # FILE, MODEL...
    file=$1
    shift
    "$lemur" generate -m "$@" -n 1 --logprobs 1 --prompt-logprobs "What is 7 + 1? It is 8. What is 9 + 1? It is 10." > "$file"
}
apart() { # FILE FILE: their mean distance in nats, over the tokens of the prompt: what is drawn behind it may differ
    awk 'NR == FNR {a[FNR] = $1; next} FNR > 1 && FNR <= 36 {d = a[FNR] - $1; sum += d < 0 ? -d : d} END {if (FNR > 9) print sum / FNR; else print "few"}' "$1" "$2"
}
ok "the grown adapter reads" likelihoods "$work/adapted.txt" "$work/bare.gguf" --adapter "$work/grown-lora"
ok "... the merged model" likelihoods "$work/merged.txt" "$work/merged.gguf"
ok "... and the base alone" likelihoods "$work/alone.txt" "$work/bare.gguf"
merged=$(apart "$work/adapted.txt" "$work/merged.txt")
alone=$(apart "$work/adapted.txt" "$work/alone.txt")
ok "merged is the same: $merged nats" awk -v d="$merged" 'BEGIN {exit !(d + 0 == d && d < 0.05)}'
ok "... alone is not: $alone nats" awk -v d="$alone" 'BEGIN {exit !(d > 0.5)}'
ok "all of a quantised base grows, too" "$lemur" tune -m "$work/bare.gguf" -d "$in/messages.jsonl" --context 128 --steps 2 \
    --batch 2 -o "$work/grown-whole"

# ... in a padded embedding, whose rows the marks take.
sed 's/hidden_size: 32/vocab_size: 640, hidden_size: 32/' "$work/base.yaml" > "$work/padded.yaml"
ok "a padded model" "$lemur" train --data "$work/packed-bare" --recipe "$work/padded.yaml" --padded-vocab --steps 2 \
    -o "$work/padded"
expect 0 'embed_tokens whole; lm_head whole' "$lemur" tune -m "$work/padded" -d "$in/messages.jsonl" --lora --context 128 \
    --steps 2 --batch 2 -o "$work/padded-lora"

# A vocabulary that puts a space behind special tokens, as SentencePiece's old ones do.
ok "a random model" "$lemur" convert --random --preset 5m -o "$work/random"
ok "... whose masks are proved" "$lemur" tune -m "$work/random" -d "$in/messages.jsonl" --context 256 --inspect 1

# The same set is not made twice; another one is ------------------------------------------------------------------------------
ok "prepared once" "$lemur" tune -m "$work/base" -d "$in/alpaca.jsonl" --context 128 --dry-run -o "$work/reuse"
expect 0 'same files and settings already' "$lemur" tune -m "$work/base" -d "$in/alpaca.jsonl" --context 128 --steps 2 \
    -o "$work/reuse"
cp "$in/alpaca.jsonl" "$in/other.jsonl"
echo '{"instruction": "new", "output": "one"}' >> "$in/other.jsonl"
mv "$in/other.jsonl" "$in/alpaca.jsonl"
expect 0 'reuse/data prepared' "$lemur" tune -m "$work/base" -d "$in/alpaca.jsonl" --context 128 --steps 2 --overwrite \
    -o "$work/reuse"

# A run that is refused leaves the one that is there as it was: what it learns from, and what it stands on -----------------------
reaches() { # FILE WORDS: within some seconds
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        grep -q "$2" "$1" 2> /dev/null && return
        sleep 0.2
    done
    return 1
}
data_of() { cat "$1"/data/*.tok "$1/data/manifest.json" | cksum; }
again() { "$lemur" tune -m "$work/base" -d "$in/alpaca.jsonl" --context 128 --batch 2 --overwrite "$@"; }
"$lemur" tune -m "$work/base" -d "$in/messages.jsonl" --context 128 --batch 2 --steps 1000000 -o "$work/live" > "$work/live.log" 2>&1 &
pid=$!
ok "a run begins" reaches "$work/live/log.jsonl" '"step":2,'
before=$(data_of "$work/live")
no "another process trains there" 'another process trains' again -o "$work/live"
ok "its data are what they were" test "$before" = "$(data_of "$work/live")"
kill -TERM $pid
wait $pid
no "too much memory" 'lower batch' again --batch 1000000 -o "$work/live"
ok "the data are what they were" test "$before" = "$(data_of "$work/live")"
ok "... and nothing lies beside them" test ! -e "$work/live/.tmp-data"
"$lemur" tune --resume -o "$work/live" > "$work/live.log" 2>&1 &
pid=$!
ok "the run goes on" reaches "$work/live/log.jsonl" '"resume"'
kill -TERM $pid
wait $pid
mkdir "$work/live/.tmp-data"
echo mine > "$work/live/data/notes.txt"
ok "another takes its place" again --steps 2 -o "$work/live"
ok "... with other data" test "$before" != "$(data_of "$work/live")"
ok "... and nothing lies beside them" test ! -e "$work/live/.tmp-data"
ok "... but what is not ours" test -f "$work/live/data/notes.txt"
cp -r "$work/live" "$work/moved"
ok "its data are named as they lie" "$lemur" tune --resume -o "$work/moved"
no "adapters over a model that goes" 'lies in the run that --overwrite deletes' again --steps 2 -m "$work/live" --lora -o "$work/live"
ok "... which is still there" test -f "$work/live/model/model.safetensors"

# Lengths of the command line, the default's too, take the place of a recipe's; the plan for programs ----------------------------
sed 's/epochs: 6/steps: 5/' "$work/tune.yaml" > "$work/steps.yaml"
plan() { "$lemur" tune --recipe "$work/steps.yaml" --threads 1 --dry-run --json "$@" 2> /dev/null > "$work/plan.json"; }
ok "steps of the recipe" plan
ok "... in the plan" grep -q '"steps": *5,' "$work/plan.json"
ok "the default's number of epochs" plan --epochs 3
ok "... in the plan" grep -q '"epochs": *2\.[89]\|"epochs": *3' "$work/plan.json"
ok "of lemur train, too" sh -c '"$1" train --data "$2/packed" --recipe "$2/base.yaml" --dry-run --json 2> /dev/null | grep -q "\"steps\": *12,"' \
    - "$lemur" "$work"

"$lemur" tune --recipe "$work/tune.yaml" --dry-run -o "$work/one" --threads 1 > /dev/null 2>&1
"$lemur" tune --recipe "$work/tune.yaml" --dry-run -o "$work/two" --threads 2 > /dev/null 2>&1
for f in "$work"/one/data/*.tok "$work/one/data/rejected.jsonl"; do
    ok "the same bytes on two threads: ${f##*/}" cmp "$f" "$work/two/data/${f##*/}"
done

# A damaged mask is found, and made anew ----------------------------------------------------------------------------------------
cp -r "$work/one" "$work/damaged"
size=$(wc -c < "$work/damaged/data/train-00000.tok")
printf '\377' | dd of="$work/damaged/data/train-00000.tok" bs=1 seek=$((size - 700)) conv=notrunc 2> /dev/null
ok "a damaged shard is made anew" sh -c '"$1" tune --recipe "$2/tune.yaml" --threads 1 --dry-run -o "$2/damaged" 2>&1 |
    grep -q "not proved.*prepared anew"' - "$lemur" "$work"
ok "... and is what it was" cmp "$work/one/data/train-00000.tok" "$work/damaged/data/train-00000.tok"

# Kill and resume -----------------------------------------------------------------------------------------------------------------
tune() { "$lemur" tune --recipe "$work/tune.yaml" --resume -o "$1" > "$1.log" 2>&1; }
cp -r "$work/one/data" "$work/killed-data"
kills=0
for pause in 0.25 0.35 0.45 0.3 0.4; do
    "$lemur" tune --recipe "$work/tune.yaml" --resume -o "$work/killed" > "$work/killed.log" 2>&1 &
    pid=$!
    sleep $pause
    kill -9 $pid 2> /dev/null && kills=$((kills + 1))
    wait $pid 2> /dev/null
done
ok "resumed after $kills kills" tune "$work/killed"
for f in model/model.safetensors model/config.json; do
    ok "the same $f" cmp "$work/run/$f" "$work/killed/$f"
done
# A kill behind the commit leaves the rows in the folder that their manifest names (corpus/manifest.h).
stage=$(sed -n 's|.*"folder": *"\(\.partial[^"]*\)".*|\1/|p' "$work/killed/data/manifest.json")
ok "the same rows" cmp "$work/run/data/train-00000.tok" "$work/killed/data/${stage}train-00000.tok"
"$lemur" tune --recipe "$work/tune.yaml" -o "$work/stopped" > "$work/stopped.log" 2>&1 &
pid=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sleep 0.1
    grep -q '"step":2,' "$work/stopped/log.jsonl" 2> /dev/null && break
done
kill -TERM $pid
wait $pid
ok "SIGTERM saves, or it was over" test $? -eq 130 -o -f "$work/stopped/results.json"
sed 's/learning_rate: .*/learning_rate: 0.7/' "$work/tune.yaml" > "$work/other.yaml"
no "a recipe that has changed" 'learning_rate' "$lemur" tune --resume --recipe "$work/other.yaml" -o "$work/stopped"
ok "go on by --resume alone" "$lemur" tune --resume -o "$work/stopped"
ok "the same model" cmp "$work/run/model/model.safetensors" "$work/stopped/model/model.safetensors"

ok "looking left nothing behind" sh -c '! ls "$1" | grep -q .' - "$work/tmp"

finish
