#include "recipe/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/glob.h"
#include "base/json_file.h"
#include "base/log.h"
#include "recipe/child.h"
#include "recipe/pipeline_inside.h"

struct Pipeline {
    const PipelineSpec *spec;
    const Recipe *recipe;
    PipelineStage *stages;
    Obstacles obstacles;
};

const char *const stage_state_names[] = {"to do", "half done", "done"};

/* Opening. ----------------------------------------------------------------------------------------------- */

/* "corpus-build-1f2e3d4c5b6a7988" */
static char *stage_folder(const Recipe *r, const RecipeStage *s, const PipelineStage *p)
{
    Str name = {0};
    const char *words = *p->verb->words ? p->verb->words : path_base(s->words.at[0]);
    for (; *words; words++)
        str_addc(&name, *words == ' ' ? '-' : *words);
    str_addf(&name, "-%.16s", p->key);
    char *folder = path_join(r->store, str_c(&name));
    str_drop(&name);
    return folder;
}

/* Beside a stage.json without this key lies nothing that could go on: forget() wrote it, or it is damaged. */
static void read_state(PipelineStage *s)
{
    char *path = path_join(s->folder, "stage.json");
    json_t *done = NULL;
    s->state = path_exists(s->out) && !path_exists(path) ? STAGE_HALF : STAGE_TODO;
    if (path_exists(path) && json_file_read(&done, path) == ST_OK) {
        const char *key = json_string_value(json_object_get(done, "key"));
        if (key && strcmp(key, s->key) == 0 && path_exists(s->out)) {
            s->state = STAGE_DONE;
            s->done = json_incref(done);
        }
    }
    json_decref(done);
    mem_free(path);
}

/* Marks the stage `from` and all that depend on it; each comes behind what it depends on. */
static void mark_from(PipelineStage *stages, const Recipe *r, size_t from)
{
    stages[from].again = true;
    for (size_t i = from + 1; i < r->stages.n; i++)
        for (size_t k = 0; k < r->stages.at[i].after.n; k++)
            stages[i].again = stages[i].again || stages[r->stages.at[i].after.at[k]].again;
}

static Status choose(Pipeline *p)
{
    const PipelineSpec *spec = p->spec;
    const Recipe *r = p->recipe;
    size_t from = 0, only = 0;
    if (spec->from)
        TRY(recipe_find(&from, r, spec->from));
    if (spec->only)
        TRY(recipe_find(&only, r, spec->only));
    if (spec->from)
        mark_from(p->stages, r, from);
    for (size_t i = 0; i < r->stages.n; i++) {
        PipelineStage *s = &p->stages[i];
        s->wanted = (s->state != STAGE_DONE || s->again) && (!spec->only || i == only);
    }
    for (size_t k = 0; spec->only && k < r->stages.at[only].after.n; k++) {
        size_t need = r->stages.at[only].after.at[k];
        if (p->stages[need].state != STAGE_DONE)
            return fail(ST_ARG, "--only %s: stage %s, which it reads, is %s", spec->only,
                        r->stages.at[need].name, stage_state_names[p->stages[need].state]);
    }
    return ST_OK;
}

const Error *pipeline_obstacles(const Pipeline *p, size_t *n)
{
    *n = p->obstacles.n;
    return p->obstacles.at;
}

Status pipeline_open(Pipeline **out, const PipelineSpec *spec)
{
    const Recipe *r = spec->recipe;
    Pipeline *p = mem_new(Pipeline);
    p->spec = spec;
    p->recipe = r;
    p->stages = mem_zeroed(r->stages.n, sizeof *p->stages);
    char(*keys)[RECIPE_HASH] = mem_zeroed(r->stages.n, sizeof *keys);
    json_t **inputs = mem_zeroed(r->stages.n, sizeof *inputs);
    Status st = recipe_check(r, &spec->verbs);
    if (st == ST_OK)
        st = recipe_keys(keys, inputs, r, &spec->verbs);
    for (size_t i = 0; i < r->stages.n; i++) {
        PipelineStage *s = &p->stages[i];
        s->inputs = inputs[i];
        if (st != ST_OK || (st = recipe_verb(&s->verb, &spec->verbs, &r->stages.at[i])) != ST_OK)
            continue;
        memcpy(s->key, keys[i], RECIPE_HASH);
        recipe_likeness(s->like, r, &r->stages.at[i], s->verb);
        s->folder = stage_folder(r, &r->stages.at[i], s);
        s->out = path_join(s->folder, "out");
        read_state(s);
    }
    mem_free(keys);
    mem_free(inputs);
    if (st == ST_OK)
        st = choose(p);
    if (st == ST_OK)
        st = pipeline_forecast(p->stages, spec);
    if (st == ST_OK) {
        pipeline_find_obstacles(&p->obstacles, p->stages, r);
        *out = p;
    } else {
        pipeline_close(p);
    }
    return st;
}

