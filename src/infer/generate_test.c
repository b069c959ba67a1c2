#include "infer/generate.h"

#include <math.h>

#include "infer/cycle_test.h"

typedef struct {
    Device *dev;
    Model *m;
    Tokenizer *t;
    Generator *g;
    Str text;
    int calls, calls_wanted; /* the sink asks to stop after so many; 0: never */
} Fixture;

static Fixture open_fixture(int64_t context)
{
    Fixture f = {0};
    assert_int_equal(device_open_cpu(&f.dev, 1), ST_OK);
    assert_int_equal(ops_attach(f.dev, NULL), ST_OK);
    f.m = cycle_model(f.dev, CYCLE_V, context);
    f.t = cycle_tokenizer();
    assert_int_equal(generate_open(&f.g, f.m, f.t), ST_OK);
    return f;
}

static void close_fixture(Fixture *f)
{
    generate_close(f->g);
    tokenizer_close(f->t);
    model_close(f->m);
    device_close(f->dev);
    str_drop(&f->text);
}

static bool keep(void *context, const char *text, size_t n)
{
    Fixture *f = context;
    assert_true(n > 0);
    str_add(&f->text, text, n);
    return ++f->calls != f->calls_wanted;
}

static const int32_t ends[] = {CYCLE_END};

static GenerateOptions options(int64_t max_tokens)
{
    return (GenerateOptions){.max_tokens = max_tokens, .sampler = sampler_greedy(), .ends = ends, .ends_n = 1,
                             .prompt_flags = TOK_BOS};
}

static GenerateResult generate(Fixture *f, const char *prompt, const GenerateOptions *o)
{
    GenerateResult r;
    str_clear(&f->text);
    f->calls = 0;
    if (generate_text(f->g, prompt, strlen(prompt), o, keep, f, &r) != ST_OK)
        fail_msg("%s", error_text());
    return r;
}

static void expect(Fixture *f, const char *prompt, const GenerateOptions *o, const char *text,
                   GenerateEnd end)
{
    GenerateResult r = generate(f, prompt, o);
    assert_string_equal(str_c(&f->text), text);
    assert_int_equal(r.end, end);
}

static void text_goes_on_to_its_end(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    GenerateOptions o = options(100);
    GenerateResult r = generate(&f, "a", &o);
    assert_string_equal(str_c(&f.text), "bcdefghijklmnopqrst\xC3\xA9");
    assert_int_equal(r.end, ENDED_BY_TOKEN);
    assert_int_equal(r.prompt_tokens, 3); /* begin, space, a */
    assert_int_equal(r.tokens, 21);
    assert_int_equal(f.calls, 20); /* the two bytes of the last letter come together */
    o.sampler.temperature = 1;     /* the model is certain */
    expect(&f, "xx r", &o, "st\xC3\xA9", ENDED_BY_TOKEN);
    close_fixture(&f);
}

static void length_and_caller_end_it(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    GenerateOptions o = options(3);
    expect(&f, "a", &o, "bcd", ENDED_BY_LENGTH);
    o.max_tokens = 0;
    expect(&f, "a", &o, "", ENDED_BY_LENGTH);
    o.max_tokens = 20;
    expect(&f, "a", &o, "bcdefghijklmnopqrst\xC3", ENDED_BY_LENGTH); /* half a letter, as it is */
    f.calls_wanted = 2;
    expect(&f, "a", &o, "bc", ENDED_BY_CALLER);
    close_fixture(&f);
}

static void stop_strings_end_it_and_are_not_shown(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    static const char *const stops[] = {"zz", "efg", "\xC3\xA9"};
    GenerateOptions o = options(100);
    o.stops = stops;
    o.stops_n = 3;
    GenerateResult r = generate(&f, "a", &o);
    assert_string_equal(str_c(&f.text), "bcd");
    assert_int_equal(r.end, ENDED_BY_STRING);
    assert_int_equal(r.stop, 1);
    assert_int_equal(r.tokens, 6);
    assert_int_equal(f.calls, 3);
    o.max_tokens = 5; /* "ef" was held back, and was text after all */
    expect(&f, "a", &o, "bcdef", ENDED_BY_LENGTH);
    o.max_tokens = 100;
    r = generate(&f, "q", &o);
    assert_string_equal(str_c(&f.text), "rst");
    assert_int_equal(r.stop, 2);
    close_fixture(&f);
}

