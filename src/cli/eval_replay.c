/* Flags, the report as a table and as JSON; the checks are in eval/replay.h. */
#include "cli/eval_replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "env/sql.h"
#include "eval/replay_programs.h"
#include "eval/replay_table.h"

enum { NAMED = 20 };

typedef struct {
    const char *folder;
    ReplayFiles files;
    ReplaySpec spec;
    ReplayReport report;
    ReplayRunners *runners;
    SqlWorlds *sql;
    char *data, *intercode;
    double seconds;
    int unchecked; /* kinds of checks that could not be made at all */
} Job;

/* The folder that holds `what`: `given`, or the nearest of `below` and the folders above it. */
static char *data_holding(const char *what, const char *given, const char *below)
{
    char *at = realpath(given ? given : below, NULL), *found = NULL;
    size_t top = strcspn(what, "/");
    while (at && !found) {
        if (folder_holds(at, what))
            found = mem_str(at);
        char *slash = strrchr(at, '/');
        /* A folder given by name is meant, or the one above it where it is mint or intercode itself. */
        if (!slash || slash == at ||
            (given && (strlen(slash + 1) != top || strncmp(slash + 1, what, top) != 0)))
            break;
        *slash = 0;
    }
    free(at);
    return found;
}

char *eval_replay_data(const char *given, const char *below)
{
    return data_holding("mint/prompt", given, below);
}

static Status one_check(unsigned *checks, Span name)
{
    const char *names[REPLAY_CHECKS];
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)(name.n < sizeof text ? name.n : sizeof text - 1), name.at);
    for (int i = 0; i < REPLAY_CHECKS; i++) {
        names[i] = replay_check_names[i];
        if (strcmp(text, names[i]) == 0) {
            *checks |= 1u << i;
            if (i == REPLAY_R4)
                *checks |= 1u << REPLAY_R4_OPTION;
            return ST_OK;
        }
    }
    const char *near = nearest_name(text, names, REPLAY_CHECKS);
    return fail(ST_ARG,
                "--checks: no check '%s'%s%s; there are R1 to R7, R4_option, R10 to R12, gsm8k, bbh, S2, S3, "
                "S4, ctf, RC, B1",
                text,
                near ? ", did you mean " : "", near ? near : "");
}

static Status parse_checks(unsigned *checks, const char *list)
{
    *checks = 0;
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        TRY(one_check(checks, span_trim((Span){at, n})));
        at += n + (at[n] == ',');
    }
    return *checks ? ST_OK : fail(ST_ARG, "--checks is empty");
}

static Status parse_rule(ReplayRule *rule, const char *text)
{
    *rule = REPLAY_RULE_RECORDING;
    if (!text)
        return ST_OK;
    *rule = strcmp(text, "current") == 0 ? REPLAY_RULE_CURRENT : REPLAY_RULE_LEGACY;
    if (strcmp(text, "current") != 0 && strcmp(text, "legacy") != 0)
        return fail(ST_ARG,
                    "--rule is '%s' and must be legacy or current; without it each recording's own rule "
                    "is found",
                    text);
    return ST_OK;
}

/* ---- what could be needed and is not here: told, and the rest goes on -------------------------------------
 */

static void unchecked(Job *job, const char *checks)
{
    log_error("%s not checked: %s", checks, error_text());
    job->unchecked++;
}

static void find_prompts(Job *job, const char *given)
{
    unsigned data = 1u << REPLAY_R1 | 1u << REPLAY_R10 | 1u << REPLAY_R11 | 1u << REPLAY_R12;
    if (!(job->spec.checks & data) || !job->files.count[RECORDING_MINT])
        return;
    job->data = eval_replay_data(given, job->folder);
    job->spec.data = job->data;
    if (job->data)
        return;
    (void)fail(ST_ARG, "no mint/prompt below %s%s; give --data the folder that holds it",
               given ? given : job->folder, given ? "" : ", nor beside it");
    unchecked(job, "R1, R10, R11, R12 are");
}

