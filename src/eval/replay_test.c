/* Recorded MINT episodes under $LEMUR_DATA, or ../shared/data, against our loop and our marks, and a small
 * recording of our own making that must be found wrong where it is.  docs/checks.md says how to read the
 * output. */
#include "eval/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void tell(void *arg, ReplayCheck check, const char *file, int64_t line, const char *what)
{
    int *told = arg;
    if ((*told)++ < 20)
        printf("  %s disagrees: %s:%lld: %.200s\n", replay_check_names[check], file, (long long)line, what);
}

static const char *data_folder(void)
{
    const char *set = getenv("LEMUR_DATA");
    return set && *set ? set : "../shared/data";
}

static void show(const ReplayReport *r)
{
    for (int i = 0; i < REPLAY_CHECKS; i++)
        printf("%-11s %lld of %lld agree, %lld undecided\n", replay_check_names[i],
               (long long)r->counts[i].agreed, (long long)r->counts[i].compared,
               (long long)r->counts[i].undecided);
    printf("%lld files, %lld episodes, %lld solved, %lld bad lines, %lld doubles\n", (long long)r->files,
           (long long)r->episodes, (long long)r->solved, (long long)r->bad_lines, (long long)r->doubles);
}

static bool opened(char **folder)
{
    *folder = path_join(data_folder(), "mint/replay");
    if (path_is_folder(*folder))
        return true;
    printf("SKIP no recordings in %s (set LEMUR_DATA)\n", *folder);
    mem_free(*folder);
    return false;
}

static void recordings_agree(void **state)
{
    (void)state;
    char *folder;
    if (!opened(&folder))
        skip();
    int told = 0;
    ReplayReport r = {0};
    ReplaySpec spec = {.data = data_folder(), .marks = MARK_LEGACY, .tell = tell, .arg = &told};
    if (replay_mint(&r, &spec, folder) != ST_OK)
        fail_msg("%s", error_text());
    show(&r);
    for (int i = 0; i < REPLAY_CHECKS; i++) {
        if (i != REPLAY_R4_OPTION) /* made by the rule that the recording's date tells: replay.md, R4 */
            assert_int_equal(r.counts[i].agreed, r.counts[i].compared);
        assert_int_equal(r.counts[i].undecided, 0);
    }
    assert_true(r.counts[REPLAY_R1].compared == r.episodes && r.episodes > 0);
    assert_int_equal(r.bad_lines, 0);
    mem_free(folder);
}

/* The check can fail: the newer rule disagrees with old recordings, in R3 about negative golds alone. */
static void the_other_rule_disagrees(void **state)
{
    (void)state;
    char *folder;
    if (!opened(&folder))
        skip();
    ReplayReport r = {0};
    ReplaySpec spec = {.data = data_folder(), .marks = MARK_CURRENT};
    if (replay_mint(&r, &spec, folder) != ST_OK)
        fail_msg("%s", error_text());
    printf("under the current rule: R3 %lld, R4 (option) %lld disagree\n",
           (long long)(r.counts[REPLAY_R3].compared - r.counts[REPLAY_R3].agreed),
           (long long)(r.counts[REPLAY_R4_OPTION].compared - r.counts[REPLAY_R4_OPTION].agreed));
    assert_int_equal(r.counts[REPLAY_R2].agreed, r.counts[REPLAY_R2].compared);
    assert_int_equal(r.counts[REPLAY_R4].agreed, r.counts[REPLAY_R4].compared);
    mem_free(folder);
}

#define EPISODE(id, propose, end, success)                                                                 \
    "{\"state\":{\"history\":[{\"role\":\"user\",\"content\":\"5 2 T E Task:\\nq\"},"                      \
    "{\"role\":\"assistant\",\"content\":\"Assistant:\\n<solution>4</solution>\\n\"},"                     \
    "{\"role\":\"user\",\"content\":\"Observation:\\nYour answer is wrong.\\nYou have 4 steps left and 1 " \
    "chances "                                                                                             \
    "to propose solution left.\\n\"},"                                                                     \
    "{\"role\":\"assistant\",\"content\":\"Assistant:\\n<solution>5</solution>\\n\"}],\"finished\":true,"  \
    "\"success\":" success                                                                                 \
    ",\"latest_output\":{\"content\":\"Observation:\\nYour answer is wrong.\\nYou have 4 "                 \
    "steps left and 1 chances to propose solution "                                                        \
    "left.\\n\"},\"agent_action_count\":{\"propose_solution\":" propose                                    \
    ",\"use_tool\":0,\"invalid_action\":0},\"terminate_reason\":\"" end "\"},\"task\":{\"task_id\":" id    \
    ",\"prompt\":\"q\",\"reference\":\"5\"}}\n"

static void write_text(const char *root, const char *path, const char *text)
{
    char *whole = path_join(root, path), *folder = mem_str(whole);
    *strrchr(folder, '/') = 0;
    assert_int_equal(folder_make(folder), ST_OK);
    assert_int_equal(file_replace(whole, text, strlen(text)), ST_OK);
    mem_free(folder);
    mem_free(whole);
}

static void what_is_wrong_is_found(void **state)
{
    (void)state;
    char root[] = "/tmp/lemur_replay_XXXXXX";
    assert_non_null(mkdtemp(root));
    write_text(root, "mint/prompt/templates/template_with_tool.txt",
               "{max_total_steps} {max_propose_solution} {tool_desc}{in_context_example} {task_prompt}");
    write_text(root, "mint/prompt/tools/reasoning.txt", "T");
    write_text(root, "mint/prompt/in_context_examples/reasoning/with_tool.txt", "E");
    write_text(root, "replay/m/F=None/max5_p2+tool+cd/reasoning/gsm8k/results.jsonl",
               EPISODE("1", "2", "task_success", "true")       /* right but for R1: the tools end a line */
               EPISODE("1", "2", "task_success", "true")       /* double                                 */
               EPISODE("2", "2", "max_propose_steps", "false") /* the verdict                            */
               EPISODE("3", "1", "task_success", "true")       /* a counter                              */
               "{\"state\":{}}\n{\"sta\n");
    ReplayReport r = {0};
    ReplaySpec spec = {.data = root};
    assert_int_equal(replay_mint(&r, &spec, root), ST_OK);
    assert_int_equal(r.counts[REPLAY_R1].compared, 3);
    assert_int_equal(r.counts[REPLAY_R1].agreed, 0);
    assert_int_equal(r.counts[REPLAY_R2].compared, 6);
    assert_int_equal(r.counts[REPLAY_R2].agreed, 5);
    assert_int_equal(r.counts[REPLAY_R3].compared, 6);
    assert_int_equal(r.counts[REPLAY_R3].agreed, 5);
    assert_int_equal(r.doubles, 1);
    assert_int_equal(r.bad_lines, 2);
    assert_int_equal(folder_remove(root), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_found),
        cmocka_unit_test(recordings_agree),
        cmocka_unit_test(the_other_rule_disagrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
