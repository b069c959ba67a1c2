#!/bin/sh
# Kill -9 anywhere, resume, same bytes: the real program, killed at random moments until it gets through,
# against a run that nobody disturbed.  Also SIGTERM: everything is saved, exit status 130.
#
#   tests/train_resume_test.sh [LEMUR [PACKED]]    LEMUR: the program ($B/lemur)
#                                                  PACKED: packed rows (default: packed here)
set -u
lemur=${1:-${B:-build}/lemur}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

say() { echo "train_resume: $*"; }
die() { say "FAILED: $*"; exit 1; }

# Sources of this repository, packed with a vocabulary learned from them.
pack() {
    cat > "$work/corpus.yaml" <<EOF
corpus:
  held_out: 0.1
  sources:
    - {name: c, kind: code, language: c, path: "$PWD/src/base/*.c"}
    - {name: headers, kind: text, language: en, path: "$PWD/src/base/*.h"}
EOF
    "$lemur" corpus build "$work/corpus.yaml" -o "$work/corpus" &&
        "$lemur" tokenizer train --vocab-size 512 -o "$work/vocab" src/base &&
        "$lemur" pack "$work/corpus" --tokenizer "$work/vocab" --context 64 --max-repeats 1000 \
            -o "$work/packed"
}

packed=${2:-$work/packed}
[ $# -gt 1 ] || pack > "$work/pack.log" 2>&1 || { cat "$work/pack.log"; die "cannot pack"; }

cat > "$work/train.yaml" <<EOF
train: {batch: 4, grad_accumulation: 2, steps: 300, learning_rate: 2e-3, save_every: 7, eval_every: 40,
        eval_rows: 8, threads: 1, peak_flops: 1e11}
model: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2,
        tie_word_embeddings: true}
EOF
# Becomes the program, so that `start ... &` leaves the program's own process id in $!.
start() {
    run=$1
    shift
    exec "$lemur" train --data "$packed" --recipe "$work/train.yaml" -o "$run" "$@" > "$run.log" 2>&1
}
train() { (start "$@"); }

train "$work/whole" || { cat "$work/whole.log"; die "the undisturbed run"; }

# A seed from the clock: another run, other moments.  Printed, so that a failure can be told.
seed=$(date +%s)
say "seed $seed"
kills=0
while :; do
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    start "$work/killed" --resume &
    pid=$!
    sleep "0.$((seed / 65536 % 25 + 10))" # 0.10 to 0.34 s
    kill -9 $pid 2> /dev/null && kills=$((kills + 1))
    wait $pid 2> /dev/null
    status=$?
    [ $status -eq 0 ] && break
    [ $status -eq 137 ] || { cat "$work/killed.log"; die "exit status $status of a resumed run"; }
    [ $kills -lt 6 ] && continue
    train "$work/killed" --resume || { cat "$work/killed.log"; die "resuming after $kills kills"; }
    break
done
[ $kills -gt 0 ] || say "note: the run was over before it could be killed"

start "$work/stopped" --resume &
pid=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    sleep 0.1
    grep -q '"step":2,' "$work/stopped/log.jsonl" 2> /dev/null && break
done
kill -TERM $pid
wait $pid
status=$?
if [ $status -eq 130 ]; then
    ls "$work/stopped/checkpoints" | grep -q '^step-' || die "SIGTERM saved nothing"
    # As a kill at other moments leaves it: a half-written file, a model folder not yet swapped in.
    touch "$work/stopped/config.json.tmp-999999999"
    mkdir "$work/stopped/.tmp-model" "$work/stopped/.old-model"
    train "$work/stopped" --resume || { cat "$work/stopped.log"; die "resuming after SIGTERM"; }
else
    cat "$work/stopped.log"
    die "exit status $status after SIGTERM, expected 130"
fi

same() {
    cmp "$work/whole/$1" "$work/killed/$1" || die "$1 differs after $kills kills"
    cmp "$work/whole/$1" "$work/stopped/$1" || die "$1 differs after SIGTERM"
}
same model/model.safetensors
same model/config.json
same checkpoints/step-00000300/model.safetensors
same checkpoints/step-00000300/optimizer.safetensors
for run in killed stopped; do
    left=$(cd "$work/$run" && find . -name '*.tmp-*' -o -name '.tmp-*' -o -name '.old-*')
    [ -z "$left" ] || die "a kill left behind: $left"
done
lines=$(grep -c '"lr":' "$work/killed/log.jsonl")
[ "$lines" -eq 300 ] || die "the killed run's log has $lines steps, not 300"

# A changed setting is refused with its name, and a folder with a run in it is not overwritten by accident.
# The model as a kill between two renames leaves it, where folders cannot be exchanged, is put back first.
mv "$work/killed/model" "$work/killed/.old-model"
train "$work/killed" --resume --learning-rate 1e-3 && die "a changed setting was accepted"
grep -q 'learning_rate: was 0.002, is 0.001' "$work/killed.log" ||
    { cat "$work/killed.log"; die "the change is not named"; }
train "$work/killed" && die "a run was overwritten"
same model/model.safetensors

say "ok: $kills kills, one SIGTERM, the same bytes"
