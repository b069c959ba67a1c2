/* Recordings of other people's runs, walked through our loop and our marks: does ours say what was recorded?
 *
 *     ReplayFiles files;  TRY(replay_find(&files, folder));               replay_find.h
 *     ReplaySpec spec = {.data = "data", .checks = REPLAY_ALL, .threads = 2};
 *     ReplayReport report = {0};
 *     TRY(replay_run(&report, &spec, &files));
 *     report.counts[REPLAY_R1].compared ...
 *     replay_report_drop(&report);
 *
 * Checks, with the names of the paper's replay list:
 *
 *   R1     the opening message of a MINT episode, from the prompt files
 *   R2     every later user message, the counters and the end
 *   R3     the verdict of each proposal: gsm8k, math, hotpotqa, mmlu
 *   R4     the same of theoremqa; R4_option: its option tasks, where versions differ
 *   R5     the same of humaneval and mbpp, by running them
 *   R6     what a cell prints, where it needs the standard library alone, up to the episode's first that
 * needs more R7     the last line of what it prints when it raises (wording.h says which wordings are one)
 *   R10    the opening message of a household episode, its task's words from the game itself
 *   R11    what a cell prints that plays the game; of one that raises, the last line
 *   R12    whether the episode succeeded, and not before its end
 *   gsm8k  the verdict on each solution of GSM8K's recorded models: the number behind the last "A: "
 *   bbh    the accuracy of each file of BIG-Bench Hard outputs
 *   S2     the rewards of InterCode-SQL from recorded text (replay_intercode.h)
 *   S3     what its queries show, on a server of databases (replay_observation.h)
 *   S4     its rewards and success by running its queries
 *   ctf    what InterCode-CTF's commands print, and their rewards (replay_ctf.h)
 *   RC     the verdict on each of RoboCodeGen's recorded functions (replay_robot.h)
 *   B1     the rewards of InterCode-Bash from what was recorded of them (replay_bash.h)
 *
 * R5 to R7, R11 and R12 run programs: the caller brings what runs them (ReplayPrograms), in a sandbox. */
#ifndef EVAL_REPLAY_H
#define EVAL_REPLAY_H

#include "agent/action.h"
#include "base/array.h"
#include "base/log.h"
#include "env/household.h"
#include "eval/mark.h"
#include "eval/replay_find.h"

typedef enum {
    REPLAY_R1,
    REPLAY_R2,
    REPLAY_R3,
    REPLAY_R4,
    REPLAY_R4_OPTION,
    REPLAY_R5,
    REPLAY_R6,
    REPLAY_R7,
    REPLAY_R10,
    REPLAY_R11,
    REPLAY_R12,
    REPLAY_GSM8K,
    REPLAY_BBH,
    REPLAY_S2,
    REPLAY_S3,
    REPLAY_S4,
    REPLAY_CTF,
    REPLAY_RC,
    REPLAY_B1,
    REPLAY_CHECKS
} ReplayCheck;
extern const char *const replay_check_names[REPLAY_CHECKS];
enum { REPLAY_ALL = (1 << REPLAY_CHECKS) - 1 };

/* Why something was not compared. */
typedef enum {
    REPLAY_NO_PROMPTS, /* mint/prompt is not below the data folder                                      */
    REPLAY_NO_GAME,    /* mint/alfworld/games below the data folder has not its game                    */
    REPLAY_NO_SANDBOX, /* nothing runs programs                                                         */
    REPLAY_BEYOND,     /* a cell that needs more than the standard library, or changes with time, chance */
    REPLAY_AFTER,      /* a cell behind such a one in its episode                                       */
    REPLAY_TIME_LIMIT, /* a cell that ran into the recorded time limit                                  */
    REPLAY_CUT,        /* a traceback that was cut at 2000 characters                                   */
    REPLAY_NOT_RUN,    /* a program or cell that could not be run here                                  */
    REPLAY_PYTHON,     /* an answer that only a Python could mark                                       */
    REPLAY_BROKEN,     /* what is compared with is missing or malformed                                 */
    REPLAY_NO_QUESTIONS, /* intercode/sql or intercode/ctf is not below the data folder                   */
    REPLAY_NETWORK,    /* a command that asks the network                                               */
    REPLAY_TOOL,       /* one that prints versions or dates, or whose tool is not here                  */
    REPLAY_NO_ASSETS,  /* its task's files are not in the data                                          */
    REPLAY_NO_GOLD,    /* no recorded turn shows the gold query's rows                                  */
    REPLAY_NO_SERVER,  /* no server of databases was named                                              */
    REPLAY_CHANCE,     /* rows that nothing orders wholly, cut by LIMIT                                 */
    REPLAY_SYNTAX,     /* the text of a syntax error                                                    */
    REPLAY_ALTERED,    /* writes, and tables that were written to                                       */
    REPLAY_NO_INFO,    /* what its last reward came of was not recorded                                 */
    REPLAY_WHYS
} ReplayWhy;
extern const char *const replay_why_words[REPLAY_WHYS];