static void find_questions(Job *job, const char *given)
{
    bool sql = job->spec.checks & (1u << REPLAY_S2 | 1u << REPLAY_S3 | 1u << REPLAY_S4) &&
               job->files.count[RECORDING_INTERCODE_SQL];
    bool ctf = job->spec.checks & 1u << REPLAY_CTF && job->files.count[RECORDING_INTERCODE_CTF];
    const char *what = sql ? "intercode/sql" : "intercode/ctf";
    if (!sql && !ctf)
        return;
    job->intercode = data_holding(what, given, job->folder);
    job->spec.intercode = job->intercode;
    if (job->intercode)
        return;
    (void)fail(ST_ARG, "no %s below %s%s; give --data the folder that holds it", what,
               given ? given : job->folder, given ? "" : ", nor beside it");
    unchecked(job, "S2 to S4, ctf are");
}

static void find_server(Job *job, const char *server)
{
    SqlSource source = {.data = job->intercode, .server = server};
    unsigned asked = 1u << REPLAY_S3 | 1u << REPLAY_S4;
    if (!server || !(job->spec.checks & asked) || !job->intercode || !job->files.count[RECORDING_INTERCODE_SQL])
        return;
    if (sql_worlds_open_source(&job->sql, &source) == ST_OK) {
        job->spec.sql = job->sql;
        return;
    }
    unchecked(job, "S3, S4 are");
    job->spec.checks &= ~asked;
}

static void find_sandbox(Job *job)
{
    unsigned programs = 1u << REPLAY_R5 | 1u << REPLAY_R6 | 1u << REPLAY_R7 | 1u << REPLAY_R11 |
                        1u << REPLAY_R12;
    if (!(job->spec.checks & programs) || !job->files.count[RECORDING_MINT])
        return;
    if (replay_runners_open(&job->runners, job->spec.threads) == ST_OK)
        job->spec.programs = replay_runners_programs(job->runners);
    else
        unchecked(job, "R5, R6, R7, R11, R12 are");
}

/* ---- the report -------------------------------------------------------------------------------------------
 */

static int64_t mismatches(const ReplayReport *r)
{
    int64_t n = 0;
    for (int i = 0; i < REPLAY_CHECKS; i++)
        n += r->counts[i].compared - r->counts[i].agreed;
    return n;
}

static void print_check(const Job *job, int check)
{
    const ReplayCount *c = &job->report.counts[check];
    int64_t undecided = replay_undecided(c);
    if (!replay_wants(&job->spec, (ReplayCheck)check) || c->compared + undecided == 0)
        return;
    printf("%-10s %9lld %11lld %10lld", replay_check_names[check], (long long)c->compared,
           (long long)(c->compared - c->agreed), (long long)undecided);
    const char *comma = "   ";
    for (int i = 0; i < REPLAY_WHYS; i++) {
        if (c->undecided[i])
            printf("%s%lld %s", comma, (long long)c->undecided[i], replay_why_words[i]);
        comma = c->undecided[i] ? "; " : comma;
    }
    if (c->whole) {
        printf("%s%lld agree in the whole text", comma, (long long)c->whole);
        comma = "; ";
    }
    if (c->reworded) {
        printf("%s%lld agree in another Python's words", comma, (long long)c->reworded);
        comma = "; ";
    }
    if (c->legacy + c->current)
        printf("%srecordings by rule: %lld legacy, %lld current, %lld either", comma, (long long)c->legacy,
               (long long)c->current, (long long)c->either);
    putchar('\n');
}

static void print_mismatches(const ReplayReport *r, bool all)
{
    size_t n = all || r->mismatches.n < NAMED ? r->mismatches.n : NAMED;
    for (size_t i = 0; i < n; i++) {
        const ReplayMismatch *m = &r->mismatches.at[i];
        printf("%s%s %s:%lld: ", i ? "" : "\n", replay_check_names[m->check], m->file, (long long)m->line);
        for (const char *c = m->what; *c; c++) /* on one line; a terminal is not commanded */
            putchar((unsigned char)*c < ' ' || *c == 127 ? ' ' : *c);
        putchar('\n');
    }
    if (mismatches(r) > (int64_t)n)
        printf("and %lld more; --all names %s\n", (long long)(mismatches(r) - (int64_t)n),
               all ? "the first ten thousand of a file" : "them");
}

static void print_report(const Job *job, const Args *args)
{
    const ReplayReport *r = &job->report;
    printf("%-10s %9s %11s %10s\n", "check", "compared", "mismatches", "undecided");
    for (int i = 0; i < REPLAY_CHECKS; i++)
        print_check(job, i);
    printf("\n%lld recordings, %lld episodes, %lld bad lines, %lld doubles, %.1f s\n", (long long)r->files,
           (long long)r->episodes, (long long)r->bad_lines, (long long)r->doubles, job->seconds);
    print_mismatches(r, args_has(args, "all"));
    if (args_has(args, "table")) {
        Str table = {0};
        replay_table_text(&table, r);
        printf("\n%s", str_c(&table));
        str_drop(&table);
    }
}

