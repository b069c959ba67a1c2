# shellcheck shell=sh disable=SC2154
# For test scripts, which read it behind tools/expect.sh: a model of two layers that has learned a little from this
# repository's own sources.  $work/base is the run; $work/corpus, $work/vocab, $work/packed and $work/base.yaml what it came of.
cat > "$work/base.yaml" <<END
corpus: {held_out: 0.1, sources: [{name: c, kind: code, language: c, path: "$PWD/src/base/*.c"},
                                  {name: h, kind: text, language: en, path: "$PWD/src/base/*.h"}]}
pack: {context: 128, max_repeats: 100}
model: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2}
train: {batch: 4, steps: 12, learning_rate: 2e-3, threads: 1, peak_flops: 1e11}
END
ok "a corpus" "$lemur" corpus build "$work/base.yaml" -o "$work/corpus"
ok "a vocabulary" "$lemur" tokenizer train --vocab-size 600 -o "$work/vocab" src/base
ok "rows" "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" --recipe "$work/base.yaml" -o "$work/packed"
ok "a base model" "$lemur" train --data "$work/packed" --recipe "$work/base.yaml" -o "$work/base"
