#include "study/transcripts.h"

#include "base/scratch_test.h"

static void count(void *context, const char *benchmark, json_t *line)
{
    (void)benchmark;
    (void)line;
    ++*(int *)context;
}

/* What a program printed may hold a byte 0, and is an episode as well. */
static void every_episode_counts_or_none(void **state)
{
    (void)state;
    int n = 0;
    scratch_text("run/transcripts_x.jsonl", "{\"task\": \"1\"}\n{\"task\": \"2\", \"said\": \"\\u0000\"}\n{\"cut");
    assert_int_equal(transcripts_read(in_scratch("run"), count, &n), ST_OK);
    assert_int_equal(n, 2);
    scratch_text("run/transcripts_y.jsonl", "{\"task\": \"1\"}\nnonsense\n{\"task\": \"3\"}\n");
    assert_int_equal(transcripts_read(in_scratch("run"), count, &n), ST_FORMAT);
    expect_words("transcripts_y.jsonl line 2 is no JSON object");
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    int n = 0;
    scratch_text("half/transcripts_x.jsonl", "{\"task\": \"1\"}\n");
    scratch_text("half/transcripts_y.jsonl/file", "");
    assert_int_equal(transcripts_read(in_scratch("half"), count, &n), ST_IO);
    expect_words("transcripts_y.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_episode_counts_or_none),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