static json_t *json_check(const ReplayCount *c)
{
    json_t *j = json_pack("{s:I, s:I, s:I, s:I}", "compared", (json_int_t)c->compared, "mismatches",
                          (json_int_t)(c->compared - c->agreed), "undecided", (json_int_t)replay_undecided(c),
                          "reworded", (json_int_t)c->reworded);
    if (c->whole)
        json_object_set_new(j, "whole_text", json_integer(c->whole));
    json_t *why = json_object();
    for (int i = 0; i < REPLAY_WHYS; i++)
        if (c->undecided[i])
            json_object_set_new(why, replay_why_words[i], json_integer(c->undecided[i]));
    json_object_set_new(j, "undecided_why", why);
    if (c->legacy + c->current + c->either)
        json_object_set_new(j, "recordings_by_rule",
                            json_pack("{s:I, s:I, s:I}", "legacy", (json_int_t)c->legacy, "current",
                                      (json_int_t)c->current, "either", (json_int_t)c->either));
    return j;
}

static json_t *json_texts(char *const *texts, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        Str valid = {0};
        str_add_valid(&valid, texts[i], strlen(texts[i]));
        json_array_append_new(list, json_string(str_c(&valid)));
        str_drop(&valid);
    }
    return list;
}

static json_t *json_mismatches(const ReplayReport *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->mismatches.n; i++) {
        const ReplayMismatch *m = &r->mismatches.at[i];
        json_t *file = json_texts(&m->file, 1);
        json_array_append_new(list, json_pack("{s:s, s:O, s:I, s:s}", "check", replay_check_names[m->check],
                                              "file", json_array_get(file, 0), "line", (json_int_t)m->line,
                                              "what", m->what));
        json_decref(file);
    }
    return list;
}

static void print_json(const Job *job, const Args *args)
{
    const ReplayReport *r = &job->report;
    json_t *checks = json_object();
    for (int i = 0; i < REPLAY_CHECKS; i++)
        if (replay_wants(&job->spec, (ReplayCheck)i))
            json_object_set_new(checks, replay_check_names[i], json_check(&r->counts[i]));
    json_t *j =
        json_pack("{s:o, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o}", "checks", checks, "recordings",
                  (json_int_t)r->files, "episodes", (json_int_t)r->episodes, "bad_lines",
                  (json_int_t)r->bad_lines, "doubles", (json_int_t)r->doubles, "seconds", job->seconds,
                  "mismatches", json_mismatches(r), "troubles", json_texts(r->troubles.at, r->troubles.n),
                  "passed_over", json_texts(job->files.passed_over.at, job->files.passed_over.n));
    if (args_has(args, "table"))
        json_object_set_new(j, "table", replay_table_json(r));
    cmd_print_json(j, 6);
    json_decref(j);
}

static void tell_troubles(const Job *job)
{
    for (size_t i = 0; i < job->files.passed_over.n; i++)
        log_warn("passed over: %s", job->files.passed_over.at[i]);
    for (size_t i = 0; i < job->files.unread.n; i++)
        log_error("%s", job->files.unread.at[i]);
    size_t n = job->report.troubles.n;
    for (size_t i = 0; i < n && i < NAMED; i++)
        log_warn("%s", job->report.troubles.at[i]);
    if (n > NAMED)
        log_warn("and %zu more such lines; --json lists them", n - NAMED);
}

/* A disagreement is a failure; so is what could not be checked. */
static Status outcome(const Job *job)
{
    int64_t n = mismatches(&job->report), compared = 0;
    for (int i = REPLAY_S3; i <= REPLAY_S4; i++) { /* neither SQLite nor MariaDB is MySQL */
        const ReplayCount *c = &job->report.counts[i];
        if ((c->compared - c->agreed) * 100 <= c->compared)
            n -= c->compared - c->agreed;
    }
    for (int i = 0; i < REPLAY_CHECKS; i++)
        compared += job->report.counts[i].compared;
    if (n)
        return fail(ST_FORMAT, "%lld of %lld comparisons disagree with the recordings", (long long)n,
                    (long long)compared);
    if (job->report.unread || job->files.unread.n)
        return fail(ST_IO, "some recordings could not be read; see above");
    if (job->unchecked)
        return fail(ST_IO, "some checks could not be made; see above, or choose others with --checks");
    if (!compared)
        return fail(ST_IO, "nothing was compared: no recording here has what --checks asks for");
    return ST_OK;
}

