#include "cli/agent_transcript.h"

#include "base/scratch_test.h"

static AgentTranscript transcript;

static void put(const char *word)
{
    json_t *o = json_pack("{s:s}", "word", word);
    if (agent_transcript_write(&transcript, o) != ST_OK)
        fail_msg("%s", error_text());
    json_decref(o);
}

static void expect(const char *text)
{
    Str all = scratch_read("t.jsonl");
    assert_string_equal(str_c(&all), text);
    str_drop(&all);
}

static void a_conversation_has_one_line(void **state)
{
    (void)state;
    scratch_text("t.jsonl", "{\"old\":1}"); /* without a line end */
    assert_int_equal(agent_transcript_open(&transcript, in_scratch("t.jsonl")), ST_OK);
    expect("{\"old\":1}");
    put("a");
    put("longer");
    assert_true(agent_transcript_is(&transcript, in_scratch("./t.jsonl")));
    assert_false(agent_transcript_is(&transcript, in_scratch("u.jsonl")));
    expect("{\"old\":1}\n{\"word\":\"longer\"}\n");
    assert_int_equal(agent_transcript_write(&transcript, NULL), ST_OK);
    expect("{\"old\":1}\n");
    put("b");
    agent_transcript_next(&transcript);
    assert_int_equal(agent_transcript_write(&transcript, NULL), ST_OK); /* the other one's line stays */
    put("c");
    expect("{\"old\":1}\n{\"word\":\"b\"}\n{\"word\":\"c\"}\n");
    agent_transcript_drop(&transcript);
    assert_int_equal(agent_transcript_open(&transcript, in_scratch("t.jsonl")), ST_OK);
    put("d");
    expect("{\"old\":1}\n{\"word\":\"b\"}\n{\"word\":\"c\"}\n{\"word\":\"d\"}\n");
    agent_transcript_drop(&transcript);
}

static void what_cannot_be_written_is_said(void **state)
{
    (void)state;
    assert_int_equal(agent_transcript_open(&transcript, in_scratch("absent/t.jsonl")), ST_IO);
    agent_transcript_drop(&transcript);
    assert_int_equal(agent_transcript_open(&transcript, scratch), ST_IO);
    agent_transcript_drop(&transcript);
}

/* Both hold what was in the file when they began. */
static void another_agents_conversation_is_not_lost(void **state)
{
    (void)state;
    AgentTranscript other;
    json_t *o = json_object();
    scratch_text("t.jsonl", "");
    assert_int_equal(agent_transcript_open(&transcript, in_scratch("t.jsonl")), ST_OK);
    assert_int_equal(agent_transcript_open(&other, in_scratch("t.jsonl")), ST_OK);
    put("a");
    assert_int_equal(agent_transcript_write(&other, o), ST_IO);
    expect_words("another process has written to");
    expect("{\"word\":\"a\"}\n");
    put("b");
    json_decref(o);
    agent_transcript_drop(&other);
    agent_transcript_drop(&transcript);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_conversation_has_one_line),
                                       cmocka_unit_test(what_cannot_be_written_is_said),
                                       cmocka_unit_test(another_agents_conversation_is_not_lost)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
