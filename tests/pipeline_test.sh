#!/bin/sh
# From documents to a sample with the real program: corpus, vocabulary, packing, training, continuing, writing.  The
# documents are this repository's own sources and pages, some of them wrapped in archives, some of them broken.
set -u
lemur=${B:-build}/lemur
. tools/expect.sh
json() { grep -o "\"$2\": *[-0-9.e+]*" "$1" | head -n 1 | sed 's/.*: *//'; }

# Documents -----------------------------------------------------------------------------------------------------
mkdir "$work/docs"
tar -cJf "$work/docs/base.tar.xz" src/base
gzip -c src/train/trainer.c > "$work/docs/trainer.c.gz"
cat README.md docs/*.md docs/formats/*.md | awk '{gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, " ")
    text = text $0 "\\n"} NR % 40 == 0 {print "{\"text\":\"" text "\"}"; text = ""}' > "$work/docs/pages.jsonl"
echo '{"text": "cut in the mid' >> "$work/docs/pages.jsonl"
cat > "$work/recipe.yaml" <<EOF
corpus:
  seed: 3
  held_out: 0.1
  sources:
    - {name: archive, kind: code, language: c, path: "$work/docs/base.tar.xz"}
    - {name: tree, kind: code, language: c, path: ["$PWD/src/**/*.c", "$PWD/src/**/*.h"], exclude: ["$PWD/src/base/**"]}
    - {name: one, kind: code, language: c, path: "$work/docs/trainer.c.gz"}
    - {name: pages, kind: text, language: en, path: "$work/docs/pages.jsonl"}
pack: {context: 64, ratio_code: 10, ratio_text: 1, seed: 5, max_repeats: 100}
model: {hidden_size: 64, intermediate_size: 160, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2,
        tie_word_embeddings: true}
train: {batch: 16, steps: 150, learning_rate: 3e-3, eval_every: 0, eval_rows: 0, save_every: 0}
EOF

ok "build a corpus" "$lemur" corpus build "$work/recipe.yaml" -o "$work/corpus"
ok "the broken line is counted" grep -q 'not_json' "$work/corpus/manifest.json"
ok "the repeated file is dropped" grep -q 'duplicate' "$work/corpus/manifest.json"
sed 's/trainer.c.gz/absent.gz/' "$work/recipe.yaml" > "$work/absent.yaml"
no "a missing source is named" absent.gz "$lemur" corpus build "$work/absent.yaml" -o "$work/none"

# Vocabulary and rows -------------------------------------------------------------------------------------------
ok "learn a vocabulary" "$lemur" tokenizer train --vocab-size 1024 -o "$work/vocab" "$work/corpus/train"
"$lemur" tokenizer encode --vocab "$work/vocab" README.md > "$work/ids"
"$lemur" tokenizer decode --vocab "$work/vocab" "$work/ids" > "$work/back"
ok "ids come back as the same text" sh -c 'cmp -s "$1" README.md || { printf "\n" | cat README.md - | cmp "$1" -; }' - "$work/back"
ok "pack" "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" --recipe "$work/recipe.yaml" -o "$work/packed"
ok "pack again" "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" --recipe "$work/recipe.yaml" -o "$work/again"
for f in "$work"/packed/*.tok; do
    ok "one seed, one order" cmp "$f" "$work/again/${f##*/}"
done
no "a corpus is not packed over" 'holds something else' "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" \
    --recipe "$work/recipe.yaml" -o "$work/corpus"
no "no folder is no folder" 'is empty' "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" -o ''
no "shards are not built over" 'holds something else' "$lemur" corpus build "$work/recipe.yaml" -o "$work/packed"
ok "pack isolated" "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" --recipe "$work/recipe.yaml" \
    --attention isolated -o "$work/isolated"

# Training ------------------------------------------------------------------------------------------------------
ok "the plan alone" "$lemur" train --data "$work/packed" --recipe "$work/recipe.yaml" -o "$work/run" --dry-run
ok "train" "$lemur" train --data "$work/packed" --recipe "$work/recipe.yaml" -o "$work/run"
loss=$(json "$work/run/results.json" bits_per_byte)
ok "150 steps teach something: $loss bits a byte" awk -v b="${loss:-9}" 'BEGIN {exit !(b > 0 && b < 4)}'
ok "train on isolated documents" "$lemur" train --data "$work/isolated" --recipe "$work/recipe.yaml" --steps 20 -o "$work/run2"
no "a finished run is not overwritten" 'overwrite' "$lemur" train --data "$work/packed" --recipe "$work/recipe.yaml" \
    -o "$work/run"
ok "go on from a model" "$lemur" train --data "$work/packed" --init "$work/run/model" --steps 10 -o "$work/run3"
"$lemur" tokenizer train --vocab-size 600 -o "$work/other" src/base > /dev/null 2>&1
"$lemur" pack "$work/corpus" --tokenizer "$work/other" --recipe "$work/recipe.yaml" -o "$work/packed2" > /dev/null 2>&1
no "another vocabulary is refused" vocabulary "$lemur" train --data "$work/packed2" --init "$work/run/model" --steps 1 \
    -o "$work/run4"
ok "the curve" "$lemur" train --show "$work/run"

# Writing -------------------------------------------------------------------------------------------------------
ok "generate" "$lemur" generate -m "$work/run" -n 24 --temp 0.8 --seed 1 "static int "
cp "$work/out" "$work/first"
ok "it wrote" test -s "$work/first"
ok "generate again" "$lemur" generate -m "$work/run" -n 24 --temp 0.8 --seed 1 "static int "
cp "$work/out" "$work/second"
ok "one seed, one text" cmp "$work/first" "$work/second"
cp -r "$work/run/model" "$work/cut"
head -c 5000 "$work/run/model/model.safetensors" > "$work/cut/model.safetensors"
no "a cut model is refused" safetensors "$lemur" generate -m "$work/cut" -n 4 x

finish
