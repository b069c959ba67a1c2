/* Many runs, one page: what was made, of what, how it went, what it scores; all of it read from the folders
 * that the verbs wrote.
 *
 *     Report r = {0};
 *     TRY(report_add(&r, "run/mini"));           a run of `lemur run`: all its stages; or one verb's folder
 *     Str page = {0};
 *     report_write(&page, &r);
 *     r.wrong                                    checks that failed: scores, tasks among what was learned
 *     report_drop(&r); */
#ifndef STUDY_REPORT_H
#define STUDY_REPORT_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"

typedef enum {
    REPORT_CORPUS,
    REPORT_SHARDS,
    REPORT_TRAINING,
    REPORT_SCORES,
    REPORT_OVERLAP,
    REPORT_HARMONY,
    REPORT_STUDY,
    REPORT_OTHER
} ReportKind;

typedef struct {
    char *name;   /* "tuned"; of several runs "mini/tuned" */
    char *folder; /* of its files */
    ReportKind kind;
    json_t *json;   /* manifest.json, results.json, overlap.json or study.json */
    json_t *tuning; /* data/manifest.json of `lemur tune`; NULL: it is none */
    bool lesson; /* scores of a script, or of episodes that another part was tuned on: no test of a model */
} ReportPart;

typedef struct {
    Array(ReportPart) parts;
    Array(json_t *) locks; /* lock.json of runs */
    json_t *stages;       /* of parts that are a pipeline's stages and came without their run: as in a lock */
    Array(char *) titles; /* what was added, for the heading */
    bool no_plots;        /* gnuplot is missing, or failed: told once, on the page too */
    json_t *summary;      /* what report_write found, without times: {"report": 1, "scores", "checks", ...} */
    int64_t wrong;        /* checks that failed */
} Report;

/* `what` is a folder, or NAME=FOLDER: what the page is to call it.
 *   ST_IO: no folder; ST_ARG: nothing in it that a report tells of. */
MUST_CHECK Status report_add(Report *r, const char *what);
/* Appends the page.  What cannot be read or drawn is said there. */
void report_write(Str *page, Report *r);
void report_drop(Report *r);

#endif
