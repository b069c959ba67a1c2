/* Any bytes as the folder of an evaluation's run: the first chooses its benchmark, then come transcripts,
 * samples and results.json with a NUL between them.  Studies count each episode once, and a page shows no
 * text as HTML. */
#include <string.h>

#include "base/log.h"
#include "fuzz_folder.h"
#include "study/errors.h"
#include "study/explore.h"
#include "study/gain.h"
#include "study/keep.h"
#include "study/report.h"

static FILE *nowhere; /* /dev/null */

static void read_errors(const char *run)
{
    ErrorRun errors = {0};
    int64_t sum = 0;
    if (errors_read(&errors, run) == ST_OK) {
        for (int k = 0; k < ERROR_CLASSES; k++)
            sum += errors.counts[k];
        check(sum == (int64_t)errors.episodes.n);
        ErrorPair pair = errors_compare(&errors, &errors, ERROR_TOOL);
        check(pair.first <= pair.common && pair.p >= 0 && pair.p <= 1);
    }
    errors_drop(&errors);
}

static void keep(const char *run)
{
    KeepCounts c, again;
    char *folder = path_join(fuzz_folder, "kept");
    if (keep_successes(&c, &(KeepSpec){.runs = &run, .runs_n = 1, .most = 2, .folder = folder}) == ST_OK) {
        check(c.kept + c.doubles + c.surplus + c.unfit == c.successes && c.successes <= c.episodes);
        check(keep_read(&again, folder) == ST_OK && memcmp(&again, &c, sizeof c) == 0);
    } else {
        check(*error_text());
    }
    mem_free(folder);
}

static void studies(const char *run)
{
    const char *runs[] = {run, run};
    json_t *study = NULL;
    if (explore_study(&study, &(ExploreSpec){.runs = runs, .runs_n = 2}) == ST_OK) {
        check(json_is_array(json_object_get(study, "pairs")));
        explore_print(nowhere, study);
        json_decref(study);
    }
    study = NULL;
    if (gain_study(&study, &(GainSpec){.runs = runs, .runs_n = 2}) == ST_OK) {
        check(study != NULL);
        gain_print(nowhere, study);
        json_decref(study);
    }
}

static void report(const char *run)
{
    Report r = {.no_plots = true};
    Str page = {0};
    if (report_add(&r, run) == ST_OK) {
        report_write(&page, &r);
        check(utf8_valid(str_c(&page), page.n));
        check(!memmem(str_c(&page), page.n, "<zq", 3));
    }
    report_drop(&r);
    str_drop(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const benchmarks[] = {"x", "alfworld", "alfworld_python", "ic_sql", "ic_bash"};
    if (n == 0)
        return 0;
    log_level_set(LOG_ERROR);
    if (!nowhere)
        check((nowhere = fopen("/dev/null", "w")) != NULL);
    const char *benchmark = benchmarks[bytes[0] % (sizeof benchmarks / sizeof *benchmarks)];
    char *names[] = {mem_format("%s/transcripts_%s.jsonl", benchmark, benchmark),
                     mem_format("%s/samples_%s.jsonl", benchmark, benchmark),
                     mem_format("%s/results.json", benchmark)};
    Span rest = {(const char *)bytes + 1, n - 1};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Span text = fuzz_part(&rest);
        mem_free(fuzz_file(names[i], text.at, text.n));
        mem_free(names[i]);
    }
    char *run = path_join(fuzz_folder, benchmark);
    read_errors(run);
    keep(run);
    studies(run);
    report(run);
    mem_free(run);
    return 0;
}
