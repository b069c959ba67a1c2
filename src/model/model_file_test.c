#include "model/model_file.h"

#include "model/tiny_test.h"
#include "base/scratch_test.h"
#include "model/gguf_llama.h"
#include "model/gguf_write.h"
#include "model/safetensors.h"

/* The golden folders, each with its own peculiarity: see tests/golden/llama/README.md. */
static void a_folder_gives_every_parameter(void **state)
{
    (void)state;
    static const char *const folders[] = {"gqa", "isolated", "llama3", "tied"};
    for (int i = 0; i < 4; i++) {
        ModelFile *f;
        Params params;
        Safetensors *s;
        char path[64];
        snprintf(path, sizeof path, "tests/golden/llama/%s", folders[i]);
        assert_int_equal(model_file_open(&f, path), ST_OK);
        assert_string_equal(model_file_path(f), path);
        assert_null(model_file_gguf(f));
        params_init(&params, model_file_hparams(f));
        assert_int_equal(safetensors_open_folder(&s, path), ST_OK);
        for (int64_t k = 0; k < params.n; k++) {
            const Param *p = &params.at[k];
            const SafetensorsEntry *e = safetensors_find(s, p->name);
            ModelTensor t;
            model_file_tensor(f, &t, p->kind, p->layer);
            assert_int_equal(t.type, quant_of_dtype(e->dtype));
            assert_int_equal(t.rows, p->rows);
            assert_int_equal(t.cols, p->cols);
            for (int64_t row = 0; row < t.rows; row++)
                assert_memory_equal(model_tensor_row(&t, row),
                                    (const char *)e->data + (size_t)row * quant_bytes(t.type, t.cols),
                                    quant_bytes(t.type, t.cols));
        }
        ModelTensor head, embed;
        model_file_tensor(f, &head, PARAM_HEAD, -1);
        model_file_tensor(f, &embed, PARAM_EMBED, -1);
        assert_int_equal(head.data == embed.data, model_file_hparams(f)->tie_word_embeddings);
        safetensors_close(s);
        params_drop(&params);
        model_file_close(f);
    }
}

static void what_is_no_model_is_refused(void **state)
{
    (void)state;
    ModelFile *f = NULL;
    assert_int_equal(model_file_open(&f, in_scratch("absent")), ST_IO);
    expect_words("absent");
    assert_int_equal(model_file_open(&f, scratch), ST_IO);
    expect_words("config.json");
    assert_null(f);
}

/* Two heads of four rows: stored as 0 2 1 3. */
static void permuted_rows_come_in_order(void **state)
{
    (void)state;
    static const unsigned char stored[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    float rows[8];
    for (int i = 0; i < 8; i++)
        rows[i] = stored[i];
    ModelTensor t = {
        .type = QUANT_F32, .rows = 8, .cols = 1, .data = (const unsigned char *)rows, .permuted_heads = 2};
    for (int i = 0; i < 8; i++) {
        float x;
        memcpy(&x, model_tensor_row(&t, i), sizeof x);
        assert_true(x == (float)i);
    }
}

/* A small GGUF file whose tensors are written one by one, so that each can be wrong. */
typedef struct {
    const char *skip;       /* this one is not there                 */
    const char *other_type; /* this one is of `type`                 */
    QuantType type;
    const char *other_rows; /* this one has a row more               */
    const char *more;       /* and this one is there as well         */
    bool layers_lie;        /* the keys claim four thousand of them  */
} Wrong;

enum { SMALL_C = 32 };

static void declare(GgufWriter *w, Str *data, const Wrong *wrong, const char *name, int64_t rows)
{
    if (wrong->skip && strcmp(wrong->skip, name) == 0)
        return;
    QuantType t = wrong->other_type && strcmp(wrong->other_type, name) == 0 ? wrong->type : QUANT_F32;
    if (wrong->other_rows && strcmp(wrong->other_rows, name) == 0)
        rows++;
    gguf_declare(w, name, t, rows, SMALL_C);
    for (size_t i = 0; i < quant_bytes(t, SMALL_C) * (size_t)(rows ? rows : 1); i++)
        str_addc(data, 0);
}

static void write_small(const char *file, const Wrong *wrong)
{
    static const char *const matrices[] = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up",
                                           "ffn_down", "attn_norm", "ffn_norm"};
    static const char *const keys[] = {"context_length", "embedding_length", "feed_forward_length",
                                       "attention.head_count"};
    static const uint32_t values[] = {64, SMALL_C, SMALL_C, 2};
    char name[64];
    Str data = {0};
    GgufWriter *w = gguf_writer_new();
    gguf_put_text(w, "general.architecture", span("llama"));
    gguf_put_u32(w, "llama.block_count", wrong->layers_lie ? 4000 : 1);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "llama.%s", keys[i]);
        gguf_put_u32(w, name, values[i]);
    }
    gguf_put_f32(w, "llama.attention.layer_norm_rms_epsilon", 1e-6f);
    declare(w, &data, wrong, "token_embd.weight", 9);
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "blk.0.%s.weight", matrices[i]);
        declare(w, &data, wrong, name, i < 7 ? SMALL_C : 0);
    }
    declare(w, &data, wrong, "output_norm.weight", 0);
    if (wrong->more)
        declare(w, &data, wrong, wrong->more, 9);
    assert_int_equal(gguf_begin(w, in_scratch(file)), ST_OK);
    assert_int_equal(gguf_write(w, data.at, data.n), ST_OK);
    assert_int_equal(gguf_commit(w), ST_OK);
    gguf_writer_free(w);
    str_drop(&data);
}