/* Of R3, R4 and R4_option: how many recordings follow which version of the marking rule. */
typedef struct {
    int64_t compared, agreed;
    int64_t reworded; /* of those that agreed: by another Python's words for the same error */
    int64_t whole;    /* of R7: where the whole text agrees, not its last line alone        */
    int64_t undecided[REPLAY_WHYS];
    int64_t legacy, current, either;
} ReplayCount;

typedef struct {
    ReplayCheck check;
    char *file;
    int64_t line;
    char *what; /* a few words, UTF-8 */
} ReplayMismatch;

/* How one recorded file of one task went, for the table. */
typedef struct {
    char *model, *setting, *group, *task; /* "lemur-70b-chat-v1", "F=None/max5_p2+tool+cd", ... */
    int64_t episodes, solved;             /* as recorded                                             */
    int64_t ours, unmarked;               /* solved by our verdicts; episodes that we have none for  */
} ReplayScore;

/* {0} is an empty one. */
typedef struct {
    ReplayCount counts[REPLAY_CHECKS];
    int64_t files, episodes, solved;
    int64_t bad_lines, doubles; /* doubles: a task id again in its file; the first counts */
    Array(ReplayMismatch) mismatches;
    Array(ReplayScore) scores;
    Array(char *) troubles; /* what could not be read, a sentence each */
    bool unread;            /* one of them is a whole file or folder   */
} ReplayReport;

int64_t replay_undecided(const ReplayCount *c);
/* Moves all of `from` behind what *to holds; `from` is then empty. */
void replay_report_merge(ReplayReport *to, ReplayReport *from);
void replay_report_drop(ReplayReport *r);
/* For the files that count. */
void replay_count(ReplayReport *r, ReplayCheck check, bool agrees, const char *file, int64_t line,
                  const char *what);
void replay_trouble(ReplayReport *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

typedef enum { CELL_PRINTED, CELL_RAISED, CELL_UNABLE } CellResult;

/* Runs a model's programs, each function with `arg` first; one for each thread.  All calls about a file come
 * from one thread, between its first and `end`. */
typedef struct {
    void *arg;
    Mark (*test)(void *arg, Span solution, Span tests); /* MARK_UNDECIDED: could not be run                */
    void (*begin)(void *arg);                           /* a new interpreter, for the cells of one episode */
    /* Appends what the cell printed, its traceback among it; *why of one that it is unable to compare. */
    CellResult (*cell)(void *arg, Str *out, ReplayWhy *why, Span code);
    /* A new interpreter with MINT's functions for the game, which stays; false: it cannot be had. */
    bool (*begin_world)(void *arg, const Household *game);
    /* As `cell`, of any cell; *succeeded: the episode has, after it. */
    CellResult (*act)(void *arg, Str *out, ReplayWhy *why, Span code, bool *succeeded);
    void (*end)(void *arg); /* the file is done: its interpreters go */
} ReplayPrograms;

/* Per recording: whichever version agrees more often, the legacy one where both do. */
typedef enum { REPLAY_RULE_RECORDING, REPLAY_RULE_LEGACY, REPLAY_RULE_CURRENT } ReplayRule;

typedef struct {
    const char *data; /* holds mint/prompt, and mint/alfworld/games; NULL: R1, R10 to R12 compare nothing */
    const char *intercode; /* holds intercode/sql, intercode/ctf; NULL: S2 to S4 and ctf compare nothing */
    const struct SqlWorlds *sql; /* env/sql.h: a server's databases, for S3 and S4; NULL: none for S3, SQLite for S4 */
    ReplayRule rule;
    ActionRule actions;
    unsigned checks; /* 1 << check of those to make */
    int threads;
    const ReplayPrograms *programs; /* as many as threads; NULL: R5 to R7, R11, R12 compare nothing */
    Progress *progress;             /* in megabytes of files; NULL: none */
} ReplaySpec;

static inline bool replay_wants(const ReplaySpec *spec, ReplayCheck check)
{
    return spec->checks >> check & 1;
}

/* Every file adds to *report, in the order of the list whatever the threads; what cannot be read is a trouble
 * in the report. */
void replay_run(ReplayReport *report, const ReplaySpec *spec, const ReplayFiles *files);

#endif
