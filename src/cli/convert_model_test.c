#include "cli/convert_model.h"

#include <sys/wait.h>

#include "base/log.h"
#include "base/scratch_test.h"
#include "infer/vocab_gguf.h"
#include "model/model_file.h"

static Status convert_over(const char *in, const char *out, const char *type, bool overwrite)
{
    json_t *result = NULL;
    char *from = in ? scratch_path(in) : NULL, *to = scratch_path(out);
    ConvertJob job = {.in = from,
                      .out = to,
                      .type = type,
                      .preset = "5m",
                      .vocab = in ? NULL : "400",
                      .seed = 1,
                      .overwrite = overwrite,
                      .threads = 2};
    Status st = convert_model(&job, &result);
    json_decref(result);
    mem_free(from);
    mem_free(to);
    return st;
}

static Status convert(const char *in, const char *out, const char *type)
{
    return convert_over(in, out, type, false);
}

static void expect_same(const char *a, const char *b)
{
    Str x = scratch_read(a), y = scratch_read(b);
    if (x.n != y.n || memcmp(x.at, y.at, x.n) != 0)
        fail_msg("%s and %s differ", a, b);
    str_drop(&x);
    str_drop(&y);
}

/* The model of all tests: random, with a template and two ends. */
static int make_model(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    log_level_set(LOG_ERROR);
    if (convert(NULL, "model", "f32") != ST_OK)
        return -1;
    scratch_text("model/chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}");
    scratch_text("model/generation_config.json", "{\"eos_token_id\": [2, 7]}");
    return 0;
}

static void there_and_back_again(void **state)
{
    (void)state;
    assert_int_equal(convert("model", "m.gguf", NULL), ST_OK);
    assert_int_equal(convert("m.gguf", "back", "f32"), ST_OK);
    expect_same("model/model.safetensors", "back/model.safetensors");
    expect_same("model/config.json", "back/config.json");
    expect_same("model/tokenizer.model", "back/tokenizer.model");
    Str config = scratch_read("back/tokenizer_config.json"),
        generation = scratch_read("back/generation_config.json");
    assert_non_null(strstr(config.at, "{% for m in messages %}"));
    assert_non_null(strstr(generation.at, "7"));
    str_drop(&config);
    str_drop(&generation);
    /* from there to GGUF, the template now in tokenizer_config.json: the same file */
    assert_int_equal(convert("back", "again.gguf", NULL), ST_OK);
    Gguf *a, *b;
    Span s, t;
    assert_int_equal(gguf_open(&a, in_scratch("m.gguf")), ST_OK);
    assert_int_equal(gguf_open(&b, in_scratch("again.gguf")), ST_OK);
    assert_int_equal(vocab_gguf_template(a, &s), ST_OK);
    assert_int_equal(vocab_gguf_template(b, &t), ST_OK);
    assert_true(s.n == t.n && memcmp(s.at, t.at, s.n) == 0);
    assert_int_equal(gguf_count(a), gguf_count(b));
    gguf_close(a);
    gguf_close(b);
}

static void folders_become_folders(void **state)
{
    (void)state;
    assert_int_equal(convert("model", "half", "bf16"), ST_OK);
    expect_same("model/tokenizer.model", "half/tokenizer.model");
    expect_same("model/chat_template.jinja", "half/chat_template.jinja");
    ModelFile *f;
    ModelTensor t;
    assert_int_equal(model_file_open(&f, in_scratch("half")), ST_OK);
    model_file_tensor(f, &t, PARAM_Q, 0);
    assert_int_equal(t.type, QUANT_BF16);
    model_file_close(f);
}

static void expect_in(const char *name, const char *words)
{
    Str text = scratch_read(name);
    if (!strstr(str_c(&text), words))
        fail_msg("%s does not say %s: %s", name, words, str_c(&text));
    str_drop(&text);
}

