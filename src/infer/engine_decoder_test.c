/* The engine over a real decoder: random weights, two threads, both compute types.  The same request gives
 * the same bits in any company, with and without the cache, in whatever pieces its prompt was read. */
#include "base/names_in_test.h"
#include "model/model.h"
#include "ops/select.h"

#include "infer/answers_test.h"

enum { N = 12, CONTEXT = 320 };

static Model *open_model(Device *dev, DType compute)
{
    HParams h = {
        .vocab_size = FAKE_V,
        .hidden_size = 64,
        .intermediate_size = 96,
        .num_hidden_layers = 2,
        .num_attention_heads = 4,
        .num_key_value_heads = 2,
        .head_dim = 16,
        .max_position_embeddings = CONTEXT,
        .rms_norm_eps = 1e-5,
        .rope_theta = 10000,
        .bos_token_id = 1,
        .eos_token_id = FAKE_END,
    };
    ModelSetup setup = {.batch = 1, .context = CONTEXT, .compute = compute, .training = true};
    Model *m = NULL;
    if (model_open(&m, dev, &h, &setup) != ST_OK)
        fail_msg("%s", error_text());
    model_init(m, 3);
    Tensor w = model_weights(m);
    for (int64_t i = 0; i < w.cols; i++) /* far from even, so that greedy answers differ */
        ((float *)w.data)[i] *= 2;
    model_weights_changed(m);
    return m;
}

static Engine *open_engine(Model *m, DType compute, Decoder **d, int64_t rows, int64_t pages,
                           const EngineSetup *setup)
{
    DecoderSetup decoder = {
        .max_rows = rows, .max_logits = 8, .pages = pages, .context = CONTEXT, .compute = compute};
    Engine *e = NULL;
    if (decoder_open_model(d, m, &decoder) != ST_OK || engine_open(&e, *d, NULL, setup) != ST_OK)
        fail_msg("%s", error_text());
    return e;
}

static void make_spec(RequestSpec *spec, int32_t *ids, int i)
{
    int64_t n = 3 + (i * 37) % 200;
    fill_ids(ids, n, (uint64_t)i + 9);
    fill_ids(ids, n < 90 + i ? n : 90 + i, (uint64_t)i % 3);
    *spec = spec_of(ids, n, 5);
    spec->sampler.temperature = i % 2 ? 0.9 : 0;
    spec->sampler.seed = (uint64_t)i;
    spec->logprobs = true;
    spec->top_logprobs = 2;
    spec->prompt_logprobs = i % 5 == 0;
}

static void expect_same_bits(DType compute)
{
    static const struct {
        int64_t rows, pages;
        EngineSetup setup;
    } ways[] = {{48, 9, {.prefill_rows = 7}}, {200, 60, {0}}, {24, 40, {.no_prefix_cache = true}}};
    Device *dev;
    Decoder *d;
    RequestSpec specs[N];
    Answer alone[N];
    static int32_t ids[N][256];
    EngineSetup by_itself = {.inline_passes = true, .no_prefix_cache = true};
    assert_int_equal(ops_open(&dev, NULL, 2), ST_OK);
    Model *m = open_model(dev, compute);
    Engine *e = open_engine(m, compute, &d, 256, 8, &by_itself);
    for (int i = 0; i < N; i++) {
        make_spec(&specs[i], ids[i], i);
        alone[i] = ask(e, &specs[i]);
        assert_int_equal(alone[i].st, ST_OK);
    }
    engine_close(e);
    decoder_close(d);
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        Request *requests[N];
        e = open_engine(m, compute, &d, ways[way].rows, ways[way].pages, &ways[way].setup);
        for (int i = 0; i < N; i++)
            requests[i] = submit(e, &specs[i]);
        for (int i = 0; i < N; i++) {
            Answer a = read_all(requests[i]);
            expect_same(&alone[i], &a);
            drop_answer(&a);
        }
        EngineStats stats = engine_stats(e);
        assert_int_equal(stats.pages_free + stats.pages_cached, ways[way].pages);
        assert_true((stats.cached_tokens > 0) != ways[way].setup.no_prefix_cache);
        engine_close(e);
        decoder_close(d);
    }
    for (int i = 0; i < N; i++)
        drop_answer(&alone[i]);
    model_close(m);
    device_close(dev);
}

static void the_same_bits_in_f32(void **state)
{
    (void)state;
    expect_same_bits(DTYPE_F32);
}

static void the_same_bits_in_bf16(void **state)
{
    (void)state;
    expect_same_bits(DTYPE_BF16);
}

/* The engine's thread and its one helper beside this: what helped to open the model is gone.  A third helper would be
 * one thread more than two processors have, and OpenMP's then sleep between operations (device_leave). */
static void threads_are_no_more_than_processors(void **state)
{
    (void)state;
    Device *dev;
    Decoder *d;
    RequestSpec spec;
    int32_t ids[256];
    EngineSetup setup = {.threads = 1};
    assert_int_equal(ops_open(&dev, NULL, 2), ST_OK);
    Model *m = open_model(dev, DTYPE_F32);
    Engine *e = open_engine(m, DTYPE_F32, &d, 48, 9, &setup);
    make_spec(&spec, ids, 1);
    Answer a = ask(e, &spec);
    assert_int_equal(a.st, ST_OK);
    expect_threads(3);
    drop_answer(&a);
    engine_close(e);
    decoder_close(d);
    model_close(m);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_in_f32),
        cmocka_unit_test(the_same_bits_in_bf16),
        cmocka_unit_test(threads_are_no_more_than_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
