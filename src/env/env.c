#include "env/env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/json_file.h"
#include "base/map.h"

struct Env {
    const EnvKind *kind;
    const EnvOptions *options;
    EnvTasks tasks;
    Map *by_id;
    void *world;
};

struct EnvState {
    Env *env;
    size_t task;
    void *own; /* the kind's */
    EnvTurn turn;
    Str actions; /* one behind the other */
    Array(size_t) ends;
    double best;
    int limit;
};

const EnvKind *env_kind_find(const char *name)
{
    for (size_t i = 0; env_kinds[i]; i++)
        if (strcmp(env_kinds[i]->name, name) == 0)
            return env_kinds[i];
    return NULL;
}

/* Tasks. ------------------------------------------------------------------------------------------------ */

void env_tasks_add(EnvTasks *tasks, const char *id, const char *part, Span about, json_t *doc)
{
    EnvTask t = {.id = mem_str(id),
                 .part = part ? mem_str(part) : NULL,
                 .about = mem_strn(about.at, about.n),
                 .doc = json_incref(doc)};
    array_push(tasks, t);
}

const char *env_text(const json_t *doc, const char *key)
{
    const char *text = json_string_value(json_object_get(doc, key));
    return text ? text : "";
}

static void tasks_drop(EnvTasks *tasks)
{
    for (size_t i = 0; i < tasks->n; i++) {
        mem_free(tasks->at[i].id);
        mem_free(tasks->at[i].part);
        mem_free(tasks->at[i].about);
        json_decref(tasks->at[i].doc);
    }
    array_drop(tasks);
}

static Status index_tasks(Env *e)
{
    for (size_t i = 0; i < e->tasks.n; i++) {
        const char *id = e->tasks.at[i].id;
        if (map_find(e->by_id, id, strlen(id)))
            return fail(ST_FORMAT, "%s: two tasks have the id '%s'", e->kind->name, id);
        *map_put(e->by_id, id, strlen(id)) = (int64_t)i;
    }
    return e->tasks.n ? ST_OK : fail(ST_FORMAT, "%s: there is no task in its data", e->kind->name);
}

Status env_open(Env **out, const EnvKind *kind, const EnvOptions *options)
{
    Env *e = mem_new(Env);
    e->kind = kind;
    e->options = options;
    e->by_id = map_new();
    Status st = kind->open(options, &e->tasks, &e->world);
    if (st == ST_OK)
        st = index_tasks(e);
    if (st != ST_OK) {
        env_close(e);
        return st;
    }
    *out = e;
    return ST_OK;
}

void env_close(Env *e)
{
    if (!e)
        return;
    e->kind->close(e->world);
    tasks_drop(&e->tasks);
    map_free(e->by_id);
    mem_free(e);
}

const EnvKind *env_kind(const Env *e)
{
    return e->kind;
}

const EnvTasks *env_tasks(const Env *e)
{
    return &e->tasks;
}

