/* Vocabularies as GGUF files carry them, against the cases of ../shared/data/tokenizer (llama.cpp's own). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/file.h"
#include "tokenizer/small_vocab_test.h"

/* A reader of GGUF's key-value pairs, as small as these files allow.
 * Format: ggml/docs/gguf.md: magic, version, tensors, pairs; then key, type, value. */
enum { GGUF_U32 = 4, GGUF_I32 = 5, GGUF_F32 = 6, GGUF_BOOL = 7, GGUF_STRING = 8, GGUF_ARRAY = 9 };

typedef Array(Span) Spans;
typedef struct {
    Spans pieces, merges;
    Array(float) scores;
    Ids kinds;
    VocabArrays v;
} GgufVocab;

static void skip_value(Cursor *c, uint32_t type)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == GGUF_STRING)
        cursor_skip(c, cursor_u64(c));
    else if (type < 13)
        cursor_skip(c, sizes[type]);
}

static void read_array(GgufVocab *g, Cursor *c, Span key)
{
    uint32_t type = cursor_u32(c);
    uint64_t n = cursor_u64(c);
    for (uint64_t i = 0; i < n && !c->bad; i++) {
        if (span_ends(key, ".tokens")) {
            Span s = cursor_bytes(c, cursor_u64(c));
            array_push(&g->pieces, s);
        } else if (span_ends(key, ".merges")) {
            Span s = cursor_bytes(c, cursor_u64(c));
            array_push(&g->merges, s);
        } else if (span_ends(key, ".scores")) {
            array_push(&g->scores, cursor_f32(c));
        } else if (span_ends(key, ".token_type")) {
            array_push(&g->kinds, (int32_t)cursor_u32(c));
        } else {
            skip_value(c, type);
        }
    }
}

static void read_pair(GgufVocab *g, Cursor *c, char pre[64])
{
    Span key = cursor_bytes(c, cursor_u64(c));
    uint32_t type = cursor_u32(c);
    if (type == GGUF_ARRAY) {
        read_array(g, c, key);
    } else if (span_ends(key, "ggml.model")) {
        Span s = cursor_bytes(c, cursor_u64(c));
        g->v.kind = span_is(s, "llama") ? VOCAB_SPM : VOCAB_BBPE;
        g->v.add_bos = g->v.add_space_prefix = g->v.kind == VOCAB_SPM;
    } else if (span_ends(key, "ggml.pre")) {
        Span s = cursor_bytes(c, cursor_u64(c));
        snprintf(pre, 64, "%.*s", (int)s.n, s.at);
    } else if (span_ends(key, "bos_token_id")) {
        g->v.bos = (int32_t)cursor_u32(c);
    } else if (span_ends(key, "eos_token_id")) {
        g->v.eos = (int32_t)cursor_u32(c);
    } else if (span_ends(key, "unknown_token_id")) {
        g->v.unk = (int32_t)cursor_u32(c);
    } else if (span_ends(key, "padding_token_id")) {
        g->v.pad = (int32_t)cursor_u32(c);
    } else if (span_ends(key, "add_bos_token")) {
        g->v.add_bos = cursor_u8(c) != 0;
    } else if (span_ends(key, "add_eos_token")) {
        g->v.add_eos = cursor_u8(c) != 0;
    } else if (span_ends(key, "add_space_prefix")) {
        g->v.add_space_prefix = cursor_u8(c) != 0;
    } else {
        skip_value(c, type);
    }
}

static Tokenizer *open_gguf(const char *path)
{
    FileMap map;
    if (!path_exists(path))
        return NULL;
    assert_int_equal(file_map(&map, path), ST_OK);
    Cursor c = cursor_over(map.at, map.n);
    char pre[64] = "";
    GgufVocab g = {.v = {.bos = -1, .eos = -1, .unk = -1, .pad = -1}};
    cursor_skip(&c, 4 + 4 + 8);
    for (uint64_t n = cursor_u64(&c); n > 0 && !c.bad; n--)
        read_pair(&g, &c, pre);
    assert_false(c.bad);
    g.v.n = (int32_t)g.pieces.n;
    g.v.pieces = g.pieces.at;
    g.v.scores = g.scores.n ? g.scores.at : NULL;
    g.v.kinds = g.kinds.n ? g.kinds.at : NULL;
    g.v.merges = g.merges.at;
    g.v.merges_n = (int32_t)g.merges.n;
    g.v.pre = pre;
    Tokenizer *t = small_open(&g.v);
    array_drop(&g.pieces);
    array_drop(&g.merges);
    array_drop(&g.scores);
    array_drop(&g.kinds);
    file_unmap(&map);
    return t;
}

/* The texts of .inp are separated by a marker line; a line of .out holds the ids of one.
 * "\n__ggml_vocab_test__\n". */
