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
ok "a page" grep -q '</html>' "$work/worlds-run/page/report.html"
expect 0 '5 of 7 stages to do' worlds --dry-run --set seed=2
expect 0 'every stage is what the run made' "$lemur" run --verify "$work/worlds-run"
echo '<html></html>' > "$(readlink -f "$work/worlds-run/page")/report.html"
expect 0 'every stage is what the run made' "$lemur" run --verify "$work/worlds-run"
rm -rf "$work/worlds"
expect 0 '0 of 7 stages to do' worlds
products > "$work/again"
ok "the same products once more" cmp "$work/products" "$work/again"
ok "a report" "$lemur" report "$work/run"
ok "... of all of it" grep -q 'bits per byte' "$work/run/report.html"
expect 2 'nothing that a report tells of' "$lemur" report "$work/src"

finish
