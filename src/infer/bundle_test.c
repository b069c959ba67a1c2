#include "infer/bundle.h"

#include "base/scratch_test.h"
#include "infer/cycle_test.h"
#include "infer/generate.h"
#include "infer/vocab_gguf.h"
#include "model/quantize_model.h"

/* A model of `vocab` rows beside the tokenizer of CYCLE_TOKENS. */
static void save(int64_t vocab)
{
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    Model *m = cycle_model(dev, vocab, 8);
    assert_int_equal(model_save(m, scratch, DTYPE_BF16), ST_OK);
    cycle_write_tokenizer(scratch);
    model_close(m);
    device_close(dev);
}

static bool keep(void *context, const RequestEvent *event)
{
    str_add(context, event->text.at, event->text.n);
    return true;
}

static void a_folder_written_is_opened_and_writes(void **state)
{
    (void)state;
    save(CYCLE_V);
    static const DType types[] = {DTYPE_COUNT, DTYPE_BF16, DTYPE_F32};
    for (int i = 0; i < 3; i++) {
        Bundle b;
        Engine *e;
        EngineSetup passes = {.inline_passes = true};
        RequestResult r;
        Str text = {0};
        BundleSetup setup = {.threads = 1, .compute = types[i]};
        if (bundle_open(&b, scratch, &setup) != ST_OK)
            fail_msg("%s", error_text());
        assert_int_equal(b.ends.n, 1);
        RequestSpec spec = request_spec(NULL, 0);
        spec.max_tokens = 40;
        spec.ends = b.ends.at;
        spec.ends_n = b.ends.n;
        assert_int_equal(engine_open(&e, b.decoder, b.tokenizer, &passes), ST_OK);
        assert_int_equal(generate_text(e, b.tokenizer, span("o"), TOK_BOS, &spec, keep, &text, &r), ST_OK);
        assert_string_equal(str_c(&text), "pqrst\xC3\xA9");
        engine_close(e);
        str_drop(&text);
        bundle_close(&b);
    }
}

