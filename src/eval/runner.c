/* Threads that take question after question, and one lock around what they share. */
#include "eval/runner.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/thread.h"
#include "eval/results.h"
#include "eval/eval_folder.h"
#include "eval/sample_line.h"

enum { REFUSED_AT_FIRST = 20 /* questions of a benchmark, before any is answered */, NAMED = 10 };
static const double SYNC_S = 5; /* at most so much work of the model's is lost to a power cut */

typedef struct {
    const Benchmark *b;
    Questions questions;
    Array(int64_t) asked; /* indices of the questions that are asked, in the data's order */
    void *state;
    bool opened;
    LineFile samples, transcripts;
    double score;     /* sum of the main metric over what was answered in this sitting and before */
    int64_t answered; /* likewise */
    int64_t heard;    /* of those the server took so many; */
    int64_t refused;  /* so many it did not take when they were first asked, and */
    int64_t zeros;    /* so many also not when asked again: they score 0 */
    Str zero_ids, why; /* the first of their ids; what was said of the first */
} Part;

typedef struct {
    size_t part;
    int64_t index; /* of the question */
} Job;

typedef struct {
    const RunnerSpec *spec;
    Part *parts; /* [spec->chosen_n] */
    Array(Job) jobs, again; /* again: the model failed them; they are asked once more */
    int folder_lock;        /* descriptor; -1: not taken */
    pthread_mutex_t lock;   /* of all below, and of the files */
    size_t next;
    int64_t asked, answered, before, failed_in_a_row;
    double before_seconds; /* what those took, one behind the other */
    bool second; /* what failed is asked once more */
    bool over; /* no further question is taken */
    Status st;
    Error error; /* of what ended the run */
    Error last;  /* of the last question that failed */
    double synced;
    Progress progress;
    char what[96];
} Runner;

/* Opening. ----------------------------------------------------------------------------------------------- */

/* The questions that the part of them leaves, as indices. */
static int64_t fold(const Part *p, const Fold *f, int64_t *left)
{
    int64_t n = (int64_t)p->questions.all.n, kept = 0;
    const char **ids = mem_array(const char *, n + 1);
    bool *in = mem_array(bool, n + 1);
    for (int64_t i = 0; i < n; i++)
        ids[i] = p->questions.all.at[i].id;
    fold_mark(in, f, ids, n);
    for (int64_t i = 0; i < n; i++)
        if (in[i])
            left[kept++] = i;
    mem_free(ids);
    mem_free(in);
    return kept;
}

/* `limit` of those, drawn without repetition, in the data's order. */
static void draw(Part *p, const RunnerSpec *spec)
{
    int64_t *from = mem_array(int64_t, (int64_t)p->questions.all.n + 1), n = fold(p, &spec->fold, from),
            left = spec->limit > 0 && spec->limit < n ? spec->limit : n;
    Rng rng;
    rng_seed_pair(&rng, spec->draw_seed ? spec->draw_seed : (uint64_t)spec->run.settings->seed, 17);
    for (int64_t i = 0; i < n; i++)
        if (left > 0 && (int64_t)rng_below(&rng, (uint64_t)(n - i)) < left) {
            array_push(&p->asked, from[i]);
            left--;
        }
    mem_free(from);
}

/* The name of the family that the data's tasks were made of, if any: `lemur env make` writes it beside them. */
static void add_family(json_t *out, const char *data, const char *benchmark)
{
    char *path = data ? path_join(data, "../family.json") : NULL;
    json_t *family = NULL;
    if (path && path_exists(path) && json_file_read(&family, path) == ST_OK) {
        json_t *name = json_object_get(family, "family");
        const char *asked = json_string_value(json_object_get(family, "benchmark"));
        if (json_is_string(name) && asked && strcmp(asked, benchmark) == 0)
            json_object_set(out, "family", name);
    }
    json_decref(family);
    mem_free(path);
}

