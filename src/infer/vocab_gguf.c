#include "infer/vocab_gguf.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Reading. -------------------------------------------------------------------------------------------- */

/* Lists of the file, for as long as the arrays point to them. */
typedef struct {
    Span *pieces, *merges;
    float *scores;
    int32_t *kinds;
    int64_t n, merges_n, scores_n, kinds_n;
    char *pre;
} Lists;

static void lists_drop(Lists *l)
{
    mem_free(l->pieces);
    mem_free(l->merges);
    mem_free(l->scores);
    mem_free(l->kinds);
    mem_free(l->pre);
}

static Status read_kind(VocabKind *kind, const Gguf *g)
{
    Span model;
    TRY(gguf_text(g, "tokenizer.ggml.model", &model));
    if (!model.at)
        return fail(ST_UNSUPPORTED, "it carries no vocabulary (tokenizer.ggml.model)");
    if (!span_is(model, "llama") && !span_is(model, "gpt2"))
        return fail(ST_UNSUPPORTED,
                    "its vocabulary is of the kind \"%.*s\"; known are \"llama\" (SentencePiece BPE) and "
                    "\"gpt2\" (byte-level BPE)",
                    (int)(model.n < 80 ? model.n : 80), model.at);
    *kind = span_is(model, "llama") ? VOCAB_SPM : VOCAB_BBPE;
    return ST_OK;
}

static Status read_lists(Lists *l, const Gguf *g)
{
    Span pre;
    TRY(gguf_texts(g, "tokenizer.ggml.tokens", &l->pieces, &l->n));
    TRY(gguf_texts(g, "tokenizer.ggml.merges", &l->merges, &l->merges_n));
    TRY(gguf_floats(g, "tokenizer.ggml.scores", &l->scores, &l->scores_n));
    TRY(gguf_ints(g, "tokenizer.ggml.token_type", &l->kinds, &l->kinds_n));
    TRY(gguf_text(g, "tokenizer.ggml.pre", &pre));
    if (pre.at)
        l->pre = mem_strn(pre.at, pre.n);
    if (l->n < 1)
        return fail(ST_FORMAT, "tokenizer.ggml.tokens is missing or empty");
    if (l->n > INT32_MAX || l->merges_n > INT32_MAX)
        return fail(ST_LIMIT, "a vocabulary of %lld pieces and %lld merges is too large", (long long)l->n,
                    (long long)l->merges_n);
    if ((l->scores && l->scores_n != l->n) || (l->kinds && l->kinds_n != l->n))
        return fail(ST_FORMAT, "it has %lld tokens, %lld scores and %lld token types", (long long)l->n,
                    (long long)l->scores_n, (long long)l->kinds_n);
    return ST_OK;
}

static Status read_id(const Gguf *g, const char *key, int32_t standard, int64_t n, int32_t *out)
{
    int64_t id;
    TRY(gguf_int(g, key, standard < n ? standard : -1, &id));
    /* Some converters write the largest u32, or -1 as one, for "none". */
    if (id == UINT32_MAX || id == -1) {
        *out = -1;
        return ST_OK;
    }
    if (id < 0 || id >= n)
        return fail(ST_FORMAT, "%s is %lld, outside the vocabulary of %lld", key, (long long)id,
                    (long long)n);
    *out = (int32_t)id;
    return ST_OK;
}

/* Where a SentencePiece vocabulary names none, llama.cpp takes these; one that really has none says so in a
 * key of ours. */
static Status read_ids(VocabArrays *v, const Gguf *g)
{
    const struct {
        const char *key, *none;
        int32_t standard, *to;
    } all[] = {
        {"tokenizer.ggml.bos_token_id", "lemur.tokenizer.no_bos", 1, &v->bos},
        {"tokenizer.ggml.eos_token_id", "lemur.tokenizer.no_eos", 2, &v->eos},
        {"tokenizer.ggml.unknown_token_id", "lemur.tokenizer.no_unknown", 0, &v->unk},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        bool none;
        TRY(gguf_bool(g, all[i].none, v->kind != VOCAB_SPM, &none));
        TRY(read_id(g, all[i].key, none ? -1 : all[i].standard, v->n, all[i].to));
    }
    return read_id(g, "tokenizer.ggml.padding_token_id", -1, v->n, &v->pad);
}