static Status replay(Job *job, const Args *args)
{
    double bytes = 0, start = clock_now();
    TRY(replay_find(&job->files, job->folder));
    find_prompts(job, args_value(args, "data"));
    find_questions(job, args_value(args, "data"));
    find_server(job, args_value(args, "sql-server"));
    find_sandbox(job);
    for (size_t i = 0; i < job->files.files.n; i++)
        bytes += (double)job->files.files.at[i].bytes;
    Progress progress = progress_start("replaying", bytes / 1e6, "MB");
    job->spec.progress = &progress;
    replay_run(&job->report, &job->spec, &job->files);
    progress_end(&progress);
    job->seconds = clock_now() - start;
    tell_troubles(job);
    if (args_has(args, "json"))
        print_json(job, args);
    else
        print_report(job, args);
    return outcome(job);
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    const char *checks = args_value(args, "checks");
    job->folder = args_value(args, "replay");
    if (!job->folder)
        return fail(ST_ARG, "--replay DIR is missing: the folder with the recordings");
    job->spec.checks = REPLAY_ALL;
    if (checks)
        TRY(parse_checks(&job->spec.checks, checks));
    TRY(parse_rule(&job->spec.rule, args_value(args, "rule")));
    TRY(cmd_threads(&job->spec.threads, args, cpu_count()));
    Status st = replay(job, args);
    replay_runners_close(job->runners);
    sql_worlds_close(job->sql);
    replay_report_drop(&job->report);
    replay_files_drop(&job->files);
    mem_free(job->data);
    mem_free(job->intercode);
    return st;
}

int eval_replay(int argc, char **argv)
{
    static const Flag flags[] = {
        {"replay", 0, "DIR", "where the recordings are, at any depth"},
        {"data", 0, "DIR",
         "holds mint/prompt, mint/alfworld, intercode; not given: DIR of --replay or a folder above it"},
        {"checks", 0, "R1,R2,...", "these only: R1 to R7, R4_option, R10 to R12, gsm8k, bbh, S2 to S4, ctf, RC, B1"},
        {"rule", 0, "RULE", "legacy or current marks; not given: each recording's own are found"},
        {"sql-server", 0, "SERVER", "S3 and S4 on a server of databases: auto, mysql://USER@HOST/, a socket"},
        {"table", 0, NULL, "the published table too: success by task, recorded and by our verdicts"},
        {"threads", 0, "N", "threads; all processors where not given"},
        {"all", 0, NULL, "name every mismatch, not the first 20"},
        {"json", 'j', NULL, "one JSON object, for programs"},
    };
    const Command c = {
        .usage = "--replay DIR [--data DIR] [--checks R1,R2,...] [--table] [flags]",
        .about =
            "Walks recorded runs through our agent loop and our marks, and says where they disagree.\n"
            "  R1 opening message   R2 later messages, counters, end   R3 verdicts   R4 the same of "
            "theoremqa\n"
            "  R5 verdicts on code  R6 what cells print                R7 the last line when they raise\n"
            "  gsm8k verdicts on recorded solutions                    bbh accuracies of recorded outputs\n"
            "  R10 household openings from the games, R11 what cells print there, R12 success\n"
            "  S2 rewards of InterCode-SQL from recorded text        S4 the same by running its queries\n"
            "  S3 what its queries show, with --sql-server\n"
            "  ctf what InterCode-CTF's commands print, and rewards  RC verdicts on RoboCodeGen's functions\n"
            "  B1 rewards of InterCode-Bash from what was recorded of them\n"
            "R5 to R7, R11, R12, ctf and RC run the recorded programs in the sandbox.  Exit status 1: something\n"
            "disagrees, or could not be checked; S3 and S4 may disagree in 1 of 100: neither SQLite nor MariaDB is MySQL.\n"
            "example: lemur eval --replay data --checks R1,R2,R3,R4",
        COMMAND_FLAGS(flags),
    };
    Job job = {0};
    return cmd_run(&c, argc, argv, run, &job);
}