/* What the questions are and what else decides the scores, in a line. */
static json_t *part_identity(const Part *p, const char *data)
{
    char sum[65];
    json_t *docs = json_array();
    for (size_t i = 0; i < p->questions.all.n; i++) {
        json_hash(sum, p->questions.all.at[i].doc);
        json_array_append_new(docs, json_string(sum));
    }
    json_hash(sum, docs);
    json_decref(docs);
    json_t *o = json_pack("{s:i, s:I, s:I, s:s}", "version", p->b->version, "questions",
                          (json_int_t)p->questions.all.n, "asked", (json_int_t)p->asked.n, "data_sha256", sum);
    if (p->questions.facts)
        json_object_set(o, "facts", p->questions.facts);
    add_family(o, data, p->b->name);
    return o;
}

/* A run goes on by ids: of two questions of one id the second would not be asked again. */
static Status check_ids(const Part *p)
{
    Map *seen = map_new();
    Status st = ST_OK;
    for (size_t i = 0; i < p->questions.all.n && st == ST_OK; i++) {
        const char *id = p->questions.all.at[i].id;
        if (map_find(seen, id, strlen(id)))
            st = fail(ST_FORMAT, "%s: two questions have the id \"%s\"; each needs its own", p->b->name, id);
        *map_put(seen, id, strlen(id)) = 1;
    }
    map_free(seen);
    return st;
}

static Status open_part(Runner *r, Part *p)
{
    Status st = p->b->open(&r->spec->run, &p->questions, &p->state);
    if (st != ST_OK)
        return fail_in(st, "%s", p->b->name);
    p->opened = true;
    TRY(check_ids(p));
    draw(p, r->spec);
    return p->asked.n ? ST_OK
                      : fail(ST_FORMAT, "%s has no questions%s", p->b->name,
                             r->spec->fold.of ? " in that part of them" : "");
}

static char *file_of(const Runner *r, const char *kind, const Part *p)
{
    return mem_format("%s/%s_%s.jsonl", r->spec->folder, kind, p->b->name);
}

static bool is_refused(const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "kind"));
    return kind && strcmp(kind, sample_kind_names[SAMPLE_REFUSED]) == 0;
}

/* The scores that are there already. */
static Status count_answered(Runner *r, Part *p, const char *path)
{
    json_t *lines, *line;
    size_t i;
    if (!map_count(p->samples.ids))
        return ST_OK;
    TRY(line_file_read(&lines, path));
    json_array_foreach(lines, i, line)
    {
        p->score += json_number_value(json_object_get(line, p->b->metric));
        p->answered++;
        p->heard += !is_refused(line);
        r->before++;
        r->before_seconds += json_number_value(json_object_get(line, "seconds"));
    }
    json_decref(lines);
    return ST_OK;
}

static Status open_files(Runner *r, Part *p)
{
    char *samples = file_of(r, "samples", p), *transcripts = file_of(r, "transcripts", p);
    Status st = line_file_open(&p->samples, samples, "id", NULL);
    if (st == ST_OK)
        st = count_answered(r, p, samples);
    /* An episode whose sample was not written is played again. */
    if (st == ST_OK && path_exists(transcripts))
        st = line_file_open(&p->transcripts, transcripts, "task", p->samples.ids);
    mem_free(samples);
    mem_free(transcripts);
    return st;
}

static void plan_jobs(Runner *r, size_t part)
{
    Part *p = &r->parts[part];
    for (size_t i = 0; i < p->asked.n; i++) {
        const char *id = p->questions.all.at[p->asked.at[i]].id;
        if (!map_find(p->samples.ids, id, strlen(id)))
            array_push(&r->jobs, ((Job){part, p->asked.at[i]}));
    }
    r->asked += (int64_t)p->asked.n;
}

static Status begin_folder(Runner *r)
{
    json_t *identity = json_deep_copy(r->spec->identity), *benchmarks_ = json_object();
    json_object_set_new(identity, "format", json_string("lemur eval"));
    json_object_set_new(identity, "format_version", json_integer(1));
    for (size_t i = 0; i < r->spec->chosen_n; i++)
        json_object_set_new(benchmarks_, r->parts[i].b->name, part_identity(&r->parts[i], r->spec->run.data));
    json_object_set_new(identity, "benchmarks", benchmarks_);
    Status st = eval_folder_begin(&r->folder_lock, r->spec->folder, identity, r->spec->restart);
    json_decref(identity);
    return st;
}

