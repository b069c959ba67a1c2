#include "cli/generate_report.h"

#include "base/mem.h"
#include "infer/cycle_test.h"

static void a_token_is_one_line(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    Tokenizer *t = cycle_tokenizer();
    TokenLogprob top[] = {{CYCLE_BYTES + '\n', -0.5f}, {CYCLE_BYTES + 0xC3, -1}, {CYCLE_BYTES + '"', -2}};
    RequestEvent event = {.kind = EVENT_TOKEN,
                          .id = CYCLE_A,
                          .has_logprob = true,
                          .logprob = -1.25f,
                          .rank = 4,
                          .top = top,
                          .top_n = 3};
    FILE *out = open_memstream(&text, &n);
    generate_report_token(out, t, &event);
    event = (RequestEvent){.kind = EVENT_PROMPT, .id = CYCLE_V - 1}; /* a row without a token */
    generate_report_token(out, t, &event);
    fclose(out);
    assert_string_equal(text,
                        "  -1.2500      4  \"a\"   | -0.5000 \"\\n\", -1.0000 \"\\xC3\", -2.0000 \"\\\"\"\n"
                        "        -      -  \"\"\n");
    free(text);
    tokenizer_close(t);
}

static void json_holds_text_only(void **state)
{
    (void)state;
    json_t *text = generate_report_text((Span){"a\xC3\xA9\xFFz", 5});
    assert_string_equal(json_string_value(text), "a\xC3\xA9\xEF\xBF\xBDz");
    json_decref(text);
}

static void a_result_names_its_stop(void **state)
{
    (void)state;
    static const char *const stops[] = {"x", "end"};
    RequestResult r = {.finish = FINISH_STRING,
                       .stop = 1,
                       .prompt_tokens = 10,
                       .cached_tokens = 6,
                       .tokens = 5,
                       .prompt_s = 2,
                       .tokens_s = 0.5};
    json_t *o = generate_report_result(&r, stops);
    assert_string_equal(json_string_value(json_object_get(o, "end")), "string");
    assert_string_equal(json_string_value(json_object_get(o, "stop")), "end");
    /* Of those that were computed. */
    assert_true(json_real_value(json_object_get(o, "prompt_tokens_per_s")) == 2);
    assert_true(json_real_value(json_object_get(o, "tokens_per_s")) == 10);
    json_decref(o);
    assert_true(generate_report_rate(5, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_one_line),
        cmocka_unit_test(json_holds_text_only),
        cmocka_unit_test(a_result_names_its_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