/* The likeliest token behind `id` at the front of a text. */
static int32_t next_of(const Bundle *b, int32_t id)
{
    static const int32_t pages[] = {0};
    float logits[CYCLE_V];
    int32_t best = 0;
    DecoderRun run = {.ids = &id, .n = 1, .pages = pages, .logits = 1};
    if (decoder_pass(b->decoder, &run, 1, logits) != ST_OK)
        fail_msg("%s", error_text());
    for (int32_t i = 1; i < CYCLE_V; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

static void a_folder_is_opened_for_decoding(void **state)
{
    (void)state;
    save(CYCLE_V);
    static const DType types[] = {DTYPE_COUNT, DTYPE_BF16, DTYPE_F32};
    for (int i = 0; i < 3; i++) {
        Bundle b;
        ChatTemplate *template;
        BundleSetup setup = {.threads = 1, .compute = types[i]};
        if (bundle_open(&b, scratch, &setup) != ST_OK)
            fail_msg("%s", error_text());
        const DecoderSetup *d = decoder_setup(b.decoder);
        assert_int_equal(d->context, 64);
        assert_int_equal(d->pages, 1);
        assert_int_equal(d->max_rows, BUNDLE_ROWS);
        assert_int_equal(d->max_logits, BUNDLE_LOGITS);
        for (int32_t id = CYCLE_A; id < CYCLE_BYTES; id++)
            assert_int_equal(next_of(&b, id), cycle_next(id));
        assert_int_equal(bundle_chat_template(&b, &template), ST_OK);
        assert_null(template);
        bundle_close(&b);
    }
    BundleSetup asked = {
        .threads = 1, .compute = DTYPE_F32, .context = 100, .pages = 7, .max_rows = 20, .max_logits = 3};
    Bundle b;
    assert_int_equal(bundle_open(&b, scratch, &asked), ST_OK);
    const DecoderSetup *d = decoder_setup(b.decoder);
    assert_true(d->context == 100 && d->pages == 7 && d->max_rows == 20 && d->max_logits == 3);
    bundle_close(&b);
}

/* The folder as a GGUF file with a chat template; a path that lasts as in_scratch's. */
static const char *save_gguf(void)
{
    static const char jinja[] = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
                                "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}";
    const char *path = in_scratch("model.gguf"), *lost;
    ModelFile *f;
    Tokenizer *t;
    QuantPlan plan;
    assert_int_equal(model_file_open(&f, scratch), ST_OK);
    assert_int_equal(tokenizer_open(&t, scratch), ST_OK);
    WeightSource source = weight_source_file(f);
    GgufWriter *w = gguf_writer_new();
    quantize_plan(&plan, source.params, quantize_mix_find("BF16"), false);
    quantize_declare(w, source.params, &plan);
    int32_t more[] = {7};
    Ids ends = {.at = more, .n = 1};
    if (vocab_gguf_write(w, t, source.params->h.vocab_size, &ends, &lost) != ST_OK)
        fail_msg("%s", error_text());
    gguf_put_text(w, "tokenizer.chat_template", span(jinja));
    assert_int_equal(quantize_write_gguf(&source, &plan, w, path, 1), ST_OK);
    gguf_writer_free(w);
    quantize_plan_drop(&plan);
    tokenizer_close(t);
    model_file_close(f);
    return path;
}

static void a_gguf_file_is_opened_for_decoding(void **state)
{
    (void)state;
    Bundle b;
    ChatTemplate *template;
    BundleSetup setup = {.threads = 1, .compute = DTYPE_F32};
    save(CYCLE_V);
    const char *path = save_gguf();
    if (bundle_open(&b, path, &setup) != ST_OK)
        fail_msg("%s", error_text());
    for (int32_t id = CYCLE_A; id < CYCLE_BYTES; id++)
        assert_int_equal(next_of(&b, id), cycle_next(id));
    assert_int_equal(b.ends.n, 2);
    assert_true(b.ends.at[0] == CYCLE_END && b.ends.at[1] == 7);
    if (bundle_chat_template(&b, &template) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(chat_template_name(template), "chatml");
    chat_template_free(template);
    bundle_close(&b);
    remove(path);
}

static void every_end_of_text_is_found(void **state)
{
    (void)state;
    static const char more[] = "{\"eos_token_id\": [2, 7, 9, 7, -1, 4000, \"x\"]}";
    save(CYCLE_V);
    char *path = path_join(scratch, "generation_config.json");
    assert_int_equal(file_replace(path, more, sizeof more - 1), ST_OK);
    Bundle b;
    BundleSetup setup = {.threads = 1, .compute = DTYPE_F32, .context = 10};
    assert_int_equal(bundle_open(&b, scratch, &setup), ST_OK);
    assert_int_equal(b.ends.n, 3);
    assert_int_equal(b.ends.at[2], 9);
    assert_int_equal(decoder_setup(b.decoder)->context, 10);
    bundle_close(&b);
    remove(path);
    mem_free(path);
}

static void vocabularies_that_differ_are_refused(void **state)
{
    (void)state;
    Bundle b;
    BundleSetup setup = {.threads = 1, .compute = DTYPE_F32};
    save(CYCLE_TOKENS - 1);
    assert_int_equal(bundle_open(&b, scratch, &setup), ST_FORMAT);
    assert_non_null(strstr(error_text(), "do not belong together"));
    assert_null(b.decoder);
    save(CYCLE_TOKENS + 5000); /* as --padded-vocab may train it */
    assert_int_equal(bundle_open(&b, scratch, &setup), ST_OK);
    bundle_close(&b);
    assert_int_equal(bundle_open(&b, "/absent", &setup), ST_IO);
    assert_null(b.dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_written_is_opened_and_writes),
        cmocka_unit_test(a_folder_is_opened_for_decoding),
        cmocka_unit_test(a_gguf_file_is_opened_for_decoding),
        cmocka_unit_test(every_end_of_text_is_found),
        cmocka_unit_test(vocabularies_that_differ_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
