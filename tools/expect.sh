# shellcheck shell=sh
# For test scripts, which read it with `. tools/expect.sh` and end with `finish`: a folder $work that goes when the script
# does, and what counts as passed.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
passed=0 failed=0

# expect STATUS WORDS COMMAND...: exit status, and words that stdout and stderr together must hold ("" for any).
expect() {
    want=$1 words=$2
    shift 2
    out=$("$@" 2>&1)
    rc=$?
    case $out in *"$words"*) said=1 ;; *) said= ;; esac
    if [ "$rc" -eq "$want" ] && [ "$said" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s\nwanted status %s and "%s", got status %s from: %s\n' "$out" "$want" "$words" "$rc" "$*"
    fi
}

# ok WHAT COMMAND...: the command must succeed.  Leaves what it wrote in $work/out and $work/err.
ok() {
    what=$1
    shift
    if "$@" > "$work/out" 2> "$work/err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "NOT OK: $what: $*"
        tail -n 20 "$work/out" "$work/err"
    fi
}

# no WHAT WORDS COMMAND...: the command must fail and say the words (a pattern of grep's).
no() {
    what=$1 words=$2
    shift 2
    if "$@" > "$work/out" 2>&1 || ! grep -q -- "$words" "$work/out"; then
        failed=$((failed + 1))
        echo "NOT OK: $what: wanted a failure that says '$words': $*"
        tail -n 20 "$work/out"
    else
        passed=$((passed + 1))
    fi
}

# The line that tools/run_tests.sh counts, and the script's exit status.
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
