#include "model/weights.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/safetensors.h"
#include "base/scratch_test.h"

static HParams small(bool tied)
{
    return (HParams){
        .vocab_size = 13, .hidden_size = 12, .intermediate_size = 10, .num_hidden_layers = 2,
        .num_attention_heads = 3, .num_key_value_heads = 1, .head_dim = 4, .max_position_embeddings = 32,
        .rms_norm_eps = 1e-5, .rope_theta = 10000, .tie_word_embeddings = tied,
        .bos_token_id = 1, .eos_token_id = 2,
    };
}

/* Numbers that bf16 and f16 both hold exactly. */
static float *make_flat(const Params *p)
{
    float *flat = mem_array(float, p->total);
    Rng r;
    rng_seed(&r, 5);
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = 0; k < p->at[i].rows * p->at[i].cols; k++)
            flat[p->at[i].offset + k] = ((float)rng_below(&r, 255) - 127) / 64;
    return flat;
}

static Params written(bool tied, float **flat)
{
    Params p;
    HParams h = small(tied);
    params_init(&p, &h);
    *flat = make_flat(&p);
    assert_int_equal(weights_write(&p, scratch, *flat, DTYPE_F32, *flat + p.matrices, DTYPE_F32), ST_OK);
    return p;
}

static void put_flat(void *flat, const Param *p, int64_t first, const float *values, int64_t n)
{
    memcpy((float *)flat + p->offset + first, values, (size_t)n * sizeof *values);
}

/* Into flat[p->total], in the order of the table. */
static Status read_flat(const Params *p, const char *folder, float *flat)
{
    return weights_read(p, folder, put_flat, flat);
}

static void every_type_comes_back(void **state)
{
    (void)state;
    for (int tied = 0; tied < 2; tied++) {
        float *flat;
        Params p = written(tied, &flat);
        for (DType d = DTYPE_F32; d <= DTYPE_F16; d++) {
            float *again = mem_array(float, p.total);
            assert_int_equal(weights_write(&p, in_scratch("typed"), flat, DTYPE_F32, flat + p.matrices, d),
                             ST_OK);
            if (read_flat(&p, in_scratch("typed"), again) != ST_OK)
                fail_msg("%s", error_text());
            assert_memory_equal(again, flat, (size_t)p.total * sizeof *flat);
            mem_free(again);
        }
        mem_free(flat);
        params_drop(&p);
    }
}

static void bf16_matrices_are_written_as_they_are(void **state)
{
    (void)state;
    float *flat;
    Params p = written(false, &flat);
    uint16_t *copy = mem_array(uint16_t, p.matrices);
    for (int64_t i = 0; i < p.matrices; i++)
        copy[i] = bf16_from_f32(flat[i]);
    float *again = mem_array(float, p.total);
    assert_int_equal(weights_write(&p, scratch, copy, DTYPE_BF16, flat + p.matrices, DTYPE_BF16), ST_OK);
    assert_int_equal(read_flat(&p, scratch, again), ST_OK);
    assert_memory_equal(again, flat, (size_t)p.total * sizeof *flat);
    mem_free(again);
    mem_free(copy);
    mem_free(flat);
    params_drop(&p);
}

/* Writes the folder's tensors anew as the caller changed them: items[0 .. p.n) are the parameters. */
typedef struct {
    Params p;
    float *flat;
    SafetensorsItem items[32];
    int64_t n;
} Altered;

static Altered alter_start(bool tied)
{
    Altered a = {0};
    a.p = written(tied, &a.flat);
    for (int64_t i = 0; i < a.p.n; i++) {
        const Param *one = &a.p.at[i];
        bool vector = one->kind >= PARAM_INPUT_NORM;
        a.items[a.n++] = (SafetensorsItem){
            .name = one->name, .dtype = DTYPE_F32, .ndim = vector ? 1 : 2,
            .shape = {vector ? one->cols : one->rows, one->cols},
            .source_dtype = DTYPE_F32, .source = a.flat + one->offset};
    }
    return a;
}

static Status alter_read(Altered *a)
{
    float *again = mem_array(float, a->p.total);
    assert_int_equal(safetensors_write_folder(scratch, a->items, a->n, 0), ST_OK);
    Status st = read_flat(&a->p, scratch, again);
    if (st == ST_OK)
        assert_memory_equal(again, a->flat, (size_t)a->p.total * sizeof *again);
    mem_free(again);
    return st;
}

static void alter_end(Altered *a)
{
    mem_free(a->flat);
    params_drop(&a->p);
}

static void missing_tensors_are_named(void **state)
{
    (void)state;
    Altered a = alter_start(false);
    assert_int_equal(alter_read(&a), ST_OK);
    a.n--;
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("tensor model.norm.weight is missing");
    a.n = 1;
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("tensor model.layers.0.self_attn.q_proj.weight is missing, and ");
    alter_end(&a);

    a = alter_start(false);
    for (int64_t i = 0; i < a.n; i++)
        if (strcmp(a.items[i].name, "lm_head.weight") == 0)
            a.items[i--] = a.items[--a.n];
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("tie_word_embeddings");
    alter_end(&a);
}