static void expect_refused(const Wrong *wrong, Status status, const char *words)
{
    ModelFile *f = NULL;
    write_small("bad.gguf", wrong);
    assert_int_equal(model_file_open(&f, in_scratch("bad.gguf")), status);
    assert_null(f);
    expect_words(words);
    expect_words("bad.gguf");
}

static void what_a_gguf_must_hold(void **state)
{
    (void)state;
    ModelFile *f;
    write_small("good.gguf", &(Wrong){0});
    assert_int_equal(model_file_open(&f, in_scratch("good.gguf")), ST_OK);
    assert_true(model_file_hparams(f)->tie_word_embeddings);
    assert_int_equal(model_file_hparams(f)->vocab_size, 9);
    assert_true(model_file_hparams(f)->rms_norm_eps == 1e-6);
    model_file_close(f);
    write_small("good.gguf", &(Wrong){.more = "output.weight"});
    assert_int_equal(model_file_open(&f, in_scratch("good.gguf")), ST_OK);
    assert_false(model_file_hparams(f)->tie_word_embeddings);
    model_file_close(f);
    expect_refused(&(Wrong){.skip = "blk.0.ffn_up.weight"}, ST_FORMAT,
                   "tensor blk.0.ffn_up.weight is missing");
    expect_refused(&(Wrong){.skip = "token_embd.weight"}, ST_FORMAT, "tensor token_embd.weight is missing");
    expect_refused(&(Wrong){.other_rows = "blk.0.attn_k.weight"}, ST_FORMAT, "32 columns and 33 rows");
    expect_refused(&(Wrong){.more = "blk.0.attn_q.bias"}, ST_UNSUPPORTED, "biases are not computed");
    expect_refused(&(Wrong){.more = "blk.1.attn_q.weight"}, ST_FORMAT, "not part of a Llama");
    expect_refused(&(Wrong){.layers_lie = true}, ST_FORMAT, "4000 layers need");
}

/* Every type that tensor/quant.h knows serves as a weight. */
static void all_types_are_weights(void **state)
{
    (void)state;
    for (int t = 0; t < QUANT_TYPES; t++) {
        if (!quant_fits((QuantType)t, SMALL_C))
            continue;
        ModelFile *f;
        ModelTensor one;
        write_small("typed.gguf", &(Wrong){.other_type = "blk.0.attn_q.weight", .type = (QuantType)t});
        assert_int_equal(model_file_open(&f, in_scratch("typed.gguf")), ST_OK);
        model_file_tensor(f, &one, PARAM_Q, 0);
        assert_int_equal(one.type, t);
        assert_int_equal(one.permuted_heads, 2);
        model_file_close(f);
    }
}

/* Made as llama.cpp's converter makes them; the folder is what it was made from. */
static void another_writers_model_is_the_folders(void **state)
{
    (void)state;
    ModelFile *folder, *gguf;
    assert_int_equal(model_file_open(&folder, "tests/golden/llama/llama3"), ST_OK);
    assert_int_equal(model_file_open(&gguf, "tests/golden/quant/llama3.gguf"), ST_OK);
    assert_non_null(model_file_gguf(gguf));
    const Params *p = model_file_params(folder);
    for (int64_t i = 0; i < p->n; i++) {
        ModelTensor a, b;
        model_file_tensor(folder, &a, p->at[i].kind, p->at[i].layer);
        model_file_tensor(gguf, &b, p->at[i].kind, p->at[i].layer);
        assert_int_equal(a.rows, b.rows);
        for (int64_t row = 0; row < a.rows; row++)
            assert_memory_equal(model_tensor_row(&a, row), model_tensor_row(&b, row),
                                quant_bytes(a.type, a.cols));
    }
    model_file_close(folder);
    model_file_close(gguf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_gives_every_parameter),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(permuted_rows_come_in_order),
        cmocka_unit_test(what_a_gguf_must_hold),
        cmocka_unit_test(all_types_are_weights),
        cmocka_unit_test(another_writers_model_is_the_folders),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