void pipeline_close(Pipeline *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->recipe->stages.n; i++) {
        json_decref(p->stages[i].inputs);
        json_decref(p->stages[i].done);
        json_decref(p->stages[i].forecast.facts);
        mem_free(p->stages[i].folder);
        mem_free(p->stages[i].out);
    }
    array_drop(&p->obstacles);
    mem_free(p->stages);
    mem_free(p);
}

const PipelineStage *pipeline_stages(const Pipeline *p)
{
    return p->stages;
}

/* One stage. --------------------------------------------------------------------------------------------- */

static bool stopped(const Pipeline *p)
{
    return p->spec->stopped && p->spec->stopped(p->spec->stopped_context);
}

/* Whoever else makes this stage is waited for. */
static Status lock_stage(const Pipeline *p, const PipelineStage *s, const char *name, int *fd)
{
    char *path = path_join(s->folder, "lock");
    Status st = folder_make(s->folder);
    for (bool told = false; st == ST_OK; told = true) {
        st = file_lock(fd, path);
        if (st != ST_LIMIT)
            break;
        if (!told)
            log_info("%s: another run is making it; waiting", name);
        usleep(200 * 1000);
        st = stopped(p) ? fail(ST_CANCELLED, "interrupted while waiting for another run") : ST_OK;
    }
    mem_free(path);
    return st;
}

typedef struct {
    char **at;
    size_t n, cap;
} Words;

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