static void misshapen_and_mistyped_tensors_are_named(void **state)
{
    (void)state;
    Altered a = alter_start(false);
    SafetensorsItem *k = &a.items[2];
    int64_t rows = k->shape[0];
    k->shape[0] = 3;
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("model.layers.0.self_attn.k_proj.weight has the shape [3, 12] where config.json asks for "
                 "[4, 12]");
    k->shape[0] = rows * k->shape[1];
    k->ndim = 1;
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("has the shape [48]");
    k->shape[0] = rows;
    k->ndim = 2;
    k->dtype = k->source_dtype = DTYPE_I32;
    assert_int_equal(alter_read(&a), ST_UNSUPPORTED);
    expect_words("type I32");
    alter_end(&a);
}

static void unexpected_tensors_are_named_and_old_buffers_passed_over(void **state)
{
    (void)state;
    Altered a = alter_start(false);
    float buffer[2] = {1, 0.1f};
    a.items[a.n++] = (SafetensorsItem){.name = "model.layers.0.self_attn.rotary_emb.inv_freq",
                                       .dtype = DTYPE_F32, .ndim = 1,
                                       .shape = {2}, .source_dtype = DTYPE_F32, .source = buffer};
    assert_int_equal(alter_read(&a), ST_OK);
    a.items[a.n - 1].name = "model.layers.0.self_attn.q_proj.bias";
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("tensor model.layers.0.self_attn.q_proj.bias is not part of a Llama");
    alter_end(&a);
}

static void a_tied_head_may_be_there_if_it_is_equal(void **state)
{
    (void)state;
    Altered a = alter_start(true);
    assert_int_equal(alter_read(&a), ST_OK);
    float head[13 * 12];
    memcpy(head, a.flat, sizeof head);
    a.items[a.n++] = (SafetensorsItem){.name = "lm_head.weight", .dtype = DTYPE_BF16, .ndim = 2,
                                       .shape = {13, 12},
                                       .source_dtype = DTYPE_F32, .source = head};
    assert_int_equal(alter_read(&a), ST_OK);
    head[155] += 1;
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("lm_head.weight differs");
    a.items[a.n - 1].shape[0] = 12;
    assert_int_equal(alter_read(&a), ST_FORMAT);
    expect_words("lm_head.weight has the shape [12, 12]");
    alter_end(&a);
}

static void another_shape_of_model_is_refused_before_anything_is_read(void **state)
{
    (void)state;
    float *flat, *again;
    Params p = written(false, &flat);
    again = mem_array(float, p.total);
    p.h.rope_theta = 500000;
    assert_int_equal(read_flat(&p, scratch, again), ST_FORMAT);
    expect_words("rope_theta 10000 and the model that is to hold its weights has 500000");
    for (int64_t i = 0; i < p.total; i++)
        assert_true(again[i] == 0);
    mem_free(flat);
    mem_free(again);
    params_drop(&p);
}

typedef struct {
    int64_t next, total, calls;
    const Param *last;
} Order;

static void note_order(void *context, const Param *p, int64_t first, const float *values, int64_t n)
{
    Order *o = context;
    (void)values;
    assert_true(p == o->last ? first == o->next : first == 0 && (!o->last || p == o->last + 1));
    o->last = p;
    o->next = first + n;
    o->total += n;
    o->calls++;
}

static void values_come_in_order_and_each_once(void **state)
{
    (void)state;
    float *flat;
    Params p = written(false, &flat);
    Order o = {0};
    assert_int_equal(weights_read(&p, scratch, note_order, &o), ST_OK);
    assert_int_equal(o.total, hparams_param_count(&p.h));
    assert_true(o.calls >= p.n);
    mem_free(flat);
    params_drop(&p);
}

static void other_types_are_not_written(void **state)
{
    (void)state;
    float *flat;
    Params p = written(false, &flat);
    assert_int_equal(weights_write(&p, scratch, flat, DTYPE_F32, flat + p.matrices, DTYPE_F64), ST_ARG);
    mem_free(flat);
    params_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back),
        cmocka_unit_test(bf16_matrices_are_written_as_they_are),
        cmocka_unit_test(missing_tensors_are_named),
        cmocka_unit_test(misshapen_and_mistyped_tensors_are_named),
        cmocka_unit_test(unexpected_tensors_are_named_and_old_buffers_passed_over),
        cmocka_unit_test(a_tied_head_may_be_there_if_it_is_equal),
        cmocka_unit_test(another_shape_of_model_is_refused_before_anything_is_read),
        cmocka_unit_test(values_come_in_order_and_each_once),
        cmocka_unit_test(other_types_are_not_written),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
