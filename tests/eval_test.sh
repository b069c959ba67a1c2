#!/bin/sh
# lemur eval with the real program against a server on this machine, sound and broken; kill -9 and go on; recordings that
# give the same run again; transcripts that lemur tune reads; comparing runs.
#   tests/eval_test.sh      LEMUR: the program ($B/lemur)
set -u
lemur=${LEMUR:-${B:-build}/lemur}
. tools/expect.sh
if ! "$lemur" doctor 2>/dev/null | grep -q '^sandbox .*bubblewrap'; then
    echo "no sandbox here: skipped"
    finish
    exit
fi
python3 tests/eval_server.py "$work/port" "$work/mode" 2> /dev/null &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
echo good > "$work/mode"
i=0
while [ ! -f "$work/port" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
url=http://127.0.0.1:$(cat "$work/port")
unset http_proxy https_proxy

# Tasks of one's own.
mkdir -p "$work/data/tasks"
printf 'Use Python.\n{task_prompt}' > "$work/data/tasks/prompt.txt"
i=0
while [ $i -lt 12 ]; do
    echo "{\"id\": $i, \"prompt\": \"What is $i + $((i * 7))?\", \"reference\": \"$((i * 8))\"}"
    i=$((i + 1))
done > "$work/data/tasks/questions.jsonl"
run() { # FOLDER FLAGS...
    folder=$1
    shift
    "$lemur" eval -m "$url" --tasks tasks --data "$work/data" --wikipedia none -o "$work/$folder" --retries 0 \
        --timeout 2 --parallel 6 "$@"
}
lines() { wc -l < "$work/$1"; }

# The whole way -------------------------------------------------------------------------------------------------------
ok "a run" run good --record "$work/answers.jsonl"
expect 0 "1.0000" cat "$work/out"
expect 0 '"success,none": 1.0' cat "$work/good/results.json"
expect 0 "12" lines good/samples_tasks.jsonl
ok "the same again asks nothing" run good --record "$work/more.jsonl"
expect 0 "12 of 12 questions were answered before" cat "$work/err"
expect 0 "0" lines more.jsonl
ok "JSON" run good --json
cp "$work/out" "$work/json"
ok "is JSON" python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/json"

# A recording gives the same run again, by four at once as by one.
replayed() { "$lemur" eval -m "script:$work/answers.jsonl" --tasks tasks --data "$work/data" --wikipedia none "$@"; }
ok "a recording" replayed -o "$work/replayed" --parallel 4
same_answers() { # but for what is measured
    for f in "$1" "$2"; do
        sort "$work/$f/transcripts_tasks.jsonl" | sed 's/,"steps":.*//' > "$work/$f.plain"
    done
    cmp "$work/$1.plain" "$work/$2.plain"
}
ok "the same episodes" same_answers good replayed

# Servers that misbehave: a clear line, an exit status, and what was answered is kept ----------------------------------
for mode in 401 429 500 garbage wrong cut stall; do
    echo $mode > "$work/mode"
    case $mode in
    401) words=401 ;;
    429) words=429 ;;
    500) words=500 ;;
    garbage | wrong) words="not a chat completion\|no chat completion\|no JSON" ;;
    cut) words="cut\|closed\|transfer" ;;
    stall) words="2 s\|timed out\|stall" ;;
    esac
    no "a server with $mode" "$words" run "bad-$mode"
    expect 0 "0 of 12 questions are answered and kept; the same command goes on" cat "$work/out"
    echo good > "$work/mode"
    ok "goes on after $mode" run "bad-$mode"
    expect 0 "12" lines "bad-$mode/samples_tasks.jsonl"
    expect 0 "12" lines "bad-$mode/transcripts_tasks.jsonl"
done
echo once429 > "$work/mode"
ok "retries and Retry-After" run retried --retries 2
expect 0 "retries\":1" grep -o -m 1 "retries\":1" "$work/retried/transcripts_tasks.jsonl"
echo good > "$work/mode"

# kill -9 at any moment, then the same command: each question once -----------------------------------------------------
echo slow > "$work/mode"
for tenths in 3 8 13; do
    rm -rf "$work/killed"
    run killed > "$work/killed.log" 2>&1 &
    pid=$!
    sleep "$((tenths / 10)).$((tenths % 10))"
    pkill -9 -P $pid 2>/dev/null
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    ok "goes on after kill -9" run killed
    expect 0 "12" lines killed/samples_tasks.jsonl
    expect 0 "12" lines killed/transcripts_tasks.jsonl
done
rm -rf "$work/stopped"
run stopped > "$work/stopped.log" 2>&1 &
pid=$!
sleep 1
pkill -TERM -P $pid 2>/dev/null || kill -TERM $pid
wait $pid
expect 0 "goes on" cat "$work/stopped.log"
echo good > "$work/mode"
ok "goes on after SIGTERM" run stopped
expect 0 "12" lines stopped/samples_tasks.jsonl

# Another model, other data or settings in the same folder ---------------------------------------------------------------
no "another seed" "settings.seed was 0 and is now 7" run good --seed 7
no "another model" "holds another run: model" replayed -o "$work/good"
ok "thrown away on purpose" run good --seed 7 --restart

# A family's tasks are called by its name ----------------------------------------------------------------------------------
ok "a family" "$lemur" env make words -o "$work/words" --train 5 --test 3
ok "its expert" "$lemur" eval -m "script:$work/words/expert_test.jsonl" --tasks tasks --data "$work/words/test" --wikipedia none \
    -o "$work/played"
expect 0 '"alias": "words"' cat "$work/played/results.json"
expect 0 '"alias": "tasks"' cat "$work/good/results.json"

# Words ----------------------------------------------------------------------------------------------------------------
no "no model" "which model" "$lemur" eval --tasks tasks
no "no tasks" "which benchmarks" "$lemur" eval -m "$url"
no "an unknown benchmark" "did you mean tasks" "$lemur" eval -m "$url" --tasks taks
no "examples for none" "shots means nothing for tasks" replayed --shots 3 -o "$work/x"
no "answers for none" "samples means nothing for tasks" replayed --samples 5 -o "$work/x"
no "missing data" "questions.json is not there" "$lemur" eval -m "$url" --tasks tasks --data "$work" -o "$work/x"
no "steps" "write a number" run x --steps 3-1
echo nonsense >> "$work/data/tasks/questions.jsonl"
echo '{"id": 99}' >> "$work/data/tasks/questions.jsonl"
ok "a malformed row" run rows
expect 0 "passed over" cat "$work/err"

# By steps ---------------------------------------------------------------------------------------------------------------
ok "a curve" run curve --steps 1-2 --limit 5
expect 0 "0.0%  100.0%" cat "$work/out"
ok "its file" test -f "$work/curve/curve.json"

# Episodes are examples.
cat > "$work/tune.yaml" <<EOF
tune: {context: 256, template: chatml, sources: [{name: episodes, path: "$work/retried/transcripts_tasks.jsonl"}]}
EOF
finish
