#include "corpus/instruct.h"

#include <math.h>

#include "corpus/scratch_test.h"

static InstructOptions options(void)
{
    return (InstructOptions){.language = "", .min_reward = -INFINITY};
}

/* What a record gives: "role:text|role:text" of each example, or "reason: why"; examples apart by " / ".  A
 * muted answer has a "-" in front. */
static Str convert_with(const char *json, const InstructOptions *o)
{
    Str out = {0};
    json_error_t error;
    InstructExamples all = {0};
    json_t *record = json_loads(json, JSON_DECODE_ANY, &error);
    if (!record)
        fail_msg("%s in %s", error.text, json);
    InstructFormat format = instruct_recognise(record);
    instruct_convert(&all, o, format == INSTRUCT_AUTO ? INSTRUCT_MESSAGES : format, record);
    for (size_t i = 0; i < all.n; i++) {
        const InstructExample *e = &all.at[i];
        str_adds(&out, i ? " / " : "");
        if (e->reason != REJECT_NONE) {
            str_addf(&out, "%s: %s", instruct_reject_names[e->reason], str_c(&e->why));
            continue;
        }
        for (size_t k = 0; k < e->conversation.messages.n; k++) {
            const ChatMessage *m = &e->conversation.messages.at[k];
            str_addf(&out, "%s%s%s:%.*s", k ? "|" : "", m->mute ? "-" : "", conversation_role_name(m->role),
                     (int)m->content.n, m->content.at);
            if (m->tool_calls) {
                char *calls = json_dumps(m->tool_calls, JSON_COMPACT | JSON_SORT_KEYS);
                str_adds(&out, calls);
                free(calls);
            }
        }
        str_adds(&out, e->trimmed ? " (trimmed)" : "");
    }
    instruct_examples_drop(&all);
    json_decref(record);
    return out;
}

static void expect_with(const char *json, const char *wanted, const InstructOptions *o)
{
    Str got = convert_with(json, o);
    assert_string_equal(str_c(&got), wanted);
    str_drop(&got);
}

static void expect(const char *json, const char *wanted)
{
    InstructOptions o = options();
    expect_with(json, wanted, &o);
}

static void messages_are_read(void **state)
{
    (void)state;
    expect("{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"Q\"},"
           "{\"role\":\"assistant\",\"content\":\"A\"}],\"id\":7}",
           "system:S|user:Q|assistant:A");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Q\"}]},"
           "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
           "\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
           "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"3\"},"
           "{\"role\":\"assistant\",\"content\":\"It is 3\"}]}",
           "user:Q|assistant:[{\"arguments\":{\"a\":1},\"id\":\"c1\",\"name\":\"add\"}]|tool:3|assistant:It "
           "is 3");
    expect(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"bad\","
        "\"weight\":0},{\"role\":\"user\",\"content\":\"Q2\"},{\"role\":\"assistant\",\"content\":\"A\"}]}",
        "user:Q|-assistant:bad|user:Q2|assistant:A");
}

static void other_formats_are_read(void **state)
{
    (void)state;
    expect("{\"prompt\":\"Q\",\"completion\":\"A\"}", "user:Q|assistant:A");
    expect("{\"prompt\":[{\"role\":\"user\",\"content\":\"Q\"}],\"completion\":[{\"role\":\"assistant\","
           "\"content\":"
           "\"A\"}]}",
           "user:Q|assistant:A");
    expect("{\"instruction\":\"Sort\",\"input\":\"b a\",\"output\":\"a b\"}",
           "user:Sort\n\nb a|assistant:a b");
    expect("{\"instruction\":\"Say hi\",\"input\":\"\",\"output\":\"hi\",\"text\":\"all of it\"}",
           "user:Say hi|assistant:hi");
    expect("{\"instruction\":\"Write f\",\"output\":\"def f(): pass\"}",
           "user:Write f|assistant:def f(): pass");
    expect("{\"instruction\":\"c\",\"output\":\"d\",\"system\":\"S\",\"history\":[[\"a\",\"b\"]]}",
           "system:S|user:a|assistant:b|user:c|assistant:d");
    expect("{\"id\":\"niv.1\",\"system_prompt\":\"S\",\"question\":\"Q\",\"response\":\"A\"}",
           "system:S|user:Q|assistant:A");
    expect("{\"system_prompt\":\"\",\"question\":\"Q\",\"response\":\"A\"}", "user:Q|assistant:A");
}

