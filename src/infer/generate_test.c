#include "infer/generate.h"

#include <math.h>

#include "infer/cycle_test.h"

typedef struct {
    Device *dev;
    Model *m;
    Tokenizer *t;
    Str text;
    int pieces, pieces_wanted; /* the sink asks to stop after so many; 0: never */
} Fixture;

static Fixture open_fixture(int64_t context)
{
    Fixture f = {0};
    assert_int_equal(device_open_cpu(&f.dev, 1), ST_OK);
    assert_int_equal(ops_attach(f.dev, NULL), ST_OK);
    f.m = cycle_model(f.dev, CYCLE_V, context);
    f.t = cycle_tokenizer();
    return f;
}

static void close_fixture(Fixture *f)
{
    tokenizer_close(f->t);
    model_close(f->m);
    device_close(f->dev);
    str_drop(&f->text);
}

static bool keep(void *context, const RequestEvent *event)
{
    Fixture *f = context;
    str_add(&f->text, event->text.at, event->text.n);
    if (event->text.n == 0)
        return true;
    return ++f->pieces != f->pieces_wanted;
}

static const int32_t ends[] = {CYCLE_END};

static RequestSpec options(int64_t max_tokens)
{
    RequestSpec s = request_spec(NULL, 0);
    s.max_tokens = max_tokens;
    s.ends = ends;
    s.ends_n = 1;
    return s;
}

static Status try_text(Fixture *f, const char *prompt, int flags, const RequestSpec *spec, RequestResult *r)
{
    str_clear(&f->text);
    f->pieces = 0;
    return generate_sample(f->m, f->t, span(prompt), flags, spec, keep, f, r);
}

static RequestResult generate(Fixture *f, const char *prompt, const RequestSpec *spec)
{
    RequestResult r;
    if (try_text(f, prompt, TOK_BOS, spec, &r) != ST_OK)
        fail_msg("%s", error_text());
    if (r.finish != FINISH_CANCELLED)
        assert_int_equal(r.text_bytes, f->text.n);
    return r;
}

static void expect(Fixture *f, const char *prompt, const RequestSpec *spec, const char *text, Finish finish)
{
    RequestResult r = generate(f, prompt, spec);
    assert_string_equal(str_c(&f->text), text);
    assert_int_equal(r.finish, finish);
}

static void text_goes_on_to_its_end(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    RequestSpec o = options(100);
    RequestResult r = generate(&f, "a", &o);
    assert_string_equal(str_c(&f.text), "bcdefghijklmnopqrst\xC3\xA9");
    assert_int_equal(r.finish, FINISH_TOKEN);
    assert_int_equal(r.prompt_tokens, 3); /* begin, space, a */
    assert_int_equal(r.tokens, 21);
    assert_int_equal(f.pieces, 20); /* the two bytes of the last letter come together */
    o.sampler.temperature = 1; /* the model is certain */
    expect(&f, "xx r", &o, "st\xC3\xA9", FINISH_TOKEN);
    close_fixture(&f);
}

static void length_and_caller_end_it(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    RequestSpec o = options(3);
    expect(&f, "a", &o, "bcd", FINISH_LENGTH);
    o.max_tokens = 0;
    expect(&f, "a", &o, "", FINISH_LENGTH);
    o.max_tokens = 20;
    expect(&f, "a", &o, "bcdefghijklmnopqrst\xC3", FINISH_LENGTH); /* half a letter, as it is */
    f.pieces_wanted = 2;
    expect(&f, "a", &o, "bc", FINISH_CANCELLED);
    close_fixture(&f);
}

static void stop_strings_end_it_and_are_not_shown(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    static const char *const stops[] = {"zz", "efg", "\xC3\xA9"};
    RequestSpec o = options(100);
    o.stops = stops;
    o.stops_n = 3;
    RequestResult r = generate(&f, "a", &o);
    assert_string_equal(str_c(&f.text), "bcd");
    assert_int_equal(r.finish, FINISH_STRING);
    assert_int_equal(r.stop, 1);
    assert_int_equal(r.tokens, 6);
    assert_int_equal(f.pieces, 3);
    o.max_tokens = 5; /* "ef" was held back, and was text after all */
    expect(&f, "a", &o, "bcdef", FINISH_LENGTH);
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
    RequestResult r;
    RequestSpec o = options(100);
    /* 3 positions of the prompt, 5 more, and what the last one says */
    expect(&f, "a", &o, "bcdefg", FINISH_CONTEXT);
    expect(&f, "abcde", &o, "fg", FINISH_CONTEXT);
    assert_int_equal(try_text(&f, "abcdef", TOK_BOS, &o, &r), ST_LIMIT);
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
    RequestSpec o = options(4);
    expect(&f, "a", &o, "bcde", FINISH_LENGTH);
    close_fixture(&f);
}

static void each_sample_starts_anew(void **state)
{
    (void)state;
    Fixture f = open_fixture(12);
    RequestSpec o = options(5);
    for (int i = 0; i < 4; i++)
        expect(&f, "c", &o, "defgh", FINISH_LENGTH);
    close_fixture(&f);
}

static void one_seed_one_text(void **state)
{
    (void)state;
    Fixture f = open_fixture(64);
    RequestSpec o = options(40);
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
    RequestResult r;
    RequestSpec o = options(5);
    assert_int_equal(try_text(&f, "", TOK_RAW, &o, &r), ST_ARG);
    assert_non_null(strstr(error_text(), "no token"));
    static const char *const empty[] = {""};
    o = options(5);
    o.stops = empty;
    o.stops_n = 1;
    assert_int_equal(try_text(&f, "a", TOK_BOS, &o, &r), ST_ARG);
    o = options(-1);
    assert_int_equal(try_text(&f, "a", TOK_BOS, &o, &r), ST_ARG);
    o = options(5);
    o.sampler.top_p = 2;
    assert_int_equal(try_text(&f, "a", TOK_BOS, &o, &r), ST_ARG);
    o = options(5);
    cycle_weight(f.m, PARAM_FINAL_NORM, -1)[0] = NAN;
    model_weights_changed(f.m);
    assert_int_equal(try_text(&f, "a", TOK_BOS, &o, &r), ST_FORMAT);
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
        cmocka_unit_test(each_sample_starts_anew),
        cmocka_unit_test(one_seed_one_text),
        cmocka_unit_test(what_cannot_be_done_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
