/* The sections of a report; each writes nothing where no part is of its kind. */
#ifndef STUDY_REPORT_PARTS_H
#define STUDY_REPORT_PARTS_H

#include "study/plot.h"
#include "study/report.h"

void report_corpora(Str *page, Report *r); /* ledgers of corpora and of shards */
void report_trainings(Str *page, Report *r);
void report_scores(Str *page, Report *r);
void report_improves(Str *page, Report *r); /* rounds of `lemur study improve` */
void report_episodes(Str *page, Report *r); /* examples that unfold */

/* The plot, or why there is none. */
void report_plot(Str *page, Report *r, const Plot *plot);
/* 0 where the path of keys, with dots between, leads to no number. */
double report_number(const json_t *o, const char *path);
const char *report_text(const json_t *o, const char *key); /* "" */
bool report_has(const Report *r, ReportKind kind);
/* Each line of a file that is a JSON object, given to `take` until it returns false.  A file that is missing
 * has none, and a cut last line is none. */
void report_lines(const char *folder, const char *file, bool (*take)(void *context, json_t *line),
                  void *context);

#endif
