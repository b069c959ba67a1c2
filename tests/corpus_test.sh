#!/bin/sh
# Corpus and packing with the real program: memory that does not grow with the input, one result whatever the number of
# threads, and what an interruption leaves behind.
set -u
lemur=${B:-build}/lemur
. tools/expect.sh

# Runs a command and leaves its peak resident kilobytes in $peak (read from /proc every 20 ms; the last reading counts).
peak=0
# Under AddressSanitizer memory that was freed is kept back for a while; what is measured here is what is in use.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1"
measure() {
    "$@" > "$work/out" 2>&1 &
    pid=$!
    last=0
    while kill -0 $pid 2> /dev/null; do
        now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2> /dev/null)
        [ -n "$now" ] && last=$now
        sleep 0.02
    done
    wait $pid && peak=$last || { cat "$work/out"; peak=; }
}

# Documents of a few hundred words drawn from a small vocabulary by a congruential generator, as code and as text.
documents() { # how many
    awk -v n="$1" 'BEGIN {
        s = 1
        for (d = 0; d < n; d++) {
            text = "the words that have to be with document " d ":"
            for (w = 0; w < 300; w++) { s = (s * 16807) % 2147483647; text = text (w % 8 ? " " : "\\n") "w" s % 9973 "abc" }
            printf "{\"text\":\"%s\"}\n", text
        }
    }'
}
documents 1000 > "$work/small.jsonl"
documents 10000 | gzip -1 > "$work/large.jsonl.gz"
recipe() { # file
    printf 'corpus:\n  clean: {text: {min_alphabetic_words: 0}, code: {min_alphabetic: 0}}\n  sources:\n'
    printf '    - {name: code, kind: code, path: "%s", limit: 100M}\n' "$1"
    printf '    - {name: text, kind: text, path: "%s"}\n' "$1"
    printf '  dedup: none\npack: {context: 256, seed: 3}\n'
}
recipe "$work/small.jsonl" > "$work/small.yaml"
recipe "$work/large.jsonl.gz" > "$work/large.yaml"
vocabulary=tests/golden/tokenizer/plain.model

measure "$lemur" corpus build "$work/small.yaml" -o "$work/small" -t 2
small_build=$peak
measure "$lemur" corpus build "$work/large.yaml" -o "$work/large" -t 2
large_build=$peak
measure "$lemur" pack "$work/small" --tokenizer $vocabulary --recipe "$work/small.yaml" -o "$work/small.p" -t 2
small_pack=$peak
measure "$lemur" pack "$work/large" --tokenizer $vocabulary --recipe "$work/large.yaml" -o "$work/large.p" -t 2
large_pack=$peak
echo "peak memory: build $small_build kB, of ten times the input $large_build kB; pack $small_pack kB and $large_pack kB"
# What shards_open maps to check its result counts as memory for the moment; it is the size of the shards.
ok "building takes no more memory for ten times the input" test "$large_build" -lt $((small_build * 3 / 2 + 10000))
ok "nor does packing" test "$large_pack" -lt $((small_pack * 3 / 2 + 30000))

ok "build with one thread" "$lemur" corpus build "$work/small.yaml" -o "$work/one" -t 1
ok "one result whatever the threads" diff -r "$work/small" "$work/one"
ok "pack with one thread" "$lemur" pack "$work/one" --tokenizer $vocabulary --recipe "$work/small.yaml" -o "$work/one.p" -t 1
ok "the same rows" diff -r "$work/small.p" "$work/one.p"
ok "another seed" "$lemur" pack "$work/one" --tokenizer $vocabulary --recipe "$work/small.yaml" -o "$work/two.p" --seed 4
ok "other rows" test "$(cksum < "$work/one.p/train-00000.tok")" != "$(cksum < "$work/two.p/train-00000.tok")"
ok "the ledger is printed again" "$lemur" pack --show "$work/one.p"
cp "$work/out" "$work/ledger"
ok "with its ratio" grep -Eq '= (9\.9|10\.0)[0-9]* : 1' "$work/ledger"
ok "the corpus's, too" "$lemur" corpus show "$work/one"

# Interrupted, a build ends with 130, leaves no manifest, and the next one is whole.
"$lemur" corpus build "$work/large.yaml" -o "$work/cut" -t 1 > /dev/null 2>&1 &
pid=$!
while kill -0 $pid 2> /dev/null && [ ! -d "$work/cut/.partial" ]; do sleep 0.01; done
kill -INT $pid 2> /dev/null
wait $pid
ok "an interrupted build says so" test $? -eq 130
ok "and leaves nothing" test -z "$(ls -A "$work/cut")"
"$lemur" corpus build "$work/small.yaml" -o "$work/cut" > /dev/null 2>&1 &
pid=$!
sleep 0.05
kill -KILL $pid 2> /dev/null
wait $pid 2> /dev/null
ok "a killed build is built over" "$lemur" corpus build "$work/small.yaml" -o "$work/cut"
ok "to the same bytes" diff -r "$work/cut" "$work/one"

# Killed anywhere while it packs over a set, packing leaves that set or the new one, whole; and nothing else once it ran.
cp -r "$work/two.p" "$work/over"
for delay in 0.02 0.06 0.1 0.15 0.2 0.3 0.5; do
    "$lemur" pack "$work/one" --tokenizer $vocabulary --recipe "$work/small.yaml" -o "$work/over" -t 1 > /dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -KILL $pid 2> /dev/null
    wait $pid 2> /dev/null
    "$lemur" pack --show "$work/over" > "$work/out" 2>&1 || break
done
ok "a whole set lies there after every kill" "$lemur" pack --show "$work/over"
ok "packing over what a kill left" "$lemur" pack "$work/one" --tokenizer $vocabulary --recipe "$work/small.yaml" -o "$work/over"
ok "to the same bytes as elsewhere" diff -r "$work/over" "$work/one.p"

finish