static Status open_all(Runner *r)
{
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        r->parts[i].b = r->spec->chosen[i];
        TRY(open_part(r, &r->parts[i]));
    }
    TRY(begin_folder(r));
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        TRY(open_files(r, &r->parts[i]));
        plan_jobs(r, i);
    }
    return ST_OK;
}

/* The work. ---------------------------------------------------------------------------------------------- */

static bool take_job(Runner *r, Job *job)
{
    bool there = false;
    pthread_mutex_lock(&r->lock);
    if (!r->over && r->next < r->jobs.n) {
        *job = r->jobs.at[r->next++];
        there = true;
    }
    pthread_mutex_unlock(&r->lock);
    return there;
}

static void end_run(Runner *r, Status st)
{
    if (!r->over) {
        r->error = error_take();
        r->st = st;
    }
    r->over = true;
}

static void show(Runner *r, const Part *p)
{
    snprintf(r->what, sizeof r->what, "%s %s %.3f", p->b->name, p->b->metric,
             p->score / (double)(p->answered ? p->answered : 1));
    progress_at(&r->progress, (double)(r->answered + r->before));
}

static Status write_sample(Runner *r, Part *p, json_t *line, const Sample *s)
{
    if (s->transcript && !p->transcripts.f) {
        char *path = file_of(r, "transcripts", p);
        Status st = line_file_open(&p->transcripts, path, "task", NULL);
        mem_free(path);
        TRY(st);
    }
    if (s->transcript)
        TRY(line_file_add(&p->transcripts, s->transcript));
    TRY(line_file_add(&p->samples, line));
    if (clock_now() - r->synced < SYNC_S)
        return ST_OK;
    r->synced = clock_now();
    if (p->transcripts.f)
        TRY(line_file_sync(&p->transcripts));
    return line_file_sync(&p->samples);
}

static void keep(Runner *r, const Job *job, const Sample *s, double seconds)
{
    Part *p = &r->parts[job->part];
    json_t *line = sample_line(&p->questions.all.at[job->index], job->index, s, seconds);
    json_t *value = json_object_get(s->metrics, p->b->metric);
    check(json_is_number(value));
    pthread_mutex_lock(&r->lock);
    Status st = write_sample(r, p, line, s);
    if (st == ST_OK) {
        p->score += json_number_value(value);
        p->answered++;
        p->heard += s->kind != SAMPLE_REFUSED;
        r->answered++;
        r->failed_in_a_row = 0;
        show(r, p);
    } else {
        end_run(r, st);
    }
    pthread_mutex_unlock(&r->lock);
    json_decref(line);
}

/* Failures that another question would meet as well end the run; so do too many of the others in a row. */
static void fail_job(Runner *r, const Job *job, Status st)
{
    bool passing = st == ST_PEER || st == ST_LIMIT || st == ST_FORMAT;
    pthread_mutex_lock(&r->lock);
    array_push(&r->again, *job);
    if (!passing || ++r->failed_in_a_row >= r->spec->parallel + 2) {
        end_run(r, st);
    } else {
        if (!r->over && r->failed_in_a_row == 1)
            log_warn("%s, question %s: %s; it will be asked again at the end",
                     r->parts[job->part].b->name, r->parts[job->part].questions.all.at[job->index].id,
                     error_text());
        r->last = error_take();
    }
    pthread_mutex_unlock(&r->lock);
}

/* A refusal that is kept: told when all is done. */
static void note_refused(Part *p, const char *id, const char *why)
{
    if (p->zeros++ == 0)
        str_adds(&p->why, why);
    if (p->zeros <= NAMED)
        str_addf(&p->zero_ids, "%s%s", p->zero_ids.n ? ", " : "", id);
}

/* Where something of a benchmark was answered the server may refuse single questions: those that it refuses twice
 * are kept, and score nothing.  One that refuses all of them is asked something wrong.  False: it is not kept. */