Status env_task_find(size_t *out, const Env *e, const char *id)
{
    const int64_t *at = map_find(e->by_id, id, strlen(id));
    if (at) {
        *out = (size_t)*at;
        return ST_OK;
    }
    Array(const char *) ids = {0};
    for (size_t i = 0; i < e->tasks.n; i++)
        array_push(&ids, e->tasks.at[i].id);
    const char *near = nearest_name(id, ids.at, ids.n);
    array_drop(&ids);
    return fail(ST_ARG, "%s has no task '%.100s'%s%s%s; lemur env list %s shows all", e->kind->name, id,
                near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", e->kind->name);
}

/* An episode. ------------------------------------------------------------------------------------------- */

/* `own` is there already, or comes from the kind's reset. */
static EnvState *state_new(Env *e, size_t task)
{
    EnvState *s = mem_new(EnvState);
    s->env = e;
    s->task = task;
    s->limit = e->kind->steps;
    return s;
}

Status env_reset(EnvState **out, Env *e, size_t task)
{
    EnvState *s = state_new(e, task);
    Status st = e->kind->reset(e->world, &e->tasks.at[task], &s->turn, &s->own);
    if (st != ST_OK) {
        s->own = NULL;
        env_free(s);
        return fail_in(st, "%s, task %s", e->kind->name, e->tasks.at[task].id);
    }
    *out = s;
    return ST_OK;
}

void env_free(EnvState *s)
{
    if (!s)
        return;
    if (s->own)
        s->env->kind->end(s->own);
    str_drop(&s->turn.observation);
    str_drop(&s->actions);
    array_drop(&s->ends);
    mem_free(s);
}

const EnvTask *env_task(const EnvState *s)
{
    return &s->env->tasks.at[s->task];
}

const EnvTurn *env_turn(const EnvState *s)
{
    return &s->turn;
}

int env_steps(const EnvState *s)
{
    return (int)s->ends.n;
}

double env_best(const EnvState *s)
{
    return s->best;
}

void env_limit(EnvState *s, int steps)
{
    s->limit = steps;
}

Status env_step(EnvState *s, Span action)
{
    EnvTurn *t = &s->turn;
    if (t->done)
        return ST_OK;
    t->reward = 0;
    t->solved = t->failed = false;
    TRY(s->env->kind->step(s->own, action, t));
    str_add(&s->actions, action.at, action.n);
    array_push(&s->ends, s->actions.n);
    s->best = s->ends.n == 1 || t->reward > s->best ? t->reward : s->best;
    t->done = t->done || t->solved || (s->limit && (int)s->ends.n >= s->limit);
    return ST_OK;
}

/* What can be done. ------------------------------------------------------------------------------------- */

Status env_admissible(EnvState *s, EnvActions *out)
{
    const EnvKind *k = s->env->kind;
    return k->admissible ? k->admissible(s->own, out)
                         : fail(ST_UNSUPPORTED, "%s cannot list what may be done", k->name);
}

Status env_expert(EnvState *s, Str *action)
{
    const EnvKind *k = s->env->kind;
    str_clear(action);
    return k->expert ? k->expert(s->own, action) : fail(ST_UNSUPPORTED, "%s has no expert", k->name);
}

Status env_guess(EnvState *s, Rng *rng, Str *action)
{
    const EnvKind *k = s->env->kind;
    EnvActions all = {0};
    str_clear(action);
    if (k->guess)
        return k->guess(s->own, rng, action);
    TRY(env_admissible(s, &all));
    if (all.n)
        str_adds(action, all.at[rng_below(rng, all.n)]);
    array_drop(&all);
    return ST_OK;
}

/* Copies. ----------------------------------------------------------------------------------------------- */

static Span action_at(const EnvState *s, size_t i)
{
    size_t from = i ? s->ends.at[i - 1] : 0;
    return (Span){str_c(&s->actions) + from, s->ends.at[i] - from};
}

static Status play_again(EnvState **out, EnvState *s)
{
    EnvState *copy;
    TRY(env_reset(&copy, s->env, s->task));
    copy->limit = s->limit;
    for (size_t i = 0; i < s->ends.n; i++) {
        Status st = env_step(copy, action_at(s, i));
        if (st != ST_OK) {
            env_free(copy);
            return st;
        }
    }
    *out = copy;
    return ST_OK;
}

Status env_fork(EnvState **out, EnvState *s)
{
    const EnvKind *k = s->env->kind;
    if (!k->fork)
        return play_again(out, s);
    EnvState *copy = state_new(s->env, s->task);
    Status st = k->fork(s->own, &copy->own);
    if (st != ST_OK) {
        copy->own = NULL;
        env_free(copy);
        return st;
    }
    copy->turn = s->turn;
    copy->turn.observation = (Str){0};
    str_add(&copy->turn.observation, s->turn.observation.at, s->turn.observation.n);
    str_add(&copy->actions, s->actions.at, s->actions.n);
    array_reserve(&copy->ends, s->ends.n);
    for (size_t i = 0; i < s->ends.n; i++)
        array_push(&copy->ends, s->ends.at[i]);
    copy->best = s->best;
    copy->limit = s->limit;
    *out = copy;
    return ST_OK;
}

static void observation_hash(char out[17], const EnvState *s)
{
    snprintf(out, 17, "%016" PRIx64,
             (uint64_t)XXH3_64bits(str_c(&s->turn.observation), s->turn.observation.n));
}

void env_save(const EnvState *s, Str *out)
{
    char hash[17];
    json_t *actions = json_array();
    for (size_t i = 0; i < s->ends.n; i++)
        json_array_append_new(actions, json_text(action_at(s, i)));
    observation_hash(hash, s);
    json_t *saved = json_pack("{s:i, s:s, s:s, s:i, s:s, s:o}", "saved", 1, "env", s->env->kind->name, "task",
                              env_task(s)->id, "limit", s->limit, "observation", hash, "actions", actions);
    char *text = json_dumps(saved, JSON_COMPACT);
    str_clear(out);
    str_adds(out, text);
    free(text);
    json_decref(saved);
}

static Status replay(EnvState *s, const json_t *actions, const char *hash)
{
    char now[17];
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const json_t *a = json_array_get(actions, i);
        if (!json_is_string(a))
            return fail(ST_FORMAT, "saved state: action %zu is no text", i + 1);
        TRY(env_step(s, (Span){json_string_value(a), json_string_length(a)}));
    }
    observation_hash(now, s);
    if (strcmp(now, hash) != 0)
        return fail(ST_FORMAT,
                    "saved state: its %zu actions lead elsewhere now: the task or the world has changed",
                    json_array_size(actions));
    return ST_OK;
}

Status env_restore(EnvState **out, Env *e, Span saved)
{
    int version = 0, limit = 0;
    const char *env, *task, *hash;
    json_t *actions;
    size_t at;
    EnvState *s = NULL;
    json_error_t error;
    json_t *all = json_loadb(saved.at, saved.n, 0, &error);
    Status st = ST_OK;
    if (!all ||
        json_unpack(all, "{s:i, s:s, s:s, s:i, s:s, s:o}", "saved", &version, "env", &env, "task", &task,
                    "limit", &limit, "observation", &hash, "actions", &actions) != 0 ||
        version != 1 || !json_is_array(actions) || limit < 0)
        st = fail(ST_FORMAT, "this is no saved state of a world (lemur env play saves one)");
    else if (strcmp(env, e->kind->name) != 0)
        st = fail(ST_FORMAT, "the saved state is of %.64s, not of %s", env, e->kind->name);
    if (st == ST_OK)
        st = env_task_find(&at, e, task);
    if (st == ST_OK)
        st = env_reset(&s, e, at);
    if (st == ST_OK) {
        s->limit = limit;
        st = replay(s, actions, hash);
    }
    json_decref(all);
    if (st != ST_OK) {
        env_free(s);
        return st;
    }
    *out = s;
    return ST_OK;
}
