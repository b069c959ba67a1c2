#!/bin/sh
# Runs each libFuzzer binary of a folder for some seconds:  sh tools/run_fuzz.sh build/fuzz 60
# What it learned is kept beside it (corpus-X) and so are inputs that break it (crash-*, timeout-*, ...); inputs to start
# from are read from tests/fuzz/X.seeds where that folder exists.
folder=$1 seconds=$2 failed=0 ran=0
for f in "$folder"/fuzz_*; do
    [ -x "$f" ] && [ -f "$f" ] || continue
    name=$(basename "$f")
    mkdir -p "$folder/corpus-$name"
    seeds=tests/fuzz/$name.seeds
    [ -d "$seeds" ] || seeds=
    echo "fuzz $name for $seconds s"
    # shellcheck disable=SC2086 # no seeds, no word
    if "$f" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -artifact_prefix="$folder/$name-" \
        -print_final_stats=1 "$folder/corpus-$name" $seeds >"$folder/$name.log" 2>&1; then
        grep -E 'number_of_executed_units|average_exec_per_sec' "$folder/$name.log"
    else
        tail -n 40 "$folder/$name.log"
        echo "FAILED $name: see $folder/$name.log"
        failed=$((failed + 1))
    fi
    ran=$((ran + 1))
done
echo "$ran fuzzers ran, $failed failed"
[ $failed -eq 0 ] && [ $ran -gt 0 ]
