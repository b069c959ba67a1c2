/* The stages of a run: which are begun when, and each one's command, child and end. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/glob.h"
#include "base/json_file.h"
#include "base/log.h"
#include "recipe/pipeline_inside.h"

enum { WAIT_US = 200 * 1000 };

static bool stopped(const Pipeline *p)
{
    return p->spec->stopped && p->spec->stopped(p->spec->stopped_context);
}

static const char *stage_name(const Pipeline *p, size_t at)
{
    return p->recipe->stages.at[at].name;
}

/* Locks. ------------------------------------------------------------------------------------------------- */

/* Gives them back also where something that a stage left behind still has them open. */
static void unlock(Locks *locks)
{
    for (size_t i = 0; i < locks->n; i++)
        file_unlock(locks->at[i]);
    array_drop(locks);
}

/* `how`: file_lock or file_lock_shared.  ST_LIMIT: another run makes it, or reads it and it is to be made. */
static Status lock_folder(Locks *locks, const PipelineStage *s, Status (*how)(int *fd, const char *path))
{
    TRY(folder_make(s->folder));
    char *path = path_join(s->folder, "lock");
    int fd;
    Status st = how(&fd, path);
    if (st == ST_OK)
        array_push(locks, fd);
    mem_free(path);
    return st;
}

/* A stage is its run's alone, and nobody makes anew what it reads, as long as it is made.  *locks is empty
 * where that is not to be had: *others is the folder's stage.  What it reads and is no longer there is wanted
 * again. */
static Status lock_stage(Pipeline *p, size_t at, Locks *locks, size_t *others)
{
    const RecipeStage *s = &p->recipe->stages.at[at];
    size_t whose = at;
    bool there = true;
    Status st = lock_folder(locks, &p->stages[at], file_lock);
    for (size_t k = 0; st == ST_OK && there && k < s->after.n; k++) {
        whose = s->after.at[k];
        st = lock_folder(locks, &p->stages[whose], file_lock_shared);
        if (st != ST_OK)
            break;
        pipeline_read_state(&p->stages[whose]);
        there = p->stages[whose].state == STAGE_DONE;
        p->stages[whose].wanted = !there;
    }
    if (st == ST_OK && there)
        return ST_OK;
    unlock(locks);
    if (st != ST_LIMIT)
        return st;
    *others = whose;
    return ST_OK;
}

static Status wait_for_others(const Pipeline *p, size_t at, bool *told)
{
    if (!*told)
        log_info("%s: another run is at it; waiting", stage_name(p, at));
    *told = true;
    usleep(WAIT_US);
    return stopped(p) ? fail(ST_CANCELLED, "interrupted while waiting for another run") : ST_OK;
}

Status pipeline_forget(Pipeline *p, size_t at)
{
    PipelineStage *s = &p->stages[at];
    Locks locks = {0};
    Status st;
    for (bool told = false; (st = lock_folder(&locks, s, file_lock)) == ST_LIMIT;)
        TRY(wait_for_others(p, at, &told));
    TRY(st);
    char *marker = path_join(s->folder, "stage.json");
    json_t *nothing = json_object();
    st = json_file_write(marker, nothing);
    json_decref(nothing);
    json_decref(s->done);
    s->done = NULL;
    s->state = STAGE_TODO;
    mem_free(marker);
    unlock(&locks);
    return st;
}

/* One stage. --------------------------------------------------------------------------------------------- */

static void words_drop(Words *w)
{
    for (size_t i = 0; i < w->n; i++)
        mem_free(w->at[i]);
    array_drop(w);
}

static Status fill_command(Words *out, const Pipeline *p, size_t at, const char *settings_path, bool resumes)
{
    const RecipeStage *s = &p->recipe->stages.at[at];
    char **folders = mem_array(char *, p->recipe->stages.n);
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        folders[i] = p->stages[i].out;
    RecipePlaces places = {
        .recipe = p->recipe, .out = p->stages[at].out, .settings = settings_path, .folders = folders};
    RecipeFiller filler = {recipe_places_look, &places, false};
    if (!s->program)
        array_push(out, mem_str(p->spec->lemur));
    for (size_t i = 0; i < s->words.n; i++) {
        Str word = {0};
        recipe_fill(&word, s->words.at[i], &filler);
        array_push(out, mem_str(str_c(&word)));
        str_drop(&word);
    }
    if (resumes && p->stages[at].verb->resume == RESUME_FLAG)
        array_push(out, mem_str("--resume"));
    array_push(out, NULL);
    Status st = ST_OK;
    if (s->settings) {
        json_t *settings = recipe_fill_json(s->settings, &filler);
        st = json_file_write(settings_path, settings); /* JSON is YAML */
        json_decref(settings);
    }
    mem_free(folders);
    return st;
}

