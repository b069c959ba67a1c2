#!/bin/sh
# Runs tests one after the other and counts them:  sh tools/run_tests.sh build/base/str_test ... tests/x_test.sh ...
# A cmocka binary counts each of its tests.  A script counts what its last line "N passed, N failed[, N skipped]" says, or
# as one test by its exit status; it finds the build folder in $B and prints `SKIP reason` for what it cannot do.
# Prints the output of those that fail, each skip with its reason, and one closing line; exits 1 when a test failed, when
# none ran, or when something ran past its time.
: "${B:=build}" "${TEST_SECONDS:=900}"
export B
# Tests ask for memory that cannot be had; the answer must be the program's own.
export ASAN_OPTIONS="allocator_may_return_null=1:$ASAN_OPTIONS"
# Threads that spin while they wait for each other take the processors from whatever else runs, and a test's products are
# small: next to one other program it lasts many times as long.  So they sleep, unless the user has said otherwise.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
passed=0 failed=0 skipped=0 ended=
trap 'exit 130' INT TERM

# cmocka names each skipped or failed test twice; a name counts once.
count_cmocka() {
    printf '%s\n' "$out" | awk '
        /^\[       OK \] / { ok[$4] }
        /^\[  SKIPPED \] [A-Za-z_][A-Za-z_0-9]*$/ { skip[$4] }
        /^\[  FAILED  \] [A-Za-z_][A-Za-z_0-9]*$/ { bad[$4] }
        END { for (t in ok) p++; for (t in bad) f++; for (t in skip) s++; print p + 0, f + 0, s + 0 }'
}

count_script() {
    line=$(printf '%s\n' "$out" | grep -E '^[0-9]+ passed, [0-9]+ failed' | tail -n 1)
    if [ "$line" ]; then
        # shellcheck disable=SC2086 # the words of the line are wanted
        set -- $line
        echo "$1 $3 $(case $6 in skipped*) echo "$5" ;; *) echo 0 ;; esac)"
    elif [ "$rc" -ne 0 ]; then
        echo 0 1 0
    elif printf '%s\n' "$out" | grep -q '^SKIP '; then
        echo 0 0 1
    else
        echo 1 0 0
    fi
}

for t in "$@"; do
    case $t in
    *.sh) out=$(timeout "$TEST_SECONDS" sh "$t" 2>&1) ;;
    *) out=$(timeout "$TEST_SECONDS" "$t" 2>&1) ;;
    esac
    rc=$?
    case $t in
    *.sh) counts=$(count_script) ;;
    *) counts=$(count_cmocka) ;;
    esac
    # shellcheck disable=SC2086 # three numbers
    set -- $counts
    p=$1 f=$2 s=$3
    printf '%s\n' "$out" | grep '^SKIP '
    if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    if [ "$f" -ne 0 ]; then
        printf '%s\n' "$out"
        [ $rc -eq 124 ] && echo "$t ran past $TEST_SECONDS seconds"
        echo "FAILED $t (exit status $rc)"
        ended="$ended $t"
    else
        echo "ok     $t ($p tests)"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
for t in $ended; do echo "failed: $t"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