static void compare_cases(const Tokenizer *t, const char *stem)
{
    static const char marker[] = "\n__ggml_vocab_test__\n";
    char path[256];
    Str texts = {0}, wanted = {0}, got = {0};
    Ids ids = {0};
    snprintf(path, sizeof path, "%s.inp", stem);
    assert_int_equal(file_read(&texts, path, 0), ST_OK);
    snprintf(path, sizeof path, "%s.out", stem);
    assert_int_equal(file_read(&wanted, path, 0), ST_OK);
    const char *at = texts.at, *end = texts.at + texts.n, *line = wanted.at;
    int cases = 0;
    while (at && at < end) {
        const char *stop = memmem(at, (size_t)(end - at), marker, sizeof marker - 1);
        size_t n = (size_t)((stop ? stop : end) - at);
        array_clear(&ids);
        str_clear(&got);
        assert_int_equal(tokenizer_encode(t, &ids, at, n, 0), ST_OK);
        for (size_t i = 0; i < ids.n; i++)
            str_addf(&got, " %d", ids.at[i]);
        const char *line_end = strchr(line, '\n');
        if (got.n != (size_t)(line_end - line) || memcmp(str_c(&got), line, got.n) != 0)
            fail_msg("case %d '%.*s': want%.*s, got%s", cases, (int)n, at, (int)(line_end - line), line,
                     str_c(&got));
        Str back = {0};
        assert_int_equal(tokenizer_decode(t, &back, ids.at, ids.n, false), ST_OK);
        assert_int_equal(back.n, n);
        if (n)
            assert_memory_equal(back.at, at, n);
        str_drop(&back);
        cases++;
        line = line_end + 1;
        at = stop ? stop + sizeof marker - 1 : NULL;
    }
    assert_true(cases > 40);
    assert_string_equal(line, "");
    str_drop(&texts);
    str_drop(&wanted);
    str_drop(&got);
    array_drop(&ids);
}

/* As files and as arrays again it says the same. */
static void compare_copies(const Tokenizer *t, const char *stem)
{
    char folder[] = "/tmp/lemur-arrays-XXXXXX";
    const char *lost = NULL;
    Arena arena = {0};
    VocabArrays v;
    Tokenizer *file = NULL;
    assert_non_null(mkdtemp(folder));
    if (tokenizer_save(t, folder) != ST_OK || tokenizer_open(&file, folder) != ST_OK ||
        tokenizer_to_arrays(file, &arena, &v, &lost) != ST_OK)
        fail_msg("%s", error_text());
    Tokenizer *arrays = small_open(&v);
    compare_cases(file, stem);
    assert_null(lost);
    assert_true(tokenizer_hash(file) == tokenizer_hash(t));
    assert_true(tokenizer_hash(arrays) == tokenizer_hash(t));
    tokenizer_close(file);
    tokenizer_close(arrays);
    arena_drop(&arena);
    assert_int_equal(folder_remove(folder), ST_OK);
}

static void run_file(const char *stem)
{
    Tokenizer *t = open_gguf(stem);
    if (!t) {
        printf("SKIP %s is not here\n", stem);
        skip();
    }
    compare_cases(t, stem);
    compare_copies(t, stem);
    tokenizer_close(t);
}

static void llama_spm_cases(void **state)
{
    (void)state;
    run_file("../shared/data/tokenizer/ggml-vocab-llama-spm.gguf");
}

static void gpt2_cases(void **state)
{
    (void)state;
    run_file("../shared/data/tokenizer/ggml-vocab-gpt-2.gguf");
}

static void bad_arrays_are_refused(void **state)
{
    (void)state;
    SmallVocab s;
    small_spm(&s);
    VocabArrays v = s.v;
    v.n = 0;
    expect_refused(&v, ST_FORMAT, "without pieces");
    v = s.v;
    v.bos = v.n;
    expect_refused(&v, ST_FORMAT, "bos id 272");
    v = s.v;
    v.pad = -2;
    expect_refused(&v, ST_FORMAT, "padding id -2");
    s.kinds[5] = 17;
    expect_refused(&s.v, ST_FORMAT, "unknown type 17");
    s.kinds[5] = PIECE_NORMAL;
    expect_refused(&s.v, ST_FORMAT, "255 of 256 byte pieces");
    s.kinds[5] = PIECE_BYTE;
    s.scores[260] = (float)strtod("nan", NULL);
    expect_refused(&s.v, ST_FORMAT, "not a number");
    s.scores[260] = 0;
    s.pieces[260] = span("a");
    expect_refused(&s.v, ST_FORMAT, "stands at id 260 and again at 267");
    s.v.n = 2;
    s.v.unk = s.v.eos = -1;
    s.kinds[0] = PIECE_NORMAL;
    expect_refused(&s.v, ST_UNSUPPORTED, "neither byte pieces nor an unknown");
    small_bbpe(&s);
    s.v.pre = "nobody-knows";
    expect_refused(&s.v, ST_UNSUPPORTED, "nobody-knows");
    s.v.pre = "gpt-2";
    s.merges[0] = span("a <user");
    expect_refused(&s.v, ST_FORMAT, "'<user' is not in the vocabulary");
    s.merges[0] = span("ab");
    expect_refused(&s.v, ST_FORMAT, "not two pieces");
}

/* llama.cpp gives such ids a name, too. */
static void an_empty_piece_is_a_filler(void **state)
{
    (void)state;
    SmallVocab s;
    small_bbpe(&s);
    Tokenizer *named = small_open(&s.v);
    s.pieces[264] = span("");
    Tokenizer *t = small_open(&s.v);
    assert_true(span_is(tokenizer_piece(t, 264), "[PAD264]"));
    assert_true(tokenizer_hash(t) == tokenizer_hash(named));
    tokenizer_close(named);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_spm_cases),
        cmocka_unit_test(gpt2_cases),
        cmocka_unit_test(bad_arrays_are_refused),
        cmocka_unit_test(an_empty_piece_is_a_filler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