/* The locks are the job's then. */
static Status begin_stage(Pipeline *p, Job *job, size_t at, bool alone, Locks locks)
{
    PipelineStage *s = &p->stages[at];
    char *settings = path_join(s->folder, "recipe.yaml"), *marker = path_join(s->folder, "stage.json");
    Status st;
    *job = (Job){.at = at,
                 .locks = locks,
                 .resumes = s->state == STAGE_HALF && s->verb->resume != RESUME_ANEW,
                 .log = path_join(s->folder, "log.txt"),
                 .cpus = job->cpus,
                 .alone = alone,
                 .start = clock_now()};
    if (!job->resumes)
        TRY_TO(undo, folder_remove(s->out));
    unlink(marker);
    TRY_TO(undo, fill_command(&job->command, p, at, settings, job->resumes));
    s->state = STAGE_HALF;
    log_info("== %s%s", stage_name(p, at), job->resumes ? ", which goes on" : "");
    TRY_TO(undo, child_start(&job->child, &(ChildSpec){.argv = (const char *const *)job->command.at,
                                                       .log = job->log,
                                                       .quiet = p->spec->quiet,
                                                       .name = p->jobs_n > 1 ? stage_name(p, at) : NULL,
                                                       .cpus = job->alone ? NULL : &job->cpus,
                                                       .keep = job->locks.at,
                                                       .keep_n = job->locks.n}));
undo:
    mem_free(settings);
    mem_free(marker);
    return st;
}

static void drop_job(Job *job)
{
    words_drop(&job->command);
    mem_free(job->log);
    unlock(&job->locks);
    *job = (Job){.cpus = job->cpus};
}

static void add_date(json_t *o)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_object_set_new(o, "finished", json_string(date));
}

static int64_t bytes_in(const char *folder)
{
    int64_t bytes = 0;
    const char *path;
    GlobWalk *walk = glob_start(&folder, 1, NULL, 0);
    while ((path = glob_next(walk)))
        bytes += file_size(path) > 0 ? file_size(path) : 0;
    glob_end(walk);
    return bytes;
}

static double share_of(const Pipeline *p, const Job *job)
{
    return job->alone ? 1 : 1 / (double)p->jobs_n;
}

static Status commit_stage(Pipeline *p, const Job *job, const ChildEnd *end)
{
    PipelineStage *s = &p->stages[job->at];
    char product[RECIPE_HASH], *path = path_join(s->folder, "stage.json");
    json_t *words = json_array();
    Status st = recipe_product(product, s->verb, s->out);
    for (size_t i = 0; i + 1 < job->command.n; i++)
        json_array_append_new(words, json_string(job->command.at[i]));
    if (st == ST_OK) {
        json_t *o =
            json_pack("{s:i, s:s, s:s, s:s, s:i, s:o, s:s, s:f, s:f, s:I, s:I, s:b}", "stage", 1, "key",
                      s->key, "like", s->like, "verb", s->verb->words, "version", s->verb->version, "command",
                      words, "product", product, "seconds", end->seconds, "share", share_of(p, job), "memory",
                      (json_int_t)end->memory, "disk", (json_int_t)bytes_in(s->out), "resumed", job->resumes);
        if (s->inputs)
            json_object_set(o, "inputs", s->inputs);
        add_date(o);
        st = json_file_write(path, o);
        json_decref(s->done);
        s->done = o;
        s->state = STAGE_DONE;
    } else {
        json_decref(words);
    }
    mem_free(path);
    return st;
}

