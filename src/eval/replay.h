/* Recorded MINT episodes, walked through our loop and our marks: does ours say what was recorded?
 *
 * A file is .../<model>/F=<None|model>/[PHF=.../]max<k>_p<p>+tool+cd/<group>/<task>/results.jsonl, one
 * episode a line.  Checks, with the names of replay.md:
 *
 *   R1  the opening message, from the prompt files
 *   R2  every later user message, the counters and the end
 *   R3  the verdict of each proposal: gsm8k, math, hotpotqa, mmlu
 *   R4  the same of theoremqa; its option tasks, where versions differ, are counted apart
 *   R5  the same of humaneval and mbpp
 *   R6  what a cell prints, where it needs the standard library alone, up to the episode's first that needs
 *       more
 *   R7  the last line of what it prints when it raises
 *
 * R5 to R7 run programs: the caller brings what runs them (ReplayPrograms), in a sandbox. */
#ifndef EVAL_REPLAY_H
#define EVAL_REPLAY_H

#include "agent/action.h"
#include "eval/mark.h"

typedef enum {
    REPLAY_R1,
    REPLAY_R2,
    REPLAY_R3,
    REPLAY_R4,
    REPLAY_R4_OPTION,
    REPLAY_R5,
    REPLAY_R6,
    REPLAY_R7,
    REPLAY_CHECKS
} ReplayCheck;
extern const char *const replay_check_names[REPLAY_CHECKS];

typedef struct {
    int64_t compared, agreed, undecided; /* undecided: neither; what only a Python can mark */
} ReplayCount;

typedef struct {
    ReplayCount counts[REPLAY_CHECKS];
    int64_t files, episodes, solved, bad_lines,
        doubles; /* doubles: a task id again in its file; the first counts */
} ReplayReport;

typedef enum { CELL_PRINTED, CELL_RAISED, CELL_UNABLE } CellResult;

/* Runs a model's programs, each function with `arg` first. */
typedef struct {
    void *arg;
    Mark (*test)(void *arg, Span solution, Span tests); /* MARK_UNDECIDED: could not be run                */
    void (*begin)(void *arg);                           /* a new interpreter, for the cells of one episode */
    /* Appends what the cell printed, or of a cell that raised the last line of its traceback. */
    CellResult (*cell)(void *arg, Str *out, Span code);
} ReplayPrograms;

typedef struct {
    const char *data; /* holds mint/prompt                                        */
    MarkRule marks;   /* of gsm8k, math, hotpotqa, theoremqa                      */
    ActionRule actions;
    const ReplayPrograms *programs; /* NULL: R5 to R7 compare nothing */
    /* Each disagreement, where to find it and a few words; NULL: none is told. */
    void (*tell)(void *arg, ReplayCheck check, const char *file, int64_t line, const char *what);
    void *arg;
} ReplaySpec;

/* Every results.jsonl below `folder` adds to *report.  ST_IO, ST_FORMAT: prompt files or folders cannot be
 * read. */
MUST_CHECK Status replay_mint(ReplayReport *report, const ReplaySpec *spec, const char *folder);

#endif