/* Beside another vocabulary, too, a model keeps its template and its ends. */
static void another_vocabulary_takes_template_and_ends(void **state)
{
    static const char *const inputs[] = {"model", "spoken.gguf"}, *const vocabularies[] = {"lone", "kept"};
    (void)state;
    assert_int_equal(convert("model", "spoken.gguf", NULL), ST_OK);
    assert_int_equal(convert("model", "kept", NULL), ST_OK); /* with tokenizer_config.json, and its own */
    scratch_text("kept/chat_template.jinja", "{{ 'another' }}");
    Str model = scratch_read("model/tokenizer.model");
    assert_int_equal(folder_make(in_scratch("lone")), ST_OK);
    scratch_write("lone/tokenizer.model", model.at, model.n);
    str_drop(&model);
    for (int i = 0; i < 2; i++) {
        char *in = scratch_path(inputs[i]), *vocab = scratch_path("lone"),
             *out = scratch_path("spoken2.gguf");
        ConvertJob job = {.in = in, .out = out, .vocab = vocab, .overwrite = true, .threads = 1};
        json_t *result = NULL;
        Gguf *g;
        Span jinja;
        Ids ends = {0};
        assert_int_equal(convert_model(&job, &result), ST_OK);
        assert_int_equal(gguf_open(&g, out), ST_OK);
        assert_int_equal(vocab_gguf_template(g, &jinja), ST_OK);
        assert_true(span_starts(jinja, "{% for m in messages %}"));
        assert_int_equal(vocab_gguf_ends(g, &ends), ST_OK);
        assert_true(ends.n == 2 && ends.at[0] == 2 && ends.at[1] == 7);
        gguf_close(g);
        array_drop(&ends);
        json_decref(result);
        mem_free(in);
        mem_free(vocab);
        mem_free(out);
    }
    for (int i = 0; i < 4; i++) {
        char *in = scratch_path(inputs[i / 2]), *vocab = scratch_path(vocabularies[i % 2]),
             *out = scratch_path("spoken");
        ConvertJob job = {.in = in, .out = out, .vocab = vocab, .overwrite = true, .threads = 1};
        json_t *result = NULL;
        if (convert_model(&job, &result) != ST_OK)
            fail_msg("%s with %s: %s", inputs[i / 2], vocabularies[i % 2], error_text());
        json_decref(result);
        expect_in(i % 2 ? "spoken/tokenizer_config.json" : "spoken/chat_template.jinja",
                  "{% for m in messages %}");
        assert_int_equal(path_exists(in_scratch("spoken/tokenizer_config.json")), i % 2);
        assert_int_equal(path_exists(in_scratch("spoken/chat_template.jinja")), i % 2 == 0);
        expect_in("spoken/generation_config.json", "7");
        mem_free(in);
        mem_free(vocab);
        mem_free(out);
    }
}

/* Keys that are none of ours go along. */
static void gguf_becomes_gguf(void **state)
{
    (void)state;
    int64_t type;
    Span s;
    Gguf *g;
    assert_int_equal(convert("model", "wide.gguf", "f16"), ST_OK);
    assert_int_equal(convert("wide.gguf", "small.gguf", "Q4_K_M"), ST_OK);
    assert_int_equal(gguf_open(&g, in_scratch("small.gguf")), ST_OK);
    assert_int_equal(gguf_int(g, "general.file_type", 0, &type), ST_OK);
    assert_int_equal(type, 15);
    assert_int_equal(gguf_text(g, "general.name", &s), ST_OK);
    assert_true(span_is(s, "model"));
    assert_int_equal(vocab_gguf_template(g, &s), ST_OK);
    assert_true(s.n > 0);
    assert_int_equal(gguf_tensor_find(g, "token_embd.weight")->type,
                     QUANT_Q6_K); /* the head is the embedding */
    gguf_close(g);
    assert_int_equal(convert("small.gguf", "from_small", NULL), ST_OK);
    ModelFile *f;
    ModelTensor t;
    assert_int_equal(model_file_open(&f, in_scratch("from_small")), ST_OK);
    model_file_tensor(f, &t, PARAM_Q, 0);
    assert_int_equal(t.type, QUANT_BF16);
    model_file_close(f);
}

