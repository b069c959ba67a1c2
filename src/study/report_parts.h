/* The sections of a report; each writes nothing where no part is of its kind. */
#ifndef STUDY_REPORT_PARTS_H
#define STUDY_REPORT_PARTS_H

#include "study/plot.h"
#include "study/report.h"

void report_checks(Str *page, Report *r);  /* scores computed once more; tasks among what was learned */
void report_corpora(Str *page, Report *r); /* ledgers of corpora and of shards */
void report_trainings(Str *page, Report *r);
void report_squeezed(Str *page, Report *r); /* bits per byte, and compressors on the same bytes */
void report_scores(Str *page, Report *r);
void report_gains(Str *page, Report *r);    /* models against each other, and with feedback against without */
void report_errors(Str *page, Report *r);   /* why episodes failed, class by class */
void report_learned(Str *page, Report *r);  /* examples with the tokens that are learned marked */
void report_harmony(Str *page, Report *r);  /* studies of mixtures */
void report_improves(Str *page, Report *r); /* rounds of `lemur study improve` */
/* Whether a stage of such a run is episodes to learn from, which its section adds up: their scores are no
 * part. */
bool report_improve_plays(const json_t *lock, const char *stage);
void report_episodes(Str *page, Report *r);      /* examples that unfold */
void report_recipes(Str *page, const Report *r); /* commands, settings, hashes, times */

void report_studies(Str *page, Report *r); /* study.json of feedback and exploration */

/* The plot, or why there is none. */
void report_plot(Str *page, Report *r, const Plot *plot);
/* 0 where the path of keys, with dots between, leads to no number. */
double report_number(const json_t *o, const char *path);
/* Without its fraction; of one that is too large, the nearest that there is. */
int64_t report_whole(double number);
const char *report_text(const json_t *o, const char *key); /* "" */
bool report_has(const Report *r, ReportKind kind);
/* An earlier tuning on the very same examples; NULL: there is none. */
const ReportPart *report_taught_before(const Report *r, const ReportPart *p);
/* What the model of a part with scores is called: the part that made it, else as results.json names it;
 * caller frees. */
char *report_model(const Report *r, const ReportPart *p);
/* How its tasks are called: by the family they were made of, where all runs of the benchmark here have one
 * and the same; borrowed. */
const char *report_tasks(const Report *r, const char *benchmark);
/* ", with hints" or ", with feedback"; "": the part's scores are without. */
const char *report_feedback(const ReportPart *p);
/* Adds to an array of the summary, under `key`; keeps `value`. */
void report_note(Report *r, const char *key, json_t *value);
/* A file of JSON in a folder; NULL: there is none, or it is passed over with a warning.  New reference. */
json_t *report_read(const char *folder, const char *name);
/* Each line of a file that is a JSON object, given to `take` until it returns false.  A file that is missing
 * has none, and a cut last line is none. */
void report_lines(const char *folder, const char *file, bool (*take)(void *context, json_t *line),
                  void *context);

#endif