/* llama-vocab.cpp sets add_bos for these, before the key is looked at. */
static bool adds_bos(const char *pre)
{
    static const char *const names[] = {"llama3",  "llama-v3", "llama-bpe", "falcon3", "falcon-h1",
                                        "pixtral", "midm-2.0", "lfm2",      "tekken",  "chameleon"};
    for (size_t i = 0; pre && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(pre, names[i]) == 0)
            return true;
    return false;
}

static Status read_switches(VocabArrays *v, const Gguf *g)
{
    bool spm = v->kind == VOCAB_SPM;
    const struct {
        const char *key;
        bool standard, *to;
    } all[] = {
        {"tokenizer.ggml.add_bos_token", spm || adds_bos(v->pre), &v->add_bos},
        {"tokenizer.ggml.add_eos_token", false, &v->add_eos},
        {"tokenizer.ggml.add_space_prefix", spm, &v->add_space_prefix},
        {"tokenizer.ggml.remove_extra_whitespaces", false, &v->remove_extra_spaces},
        {"lemur.tokenizer.prefix_first", false, &v->prefix_first},
        {"lemur.tokenizer.prefix_unless_space", false, &v->prefix_unless_space},
        {"lemur.tokenizer.split_at_spaces", false, &v->split_at_spaces},
        {"lemur.tokenizer.ignore_merges", false, &v->ignore_merges},
        {"lemur.tokenizer.nfc", false, &v->nfc},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        TRY(gguf_bool(g, all[i].key, all[i].standard, all[i].to));
    return ST_OK;
}

static Status read_arrays(VocabArrays *v, Lists *l, const Gguf *g)
{
    int64_t n;
    TRY(read_kind(&v->kind, g));
    TRY(read_lists(l, g));
    TRY(gguf_int(g, "lemur.tokenizer.size", l->n, &n)); /* without the fillers */
    if (n < 1 || n > l->n)
        return fail(ST_FORMAT, "lemur.tokenizer.size is %lld, and there are %lld tokens", (long long)n,
                    (long long)l->n);
    v->n = (int32_t)n;
    v->pieces = l->pieces;
    v->scores = v->kind == VOCAB_SPM ? l->scores : NULL;
    v->kinds = l->kinds;
    v->merges = l->merges;
    v->merges_n = (int32_t)l->merges_n;
    v->pre = l->pre;
    if (v->kind == VOCAB_SPM && !v->scores && v->merges_n == 0)
        return fail(ST_FORMAT, "tokenizer.ggml.scores is missing");
    if (v->kind == VOCAB_BBPE && v->merges_n == 0)
        return fail(ST_FORMAT, "tokenizer.ggml.merges is missing");
    TRY(read_ids(v, g));
    return read_switches(v, g);
}

Status vocab_gguf_read(Tokenizer **out, const Gguf *g)
{
    VocabArrays v = {0};
    Lists lists = {0};
    Status st = read_arrays(&v, &lists, g);
    if (st == ST_OK)
        st = tokenizer_from_arrays(out, &v);
    lists_drop(&lists);
    return st;
}

Status vocab_gguf_ends(const Gguf *g, Ids *ends)
{
    static const char *const keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                       "tokenizer.ggml.eom_token_id"};
    const GgufValue *tokens = gguf_find(g, "tokenizer.ggml.tokens");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        int32_t id;
        TRY(read_id(g, keys[i], -1, tokens ? tokens->n : 0, &id));
        bool there = id < 0;
        for (size_t k = 0; k < ends->n; k++)
            there = there || ends->at[k] == id;
        if (!there)
            array_push(ends, id);
    }
    return ST_OK;
}

Status vocab_gguf_template(const Gguf *g, Span *out)
{
    return gguf_text(g, "tokenizer.chat_template", out);
}

/* Writing. -------------------------------------------------------------------------------------------- */

/* The arrays with fillers behind them: "[PAD<id>]", of the type unused, as llama.cpp's converter writes them.
 */
