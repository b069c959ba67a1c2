/* InterCode-CTF as a world: a task's files in a sandbox, one shell command an action, a flag to submit. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "env/ctf.h"
#include "env/envs.h"

typedef struct {
    const EnvOptions *options;
} Tasks;

typedef struct {
    Ctf *ctf;
    CtfTurn turn;
    char *assets;
    const EnvTask *task;
} Shell;

static void close_tasks(void *world)
{
    mem_free(world);
}

static char *assets_of(const char *data, const char *id)
{
    return mem_format("%s/" CTF_ASSETS "/%s", data, id);
}

static void take_task(EnvTasks *tasks, const char *data, json_t *task)
{
    char id[32];
    snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(task, "task_id")));
    char *assets = assets_of(data, id);
    if (*env_text(task, "gold") && path_is_folder(assets))
        env_tasks_add(tasks, id, json_string_value(json_array_get(json_object_get(task, "tags"), 0)),
                      span(env_text(task, "query")), task);
    else
        tasks->left_out++;
    mem_free(assets);
}

static Status open_tasks(const EnvOptions *options, EnvTasks *tasks, void **world)
{
    Tasks *t = mem_new(Tasks);
    char *path = path_join(options->data, CTF_TASKS);
    json_t *all = NULL;
    t->options = options;
    *world = t;
    Status st = json_file_read(&all, path);
    if (st == ST_OK && !json_is_array(all))
        st = fail(ST_FORMAT, "%s: no array of tasks", path);
    if (st != ST_OK)
        st = fail_in(st, "InterCode-CTF's data (lemur eval --list ic_ctf says where it comes from)");
    for (size_t i = 0; i < json_array_size(all); i++)
        take_task(tasks, options->data, json_array_get(all, i));
    json_decref(all);
    mem_free(path);
    return st;
}

static void end(void *state)
{
    Shell *s = state;
    ctf_close(s->ctf);
    ctf_turn_drop(&s->turn);
    mem_free(s->assets);
    mem_free(s);
}

static Status reset(void *world, const EnvTask *task, EnvTurn *turn, void **state)
{
    const Tasks *t = world;
    Shell *s = mem_new(Shell);
    s->task = task;
    s->assets = assets_of(t->options->data, task->id);
    CtfSpec spec = {.id = task->id,
                    .gold = env_text(task->doc, "gold"),
                    .assets = s->assets,
                    .seconds = t->options->seconds};
    Status st = ctf_open(&s->ctf, &spec);
    if (st != ST_OK) {
        s->ctf = NULL;
        end(s);
        return st;
    }
    str_addf(&turn->observation, "%s\nYou are in %s.", task->about, ctf_folder(s->ctf));
    *state = s;
    return ST_OK;
}

static Status step(void *state, Span action, EnvTurn *turn)
{
    Shell *s = state;
    TRY(ctf_act(s->ctf, &s->turn, action));
    str_clear(&turn->observation);
    str_add(&turn->observation, s->turn.text.at, s->turn.text.n);
    turn->solved = s->turn.solved;
    turn->reward = s->turn.solved;
    turn->done = s->turn.gave_up;
    turn->failed = !s->turn.done && !s->turn.submitted;
    return ST_OK;
}

static Status expert(void *state, Str *action)
{
    const Shell *s = state;
    str_addf(action, "submit %s", env_text(s->task->doc, "gold"));
    return ST_OK;
}

static Status guess(void *state, Rng *rng, Str *action)
{
    static const char *const looks[] = {"ls -la", "cat *", "strings *", "grep -r pico .", "file *"};
    (void)state;
    size_t at = rng_below(rng, sizeof looks / sizeof *looks + 1);
    if (at < sizeof looks / sizeof *looks)
        str_adds(action, looks[at]);
    else
        str_addf(action, "submit picoCTF{%08" PRIx32 "}", (uint32_t)rng_next(rng));
    return ST_OK;
}

const EnvKind ctf_env = {
    .name = "ctf",
    .about = "InterCode-CTF: find the flag in a task's files, in a shell",
    .actions = "a shell command such as `ls` or `strings flag.png | grep pico`, or `submit picoCTF{...}`; "
               "`skip` gives up",
    .source = "InterCode, arXiv:2306.14898; princeton-nlp/intercode, MIT; the tasks are picoCTF's",
    .files = CTF_TASKS ", " CTF_ASSETS "/<id>/",
    .steps = 10,
    .open = open_tasks,
    .close = close_tasks,
    .reset = reset,
    .step = step,
    .end = end,
    .expert = expert,
    .guess = guess,
};
