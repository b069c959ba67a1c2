#!/bin/sh
# lemur run and lemur report with the real program: a pipeline from source files to a model, run, changed, killed, verified.
#   tests/run_test.sh      LEMUR: the program ($B/lemur)
set -u
lemur=${LEMUR:-${B:-build}/lemur}
. tools/expect.sh
cat > "$work/r.yaml" <<END
name: small
store: $work/store
vars: {steps: 60, rate: 2e-3}
stages:
  base:
    run: train --data {packed} --recipe {recipe} -o {out}
    settings:
      model: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2}
      train: {batch: 4, steps: "{steps}", learning_rate: "{rate}", threads: 1, save_every: 5, peak_flops: 1e11}
    minutes: 0.1
  packed:
    run: pack {corpus} --tokenizer {vocab} --recipe {recipe} -o {out}
    settings: {pack: {context: 128, max_repeats: 100}}
  corpus:
    run: corpus build {recipe} -o {out}
    settings:
      corpus: {held_out: 0.1, sources: [{name: c, kind: code, language: c, path: $work/src/*.c},
                                        {name: h, kind: text, language: en, path: $work/src/*.h}]}
    inputs: $work/src/*
  vocab:
    run: tokenizer train --vocab-size 600 -o {out} {corpus}/train
quick: {steps: 20}
END
mkdir "$work/src"
cp src/base/*.c src/base/*.h "$work/src"
run() { "$lemur" run "$work/r.yaml" -o "$work/run" -q "$@"; }
product() { sed -n '/"base": {/,/}/s/.*"product": "\([0-9a-f]*\)".*/\1/p' "$work/run/lock.json"; }

expect 0 '4 of 4 stages to do' run --dry-run
ok "nothing was done by looking" test ! -e "$work/run"
expect 0 '0 of 4 stages to do' run
first=$(product)
ok "a product" test -n "$first"
ok "a model" "$lemur" generate -m "$work/run/base" -n 4 x
expect 0 'every stage is what the run made' "$lemur" run --verify "$work/run"
expect 0 '0 of 4 stages to do' run --dry-run
expect 0 'On the front: 10:1. Best: 10:1' "$lemur" study harmony "$work/run" -o "$work/harmony"
ok "a study" test -s "$work/harmony/study.json" -a -s "$work/harmony/study.md"
expect 0 'code, bits/byte' "$lemur" study harmony "$work/run/packed" "$work/run/base" --weights code=1
expect 2 'no run has anything to tell of agent' "$lemur" study harmony "$work/run" --weights agent=1
expect 2 'holds nothing of this study' "$lemur" study harmony "$work/src"
expect 0 '1 of 4 stages to do' run --dry-run --quick
expect 0 '0 of 4 stages to do' run --dry-run --quick --set steps=60
expect 0 '1 of 4 stages to do' run --dry-run --set rate=1e-3
expect 0 '1 of 4 stages to do' run --dry-run --set stages.base.settings.train.beta2=0.99
expect 0 '2 of 4 stages to do' run --dry-run --set stages.packed.settings.pack.seed=2
expect 0 '4 of 4 stages to do' run --dry-run --set stages.corpus.settings.corpus.seed=2
echo 'int added(void) { return 1; }' > "$work/src/zz.c"
expect 0 '4 of 4 stages to do' run --dry-run
rm "$work/src/zz.c"

# Killed at random, and again the same bytes.
rm -rf "$work/store" "$work/run"
for pause in 0.1 0.25 0.4 0.3 0.6; do
    run > /dev/null 2>&1 &
    pid=$!
    sleep $pause
    kill -9 $pid 2> /dev/null
    wait $pid 2> /dev/null
done
expect 0 '0 of 4 stages to do' run
ok "the same product after kills" test "$(product)" = "$first"

# Slips, before anything runs.
expect 2 'did you mean steps' run --set step=3
expect 2 'there is no stage' run --only bas
sed s/learning_rate/learning_rat/ "$work/r.yaml" > "$work/slip.yaml"
expect 2 "stage base (line 6): in the map at line 9" "$lemur" run "$work/slip.yaml" -o "$work/slip"
expect 2 "did you mean 'learning_rate'" "$lemur" run "$work/slip.yaml" -o "$work/slip"
expect 2 'held_out' run --set stages.corpus.settings.corpus.held_out=2
expect 2 'hidden_siz' run --set stages.base.settings.model.hidden_siz=2
ok "nothing was begun" test ! -e "$work/slip"
sed 's/preset: 1//; s/vocab-size 600/vocab-size 6/' "$work/r.yaml" > "$work/fails.yaml"
expect 1 'log.txt says why' "$lemur" run "$work/fails.yaml" -o "$work/fails" -q
printf 'x' >> "$(readlink -f "$work/run/base")/model/model.safetensors"
expect 1 'has changed' "$lemur" run --verify "$work/run"
expect 1 'No such file' "$lemur" run --verify "$work/nothing"

# Bad recipes are refused before anything runs, with line and remedy; a dry run tells what stands in the way, and ends well.
bad() { # STATUS SED WORDS
    sed "$2" "$work/r.yaml" > "$work/bad.yaml"
    expect "$1" "$3" "$lemur" run "$work/bad.yaml" -o "$work/bad-run" --set stages.corpus.settings.corpus.seed=7
}
bad 2 's/held_out:/heldout:/' "did you mean 'held_out'"
bad 2 's/minutes: 0.1/minuts: 0.1/' "bad.yaml, line 6: stage base: there is no key 'minuts' (did you mean minutes?)"
bad 2 's/train --data/train --dat/' 'bad.yaml, line 6: stage base: unknown flag --dat; did you mean --data?'
bad 2 's/run: corpus build {recipe}/run: corpus build {base}/' 'stages wait for one another: base -> packed -> corpus -> base'
bad 2 's/context: 128/ratio_code: 0, ratio_text: 0/' 'line 12: stage packed: ratio_code and ratio_text are both 0: nothing is asked for; set one of them'
bad 2 's/context: 128/ratio_code: -1/' 'ratio_code is -1 and must be at least 0'
bad 2 's/kind: text/kind: code/' 'line 12: stage packed: the ratio asks for 1 parts of text and the corpus has no source of it'
bad 1 's#inputs: .*#inputs: /no/such/*.c#' 'line 15: stage corpus: no file matches /no/such/*.c'
bad 1 's#inputs: .*#inputs: /no/such/*.c\n    fetch: ask the miller#' 'no file matches /no/such/*.c; ask the miller'
bad 1 's/minutes: 0.1/memory: 900000G/' 'line 6: stage base: it needs 900 TB of memory, and'
bad 1 's/minutes: 0.1/disk: 900000G/' 'line 6: the stages to do need 900 TB of disk below'
bad 1 's/hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2/preset: 70b, num_hidden_layers: 1600/' \
    'line 6: stage base: it needs at least 2'
ok "nothing was begun by them" test ! -e "$work/bad-run"
expect 0 'It would not begin here' "$lemur" run "$work/bad.yaml" -o "$work/bad-run" --dry-run --set stages.corpus.settings.corpus.seed=7

# What was done is known; what was not is computed.
expect 0 'computed' run --dry-run --set steps=61 --set stages.base.minutes=0
expect 0 'last time' run --dry-run --set stages.corpus.settings.corpus.seed=2 --set stages.base.minutes=0
expect 0 'recipe' run --dry-run --set steps=61

# The recipes of this repository are planned wherever they are; the paper's say how large they are.
for recipe in recipes/*.yaml; do
    grep -q '^stages:' "$recipe" || continue
    expect 0 'stages to do' "$lemur" run "$recipe" --dry-run --set "store=$work/planned"
done
expect 0 ' years' "$lemur" run recipes/lemur-70b.yaml --dry-run
expect 0 'no file matches data/the-stack' "$lemur" run recipes/lemur-70b.yaml --dry-run
expect 0 'base: it needs at least 1.' "$lemur" run recipes/lemur-70b.yaml --dry-run
expect 0 'chat: it needs at least 1.' "$lemur" run recipes/lemur-70b-chat.yaml --dry-run
expect 1 'a licence to accept' "$lemur" run recipes/lemur-70b.yaml -o "$work/paper"
ok "nothing was begun" test ! -e "$work/paper"

# Your checkpoint, your data.
"$lemur" convert --random --preset 5m --vocab "$work/run/vocab" -o "$work/model" > /dev/null 2>&1
for i in 1 2 3 4 5 6 7 8 9; do
    echo "{\"messages\": [{\"role\": \"user\", \"content\": \"What is $i and $i?\"}, {\"role\": \"assistant\", \"content\": \"$((i + i)).\"}]}"
done > "$work/chats.jsonl"
tuned() { "$lemur" run recipes/finetune.yaml -q -o "$work/tuned" --set "store=$work/tuned-store" --set "model=$work/model" \
    --set "data=$work/chats.jsonl" --set context=64 --set epochs=1 --set tasks=2 "$@"; }
expect 0 '6 of 6 stages to do' tuned --dry-run
expect 0 '0 of 6 stages to do' tuned
ok "a tuned model" test -e "$work/tuned/tuned/model/model.safetensors"
ok "a page" grep -q '</html>' "$work/tuned/page/report.html"
expect 0 '0 of 6 stages to do' tuned
expect 1 'set them with --set model=PATH' "$lemur" run recipes/finetune.yaml -o "$work/untuned" --set "model=$work/none"

# Worlds: tasks that are made, an expert who plays them, scores, why episodes failed, the page.  Nothing of time counts.
cat > "$work/w.yaml" <<END
name: worlds
store: $work/worlds
vars: {seed: 1}
stages:
  family: {run: "env make sql -o {out} --train 6 --test 3 --seed {seed}"}
  games: {run: "env make -o {out} -n 2 --transcripts {out}/episodes.jsonl"}
  expert: {run: "eval -m script:{family}/expert.jsonl --tasks ic_sql --data {family}/train -o {out}"}
  tested: {run: "eval -m script:{family}/expert_test.jsonl --tasks ic_sql --data {family}/test -o {out}"}
  played: {run: "env score household --games {games} --policy expert -o {out}"}
  errors: {run: "study errors {expert} -o {out}/errors.json"}
  page: {run: "report {expert} {tested} -o {out}/report.html"}
END
worlds() { "$lemur" run "$work/w.yaml" -o "$work/worlds-run" -q "$@"; }
products() { grep -o '"product": "[0-9a-f]*"' "$work/worlds-run/lock.json"; }
expect 0 '0 of 7 stages to do' worlds
products > "$work/products"
ok "seven products" test "$(sort -u "$work/products" | wc -l)" -eq 7
ok "the expert knows the answers" grep -q '"success,none": 1.0' "$work/worlds-run/expert/results.json"
ok "... of the household, too" grep -q '"success": 1.0' "$work/worlds-run/played/scores.json"
ok "... and errs in no class" grep -q '"solved": 6' "$work/worlds-run/errors/errors.json"
i=0
set --
while [ $i -lt 20 ]; do
    set -- "$@" "$work/worlds-run/expert"
    i=$((i + 1))
done
expect 0 'wrong belief' "$lemur" study errors "$@"
ok "a page" grep -q '</html>' "$work/worlds-run/page/report.html"
expect 0 '5 of 7 stages to do' worlds --dry-run --set seed=2
expect 0 'every stage is what the run made' "$lemur" run --verify "$work/worlds-run"
echo '<html></html>' > "$(readlink -f "$work/worlds-run/page")/report.html"
expect 0 'every stage is what the run made' "$lemur" run --verify "$work/worlds-run"
rm -rf "$work/worlds"
expect 0 '0 of 7 stages to do' worlds
products > "$work/again"
ok "the same products once more" cmp "$work/products" "$work/again"
ok "episodes in their order, whoever ended first" test "$(grep -o '"task":"[0-9]*"' "$work/worlds-run/expert/transcripts_ic_sql.jsonl" |
    tr -dc '0-9\n' | tr '\n' ' ')" = "0 1 2 3 4 5 "
ok "a report" "$lemur" report "$work/run"
ok "... of all of it" grep -q 'bits per byte' "$work/run/report.html"
ok "... with compressors beside the model" grep -q 'xz -9' "$work/run/report.json"
expect 0 'page.html' "$lemur" report mine="$work/run/base" --check -o "$work/pages/page.html"
ok "... under the name that was given" grep -q '>mine<' "$work/pages/page.html"
expect 2 'nothing that a report tells of' "$lemur" report "$work/src"

# A task for testing that was learned, and one that was not.
mkdir "$work/tested" "$work/learned"
echo '{"id": "7", "doc": {"query": "How many lions does the keeper Anna feed on Sunday?"}, "target": ""}' > "$work/tested/samples_zoo.jsonl"
overlap() { "$lemur" study overlap "$work/tested" --train "$work/learned" -o "$work/overlap"; }
echo '{"text": "How many lions does the keeper Anna feed on Monday?"}' | gzip > "$work/learned/a.jsonl.gz"
expect 0 'looked for in 1 texts' overlap
echo '{"messages": [{"content": "Q: how many lions does the keeper Anna feed on sunday"}]}' > "$work/learned/b.jsonl"
expect 1 'task 7: How many lions' overlap
expect 1 '1 tasks for testing stand in what was learned' overlap
ok "... and it is kept" grep -q b.jsonl:1 "$work/overlap/overlap.json"
expect 1 '1 tasks for testing stand in what was learned' "$lemur" report "$work/overlap" --check -o "$work/pages"
expect 2 'there is no file' "$lemur" study overlap "$work/tested" --train "$work/nowhere"
expect 2 'what was learned is missing' "$lemur" study overlap "$work/tested"

finish
