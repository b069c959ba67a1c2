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

void pipeline_read_state(PipelineStage *s)
{
    char *path = path_join(s->folder, "stage.json");
    json_t *done = NULL;
    json_decref(s->done);
    s->done = NULL;
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
    p->jobs_n = spec->jobs > 1 ? (size_t)spec->jobs : 1;
    p->jobs = mem_zeroed(p->jobs_n, sizeof *p->jobs);
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
        pipeline_read_state(s);
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
    mem_free(p->jobs);
    mem_free(p->stages);
    mem_free(p);
}

const PipelineStage *pipeline_stages(const Pipeline *p)
{
    return p->stages;
}

/* The run's folder. -------------------------------------------------------------------------------------- */

Status pipeline_link(const Pipeline *p, size_t at, bool made)
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
        json_object_set(o, "share", json_object_get(s->done, "share"));
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
    json_t *lock = json_pack("{s:i, s:s, s:o, s:O, s:o}", "lock", 1, "name", r->name, "recipe",
                             json_text(span(r->path)), "vars", r->vars, "stages", stages);
    if (p->spec->machine)
        json_object_set(lock, "machine", (json_t *)p->spec->machine);
    char *path = path_join(p->spec->folder, "lock.json");
    Status st = json_file_write(path, lock);
    mem_free(path);
    json_decref(lock);
    return st;
}

/* lock.json is JSON, whose text is UTF-8: it could not say where things are. */
static Status check_name(const char *folder)
{
    TRY(folder_make(folder));
    char *real = realpath(folder, NULL);
    bool good = !real || utf8_valid(real, strlen(real));
    free(real);
    return good
               ? ST_OK
               : fail(ST_ARG,
                      "%s: its name, or that of a folder on the way to it, is no UTF-8; choose another place",
                      folder);
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
    TRY(check_name(p->spec->folder));
    TRY(check_name(p->recipe->store));
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        TRY(pipeline_link(p, i, false));
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        if (p->stages[i].wanted && p->stages[i].again && p->stages[i].state != STAGE_TODO)
            TRY(pipeline_forget(p, i));
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        if (!p->stages[i].wanted && p->stages[i].state == STAGE_DONE)
            TRY(pipeline_link(p, i, true));
    TRY(pipeline_work(p));
    for (size_t i = 0; i < p->recipe->stages.n; i++)
        whole = whole && p->stages[i].state == STAGE_DONE;
    return whole ? write_lock(p) : ST_OK;
}
