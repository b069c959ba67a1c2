/* Any bytes as the small files of a run of `lemur run` and of three of its stages (rows, a training on them,
 * a study), with a NUL between them; @ becomes the folder in which they lie.  The run is held against its
 * lock, a page shows no text as HTML, and the study of mixtures counts each training once. */
#include <string.h>

#include "base/log.h"
#include "fuzz_folder.h"
#include "recipe/pipeline.h"
#include "study/harmony.h"
#include "study/report.h"

static const char *const names[] = {
    "run/lock.json",
    "rows/out/manifest.json",
    "training/out/results.json",
    "training/out/config.json",
    "training/out/log.jsonl",
    "training/stage.json",
    "study/out/lineage.json",
    "study/out/study.json",
};
enum { NAMES = sizeof names / sizeof *names };

static void write_part(const char *name, Span text)
{
    Str whole = {0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] == '@')
            str_adds(&whole, fuzz_folder);
        else
            str_addc(&whole, text.at[i]);
    }
    mem_free(fuzz_file(name, str_c(&whole), whole.n));
    str_drop(&whole);
}

static void verify(const char *run)
{
    static const RecipeVerb verb = {.words = "train"};
    RecipeVerbs verbs = {&verb, 1};
    int64_t wrong;
    if (pipeline_verify(&wrong, run, &verbs) == ST_OK)
        check(wrong >= 0);
    else
        check(*error_text());
}

static void report(const char *const *folders, size_t n)
{
    Report r = {.no_plots = true};
    Str page = {0};
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any = report_add(&r, folders[i]) == ST_OK || any;
    if (any) {
        report_write(&page, &r);
        check(utf8_valid(str_c(&page), page.n));
        check(!memmem(str_c(&page), page.n, "<zq", 3));
    }
    report_drop(&r);
    str_drop(&page);
}

static void mixtures(const char *const *folders, size_t n)
{
    Harmony h = {0};
    Str text = {0};
    if (harmony_read(&h, folders, n) == ST_OK && harmony_weigh(&h, NULL) == ST_OK) {
        harmony_solve(&h);
        size_t trainings = 0;
        for (size_t i = 0; i < h.mixes.n; i++)
            trainings += h.mixes.at[i].runs.n;
        check(trainings == 1); /* there is no other */
        harmony_text(&text, &h);
        harmony_markdown(&text, &h);
        json_decref(harmony_json(&h));
    } else {
        check(*error_text());
    }
    str_drop(&text);
    harmony_drop(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span rest = {(const char *)bytes, n};
    log_level_set(LOG_ERROR);
    mem_free(fuzz_file("run/x", "", 0)); /* the folder has its name from then on */
    for (size_t i = 0; i < NAMES; i++)
        write_part(names[i], fuzz_part(&rest));
    const char *const stages[] = {"run", "rows/out", "training/out", "study/out"};
    const char *folders[4];
    for (size_t i = 0; i < 4; i++)
        folders[i] = path_join(fuzz_folder, stages[i]);
    verify(folders[0]);
    report(folders, 4);
    mixtures(folders, 3); /* the last is of another study */
    for (size_t i = 0; i < 4; i++)
        mem_free((void *)(uintptr_t)folders[i]);
    return 0;
}
