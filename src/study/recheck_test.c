/* What was changed after a run is found. */
#include "study/recheck.h"

#include "base/json_file.h"
#include "base/scratch_test.h"

static const char transcript[] =
    "{\"transcript\": 1, \"task\": \"%d\", \"success\": %s, \"reward\": %s, \"messages\": [{\"role\": "
    "\"user\", "
    "\"content\": \"q%d\"}, {\"role\": \"assistant\", \"content\": \"%s%d\"}], \"steps\": [%s]}\n";
static const char sample[] =
    "{\"doc_id\": %d, \"id\": \"%d\", \"metrics\": {\"success\": %d, \"success@1\": %d, "
    "\"success@2\": %d}, \"resps\": [\"a%d\"], \"filtered_resps\": [\"b%d\"]}\n";

/* Four tasks: solved at once, in two steps, and twice not. */
static void write_run(void)
{
    static const int steps[] = {1, 2, 2, 1};
    Str t = {0}, s = {0};
    for (int i = 0; i < 4; i++) {
        bool solved = i < 2;
        str_addf(&t, transcript, i, solved ? "true" : "false", solved ? "1.0" : "0.0", i, i % 2 ? "b" : "a",
                 i, steps[i] == 1 ? "{}" : "{}, {}");
        str_addf(&s, sample, i, i, solved, solved && steps[i] == 1, solved, i, i);
    }
    scratch_write("run/transcripts_x.jsonl", t.at, t.n);
    scratch_write("run/samples_x.jsonl", s.at, s.n);
    scratch_text("run/samples_y.jsonl",
                 "{\"id\": \"0\", \"metrics\": {\"acc\": 1}}\n{\"id\": \"1\", \"metrics\": {\"acc\": 0}}\n");
    str_drop(&t);
    str_drop(&s);
    scratch_text(
        "run/results.json",
        "{\"metrics\": {\"x\": \"success\", \"y\": \"acc\"}, \"results\": {\"x\": {\"alias\": \"x\", "
        "\"success,none\": 0.5, \"success_stderr,none\": 0.3, \"success@1,none\": 0.25, "
        "\"success@1_ci95,none\": [0.1, 0.5], \"success@2,none\": "
        "0.5, "
        "\"steps,none\": 1.5, \"sample_len\": 4}, \"y\": {\"acc,none\": 0.5, \"sample_len\": 2}}, "
        "\"curves\": {\"x\": {\"success\": [0.25, 0.5]}}}");
}

/* What differs after a shell command in the run's folder; of benchmark x, or of y where x has nothing. */
static char *differences_after(const char *command)
{
    Rechecks all = {0};
    json_t *results = NULL;
    write_run();
    char *line = mem_format("cd run && %s", command);
    scratch_run(line);
    assert_int_equal(json_file_read(&results, in_scratch("run/results.json")), ST_OK);
    recheck_run(&all, in_scratch("run"), results);
    assert_int_equal(all.n, 2);
    char *text = mem_str(str_c(all.at[0].differs.n ? &all.at[0].differs : &all.at[1].differs));
    assert_int_equal(*text != 0, all.at[0].differences + all.at[1].differences > 0);
    rechecks_drop(&all);
    json_decref(results);
    mem_free(line);
    return text;
}

static void expect_after(const char *command, const char *words)
{
    char *text = differences_after(command);
    if (*words ? !strstr(text, words) : *text != 0)
        fail_msg("after %s: \"%s\", and not \"%s\"", command, text, words);
    mem_free(text);
}

static void a_sound_run_is_equal(void **state)
{
    (void)state;
    Rechecks all = {0};
    json_t *results = NULL;
    expect_after("true", "");
    assert_int_equal(json_file_read(&results, in_scratch("run/results.json")), ST_OK);
    recheck_run(&all, in_scratch("run"), results);
    assert_int_equal(all.at[0].episodes, 4);
    assert_int_equal(all.at[0].values, 4); /* success, success@1 and @2 of transcripts, success of samples */
    assert_int_equal(all.at[1].episodes, 0);
    assert_int_equal(all.at[1].samples, 2);
    rechecks_drop(&all);
    json_decref(results);
}

static void tampering_is_found(void **state)
{
    (void)state;
    expect_after("sed -i '4s/false/true/' transcripts_x.jsonl",
                 "success is 0.5000 in results.json and 0.7500 by its transcripts");
    expect_after("sed -i '4s/\"success\": 0/\"success\": 1/' samples_x.jsonl",
                 "task 3 is not solved by its transcript and solved by its sample");
    expect_after("sed -i '1s/\"steps\": \\[{}\\]/\"steps\": [{}, {}]/' transcripts_x.jsonl",
                 "success@1 is 0.2500 in results.json and 0.0000");
    expect_after("sed -i '2s/b1/b9/' transcripts_x.jsonl",
                 "task 1: its transcript and its sample do not say the same");
    expect_after("sed -i 2d transcripts_x.jsonl", "task 1 has no transcript");
    expect_after("sed -i '2{p}' transcripts_x.jsonl", "task 1 has two transcripts");
    expect_after("sed -i 's/\"task\": \"2\"/\"task\": \"7\"/' transcripts_x.jsonl", "task 7 has no sample");
    expect_after("sed -i 's/success,none\": 0.5/success,none\": 0.55/' results.json",
                 "success is 0.5500 in results.json and 0.5000");
    expect_after("sed -i 's/\\[0.25, 0.5\\]/[0.3, 0.5]/' results.json",
                 "the curve's success@1 is not that of the results");
    expect_after("sed -i 's/acc\": 0/acc\": 1/' samples_y.jsonl",
                 "acc is 0.5000 in results.json and 1.0000 by its samples");
    expect_after("sed -i 2d samples_y.jsonl", "tells of 2 questions, and there are 1 samples");
    expect_after("rm samples_x.jsonl", "samples_x.jsonl");
    expect_after("sed -i '2s/^/x/' transcripts_x.jsonl", "transcripts_x.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_run_is_equal),
        cmocka_unit_test(tampering_is_found),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
