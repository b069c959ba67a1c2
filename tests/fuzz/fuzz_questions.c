/* Any bytes as the data of benchmarks: questions that have all that asking them reads, or a sentence. */
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "eval/benchmark.h"
#include "eval/static/mmlu_data.h"
#include "fuzz_folder.h"

static void read_as(const char *name, const char *file, const uint8_t *bytes, size_t n)
{
    const Benchmark *b = benchmark_find(name);
    EvalSettings settings = eval_settings();
    char *path = fuzz_file(file, bytes, n);
    static const char words[] = "{task_prompt} in {max_total_steps}, {max_propose_solution}";
    mem_free(fuzz_file("tasks/prompt.txt", words, sizeof words - 1));
    settings.shots = strcmp(name, "mbpp") == 0 ? 3 : 0;
    EvalRun run = {.data = fuzz_folder, .settings = &settings};
    Questions q = {0};
    void *state = NULL;
    check(b);
    Status st = b->open(&run, &q, &state);
    check(st == ST_OK || *error_text());
    check(st != ST_OK || q.all.n);
    for (size_t i = 0; i < q.all.n; i++)
        check(q.all.at[i].id && json_is_object(q.all.at[i].doc));
    if (st == ST_OK && b->close)
        b->close(state);
    questions_drop(&q);
    unlink(path);
    mem_free(path);
}

static void read_mmlu(const uint8_t *bytes, size_t n)
{
    Questions q = {0};
    Fewshot prompts[MMLU_SUBJECTS] = {0};
    Str text = {0};
    for (int s = 0; s < MMLU_SUBJECTS; s++) {
        if (mmlu_categories[s] != HUMANITIES)
            continue;
        static const char dev[] = "q,1,2,3,4,A\n";
        char *test = mem_format("mmlu/test/%s_test.csv", mmlu_subjects[s]),
             *shots = mem_format("mmlu/dev/%s_dev.csv", mmlu_subjects[s]);
        mem_free(fuzz_file(test, bytes, n));
        mem_free(fuzz_file(shots, dev, sizeof dev - 1));
        mem_free(test);
        mem_free(shots);
    }
    Status st = mmlu_read(&q, prompts, fuzz_folder, HUMANITIES);
    check(st == ST_OK || *error_text());
    for (size_t i = 0; i < q.all.n; i++) {
        str_clear(&text);
        mmlu_ask_text(&text, q.all.at[i].doc);
        check(text.n);
    }
    for (int s = 0; s < MMLU_SUBJECTS; s++)
        fewshot_drop(&prompts[s]);
    questions_drop(&q);
    str_drop(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct {
        const char *name, *file;
    } kinds[] = {{"humaneval", "humaneval/HumanEval.jsonl.gz"},
                 {"mbpp", "mbpp/mbpp.jsonl"},
                 {"gsm8k", "gsm8k/test.jsonl"},
                 {"tasks", "tasks/questions.jsonl"},
                 {"ds1000", "ds1000/ds1000.jsonl"}};
    if (memmem(bytes, n, "import", 6)) /* what DS-1000's questions import is tried in the sandbox */
        return 0;
    log_level_set(LOG_ERROR);
    if (n == 0)
        return 0;
    size_t kind = bytes[0] % (sizeof kinds / sizeof *kinds + 1);
    if (kind < sizeof kinds / sizeof *kinds)
        read_as(kinds[kind].name, kinds[kind].file, bytes + 1, n - 1);
    else
        read_mmlu(bytes + 1, n - 1);
    return 0;
}