static void sharegpt_is_read(void **state)
{
    (void)state;
    expect("{\"id\":\"x\",\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},{\"from\":\"gpt\","
           "\"value\":\"A\"}]}",
           "user:Q|assistant:A");
    expect(
        "{\"system\":\"S\",\"tools\":\"[]\",\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},"
        "{\"from\":\"function_call\",\"value\":\"{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":{\\\"x\\\":1}}\"},"
        "{\"from\":\"observation\",\"value\":\"2\"},{\"from\":\"gpt\",\"value\":\"two\"}]}",
        "system:S|user:Q|assistant:[{\"arguments\":{\"x\":1},\"name\":\"f\"}]|tool:2|assistant:two");
    expect("{\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},{\"from\":\"function_call\",\"value\":"
           "\"{\\\"name\\\":\\\"now\\\"}\"},{\"from\":\"observation\",\"value\":\"noon\"},{\"from\":\"gpt\",\"value\":\"Noon.\"}]}",
           "user:Q|assistant:[{\"arguments\":{},\"name\":\"now\"}]|tool:noon|assistant:Noon.");
    expect("{\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},{\"from\":\"alien\",\"value\":\"A\"}]}",
           "unknown_role: turn 2 is from \"alien\"");
    expect("{\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},{\"from\":\"function_call\",\"value\":"
           "\"f(1)\"}]}",
           "bad_message: turn 2 is no call of a tool: {\"name\": ..., \"arguments\": {...}}");
    expect("{\"conversations\":[{\"from\":\"gpt\",\"value\":\"A\"},{\"from\":\"human\",\"value\":\"Q\"}]}",
           "role_order: message 1 is the assistant's, and a conversation begins with the user");
}

static void broken_ones_have_a_reason(void **state)
{
    (void)state;
    expect("{\"messages\":[]}", "nothing_to_learn: it has no messages");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"}]}",
           "nothing_to_learn: it has no answer that is to be learned");
    expect(
        "{\"messages\":[{\"role\":\"user\",\"content\":\" \"},{\"role\":\"assistant\",\"content\":\"A\"}]}",
        "empty_prompt: message 1 (user) is empty");
    expect(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"\\n\"}]}",
        "empty_answer: message 2 (assistant) is empty");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"A\","
           "\"weight\":0}]}",
           "nothing_to_learn: it has no answer that is to be learned");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"user\",\"content\":\"Q\"},"
           "{\"role\":\"assistant\",\"content\":\"A\"}]}",
           "role_order: message 2 is the user's, behind the user");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"A\"},"
           "{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"assistant\",\"content\":\"A\"}]}",
           "role_order: message 3 is the system's, behind the assistant");
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"A\"},"
           "{\"role\":\"user\",\"content\":\"and?\"}]}",
           "role_order: the last message is the user's and has no answer");
    expect("{\"messages\":[{\"role\":\"narrator\",\"content\":\"Q\"}]}",
           "unknown_role: message 1 has the role \"narrator\"");
    expect("{\"messages\":[{\"content\":\"Q\"}]}", "bad_message: message 1 has no role");
    expect("{\"instruction\":\"Q\",\"output\":5}", "bad_message: \"output\" is no text");
    expect("{\"text\":\"a story\"}",
           "other_format: it is an object with the keys text (plain documents are for `lemur corpus build`)");
    expect("{\"message_id\":\"1\",\"parent_id\":null,\"message_tree_id\":\"1\",\"text\":\"x\"}",
           "other_format: it is an object with the keys message_id, parent_id, message_tree_id, text (single "
           "messages of OpenAssistant; take the file of trees, *.trees.jsonl.gz)");
    expect("[1]", "other_format: it is an array");
}

static void transcripts_have_a_reward(void **state)
{
    (void)state;
    static const char won[] =
        "{\"transcript\":1,\"task\":\"t\",\"reward\":0.5,\"messages\":[{\"role\":\"user\","
        "\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":\"A\"}]}";
    static const char success[] =
        "{\"transcript\":1,\"success\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},"
        "{\"role\":\"assistant\",\"content\":\"A\"}]}";
    InstructOptions o = options();
    expect(won, "user:Q|assistant:A");
    o.min_reward = 1;
    expect_with(won, "low_reward: its reward is 0.5, below 1", &o);
    expect_with(success, "user:Q|assistant:A", &o);
}

static void what_leads_and_trails_is_trimmed_when_asked(void **state)
{
    (void)state;
    InstructOptions o = options();
    o.trim = true;
    expect_with(
        "{\"conversations\":[{\"from\":\"system\",\"value\":\"S\"},{\"from\":\"gpt\",\"value\":\"0\"},"
        "{\"from\":\"human\",\"value\":\"Q\"},{\"from\":\"gpt\",\"value\":\"A\"},{\"from\":\"human\","
        "\"value\":"
        "\"thanks\"}]}",
        "system:S|user:Q|assistant:A (trimmed)", &o);
    expect_with(
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},{\"from\":\"gpt\",\"value\":\"A\"}]}",
        "user:Q|assistant:A", &o);
    expect_with("{\"conversations\":[{\"from\":\"gpt\",\"value\":\"A\"}]}",
                "role_order: message 1 is the assistant's, and a conversation begins with the user", &o);
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < INSTRUCT_FORMATS; i++)
        assert_int_equal(instruct_format_named(instruct_format_names[i]), i);
    assert_int_equal(instruct_format_named("evol"), INSTRUCT_ALPACA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read),
        cmocka_unit_test(other_formats_are_read),
        cmocka_unit_test(sharegpt_is_read),
        cmocka_unit_test(broken_ones_have_a_reason),
        cmocka_unit_test(transcripts_have_a_reward),
        cmocka_unit_test(what_leads_and_trails_is_trimmed_when_asked),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