static bool take_refusal(Runner *r, const Job *job, const Sample *s)
{
    Part *p = &r->parts[job->part];
    const char *id = p->questions.all.at[job->index].id,
               *why = json_string_value(json_object_get(s->more, "refused"));
    pthread_mutex_lock(&r->lock);
    bool kept = r->second && p->heard;
    if (kept) {
        note_refused(p, id, why);
    } else {
        array_push(&r->again, *job);
        p->refused += !r->second;
        if (!p->heard && (r->second || p->refused >= REFUSED_AT_FIRST))
            end_run(r, fail(ST_ARG, "%s: of %lld questions the server has taken none; the last: %s", p->b->name,
                            (long long)p->refused, why));
        else if (!r->over && p->refused == 1)
            log_warn("%s, question %s: %s; it will be asked again at the end", p->b->name, id, why);
    }
    pthread_mutex_unlock(&r->lock);
    return kept;
}

static void work(void *context)
{
    Runner *r = context;
    Job job;
    while (take_job(r, &job)) {
        Part *p = &r->parts[job.part];
        Sample s;
        sample_init(&s);
        double start = clock_now();
        Status st = r->spec->run.stopped && r->spec->run.stopped(r->spec->run.stopped_context)
                        ? fail(ST_CANCELLED, "stopped")
                        : p->b->ask(&r->spec->run, p->state, &p->questions.all.at[job.index], &s);
        if (st != ST_OK)
            fail_job(r, &job, st);
        else if (s.kind != SAMPLE_REFUSED || take_refusal(r, &job, &s))
            keep(r, &job, &s, clock_now() - start);
        sample_drop(&s);
    }
}

static Status run_threads(Runner *r)
{
    Array(Thread *) threads = {0};
    Status st = ST_OK;
    int64_t left = (int64_t)(r->jobs.n - r->next);
    for (int i = 1; i < r->spec->parallel && i < left && st == ST_OK; i++) {
        Thread *t;
        st = thread_start(&t, work, r);
        if (st == ST_OK)
            array_push(&threads, t);
    }
    if (st != ST_OK && threads.n) { /* fewer at once will do */
        log_warn("%zu questions at once instead of %d: %s", threads.n + 1, r->spec->parallel, error_text());
        st = ST_OK;
    }
    if (st == ST_OK)
        work(r);
    for (size_t i = 0; i < threads.n; i++)
        thread_join(threads.at[i]);
    array_drop(&threads);
    return st;
}

/* What the model failed is asked once more when everything else is done. */
static Status run_jobs(Runner *r)
{
    TRY(run_threads(r));
    if (r->over || !r->again.n)
        return ST_OK;
    r->jobs.n = 0;
    for (size_t i = 0; i < r->again.n; i++)
        array_push(&r->jobs, r->again.at[i]);
    r->again.n = 0;
    r->next = 0;
    r->failed_in_a_row = 0;
    r->second = true;
    return run_threads(r);
}

/* The end. ----------------------------------------------------------------------------------------------- */

static int by_doc_id(const void *a, const void *b)
{
    json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "doc_id")),
               y = json_integer_value(json_object_get(*(json_t *const *)b, "doc_id"));
    return (x > y) - (x < y);
}

static json_t *sorted(json_t *lines)
{
    size_t n = json_array_size(lines);
    json_t **at = mem_array(json_t *, n + 1), *out = json_array();
    for (size_t i = 0; i < n; i++)
        at[i] = json_array_get(lines, i);
    qsort(at, n, sizeof *at, by_doc_id);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, at[i]);
    mem_free(at);
    json_decref(lines);
    return out;
}

static Status read_results(const Runner *r, ResultsPart *out, json_t *head)
{
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        const Part *p = &r->parts[i];
        json_t *lines;
        int64_t shots = r->spec->run.settings->shots;
        TRY(line_file_read(&lines, p->samples.path));
        out[i] = (ResultsPart){.name = p->b->name,
                               .metric = p->b->metric,
                               .groups = p->b->groups,
                               .version = p->b->version,
                               .original = (int64_t)p->questions.all.n + p->questions.left_out,
                               .shots = shots >= 0 && (p->b->takes & TAKES_SHOTS) ? shots : p->b->shots,
                               .samples = sorted(lines),
                               .config = json_object_get(json_object_get(head, "benchmarks"), p->b->name)};
    }
    return ST_OK;
}

