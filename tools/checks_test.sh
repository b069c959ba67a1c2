#!/bin/sh
# Shows that tools/layers.sh, tools/ifdefs.sh and tools/run_tests.sh can fail: each is given a bad tree of its own.
. tools/expect.sh

# tree: a small good tree, anew.
tree() {
    rm -rf "$work/src"
    mkdir -p "$work/src/base" "$work/src/ops/avx2" "$work/src/corpus" "$work/src/train"
    printf 'base:  # lowest\nops: base\ncorpus: base\ntrain: base ops corpus/shard.h\n' >"$work/src/LAYERS"
    printf '#ifndef BASE_A_H\n#define BASE_A_H\n#include <stdio.h>\n#endif\n' >"$work/src/base/a.h"
    printf '#include "base/a.h"\n#include "ops/x.h"\n' >"$work/src/ops/avx2/x.c"
    printf '#include "corpus/shard.h"\n#include "ops/x.h"\n' >"$work/src/train/t.c"
}

layers() {
    tree
    printf '%s\n' "$3" >"$work/src/$2"
    expect "$1" "$4" sh tools/layers.sh "$work/src"
}
tree
expect 0 "none upward" sh tools/layers.sh "$work/src"
layers 1 base/b.c '#include "ops/x.h"' 'base/b.c:1: base may not include ops/x.h'
layers 1 base/b.c '#  include "train/t.h"' 'base/b.c:1:'
layers 1 train/u.c '#include "corpus/mix.h"' 'train may not include corpus/mix.h'
layers 1 ops/avx2/y.c '#include "corpus/shard.h"' 'ops may not include'
layers 1 train/u.c '#include "t.h"' 'must name its folder'
layers 1 stray.c '#include "base/a.h"' 'belongs into a folder'
mkdir -p "$work/src/new"
tree
mkdir -p "$work/src/new"
printf '#include "base/a.h"\n' >"$work/src/new/n.c"
expect 1 'folder new is not in' sh tools/layers.sh "$work/src"
tree
printf 'base: ops\nops: base\n' >"$work/src/LAYERS"
expect 1 'stands above it' sh tools/layers.sh "$work/src"
mkdir "$work/empty" && : >"$work/empty/LAYERS"
expect 1 'no #include was found' sh tools/layers.sh "$work/empty"
expect 1 'not there' sh tools/layers.sh "$work/nowhere"

ifdefs() {
    tree
    printf "$3" >"$work/src/$2"
    expect "$1" "$4" sh tools/ifdefs.sh "$work/src"
}
tree
expect 0 "none chosen by #if" sh tools/ifdefs.sh "$work/src"
ifdefs 0 base/cpu.c '#if defined(__x86_64__)\n#endif\n' 'none chosen'
ifdefs 0 base/b.h '/* x */\n#ifndef B_H\n#define B_H\n#ifdef __cplusplus\nextern "C" {\n#endif\n#endif\n' 'none chosen'
ifdefs 1 base/b.c '#ifdef DEBUG\n#endif\n' 'base/b.c:1:'
ifdefs 1 base/b.c 'int x;\n  #  if X\n  # endif\n' 'base/b.c:2:'
ifdefs 1 base/b.c '#if(X)\n#endif\n' 'base/b.c:1:'
ifdefs 1 base/b.c '#ifndef B_C\n#define B_C\n#endif\n' 'base/b.c:1:'
ifdefs 1 base/b.h '#ifndef B_H\nint x;\n#endif\n' 'not followed by its #define'
ifdefs 1 base/b.h '#ifndef B_H\n#define B_H\n#ifndef OTHER\n#endif\n#endif\n' 'base/b.h:3:'
expect 1 'no source file' sh tools/ifdefs.sh "$work/empty"

# A stand-in for a cmocka binary, and scripts that count themselves or do not.
binary() {
    printf '#!/bin/sh\n%s\n' "$2" >"$work/$1"
    chmod +x "$work/$1"
}
binary good 'echo "[       OK ] a"; echo "[       OK ] b"; echo "[  SKIPPED ] c"; echo "[  SKIPPED ] 1 test(s), listed below:"; echo "[  SKIPPED ] c"'
binary bad 'echo "[       OK ] a"; echo "[  FAILED  ] b"; echo "[  FAILED  ] 1 test(s)"; echo "[  FAILED  ] b"; exit 1'
binary crash 'echo "[       OK ] a"; kill -SEGV $$'
binary slow 'sleep 5'
binary none ':'
binary counted.sh 'echo "3 passed, 0 failed"'
binary counted_skip.sh 'echo "3 passed, 0 failed, 2 skipped"'
binary plain.sh ':'
binary plain_skip.sh 'echo "SKIP no such thing"'
binary plain_bad.sh 'exit 3'
expect 0 '2 passed, 0 failed, 1 skipped' sh tools/run_tests.sh "$work/good"
expect 1 '3 passed, 1 failed, 1 skipped' sh tools/run_tests.sh "$work/bad" "$work/good"
expect 1 '1 passed, 1 failed, 0 skipped' sh tools/run_tests.sh "$work/crash"
expect 1 '0 passed, 1 failed, 0 skipped' env TEST_SECONDS=1 sh tools/run_tests.sh "$work/slow"
expect 1 '0 passed, 0 failed, 0 skipped' sh tools/run_tests.sh "$work/none"
expect 1 '0 passed, 0 failed, 0 skipped' sh tools/run_tests.sh
expect 0 '3 passed, 0 failed, 0 skipped' sh tools/run_tests.sh "$work/counted.sh"
expect 0 '4 passed, 0 failed, 3 skipped' sh tools/run_tests.sh "$work/counted_skip.sh" "$work/plain.sh" "$work/plain_skip.sh"
expect 1 '2 passed, 1 failed, 1 skipped' sh tools/run_tests.sh "$work/good" "$work/plain_bad.sh"

finish