static Status end_stage(Pipeline *p, const Job *job)
{
    const char *name = stage_name(p, job->at), *without = p->spec->from ? " without --from" : "";
    ChildEnd end;
    TRY(child_end(&end, job->child));
    /* A verb that was asked to end and is not done says so; a program may not. */
    bool whole = end.code == 0 && !(end.asked && p->recipe->stages.at[job->at].program);
    if (stopped(p) && !whole)
        return fail(ST_CANCELLED, "stopped in stage %s; the same command%s goes on", name, without);
    if (end.code)
        return fail(
            ST_IO,
            "stage %s failed with exit status %d: %s says why; once that is mended the same command%s "
            "goes on",
            name, end.code, job->log, without);
    TRY(commit_stage(p, job, &end));
    return pipeline_link(p, job->at, true);
}

/* All of them. ------------------------------------------------------------------------------------------- */

typedef struct {
    size_t under_way;
    size_t others; /* a stage that another run is making; SIZE_MAX: none */
    bool told;     /* of others */
    Error first;   /* failure: nothing is begun any more */
} Work;

static bool ready(const Pipeline *p, size_t at)
{
    const RecipeStage *s = &p->recipe->stages.at[at];
    for (size_t k = 0; k < s->after.n; k++)
        if (p->stages[s->after.at[k]].state != STAGE_DONE)
            return false;
    return true;
}

/* Beside what is under way, by the forecasts.  A stage alone has room: what cannot be was told before. */
static bool has_room(const Pipeline *p, const Work *w, size_t at)
{
    int64_t total = memory_total(), needs = p->stages[at].forecast.memory;
    for (size_t i = 0; i < p->jobs_n; i++)
        needs += p->jobs[i].child ? p->stages[p->jobs[i].at].forecast.memory : 0;
    return w->under_way == 0 || total < 0 || needs <= total;
}

/* Forecasts are of stages that have all processors. */
static double seconds_left(const Pipeline *p, const Job *job)
{
    double whole = p->stages[job->at].forecast.seconds, done = clock_now() - job->start;
    if (p->stages[job->at].verb->uses_all)
        done *= share_of(p, job);
    return whole > done ? whole - done : 0;
}

static void tell_left(const Pipeline *p)
{
    double seconds = 0;
    bool known = true;
    char words[32];
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        if (p->stages[i].wanted) {
            known = known && p->stages[i].forecast.seconds > 0;
            seconds += p->stages[i].forecast.seconds;
        }
    for (size_t i = 0; i < p->jobs_n; i++)
        seconds += p->jobs[i].child ? seconds_left(p, &p->jobs[i]) : 0;
    if (seconds > 0)
        log_info("   about %s left%s", human_time(words, seconds), known ? "" : ", and what cannot be told");
}

/* Seconds of what is ready and takes less than stage `at`, or as long and comes before it; and of what is
 * under way. */
static double seconds_beside(const Pipeline *p, size_t at)
{
    double own = p->stages[at].forecast.seconds, sum = 0;
    for (size_t i = 0; i < p->jobs_n; i++)
        sum += p->jobs[i].child ? seconds_left(p, &p->jobs[i]) : 0;
    for (size_t i = 0; i < p->recipe->stages.n; i++) {
        double seconds = p->stages[i].forecast.seconds;
        if (p->stages[i].wanted && ready(p, i) && (seconds < own || (seconds == own && i < at)))
            sum += seconds;
    }
    return sum;
}

/* Of what is ready: the seconds from which on a stage waits for the shorter ones, and then has all
 * processors.  On a part of them it would go on by itself for long, the others idle; two stages side by side
 * take about seven eighths of their time one after the other.  INFINITY: none does; so it is where a forecast
 * is missing. */
static double seconds_alone(const Pipeline *p)
{
    double longest_shared = 0;
    bool known = true;
    size_t n = 0;
    for (size_t i = 0; i < p->jobs_n; i++)
        if (p->jobs[i].child) {
            n++;
            known = known && p->stages[p->jobs[i].at].forecast.seconds > 0;
        }
    for (size_t i = 0; i < p->recipe->stages.n; i++) {
        double seconds = p->stages[i].forecast.seconds;
        if (!p->stages[i].wanted || !ready(p, i))
            continue;
        n++;
        known = known && seconds > 0;
        if (0.75 * seconds <= seconds_beside(p, i))
            longest_shared = fmax(longest_shared, seconds);
    }
    return n == 1 ? 0 : known ? nextafter(longest_shared, INFINITY) : INFINITY;
}

