/* The report, and all files on some threads. */
#include "eval/replay.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "eval/replay_answers.h"
#include "eval/replay_bash.h"
#include "eval/replay_ctf.h"
#include "eval/replay_intercode.h"
#include "eval/replay_mint.h"
#include "eval/replay_robot.h"

enum { NAMED_MOST = 10000, WORDS_MOST = 300 };

const char *const replay_check_names[REPLAY_CHECKS] = {"R1", "R2", "R3", "R4",    "R4_option",
                                                       "R5", "R6", "R7", "R10",   "R11",
                                                       "R12", "gsm8k", "bbh", "S2", "S3", "S4", "ctf", "RC", "B1"};
const char *const replay_why_words[REPLAY_WHYS] = {
    "no prompt files",
    "games that are not here",
    "no sandbox",
    "need more than the standard library, or change with time and chance",
    "come after such a cell in their episode",
    "ran into the recorded time limit",
    "tracebacks cut short",
    "could not be run here",
    "only Python could mark them",
    "what to compare with is missing or broken",
    "no questions: intercode/sql or intercode/ctf is not there",
    "ask the network",
    "print versions or dates, or need a tool that is not here",
    "of tasks whose files are not in the data",
    "without the gold query's rows among the recorded ones",
    "no server of databases (--sql-server)",
    "rows that nothing orders wholly, cut by LIMIT",
    "texts of syntax errors",
    "writes, and tables that were written to",
    "without a record of what the reward came of",
};

int64_t replay_undecided(const ReplayCount *c)
{
    int64_t n = 0;
    for (int i = 0; i < REPLAY_WHYS; i++)
        n += c->undecided[i];
    return n;
}

void replay_count(ReplayReport *r, ReplayCheck check, bool agrees, const char *file, int64_t line,
                  const char *what)
{
    r->counts[check].compared++;
    r->counts[check].agreed += agrees;
    if (agrees || r->mismatches.n >= NAMED_MOST)
        return;
    Str words = {0};
    size_t n = strlen(what);
    str_add_valid(&words, what, n < WORDS_MOST ? n : WORDS_MOST);
    ReplayMismatch m = {check, mem_str(file), line, mem_str(str_c(&words))};
    str_drop(&words);
    array_push(&r->mismatches, m);
}

void replay_trouble(ReplayReport *r, const char *fmt, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;
    if (r->troubles.n >= NAMED_MOST)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    array_push(&r->troubles, mem_str(text));
}

static void count_merge(ReplayCount *to, const ReplayCount *from)
{
    to->compared += from->compared;
    to->agreed += from->agreed;
    to->reworded += from->reworded;
    to->whole += from->whole;
    to->legacy += from->legacy;
    to->current += from->current;
    to->either += from->either;
    for (int i = 0; i < REPLAY_WHYS; i++)
        to->undecided[i] += from->undecided[i];
}

#define array_move(to, from)                      \
    do {                                          \
        for (size_t i_ = 0; i_ < (from)->n; i_++) \
            array_push(to, (from)->at[i_]);       \
        array_drop(from);                         \
    } while (0)

void replay_report_merge(ReplayReport *to, ReplayReport *from)
{
    for (int i = 0; i < REPLAY_CHECKS; i++)
        count_merge(&to->counts[i], &from->counts[i]);
    to->files += from->files;
    to->episodes += from->episodes;
    to->solved += from->solved;
    to->bad_lines += from->bad_lines;
    to->doubles += from->doubles;
    to->unread = to->unread || from->unread;
    array_move(&to->mismatches, &from->mismatches);
    array_move(&to->scores, &from->scores);
    array_move(&to->troubles, &from->troubles);
    *from = (ReplayReport){0};
}

void replay_report_drop(ReplayReport *r)
{
    for (size_t i = 0; i < r->mismatches.n; i++) {
        mem_free(r->mismatches.at[i].file);
        mem_free(r->mismatches.at[i].what);
    }
    for (size_t i = 0; i < r->scores.n; i++) {
        mem_free(r->scores.at[i].model);
        mem_free(r->scores.at[i].setting);
        mem_free(r->scores.at[i].group);
        mem_free(r->scores.at[i].task);
    }
    for (size_t i = 0; i < r->troubles.n; i++)
        mem_free(r->troubles.at[i]);
    array_drop(&r->mismatches);
    array_drop(&r->scores);
    array_drop(&r->troubles);
    *r = (ReplayReport){0};
}

typedef struct {
    const ReplaySpec *spec;
    const ReplayFiles *files;
    const size_t *order;
    ReplayReport *reports; /* one a file */
    int64_t bytes_done;
} Run;

static Status one_file(ReplayReport *report, const ReplaySpec *spec, const ReplayPrograms *programs,
                       const ReplayFile *f)
{
    switch (f->kind) {
    case RECORDING_MINT: return replay_mint_file(report, spec, programs, f->path);
    case RECORDING_GSM8K: return replay_gsm8k_file(report, spec, f->path);
    case RECORDING_BBH: return replay_bbh_file(report, spec, f->path);
    case RECORDING_INTERCODE_SQL: return replay_intercode_sql_file(report, spec, f->path);
    case RECORDING_INTERCODE_CTF: return replay_ctf_file(report, spec, f->path);
    case RECORDING_ROBOCODEGEN: return replay_robot_file(report, spec, f->path);
    case RECORDING_INTERCODE_BASH: return replay_bash_file(report, spec, f->path);
    case RECORDING_KINDS: break;
    }
    return ST_OK;
}

static void run_task(void *context, int64_t task, int thread)
{
    Run *run = context;
    size_t i = run->order[task];
    const ReplayFile *f = &run->files->files.at[i];
    const ReplayPrograms *programs = run->spec->programs ? &run->spec->programs[thread] : NULL;
    Status st = one_file(&run->reports[i], run->spec, programs, f);
    if (st != ST_OK) {
        replay_trouble(&run->reports[i], "%s", error_text());
        run->reports[i].unread = true;
    }
    int64_t done = __atomic_add_fetch(&run->bytes_done, f->bytes, __ATOMIC_RELAXED);
    if (run->spec->progress && thread == 0) /* the caller's thread alone speaks */
        progress_at(run->spec->progress, (double)done / 1e6);
}

/* Largest first: the threads then end together. */
static void order_by_size(size_t *order, const ReplayFiles *files)
{
    for (size_t i = 0; i < files->files.n; i++) {
        size_t k = i;
        for (; k > 0 && files->files.at[order[k - 1]].bytes < files->files.at[i].bytes; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

void replay_run(ReplayReport *report, const ReplaySpec *spec, const ReplayFiles *files)
{
    size_t n = files->files.n, *order = mem_array(size_t, n + 1);
    Run run = {.spec = spec, .files = files, .order = order, .reports = mem_array(ReplayReport, n + 1)};
    order_by_size(order, files);
    thread_each((int64_t)n, spec->threads, run_task, &run);
    for (size_t i = 0; i < n; i++)
        replay_report_merge(report, &run.reports[i]);
    mem_free(run.reports);
    mem_free(order);
}
