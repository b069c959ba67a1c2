/* InterCode-Bash as a world: a question about a small file system, or a change to it, by one shell command an
 * action; rewarded by how near files and output are to those of the gold command. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "env/envs.h"
#include "env/nl2bash.h"

typedef struct {
    const EnvOptions *options;
    Nl2BashImages images;
} Systems;

typedef struct {
    Nl2Bash *files;
    Nl2BashTurn turn;
    const EnvTask *task;
} Shell;

static void close_systems(void *world)
{
    Systems *s = world;
    if (s)
        nl2bash_images_close(&s->images);
    mem_free(s);
}

static void take_tasks(EnvTasks *tasks, int number, const json_t *all)
{
    char id[40], part[32];
    snprintf(part, sizeof part, "fs_%d", number);
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *task = json_array_get(all, i);
        snprintf(id, sizeof id, "%d-%zu", number, i);
        if (*env_text(task, "query") && *env_text(task, "gold"))
            env_tasks_add(tasks, id, part, span(env_text(task, "query")), task);
        else
            tasks->left_out++;
    }
}

static Status read_tasks(EnvTasks *tasks, const char *data, int number)
{
    char *name = mem_format(NL2BASH_TASKS, number), *path = path_join(data, name);
    json_t *all = NULL;
    Status st = json_file_read(&all, path);
    if (st == ST_OK && !json_is_array(all))
        st = fail(ST_FORMAT, "%s: no array of tasks", path);
    if (st != ST_OK)
        st = fail_in(st, "InterCode-Bash's data (lemur eval --fetch ic_bash gets it)");
    if (st == ST_OK)
        take_tasks(tasks, number, all);
    json_decref(all);
    mem_free(path);
    mem_free(name);
    return st;
}

static Status open_systems(const EnvOptions *options, EnvTasks *tasks, void **world)
{
    Systems *s = mem_new(Systems);
    s->options = options;
    *world = s;
    int n = nl2bash_images_in(options->data);
    for (int i = 1; i <= n; i++)
        TRY(read_tasks(tasks, options->data, i));
    return nl2bash_images_open(&s->images, options->data);
}

static void end(void *state)
{
    Shell *s = state;
    nl2bash_close(s->files);
    nl2bash_turn_drop(&s->turn);
    mem_free(s);
}

static Status reset(void *world, const EnvTask *task, EnvTurn *turn, void **state)
{
    const Systems *all = world;
    Shell *s = mem_new(Shell);
    s->task = task;
    Nl2BashSpec spec = {.query = env_text(task->doc, "query"),
                        .gold = env_text(task->doc, "gold"),
                        .seconds = all->options->seconds};
    Status st = nl2bash_open(&s->files, nl2bash_image_of(&all->images, task->id), &spec);
    if (st != ST_OK) {
        s->files = NULL;
        end(s);
        return st;
    }
    str_addf(&turn->observation, "%s\nYou are in %s.", task->about, nl2bash_folder(s->files));
    *state = s;
    return ST_OK;
}

static Status step(void *state, Span action, EnvTurn *turn)
{
    Shell *s = state;
    TRY(nl2bash_act(s->files, &s->turn, action));
    str_clear(&turn->observation);
    str_add(&turn->observation, s->turn.text.at, s->turn.text.n);
    turn->reward = s->turn.reward.total;
    turn->solved = turn->reward == 1;
    turn->done = s->turn.gave_up;
    turn->failed = !s->turn.done && !s->turn.gave_up;
    return ST_OK;
}

static Status expert(void *state, Str *action)
{
    const Shell *s = state;
    str_adds(action, env_text(s->task->doc, "gold"));
    return ST_OK;
}

static Status guess(void *state, Rng *rng, Str *action)
{
    static const char *const looks[] = {
        "ls",   "ls -la",     "pwd",    "ls -R /testbed /system /workspace", "find . -maxdepth 2",
        "echo", "cat *.html", "wc -l *"};
    (void)state;
    str_adds(action, looks[rng_below(rng, sizeof looks / sizeof *looks)]);
    return ST_OK;
}

const EnvKind bash_env = {
    .name = "bash",
    .about = "InterCode-Bash: ask or change a small file system, in a shell",
    .actions =
        "a shell command such as `find /testbed -name '*.py' | wc -l`; write single quotes, double ones are "
        "lost;\n`skip` gives up",
    .source = "InterCode, arXiv:2306.14898; princeton-nlp/intercode, MIT; queries are NL2Bash's",
    .files = "intercode/bash/nl2bash_fs_<1-4>.json, setup_nl2b_fs_<1-4>.sh, docker.gitignore",
    .steps = 10,
    .open = open_systems,
    .close = close_systems,
    .reset = reset,
    .step = step,
    .end = end,
    .expert = expert,
    .guess = guess,
};
