/* The one interface to every world that can be acted in: text in, text out.
 *
 *     EnvOptions options = {.data = "data"};
 *     Env *env;
 *     TRY(env_open(&env, env_kind_find("household"), &options));
 *     EnvState *s;
 *     TRY(env_reset(&s, env, 0));                           env_turn(s)->observation: "You are in the
 * middle..." TRY(env_step(s, span("go to fridge 1")));             env_turn(s)->reward, ->done, ->solved
 *     env_free(s);
 *     env_close(env);
 *
 * A kind of world is one constant (`EnvKind`) in a file of its own, <name>_env.c; envs.c is the list of them.
 * An Env is a kind with its tasks; it is shared by any number of threads.  An EnvState is one episode of one
 * task, for one thread at a time.  docs/add-an-environment.md walks through a new one. */
#ifndef ENV_ENV_H
#define ENV_ENV_H

#include <jansson.h>

#include "base/array.h"
#include "base/rng.h"
#include "base/str.h"

/* Where the tasks come from.  Kept: it outlives the Env. */
typedef struct {
    const char *data;               /* the folder that all worlds find their own data below */
    const char *games;              /* of the household: a folder of games instead of data's; NULL: data's */
    double seconds;                 /* of a command or query; 0: the world's own limit */
    bool (*stopped)(void *context); /* true: give up soon, with ST_CANCELLED; NULL: nobody asks */
    void *stopped_context;
} EnvOptions;

typedef struct {
    char *id;    /* unique in its world, the same from run to run; owned */
    char *part;  /* kind of task: "pick_heat_then_place_in_recep"; NULL: the world has no kinds; owned */
    char *about; /* what is asked, a line; owned */
    json_t *doc; /* as the data has it; NULL: nothing more is known; owned */
} EnvTask;
typedef struct {
    EnvTask *at;
    size_t n, cap;
    size_t left_out; /* tasks that cannot be played here: told by `open` */
} EnvTasks;
/* Adds one; keeps copies of the texts and a new reference to `doc`. */
void env_tasks_add(EnvTasks *tasks, const char *id, const char *part, Span about, json_t *doc);

/* A text of a task's data; "" where there is none. */
const char *env_text(const json_t *doc, const char *key);

/* What an action, or the beginning, led to. */
typedef struct {
    Str observation;
    double reward; /* of this action alone: 1 is all that can be had; some worlds have negative ones */
    bool done;     /* nothing changes any more */
    bool solved;
    bool failed; /* the action was none, or ended in an error */
} EnvTurn;

typedef struct {
    const char **at;
    size_t n, cap;
} EnvActions;

/* A kind of world, as its file gives it.  Functions from `admissible` on may be NULL: the world cannot. */
typedef struct {
    const char *name;    /* "household" */
    const char *about;   /* a line */
    const char *actions; /* what an action is, for a person who plays: a few lines, with an example */
    const char *source;  /* papers, repositories */
    const char *files;   /* what it reads below the data folder */
    int steps;           /* of an episode, by default */
    /* Finds the tasks; *world is the kind's own, shared by all threads afterwards.  Errors name the missing
     * file and say how to get it. */
    Status (*open)(const EnvOptions *options, EnvTasks *tasks, void **world);
    void (*close)(void *world); /* NULL is fine */
    /* Begins an episode, any number of threads: fills *turn with what is first seen, *state with the kind's
     * own. */
    Status (*reset)(void *world, const EnvTask *task, EnvTurn *turn, void **state);
    /* One action.  Overwrites turn->observation, and sets of the rest, which is 0 and false, what is not. */
    Status (*step)(void *state, Span action, EnvTurn *turn);
    void (*end)(void *state);
    /* Sets *out to what can now be done; views that live until the next step. */
    Status (*admissible)(void *state, EnvActions *out);
    Status (*fork)(const void *state, void **out);
    /* Overwrites *action with what one does who knows the answer.  ST_UNSUPPORTED: not even that one knows.
     */
    Status (*expert)(void *state, Str *action);
    /* Overwrites *action with one drawn at random, as a floor for scores.  NULL: one of the admissible. */
    Status (*guess)(void *state, Rng *rng, Str *action);
} EnvKind;

extern const EnvKind *const env_kinds[];        /* NULL at the end; envs.c */
const EnvKind *env_kind_find(const char *name); /* NULL: none of that name */

typedef struct Env Env;
/* Failures are the kind's; a world without a task is ST_FORMAT. */
MUST_CHECK Status env_open(Env **out, const EnvKind *kind, const EnvOptions *options);
void env_close(Env *e); /* NULL is fine; its states are freed before */
const EnvKind *env_kind(const Env *e);
const EnvTasks *env_tasks(const Env *e);
/* ST_ARG: no task of that id; the sentence has the nearest. */
MUST_CHECK Status env_task_find(size_t *out, const Env *e, const char *id);

typedef struct EnvState EnvState;
MUST_CHECK Status env_reset(EnvState **out, Env *e, size_t task);
void env_free(EnvState *s); /* NULL is fine */
const EnvTask *env_task(const EnvState *s);
const EnvTurn *env_turn(const EnvState *s); /* the last one; views live until the next step */
int env_steps(const EnvState *s);           /* actions since the beginning */
double env_best(const EnvState *s);         /* the highest reward of an action; 0 before the first */
/* One action; in a state that is done it changes nothing.  After a failure the state is good for env_free
 * alone. */
MUST_CHECK Status env_step(EnvState *s, Span action);
/* Steps of the episode after which it is done; 0: none.  The kind's own at first. */
void env_limit(EnvState *s, int steps);

/* ST_UNSUPPORTED: the world cannot tell. */
MUST_CHECK Status env_admissible(EnvState *s, EnvActions *out); /* the caller drops *out with array_drop */
MUST_CHECK Status env_expert(EnvState *s, Str *action);
MUST_CHECK Status env_guess(EnvState *s, Rng *rng, Str *action);

/* A second state that goes its own way from here: the world's own copy where it has one, else its actions are
 * played again. */
MUST_CHECK Status env_fork(EnvState **out, EnvState *s);
/* Overwrites *out with JSON: the task, the actions so far and a hash of what the last one led to.  Restoring
 * plays them again.  ST_FORMAT: it is none, or leads elsewhere now: the world or its data has changed. */
void env_save(const EnvState *s, Str *out);
MUST_CHECK Status env_restore(EnvState **out, Env *e, Span saved);

#endif
