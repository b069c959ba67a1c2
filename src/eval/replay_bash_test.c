#include "eval/replay_bash.h"

#include "base/data_test.h"
#include "base/rng.h"
#include "base/scratch_test.h"

static ReplayReport replay(const char *name)
{
    ReplaySpec spec = {.checks = 1 << REPLAY_B1, .threads = 1};
    ReplayReport report = {0};
    if (replay_bash_file(&report, &spec, in_scratch(name)) != ST_OK)
        report.unread = true;
    return report;
}

/* In the form of the published files: one part away, both outputs with a NUL. */
static const char *const episode =
    "{\"0\": {\"task_id\": 0, \"turn_history\": {\"rewards\": [0.67, %s]}, \"summary\": {\"max_reward\": "
    "0.67, "
    "\"max_reward_idx\": 0}, \"info\": {\"reward\": {\"file_diff\": 0.05, \"file_changes\": 0.11, "
    "\"answer_similarity\": 0.19}, \"diff_miss\": [[\"a\", \"D\"]], \"diff_extra\": [], \"diff_same\": "
    "{\"files\": [], "
    "\"correct\": 1, \"total\": 3}, \"agent_obs\": \"hello\\u0000\", \"eval_obs\": \"hello world\\u0000\", "
    "\"answer_similarity\": %s}}, \"1\": {\"task_id\": 1, \"turn_history\": {\"rewards\": [0]}, \"summary\": "
    "{\"max_reward\": 0}}}";

static void rewards_come_of_what_was_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *reward, *similarity;
        int64_t agreed;
    } cases[] = {
        {"0.36", "0.5797386715376657", 3}, {"0.37", "0.5797386715376657", 2}, {"0.36", "0.5797386715", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, episode, cases[i].reward, cases[i].similarity);
        scratch_text("ic_bash_x.json", text);
        ReplayReport r = replay("ic_bash_x.json");
        const ReplayCount *c = &r.counts[REPLAY_B1];
        assert_int_equal(c->compared, 3);
        assert_int_equal(c->agreed, cases[i].agreed);
        assert_int_equal(c->undecided[REPLAY_NO_INFO], 1);
        assert_int_equal(r.episodes, 2);
        replay_report_drop(&r);
    }
}

static void broken_files(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, episode, "0.36", "0.5");
    size_t n = strlen(text);
    Rng rng;
    rng_seed(&rng, 3);
    for (size_t i = 0; i < n; i += 1 + n / 60) {
        scratch_write("ic_bash_x.json", text, i);
        ReplayReport r = replay("ic_bash_x.json");
        assert_true(r.unread);
        replay_report_drop(&r);
        char bent[1024];
        memcpy(bent, text, n);
        for (int k = 0; k < 4; k++)
            bent[rng_below(&rng, n)] = "0\"[]{}:,-n"[rng_below(&rng, 10)];
        scratch_write("ic_bash_x.json", bent, n);
        r = replay("ic_bash_x.json"); /* whatever it says of it */
        replay_report_drop(&r);
    }
}

/* The published ones, where somebody put them. */
static void recordings_agree(void **state)
{
    (void)state;
    const char *data = data_with("intercode/replay/bash");
    if (!data)
        skip();
    char *folder = path_join(data, "intercode/replay/bash");
    ReplayFiles files;
    ReplaySpec spec = {.checks = 1 << REPLAY_B1, .threads = 2};
    ReplayReport report = {0};
    if (replay_find(&files, folder) != ST_OK)
        fail_msg("%s", error_text());
    replay_run(&report, &spec, &files);
    const ReplayCount *c = &report.counts[REPLAY_B1];
    for (size_t i = 0; i < report.mismatches.n; i++)
        print_message("%s\n", report.mismatches.at[i].what);
    assert_true(c->compared > 0 && c->agreed == c->compared);
    replay_report_drop(&report);
    replay_files_drop(&files);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rewards_come_of_what_was_recorded),
                                       cmocka_unit_test(broken_files), cmocka_unit_test(recordings_agree)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