/* As where adapters that were merged in brought more ids: what is written says how many rows it has. */
static void the_number_of_ids_is_that_of_the_rows(void **state)
{
    (void)state;
    static const char key[] = "llama.vocab_size";
    Gguf *g;
    int64_t ids;
    assert_int_equal(convert("model", "rows.gguf", "f32"), ST_OK);
    Str bytes = scratch_read("rows.gguf");
    char *at = memmem(bytes.at, bytes.n, key, strlen(key));
    assert_non_null(at);
    uint32_t rows, fewer = 398;
    memcpy(&rows, at + strlen(key) + 4, 4); /* behind the type */
    assert_int_equal(rows, 400);
    memcpy(at + strlen(key) + 4, &fewer, 4);
    scratch_write("fewer.gguf", bytes.at, bytes.n);
    str_drop(&bytes);
    assert_int_equal(convert("fewer.gguf", "mended.gguf", "f32"), ST_OK);
    assert_int_equal(gguf_open(&g, in_scratch("mended.gguf")), ST_OK);
    assert_int_equal(gguf_int(g, key, -1, &ids), ST_OK);
    assert_int_equal(ids, 400);
    gguf_close(g);
}

static pid_t dead_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return child;
}

/* A killed conversion leaves a file as large as the model. */
static void what_a_kill_left_goes(void **state)
{
    (void)state;
    char left[64], other[64];
    snprintf(left, sizeof left, "killed.gguf.tmp-%d", (int)dead_process());
    snprintf(other, sizeof other, "other.gguf.tmp-%d", (int)dead_process());
    scratch_text(left, "half a model");
    scratch_text(other, "of another");
    assert_int_equal(convert("model", "killed.gguf", NULL), ST_OK);
    assert_false(path_exists(in_scratch(left)));
    assert_true(path_exists(in_scratch(other)));
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    assert_int_equal(convert("model", "x.gguf", "Q3_K"), ST_ARG);
    expect_words("no type Q3_K; known are F32");
    assert_int_equal(convert("model", "x", "Q8_0"), ST_ARG);
    expect_words("ends in .gguf");
    assert_int_equal(convert("model", "model", "bf16"), ST_ARG);
    expect_words("the input itself");
    assert_int_equal(convert("model", "no/folder/x.gguf", "bf16"), ST_ARG);
    expect_words("no folder");
    assert_int_equal(convert("absent", "x.gguf", "bf16"), ST_IO);
    scratch_text("text.gguf", "not a model at all");
    assert_int_equal(convert("text.gguf", "x.gguf", "bf16"), ST_FORMAT);
    expect_words("no GGUF file");
    assert_int_equal(convert("model", "same.gguf", "bf16"), ST_OK);
    assert_int_equal(convert("same.gguf", "same.gguf", "q8_0"), ST_ARG);
    assert_int_equal(folder_make(in_scratch("dir.gguf")), ST_OK);
    assert_int_equal(convert("model", "dir.gguf", "q8_0"), ST_ARG);
    expect_words("is a folder");
}