static Status commit_stage(const Pipeline *p, size_t at, const Words *command, const ChildEnd *end,
                           bool resumed)
{
    PipelineStage *s = &p->stages[at];
    char product[RECIPE_HASH], *path = path_join(s->folder, "stage.json");
    json_t *words = json_array();
    Status st = recipe_product(product, s->verb, s->out);
    for (size_t i = 0; i + 1 < command->n; i++)
        json_array_append_new(words, json_string(command->at[i]));
    if (st == ST_OK) {
        json_t *o =
            json_pack("{s:i, s:s, s:s, s:s, s:i, s:o, s:s, s:f, s:I, s:I, s:b}", "stage", 1, "key", s->key,
                      "like", s->like, "verb", s->verb->words, "version", s->verb->version, "command", words,
                      "product", product, "seconds", end->seconds, "memory", (json_int_t)end->memory, "disk",
                      (json_int_t)bytes_in(s->out), "resumed", resumed);
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

static Status make(Pipeline *p, size_t at, int lock)
{
    PipelineStage *s = &p->stages[at];
    const char *name = p->recipe->stages.at[at].name, *without = p->spec->from ? " without --from" : "";
    char *settings = path_join(s->folder, "recipe.yaml"), *log = path_join(s->folder, "log.txt"),
         *marker = path_join(s->folder, "stage.json");
    bool resumes = s->state == STAGE_HALF && s->verb->resume != RESUME_ANEW;
    Words command = {0};
    ChildEnd end = {0};
    Status st;
    if (!resumes)
        TRY_TO(undo, folder_remove(s->out));
    unlink(marker);
    TRY_TO(undo, fill_command(&command, p, at, settings, resumes));
    s->state = STAGE_HALF;
    log_info("== %s%s", name, resumes ? ", which goes on" : "");
    TRY_TO(undo, child_run(&end, (const char *const *)command.at, log, p->spec->quiet, lock, p->spec->stopped,
                           p->spec->stopped_context));
    if (stopped(p))
        st = fail(ST_CANCELLED, "stopped in stage %s; the same command%s goes on", name, without);
    else if (end.code)
        st = fail(ST_IO,
                  "stage %s failed with exit status %d: %s says why; once that is mended the same command%s "
                  "goes on",
                  name, end.code, log, without);
    else
        st = commit_stage(p, at, &command, &end, resumes);
undo:
    words_drop(&command);
    mem_free(settings);
    mem_free(log);
    mem_free(marker);
    return st;
}

/* Another run may have finished it meanwhile. */
static Status do_stage(Pipeline *p, size_t at)
{
    PipelineStage *s = &p->stages[at];
    const char *name = p->recipe->stages.at[at].name;
    int lock = -1;
    TRY(lock_stage(p, s, name, &lock));
    read_state(s);
    Status st = s->state == STAGE_DONE ? ST_OK : make(p, at, lock);
    close(lock);
    return st;
}

/* Before anything is done once more: what lies there neither counts nor goes on, wherever this run ends. */
static Status forget(Pipeline *p, size_t at)
{
    PipelineStage *s = &p->stages[at];
    int lock = -1;
    TRY(lock_stage(p, s, p->recipe->stages.at[at].name, &lock));
    char *marker = path_join(s->folder, "stage.json");
    json_t *nothing = json_object();
    Status st = json_file_write(marker, nothing);
    json_decref(nothing);
    json_decref(s->done);
    s->done = NULL;
    s->state = STAGE_TODO;
    mem_free(marker);
    close(lock);
    return st;
}

/* The run's folder. -------------------------------------------------------------------------------------- */

/* Links it, or asks whether that will do when it is made. */
static Status link_stage(const Pipeline *p, size_t at, bool made)
{
    char *link = path_join(p->spec->folder, p->recipe->stages.at[at].name);
    Status st = made ? link_replace(link, p->stages[at].out) : link_possible(link);
    mem_free(link);
    return st;
}

static Status write_lock(const Pipeline *p)
{
    const Recipe *r = p->recipe;
    json_t *stages = json_object();
    for (size_t i = 0; i < r->stages.n; i++) {
        const PipelineStage *s = &p->stages[i];
        char *folder = realpath(s->folder, NULL);
        json_t *o = json_pack("{s:s, s:s, s:i, s:s}", "key", s->key, "verb", s->verb->words, "version",
                              s->verb->version, "folder", folder ? folder : s->folder);
        json_object_set(o, "product", json_object_get(s->done, "product"));
        if (s->inputs)
            json_object_set(o, "inputs", s->inputs);
        json_t *words = json_array();
        for (size_t k = 0; k < r->stages.at[i].words.n; k++)
            json_array_append_new(words, json_string(r->stages.at[i].words.at[k]));
        json_object_set_new(o, "words", words);
        if (r->stages.at[i].settings)
            json_object_set(o, "settings", r->stages.at[i].settings);
        json_object_set_new(stages, r->stages.at[i].name, o);
        free(folder);
    }
    json_t *lock = json_pack("{s:i, s:s, s:s, s:O, s:o}", "lock", 1, "name", r->name, "recipe", r->path,
                             "vars", r->vars, "stages", stages);
    if (p->spec->machine)
        json_object_set(lock, "machine", (json_t *)p->spec->machine);
    char *path = path_join(p->spec->folder, "lock.json");
    Status st = json_file_write(path, lock);
    mem_free(path);
    json_decref(lock);
    return st;
}

static void tell_left(const Pipeline *p, size_t next)
{
    double seconds = 0;
    bool known = true, any = false;
    char words[32];
    for (size_t i = next; i < p->recipe->stages.n; i++)
        if (p->stages[i].wanted) {
            any = true;
            known = known && p->stages[i].forecast.seconds > 0;
            seconds += p->stages[i].forecast.seconds;
        }
    if (any && seconds > 0)
        log_info("   about %s left%s", human_time(words, seconds), known ? "" : ", and what cannot be told");
}

static Status refuse(const Pipeline *p)
{
    for (size_t i = 1; i < p->obstacles.n; i++)
        log_error("%s", p->obstacles.at[i].text);
    return p->obstacles.n ? error_put(&p->obstacles.at[0]) : ST_OK;
}

Status pipeline_run(Pipeline *p)
{
    bool whole = true;
    TRY(refuse(p));
    TRY(folder_make(p->spec->folder));
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        TRY(link_stage(p, i, false));
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        if (p->stages[i].wanted && p->stages[i].again && p->stages[i].state != STAGE_TODO)
            TRY(forget(p, i));
    for (size_t i = 0; i < p->recipe->stages.n; i++) {
        if (p->stages[i].wanted) {
            tell_left(p, i);
            TRY(do_stage(p, i));
            p->stages[i].wanted = false;
        }
        if (p->stages[i].state == STAGE_DONE)
            TRY(link_stage(p, i, true));
        else
            whole = false;
    }
    return whole ? write_lock(p) : ST_OK;
}
