/* Any bytes as a recording of episodes, of solutions and of outputs: each comparison is counted once, and
 * what cannot be read is told.  The first byte chooses the task. */
#include "fuzz_replay.h"
#include "eval/replay_answers.h"
#include "eval/replay_mint.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const tasks[] = {"reasoning/gsm8k", "reasoning/mmlu", "reasoning/theoremqa",
                                        "code_generation/mbpp", "decision_making/alfworld"};
    if (n == 0)
        return 0;
    ReplaySpec spec = {
        .checks = REPLAY_ALL, .threads = 1, .actions = bytes[0] & 8 ? ACTION_FENCES : ACTION_TAGS};
    ReplayReport report = {0};
    char *name = mem_format("m/%s/max5_p2+tool+cd/%s/results.jsonl", bytes[0] & 16 ? "F=gpt-4" : "F=None",
                            tasks[(bytes[0] & 7) % 5]);
    char *path = fuzz_file(name, bytes + 1, n - 1);
    fuzz_replay_see(&report, replay_mint_file(&report, &spec, NULL, path));
    replay_report_drop(&report);
    report = (ReplayReport){0};
    fuzz_replay_see(&report, replay_gsm8k_file(&report, &spec, path));
    replay_report_drop(&report);
    mem_free(path);
    report = (ReplayReport){0};
    mem_free(fuzz_file("x_few_shot_template_y_eval_metrics.jsonl", "{\"accuracy\": 50}", 16));
    path = fuzz_file("x_few_shot_template_y.json", bytes + 1, n - 1);
    fuzz_replay_see(&report, replay_bbh_file(&report, &spec, path));
    replay_report_drop(&report);
    mem_free(path);
    mem_free(name);
    return 0;
}