static void add_fillers(VocabArrays *v, int64_t rows, Arena *arena)
{
    Span *pieces = arena_alloc(arena, (size_t)rows * sizeof *pieces);
    int32_t *kinds = arena_alloc(arena, (size_t)rows * sizeof *kinds);
    float *scores = v->scores ? arena_alloc(arena, (size_t)rows * sizeof *scores) : NULL;
    for (int32_t id = 0; id < rows; id++) {
        if (id < v->n) {
            pieces[id] = v->pieces[id];
            kinds[id] = v->kinds[id];
        } else {
            char *name = arena_alloc(arena, 24);
            pieces[id] = (Span){name, (size_t)snprintf(name, 24, "[PAD%d]", id)};
            kinds[id] = PIECE_UNUSED;
        }
        if (scores)
            scores[id] = id < v->n ? v->scores[id] : -1e6f;
    }
    v->pieces = pieces;
    v->kinds = kinds;
    v->scores = scores;
    v->n = (int32_t)rows;
}

static void put_id(GgufWriter *w, const char *key, int32_t id)
{
    if (id >= 0)
        gguf_put_u32(w, key, (uint32_t)id);
}

/* Own keys: only where they say something. */
static void put_true(GgufWriter *w, const char *key, bool value)
{
    if (value)
        gguf_put_bool(w, key, true);
}

static void put_ends(GgufWriter *w, const Ids *ends, int32_t eos)
{
    static const char *const keys[] = {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
    for (size_t i = 0, next = 0; ends && i < ends->n && next < 2; i++)
        if (ends->at[i] != eos)
            gguf_put_u32(w, keys[next++], (uint32_t)ends->at[i]);
}

static void put_arrays(GgufWriter *w, const VocabArrays *v)
{
    bool spm = v->kind == VOCAB_SPM;
    gguf_put_text(w, "tokenizer.ggml.model", span(spm ? "llama" : "gpt2"));
    gguf_put_text(w, "tokenizer.ggml.pre", span(spm || !v->pre ? "default" : v->pre));
    gguf_put_texts(w, "tokenizer.ggml.tokens", v->pieces, v->n);
    if (v->scores)
        gguf_put_floats(w, "tokenizer.ggml.scores", v->scores, v->n);
    gguf_put_ints(w, "tokenizer.ggml.token_type", v->kinds, v->n);
    if (v->merges_n)
        gguf_put_texts(w, "tokenizer.ggml.merges", v->merges, v->merges_n);
    put_id(w, "tokenizer.ggml.bos_token_id", v->bos);
    put_id(w, "tokenizer.ggml.eos_token_id", v->eos);
    put_id(w, "tokenizer.ggml.unknown_token_id", v->unk);
    put_id(w, "tokenizer.ggml.padding_token_id", v->pad);
    gguf_put_bool(w, "tokenizer.ggml.add_bos_token", v->add_bos);
    gguf_put_bool(w, "tokenizer.ggml.add_eos_token", v->add_eos);
    gguf_put_bool(w, "tokenizer.ggml.add_space_prefix", v->add_space_prefix);
    put_true(w, "tokenizer.ggml.remove_extra_whitespaces", v->remove_extra_spaces);
    put_true(w, "lemur.tokenizer.no_bos", spm && v->bos < 0);
    put_true(w, "lemur.tokenizer.no_eos", spm && v->eos < 0);
    put_true(w, "lemur.tokenizer.no_unknown", spm && v->unk < 0);
    put_true(w, "lemur.tokenizer.prefix_first", v->prefix_first);
    put_true(w, "lemur.tokenizer.prefix_unless_space", v->prefix_unless_space);
    put_true(w, "lemur.tokenizer.split_at_spaces", v->split_at_spaces);
    put_true(w, "lemur.tokenizer.ignore_merges", v->ignore_merges);
    put_true(w, "lemur.tokenizer.nfc", v->nfc);
}

Status vocab_gguf_write(GgufWriter *w, const Tokenizer *t, int64_t rows, const Ids *ends, const char **lost)
{
    Arena arena = {0};
    VocabArrays v;
    Status st = tokenizer_to_arrays(t, &arena, &v, lost);
    if (st == ST_OK && v.n > rows)
        st = fail(
            ST_ARG,
            "the vocabulary has %d tokens and the model's embedding %lld rows: they do not belong together",
            v.n, (long long)rows);
    if (st == ST_OK) {
        int32_t own = v.n;
        if (own < rows)
            add_fillers(&v, rows, &arena);
        put_arrays(w, &v);
        if (own < rows)
            gguf_put_u32(w, "lemur.tokenizer.size", (uint32_t)own);
        put_ends(w, ends, v.eos);
    }
    arena_drop(&arena);
    return st;
}