static void a_model_is_replaced_on_demand_only(void **state)
{
    (void)state;
    assert_int_equal(convert("model", "taken.gguf", "bf16"), ST_OK);
    assert_int_equal(convert("model", "taken.gguf", "q8_0"), ST_ARG);
    expect_words("taken.gguf is there already; replace it by --overwrite");
    assert_int_equal(convert_over("model", "taken.gguf", "q8_0", true), ST_OK);
    assert_int_equal(convert("model", "taken", "f32"), ST_OK);
    scratch_text("taken/tokenizer.json", "{}");
    scratch_text("taken/special_tokens_map.json", "{}");
    scratch_text("taken/model-00001-of-00002.safetensors", "shard");
    scratch_text("taken/README.md", "a card");
    assert_int_equal(convert("model", "taken", "bf16"), ST_ARG);
    expect_words("taken holds a model's config.json already; replace it by --overwrite");
    /* one that cannot be copied whole changes nothing */
    assert_int_equal(convert("model", "broken", "f32"), ST_OK);
    assert_int_equal(folder_make(in_scratch("broken/vocab.json")), ST_OK);
    assert_int_equal(convert_over("broken", "taken", "bf16", true), ST_IO);
    expect_same("taken/model.safetensors", "model/model.safetensors");
    assert_true(path_exists(in_scratch("taken/tokenizer.json")));
    assert_false(path_exists(in_scratch("taken/.tmp-model")));
    assert_int_equal(convert("broken", "none", "bf16"), ST_IO);
    assert_false(path_exists(in_scratch("none")));
    /* and a good one leaves nothing of the old but what is no model's */
    assert_int_equal(convert_over("model", "taken", "bf16", true), ST_OK);
    FolderList names;
    assert_int_equal(folder_list(&names, in_scratch("taken")), ST_OK);
    static const char *const left[] = {"README.md", "chat_template.jinja", "config.json",
                                       "generation_config.json", "model.safetensors", "tokenizer.model",
                                       "tokenizer_config.json"};
    assert_int_equal(names.n, 7);
    for (int i = 0; i < 7; i++)
        assert_string_equal(names.at[i], left[i]);
    folder_list_drop(&names);
}

static void a_plan_writes_nothing(void **state)
{
    (void)state;
    char *out = scratch_path("planned.gguf"), *in = scratch_path("model");
    json_t *result;
    ConvertJob job = {.in = in, .out = out, .type = "Q4_K_M", .threads = 1, .dry_run = true};
    assert_int_equal(convert_model(&job, &result), ST_OK);
    assert_false(path_exists(out));
    int64_t bytes = json_integer_value(json_object_get(result, "bytes"));
    assert_true(json_is_false(json_object_get(result, "written")));
    json_decref(result);
    job.dry_run = false;
    assert_int_equal(convert_model(&job, &result), ST_OK);
    assert_int_equal(file_size(out), bytes);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result, "tensors"), "F32")), 9);
    json_decref(result);
    mem_free(out);
    mem_free(in);
}

/* Whoever stops it finds what was there before, and nothing beside it. */
static void one_that_is_stopped_leaves_nothing(void **state)
{
    static const sig_atomic_t stop = 1;
    static const char *const outputs[] = {"halt/x.gguf", "halt/x"};
    (void)state;
    assert_int_equal(folder_make(in_scratch("halt")), ST_OK);
    for (int i = 0; i < 2; i++) {
        char *in = scratch_path("model"), *out = scratch_path(outputs[i]);
        ConvertJob job = {.in = in, .out = out, .threads = 2, .stop = &stop};
        json_t *result;
        assert_int_equal(convert_model(&job, &result), ST_CANCELLED);
        mem_free(in);
        mem_free(out);
    }
    FolderList names;
    assert_int_equal(folder_list(&names, in_scratch("halt")), ST_OK);
    assert_int_equal(names.n, 0);
    folder_list_drop(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back_again),
        cmocka_unit_test(folders_become_folders),
        cmocka_unit_test(another_vocabulary_takes_template_and_ends),
        cmocka_unit_test(gguf_becomes_gguf),
        cmocka_unit_test(the_number_of_ids_is_that_of_the_rows),
        cmocka_unit_test(what_a_kill_left_goes),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(a_model_is_replaced_on_demand_only),
        cmocka_unit_test(a_plan_writes_nothing),
        cmocka_unit_test(one_that_is_stopped_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_model, scratch_remove);
}
