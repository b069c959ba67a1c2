/* Recorded MINT episodes, walked through our loop and our marks: does ours say what was recorded?
 *
 * A file is .../<model>/F=<None|model>/[PHF=.../]max<k>_p<p>+tool+cd/<group>/<task>/results.jsonl, one
 * episode a line. Checks, with the names of replay.md: R1  the opening message, from the prompt files     R3
 * the verdict of each proposal: gsm8k, math, hotpotqa, mmlu R2  every later user message, counters and end R4
 * the same of theoremqa; option tasks are counted apart R5 (verdicts on programs) and R6 (what a cell prints)
 * run programs and are not here. */
#ifndef EVAL_REPLAY_H
#define EVAL_REPLAY_H

#include "agent/action.h"
#include "eval/mark.h"

typedef enum { REPLAY_R1, REPLAY_R2, REPLAY_R3, REPLAY_R4, REPLAY_R4_OPTION, REPLAY_CHECKS } ReplayCheck;
extern const char *const replay_check_names[REPLAY_CHECKS];

typedef struct {
    int64_t compared, agreed, undecided; /* undecided: neither; what only a Python can mark */
} ReplayCount;

typedef struct {
    ReplayCount counts[REPLAY_CHECKS];
    int64_t files, episodes, solved, bad_lines,
        doubles; /* doubles: a task id again in its file; the first counts */
} ReplayReport;

typedef struct {
    const char *data; /* holds mint/prompt                                        */
    MarkRule marks;   /* of gsm8k, math, hotpotqa, theoremqa                      */
    ActionRule actions;
    /* Each disagreement, where to find it and a few words; NULL: none is told. */
    void (*tell)(void *arg, ReplayCheck check, const char *file, int64_t line, const char *what);
    void *arg;
} ReplaySpec;

/* Every results.jsonl below `folder` adds to *report.  ST_IO, ST_FORMAT: prompt files or folders cannot be
 * read. */
MUST_CHECK Status replay_mint(ReplayReport *report, const ReplaySpec *spec, const char *folder);

#endif
