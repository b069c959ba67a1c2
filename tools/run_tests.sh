#!/bin/sh
# Runs cmocka binaries one after the other.  Prints the output of those that fail, each skip with its reason, and one
# closing line; exits 1 when a test failed or none ran.
passed=0 failed=0 skipped=0
for t in "$@"; do
    out=$("$t" 2>&1)
    rc=$?
    p=$(printf '%s\n' "$out" | grep -c '^\[       OK \]')
    s=$(printf '%s\n' "$out" | grep -c '^\[  SKIPPED \] [a-z]')
    f=$(printf '%s\n' "$out" | grep -c '^\[  FAILED  \] [a-z_0-9]*$')
    printf '%s\n' "$out" | grep '^SKIP '
    if [ $rc -ne 0 ]; then
        [ "$f" -eq 0 ] && f=1
        printf '%s\n' "$out"
        echo "FAILED $t (exit status $rc)"
    else
        echo "ok     $t ($p tests)"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
