#!/bin/sh
# lemur study improve with the real program: a tiny model that says 1 or 2 by chance learns from what it got right which of
# them is wanted; killed and resumed to the same lineage; slips.
#   tests/improve_test.sh      LEMUR: the program ($B/lemur)
set -u
lemur=${LEMUR:-${B:-build}/lemur}
. tools/expect.sh

# A base model, and tasks: red ones are answered with 1, blue ones with 2.
. tools/tiny_model.sh
mkdir -p "$work/data/tasks"
echo '{task_prompt}' > "$work/data/tasks/prompt.txt"
i=0
while [ $i -lt 200 ]; do
    colour=$([ $((i % 2)) -eq 0 ] && echo red || echo blue)
    echo "{\"id\": $i, \"prompt\": \"$colour $((i / 2))\", \"reference\": \"$((i % 2 + 1))\"}" >> "$work/data/tasks/questions.jsonl"
    for answer in 1 2; do
        echo "{\"contains\": \"$colour $((i / 2))\", \"turns\": [\"<solution>$answer</solution>\"]}" >> "$work/script$answer.jsonl"
    done
    i=$((i + 1))
done
for answer in 1 2; do
    ok "episodes, half of them right" "$lemur" eval -m "script:$work/script$answer.jsonl" --tasks tasks --data "$work/data" \
        --steps 1 --wikipedia none -o "$work/played$answer"
done
ok "a model that answers by chance" "$lemur" tune -m "$work/base" -d "$work/played1/transcripts_tasks.jsonl" \
    -d "$work/played2/transcripts_tasks.jsonl" --epochs 4 --batch 4 --context 128 --learning-rate 3e-3 --threads 1 \
    --peak-flops 1e11 -o "$work/chance"

# Its successes alone.
expect 0 '200 successes in 400 episodes' "$lemur" study keep "$work/played1" "$work/played2" -o "$work/kept"
ok "a line each" test "$(wc -l < "$work/kept/kept.jsonl")" -eq 200
expect 0 '"kept": 0' "$lemur" study keep "$work/played1" --apart "$work/played2" -o "$work/none" --json
expect 1 'has no transcripts' "$lemur" study keep "$work/kept" -o "$work/none"

# Rounds.
exec=
improve() {
    folder=$1
    shift
    $exec "$lemur" study improve -m "$work/chance" --tasks tasks --data "$work/data" -o "$folder" -q --train 60 --test 40 \
        --samples 2 --temperature 1 --eval steps=1 --tune epochs=30 --tune batch=4 --tune context=128 \
        --tune learning_rate=3e-3 --tune threads=1 --tune peak_flops=1e11 "$@"
}
expect 0 'stages of round 1 are to do' improve "$work/a" --rounds 2 --dry-run
ok "nothing was done by looking" test ! -e "$work/a"
expect 0 'untouched tasks: the model given' improve "$work/a" --rounds 2
a=$work/a/lineage.json
ok "a round was accepted" grep -q '"decision": "accepted"' "$a"
ok "the model's link" "$lemur" generate -m "$work/a/model" -n 4 x
best=$(sed -n '/"best"/,/}/s/.*"folder": "\(.*\)".*/\1/p' "$a")
ok "... is to the best round's" test "$(readlink -f "$work/a/model")" = "$(readlink -f "$work/a/$best/model")"
ok "all of it is as the run made it" "$lemur" run --verify "$work/a"
cp "$a" "$work/first.json"
expect 0 'untouched tasks' improve "$work/a" --rounds 2
ok "done again, the same" cmp "$a" "$work/first.json"
expect 0 '"difference"' improve "$work/a" --rounds 2 --json
expect 0 'stages of round 3 are to do' improve "$work/a" --rounds 3 --dry-run
ok "the page" "$lemur" report "$work/a"
ok "... tells of the rounds" grep -q 'accepted' "$work/a/report.html"

# Killed at random, and the same lineage.
for pause in 0.3 1 2 1.5 3; do
    exec=exec improve "$work/b" --rounds 2 > /dev/null 2>&1 &
    pid=$!
    sleep $pause
    kill -9 $pid 2> /dev/null
    wait $pid 2> /dev/null
done
expect 0 'untouched tasks' improve "$work/b" --rounds 2
ok "the same lineage after kills" cmp "$work/b/lineage.json" "$work/first.json"

# A test that cannot be passed keeps the old model; what is few waits.
expect 0 'refused' improve "$work/a" --rounds 1 --level 1e-12
ok "the model given is the best" test "$(readlink -f "$work/a/model")" = "$(readlink -f "$work/chance/model")"
expect 0 'not tuned' improve "$work/a" --rounds 1 --least 100000

# As a stage of a recipe.
cp recipes/improve.yaml "$work/improve.yaml"
expect 0 '1 of 1 stages to do' "$lemur" run "$work/improve.yaml" --set model="$work/chance/model" --dry-run -o "$work/run"
expect 0 'tasks of words that are never learned' "$lemur" study improve -m "$work/chance" --families words,household -o "$work/c" --dry-run

# Slips, before anything runs.
expect 2 'which model?' "$lemur" study improve -o "$work/c"
expect 2 'where to?' "$lemur" study improve -m "$work/chance"
expect 2 'did you mean words' "$lemur" study improve -m "$work/chance" -o "$work/c" --families wrods
expect 2 'where are their data' "$lemur" study improve -m "$work/chance" -o "$work/c" --tasks tasks
expect 2 "did you mean 'epochs'" improve "$work/c" --tune epoch=3
expect 2 'chosen by the study itself' improve "$work/c" --eval seed=3
expect 2 'there is no file' improve "$work/c" --replay "$work/absent.jsonl"
expect 1 'absent' "$lemur" study improve -m "$work/absent" -o "$work/c"
expect 2 'no part of the questions' "$lemur" eval -m "$work/chance" --tasks tasks --data "$work/data" --fold 3/2 -o "$work/f"
ok "nothing was begun" test ! -e "$work/c"

finish
