#!/bin/sh
# What holds for every command: help, versions, wrong words, and output that cannot be written.  Runs $B/lemur.
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
expect 1 'cannot make folder' "$lemur" tokenizer train -o /dev/null/x README.md
expect 0 'usage: lemur doctor' "$lemur" help doctor
expect 2 'did you mean --json' "$lemur" doctor --jsno
expect 2 'one word too many' "$lemur" doctor here
expect 0 'operations' "$lemur" doctor
expect 0 '"memory_available_bytes"' "$lemur" doctor --json

# Each verb has help, and refuses a flag that nobody has (or the want of a word before it).
for verb in $("$lemur" --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
    expect 0 "usage: lemur $verb" "$lemur" "$verb" --help
    expect 2 '' "$lemur" "$verb" --no-such-flag-anywhere
done

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
