/* Each format as OpenAI's messages; what conversations come of them, instruct_test.c shows. */
#include "corpus/instruct_formats.h"

#include "corpus/scratch_test.h"

typedef json_t *Convert(const json_t *record, FormatFailure *f);

static void expect(Convert *convert, const char *text, const char *wanted)
{
    Str why = {0};
    FormatFailure f = {REJECT_NONE, &why};
    json_t *record = json_loads(text, 0, NULL), *got = convert(record, &f);
    assert_non_null(record);
    char *said = got ? json_dumps(got, JSON_COMPACT) : strdup(str_c(&why));
    assert_string_equal(said, wanted);
    assert_int_equal(!got, f.reason != REJECT_NONE);
    free(said);
    json_decref(record);
    json_decref(got);
    str_drop(&why);
}

static void all_become_messages(void **state)
{
    (void)state;
    expect(instruct_formats_alpaca, "{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}",
           "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\n\\nb\"},{\"role\":\"assistant\",\"content\":"
           "\"c\"}]}");
    expect(
        instruct_formats_alpaca,
        "{\"instruction\":\"a\",\"input\":null,\"output\":\"c\",\"system\":\"\",\"history\":null}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"c\"}]}");
    expect(instruct_formats_orca, "{\"system_prompt\":\"s\",\"question\":\"q\",\"response\":\"r\"}",
           "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"q\"},"
           "{\"role\":\"assistant\",\"content\":\"r\"}]}");
    expect(instruct_formats_sharegpt,
           "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\","
           "\"value\":\"a\",\"weight\":0}],\"tools\":\"\"}",
           "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\","
           "\"weight\":0}]}");
    expect(instruct_formats_completion,
           "{\"system\":\"s\",\"prompt\":\"p\",\"completion\":\"c\",\"tools\":[]}",
           "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"p\"},"
           "{\"role\":\"assistant\",\"content\":\"c\"}],\"tools\":[]}");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    expect(instruct_formats_alpaca, "{\"output\":\"c\"}", "\"instruction\" is missing");
    expect(instruct_formats_orca, "{\"question\":1,\"response\":\"r\"}", "\"question\" is no text");
    expect(instruct_formats_sharegpt, "{\"conversations\":[{\"from\":\"human\"}]}",
           "turn 1 has no \"value\"");
    expect(instruct_formats_sharegpt, "{\"conversations\":7}", "\"conversations\" is no list");
    expect(instruct_formats_messages, "{\"messages\":[{\"role\":\"bard\"}]}",
           "message 1 has the role \"bard\"");
    expect(instruct_formats_completion, "{\"prompt\":\"p\"}", "\"completion\" is missing");
}

/* What a key that may be absent holds is not passed over where it is no text. */
static void what_is_no_text_is_named(void **state)
{
    (void)state;
    expect(instruct_formats_alpaca, "{\"instruction\":\"a\",\"input\":5,\"output\":\"c\"}",
           "\"input\" is no text");
    expect(instruct_formats_alpaca, "{\"instruction\":\"a\",\"output\":\"c\",\"system\":[\"s\"]}",
           "\"system\" is no text");
    expect(instruct_formats_alpaca, "{\"instruction\":\"a\",\"output\":\"c\",\"history\":\"h\"}",
           "\"history\" is no list");
    expect(instruct_formats_orca, "{\"system_prompt\":{},\"question\":\"q\",\"response\":\"r\"}",
           "\"system_prompt\" is no text");
    expect(instruct_formats_sharegpt, "{\"conversations\":[],\"system\":1}", "\"system\" is no text");
    expect(instruct_formats_completion, "{\"system\":1,\"prompt\":\"p\",\"completion\":\"c\"}",
           "\"system\" is no text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_become_messages),
                                       cmocka_unit_test(what_is_missing_is_named),
                                       cmocka_unit_test(what_is_no_text_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
