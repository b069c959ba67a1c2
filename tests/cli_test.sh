#!/bin/sh
# What holds for every command: help, versions, wrong words, and output that cannot be written.
# Runs $B/lemur.
lemur=${B:-build}/lemur
. tools/expect.sh

expect 2 'usage: lemur VERB' "$lemur"
expect 0 'doctor' "$lemur" --help
expect 0 'doctor' "$lemur" help
expect 0 'lemur 0.' "$lemur" --version
expect 2 "did you mean 'doctor'" "$lemur" docter
expect 2 'lemur --help' "$lemur" xyzzyxyzzy
expect 2 "did you mean 'doctor'" "$lemur" help docter
expect 2 "did you mean 'build'" "$lemur" corpus bild
expect 2 "did you mean 'encode'" "$lemur" tokenizer encod
expect 2 'give one of them' "$lemur" train --data x --preset 5m --init y -o "$work/none"
expect 2 'no vocabulary' "$lemur" train --data x --preset 5m --tokenizer /nonexistent -o "$work/none"
expect 2 'unknown flag' "$lemur" corpus cat x -n 3
expect 1 'no file or folder /nonexistent' "$lemur" tokenizer train -o "$work/none" /nonexistent
expect 2 '/dev/null is a file' "$lemur" tokenizer train -o /dev/null/x README.md
expect 0 'usage: lemur doctor' "$lemur" help doctor
expect 2 'did you mean --json' "$lemur" doctor --jsno
expect 2 'one word too many' "$lemur" doctor here
expect 0 'operations' "$lemur" doctor
expect 0 'sandbox ' "$lemur" doctor
expect 0 '"memory_available_bytes"' "$lemur" doctor --json

# Each verb has help, and refuses a flag that nobody has (or the want of a word before it).
for verb in $("$lemur" --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
    expect 0 "usage: lemur $verb" "$lemur" "$verb" --help
    expect 2 '' "$lemur" "$verb" --no-such-flag-anywhere
done

# `help` says what --help says, of parts as well.
for verb in corpus tokenizer bench; do
    for part in $("$lemur" "$verb" --help | sed -n '/^parts:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p'); do
        "$lemur" "$verb" "$part" --help >"$work/said"
        expect 0 "$(cat "$work/said")" "$lemur" help "$verb" "$part"
        expect 0 "usage: lemur $verb $part" cat "$work/said"
    done
done
expect 2 "did you mean 'build'" "$lemur" help corpus bild
expect 0 'usage: lemur env make FAMILY' "$lemur" help env make words
expect 2 "did you mean '--list'" "$lemur" eval list
expect 0 'usage: lemur eval --list' "$lemur" help eval --list
expect 0 'usage: lemur VERB' "$lemur" help help

# What a command lacks is named, and a file where a folder belongs is told before any work.
expect 2 'RECIPE.yaml is missing' "$lemur" corpus build -o "$work/none"
for command in 'corpus build recipes/machine.yaml' 'pack nothing --tokenizer README.md' \
    'tokenizer train README.md'; do
    expect 2 'README.md is a file and not a folder' "$lemur" $command -o README.md
    expect 2 'README.md is a file and not a folder' "$lemur" $command -o README.md/new/folder
done
mkdir "$work/model"
touch "$work/model/config.json" "$work/model/model.safetensors"
expect 2 'holds a model' "$lemur" tokenizer train -o "$work/model" README.md
for command in 'train --data none --preset 5m' 'tune -m none -d none'; do
    expect 2 'holds a model (model.safetensors)' "$lemur" $command --overwrite -o "$work/model"
done
expect 0 '' test ! -s "$work/model/config.json"

# One writer at a time; flock holds the folder as another process would.
if command -v flock >/dev/null; then
    mkdir "$work/taken"
    echo 'corpus: {sources: [{name: a, kind: text, path: README.md}]}' >"$work/one.yaml"
    "$lemur" convert --random --preset 5m --vocab 400 -o "$work/m.gguf" 2>/dev/null
    for command in "corpus build $work/one.yaml" 'tokenizer train -n 300 README.md' "convert $work/m.gguf"; do
        expect 2 'another process writes to' flock "$work/taken" "$lemur" $command -o "$work/taken"
        expect 0 '' "$lemur" $command -o "$work/free"
        rm -r "$work/free"
    done
else
    echo "SKIP no flock"
fi
expect 2 '--model is empty' "$lemur" generate -m '' prompt
expect 2 '--vocab-size is 5 and must be from 260' "$lemur" tokenizer train -n 5 -o "$work/none" README.md
expect 2 "--max-tokens: 'x' is not a whole number" "$lemur" generate -m none -n x prompt
expect 1 'it is no GGUF file' "$lemur" generate -m README.md prompt
for command in 'generate -m no.gguf hi' 'chat -m no.gguf' 'convert no.gguf -o none' 'tune -m no.gguf -d x -o none' \
    'bench infer -m no.gguf' 'bench engine -m no.gguf'; do
    expect 1 'no such file or folder: no.gguf' sh -c "'$lemur' $command </dev/null"
done

# Completion knows the second words, whether they come behind a verb or behind `help`.
complete_words() {
    bash -c '. tools/lemur.bash-completion
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _lemur
        echo "${COMPREPLY[*]}"' - "$lemur" "$@"
}
if command -v bash >/dev/null; then
    expect 0 'build show sample cat' complete_words corpus ''
    expect 0 'decode' complete_words help tokenizer dec
    expect 0 '5m 15m 60m 110m 1b 7b 70b' complete_words convert --preset ''
    expect 0 '5m 15m 60m 110m 1b 7b 70b' complete_words bench train --preset ''
    expect 0 '15m 60m 110m 1b' complete_words bench ops --preset ''
    expect 0 'Q8_0' complete_words convert --type Q8
    expect 0 'auto alpaca' complete_words tune --format a
    expect 0 'put puttwo' complete_words env make --type pu
    expect 0 '--threads' complete_words corpus build --th
    expect 0 'words sql programs household shell' complete_words env make ''
    expect 0 '--hinted --hints' complete_words env make --hi
    expect 0 '--train' complete_words env make words --tr
    expect 0 '--likelihood --list' complete_words eval --l
    expect 0 '--checks' complete_words eval --replay data --ch
    expect 0 'gsm8k,mint_math' complete_words eval --tasks gsm8k,mint_ma
    expect 0 'humaneval' complete_words eval --fetch gsm8k h
else
    echo "SKIP no bash"
fi

if [ -w /dev/full ]; then
    expect 1 'No space left' sh -c "'$lemur' doctor >/dev/full"
else
    echo "SKIP no /dev/full"
fi
expect 1 'cannot write' sh -c "'$lemur' --version >&-"
expect 0 '' sh -c "{ '$lemur' doctor; echo \$? >'$work/code'; } | true"
expect 0 '0' cat "$work/code"
expect 0 'lemur 0.' sh -c "'$lemur' --version 2>&- <&-"

finish