static Status write_results(const Runner *r, double seconds)
{
    json_t *head;
    TRY(eval_folder_identity(&head, r->spec->folder));
    ResultsPart *parts = mem_array(ResultsPart, r->spec->chosen_n);
    Status st = read_results(r, parts, head);
    if (st == ST_OK) {
        json_t *results = results_make(parts, r->spec->chosen_n, head, seconds);
        char *path = path_join(r->spec->folder, "results.json");
        st = json_file_write(path, results);
        mem_free(path);
        json_decref(results);
    }
    for (size_t i = 0; i < r->spec->chosen_n; i++)
        json_decref(parts[i].samples);
    mem_free(parts);
    json_decref(head);
    return st;
}

static void close_all(Runner *r)
{
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        Part *p = &r->parts[i];
        if (p->opened && p->b->close)
            p->b->close(p->state);
        line_file_close(&p->samples);
        line_file_close(&p->transcripts);
        questions_drop(&p->questions);
        array_drop(&p->asked);
        str_drop(&p->zero_ids);
        str_drop(&p->why);
    }
    if (r->folder_lock >= 0)
        close(r->folder_lock);
    mem_free(r->parts);
    array_drop(&r->jobs);
    array_drop(&r->again);
    pthread_mutex_destroy(&r->lock);
}

static Status sync_all(Runner *r)
{
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        TRY(line_file_sync(&r->parts[i].samples));
        if (r->parts[i].transcripts.f)
            TRY(line_file_sync(&r->parts[i].transcripts));
    }
    return ST_OK;
}

/* The files of a run that is whole say nothing of who answered first. */
static Status sort_all(Runner *r)
{
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        TRY(line_file_sort(&r->parts[i].samples, "id"));
        if (r->parts[i].transcripts.f)
            TRY(line_file_sort(&r->parts[i].transcripts, "task"));
    }
    return ST_OK;
}

static void tell_refused(const Runner *r)
{
    for (size_t i = 0; i < r->spec->chosen_n; i++) {
        const Part *p = &r->parts[i];
        if (p->zeros)
            log_warn("%s: the server refused %lld of %zu questions, also when asked again: they score 0 "
                     "(question %s%s; the first: %s)",
                     p->b->name, (long long)p->zeros, p->asked.n, str_c(&p->zero_ids),
                     p->zeros > NAMED ? ", ..." : "", str_c(&p->why));
    }
}

/* What ended the run, with how to go on. */
static Status tell_end(Runner *r)
{
    int64_t left = r->asked - r->answered - r->before;
    if (r->over && r->st == ST_CANCELLED)
        return fail(ST_CANCELLED,
                    "stopped; %lld of %lld questions are answered and kept; the same command goes on",
                    (long long)(r->answered + r->before), (long long)r->asked);
    if (r->over) {
        error_put(&r->error);
        return fail_in(r->st, "%lld of %lld questions are answered and kept; the same command goes on",
                       (long long)(r->answered + r->before), (long long)r->asked);
    }
    if (left == 0)
        return ST_OK;
    error_put(&r->last);
    return fail_in(ST_PEER, "%lld of %lld questions were not answered, also not when asked again; the same "
                            "command asks them once more; the last",
                   (long long)left, (long long)r->asked);
}

Status runner_run(RunnerReport *report, const RunnerSpec *spec)
{
    double start = clock_now();
    Runner r = {.spec = spec, .folder_lock = -1, .parts = mem_array(Part, spec->chosen_n), .synced = start};
    pthread_mutex_init(&r.lock, NULL);
    Status st = open_all(&r);
    if (st == ST_OK) {
        r.progress = progress_start(r.what, (double)r.asked, "questions");
        st = run_jobs(&r);
        progress_end(&r.progress);
        tell_refused(&r);
        Status kept = sync_all(&r);
        if (st == ST_OK)
            st = kept == ST_OK ? tell_end(&r) : kept;
        double earlier = r.before_seconds / spec->parallel; /* no sitting that was cut short tells its time */
        *report = (RunnerReport){r.asked, r.answered, r.before, earlier + clock_now() - start};
        if (st == ST_OK)
            st = sort_all(&r);
        if (st == ST_OK)
            st = write_results(&r, report->seconds);
    }
    close_all(&r);
    return st;
}