static bool one_is_alone(const Pipeline *p)
{
    for (size_t i = 0; i < p->jobs_n; i++)
        if (p->jobs[i].child && p->jobs[i].alone)
            return true;
    return false;
}

static Job *free_job(const Pipeline *p)
{
    for (size_t i = 0; i < p->jobs_n; i++)
        if (!p->jobs[i].child)
            return &p->jobs[i];
    return NULL;
}

/* Begins it, unless another run has it or has done it. */
static Status try_stage(Pipeline *p, Work *w, size_t at, bool alone)
{
    PipelineStage *s = &p->stages[at];
    Locks locks = {0};
    TRY(lock_stage(p, at, &locks, &w->others));
    if (!locks.n)
        return ST_OK;
    pipeline_read_state(s);
    if (s->state == STAGE_DONE) {
        s->wanted = false;
        unlock(&locks);
        return pipeline_link(p, at, true);
    }
    Job *job = free_job(p);
    tell_left(p);
    s->wanted = false;
    Status st = begin_stage(p, job, at, alone, locks);
    if (st == ST_OK)
        w->under_way++;
    else
        drop_job(job);
    return st;
}

/* Those that share the processors, as far as there is room, in the recipe's order; else one that has all. */
static Status begin_some(Pipeline *p, Work *w)
{
    double from = p->jobs_n == 1 ? 0 : seconds_alone(p);
    w->others = SIZE_MAX;
    for (int alone = 0; alone < 2; alone++)
        for (size_t i = 0; i < p->recipe->stages.n; i++) {
            if (w->under_way >= (alone ? 1 : p->jobs_n) || one_is_alone(p))
                return ST_OK;
            if (p->stages[i].wanted && ready(p, i) && has_room(p, w, i) &&
                (p->stages[i].forecast.seconds >= from) == alone)
                TRY(try_stage(p, w, i, alone));
        }
    return ST_OK;
}

/* Keeps what failed first; that and whatever else failed is told at once where there is something to wait
 * for. */
static void note(const Pipeline *p, Work *w, Status st)
{
    if (st == ST_OK)
        return;
    Error e = error_take();
    if (w->under_way && !stopped(p))
        log_error("%s\nwaiting for what is under way beside it, which Ctrl-C ends, too", e.text);
    else if (w->first.status != ST_OK)
        log_error("%s", e.text);
    if (w->first.status == ST_OK)
        w->first = e;
}

static void listen(Pipeline *p, Work *w)
{
    Child **children = mem_array(Child *, p->jobs_n);
    size_t n = 0;
    for (size_t i = 0; i < p->jobs_n; i++)
        if (p->jobs[i].child) {
            children[n++] = p->jobs[i].child;
            if (stopped(p))
                child_ask_to_end(p->jobs[i].child);
        }
    children_listen(children, n);
    mem_free(children);
    for (size_t i = 0; i < p->jobs_n; i++)
        if (p->jobs[i].child && child_ended(p->jobs[i].child)) {
            Status st = end_stage(p, &p->jobs[i]);
            drop_job(&p->jobs[i]);
            w->under_way--;
            note(p, w, st);
        }
}

static const char *next_wanted(const Pipeline *p)
{
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        if (p->stages[i].wanted)
            return stage_name(p, i);
    return NULL;
}

Status pipeline_work(Pipeline *p)
{
    Work w = {0};
    for (size_t i = 0; i < p->jobs_n; i++)
        cpu_share(&p->jobs[i].cpus, (int)i, (int)p->jobs_n);
    for (;;) {
        bool goes_on = w.first.status == ST_OK && !stopped(p);
        if (goes_on)
            note(p, &w, begin_some(p, &w));
        if (w.under_way)
            listen(p, &w);
        else if (w.first.status != ST_OK)
            return error_put(&w.first);
        else if (!next_wanted(p))
            return ST_OK;
        else if (!goes_on)
            return fail(ST_CANCELLED, "stopped before stage %s; the same command%s goes on", next_wanted(p),
                        p->spec->from ? " without --from" : "");
        else if (w.others != SIZE_MAX)
            TRY(wait_for_others(p, w.others, &w.told));
    }
}