static void the_context_ends_it(void **state)
{
    (void)state;
    Fixture f = open_fixture(8);
    GenerateResult r;
    GenerateOptions o = options(100);
    /* 3 positions of the prompt, 5 more, and what the last one says */
    expect(&f, "a", &o, "bcdefg", ENDED_BY_CONTEXT);
    expect(&f, "abcde", &o, "fg", ENDED_BY_CONTEXT);
    assert_int_equal(generate_text(f.g, "abcdef", 6, &o, keep, &f, &r), ST_LIMIT);
    assert_non_null(strstr(error_text(), "8 positions, the context has 8"));
    close_fixture(&f);
}

static void ids_without_a_token_are_never_sampled(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    for (int i = 0; i < CYCLE_V; i++)
        cycle_weight(f.m, PARAM_HEAD, -1)[(CYCLE_TOKENS + 1) * CYCLE_V + i] = 1000;
    model_weights_changed(f.m);
    GenerateOptions o = options(4);
    expect(&f, "a", &o, "bcde", ENDED_BY_LENGTH);
    close_fixture(&f);
}

static void a_generator_starts_anew_each_time(void **state)
{
    (void)state;
    Fixture f = open_fixture(12);
    GenerateOptions o = options(5);
    for (int i = 0; i < 4; i++)
        expect(&f, "c", &o, "defgh", ENDED_BY_LENGTH);
    close_fixture(&f);
}

static void one_seed_one_text(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    GenerateOptions o = options(40);
    o.sampler.temperature = 100; /* nearly even */
    o.ends_n = 0;
    o.sampler.seed = 3;
    generate(&f, "a", &o);
    Str first = f.text;
    f.text = (Str){0};
    generate(&f, "a", &o);
    assert_int_equal(first.n, f.text.n);
    assert_memory_equal(first.at, f.text.at, first.n);
    o.sampler.seed = 4;
    generate(&f, "a", &o);
    assert_true(first.n != f.text.n || memcmp(first.at, f.text.at, first.n) != 0);
    str_drop(&first);
    close_fixture(&f);
}

static void what_cannot_be_done_is_said(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    GenerateResult r;
    GenerateOptions o = options(5);
    o.prompt_flags = TOK_RAW;
    assert_int_equal(generate_text(f.g, "", 0, &o, keep, &f, &r), ST_ARG);
    assert_non_null(strstr(error_text(), "no token"));
    static const char *const empty[] = {""};
    o = options(5);
    o.stops = empty;
    o.stops_n = 1;
    assert_int_equal(generate_text(f.g, "a", 1, &o, keep, &f, &r), ST_ARG);
    o = options(-1);
    assert_int_equal(generate_text(f.g, "a", 1, &o, keep, &f, &r), ST_ARG);
    o = options(5);
    o.sampler.top_p = 2;
    assert_int_equal(generate_text(f.g, "a", 1, &o, keep, &f, &r), ST_ARG);
    o = options(5);
    cycle_weight(f.m, PARAM_FINAL_NORM, -1)[0] = NAN;
    model_weights_changed(f.m);
    assert_int_equal(generate_text(f.g, "a", 1, &o, keep, &f, &r), ST_FORMAT);
    assert_non_null(strstr(error_text(), "no finite logits"));
    assert_int_equal(f.text.n, 0);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_on_to_its_end),
        cmocka_unit_test(length_and_caller_end_it),
        cmocka_unit_test(stop_strings_end_it_and_are_not_shown),
        cmocka_unit_test(the_context_ends_it),
        cmocka_unit_test(ids_without_a_token_are_never_sampled),
        cmocka_unit_test(a_generator_starts_anew_each_time),
        cmocka_unit_test(one_seed_one_text),
        cmocka_unit_test(what_cannot_be_done_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
