#include "corpus/instruct_formats.h"

#include "corpus/scratch_test.h"

/* A tree as it is published, shortened: two answers to the prompt, of which the second is ranked best and was
 * asked further; a deleted message; a message in German. */
static const char tree[] =
    "{\"message_tree_id\":\"t1\",\"tree_state\":\"ready_for_export\",\"prompt\":{\"message_id\":\"t1\","
    "\"text\":\"Q1\","
    "\"role\":\"prompter\",\"lang\":\"en\",\"replies\":["
    "{\"message_id\":\"a\",\"text\":\"A "
    "worse\",\"role\":\"assistant\",\"lang\":\"en\",\"rank\":1,\"replies\":[]},"
    "{\"message_id\":\"b\",\"text\":\"A "
    "best\",\"role\":\"assistant\",\"lang\":\"en\",\"rank\":0,\"replies\":["
    "{\"message_id\":\"c\",\"text\":\"gone\",\"role\":\"prompter\",\"lang\":\"en\",\"deleted\":true,"
    "\"replies\":[]},"
    "{\"message_id\":\"d\",\"text\":\"Q2\",\"role\":\"prompter\",\"lang\":\"en\",\"rank\":null,\"replies\":["
    "{\"message_id\":\"e\",\"text\":\"A2\",\"role\":\"assistant\",\"lang\":\"en\",\"replies\":[]},"
    "{\"message_id\":\"f\",\"text\":\"A2 "
    "auch\",\"role\":\"assistant\",\"lang\":\"de\",\"rank\":2,\"replies\":[]}]},"
    "{\"message_id\":\"g\",\"text\":\"Q3\",\"role\":\"prompter\",\"lang\":\"en\",\"replies\":[]}]},"
    "{\"message_id\":\"h\",\"text\":\"A third\",\"role\":\"assistant\",\"lang\":\"en\",\"replies\":[]}]}}";

static void path_add(void *context, json_t *messages)
{
    json_t *m;
    size_t i;
    Str *out = context;
    str_adds(out, out->n ? " / " : "");
    json_array_foreach(messages, i, m)
    {
        const json_t *weight = json_object_get(m, "weight");
        str_addf(out, "%s%s%s", i ? "|" : "", weight ? "-" : "",
                 json_string_value(json_object_get(m, "content")));
    }
}

static void expect_paths(const char *text, bool all, const char *language, const char *wanted)
{
    Str out = {0}, why = {0};
    FormatFailure f = {REJECT_NONE, &why};
    InstructOptions o = {.all_paths = all, .language = language};
    json_t *record = json_loads(text, 0, NULL);
    assert_non_null(record);
    if (!instruct_oasst(record, &o, &f, path_add, &out))
        str_addf(&out, "%s: %s", instruct_reject_names[f.reason], str_c(&why));
    assert_string_equal(str_c(&out), wanted);
    json_decref(record);
    str_drop(&out);
    str_drop(&why);
}

static void the_best_path_or_all(void **state)
{
    (void)state;
    /* f has a rank, e has none, and a rank beats none; where German is not wanted, e is left. */
    expect_paths(tree, false, "", "Q1|A best|Q2|A2 auch");
    expect_paths(tree, false, "en", "Q1|A best|Q2|A2");
    /* Each answer is learned once; a path that would teach nothing new is left out. */
    expect_paths(tree, true, "", "Q1|A worse / Q1|A best|Q2|A2 / Q1|-A best|Q2|A2 auch / Q1|A third");
    expect_paths(tree, true, "en", "Q1|A worse / Q1|A best|Q2|A2 / Q1|A third");
}

static void trees_without_answers_have_a_reason(void **state)
{
    (void)state;
    expect_paths(tree, false, "fr", "other_language: a message is in \"en\"");
    expect_paths(
        "{\"message_tree_id\":\"x\",\"prompt\":{\"text\":\"Q\",\"role\":\"prompter\",\"replies\":[]}}", false,
        "", "nothing_to_learn: no message of the tree is an answer");
    expect_paths("{\"message_tree_id\":\"x\",\"prompt\":{\"text\":\"Q\",\"role\":\"king\"}}", true, "",
                 "unknown_role: a message has the role \"king\"");
    expect_paths("{\"message_tree_id\":\"x\",\"prompt\":{\"role\":\"prompter\"}}", true, "",
                 "bad_message: a message has no text");
    expect_paths("{\"message_tree_id\":\"x\",\"prompt\":7}", true, "",
                 "bad_message: \"prompt\" is no message");
}

/* Deeper than any conversation, and than the walk goes. */
static void deep_trees_end(void **state)
{
    (void)state;
    enum { DEEP = 700 };
    Str text = {0};
    str_adds(&text, "{\"message_tree_id\":\"x\",\"prompt\":");
    for (int i = 0; i < DEEP; i++)
        str_addf(&text, "{\"text\":\"%d\",\"role\":\"%s\",\"replies\":[", i,
                 i % 2 ? "assistant" : "prompter");
    for (int i = 0; i < DEEP; i++)
        str_adds(&text, "]}");
    str_adds(&text, "}");
    Str out = {0}, why = {0};
    FormatFailure f = {REJECT_NONE, &why};
    InstructOptions o = {.all_paths = true, .language = ""};
    json_t *record = json_loads(text.at, 0, NULL);
    assert_non_null(record);
    instruct_oasst(record, &o, &f, path_add, &out);
    json_decref(record);
    str_drop(&out);
    str_drop(&why);
    str_drop(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_path_or_all),
        cmocka_unit_test(trees_without_answers_have_a_reason),
        cmocka_unit_test(deep_trees_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
