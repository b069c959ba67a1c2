/* RoboCodeGen as a world: a function to write, a source an action, and what came of its inputs. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "env/envs.h"
#include "env/robot.h"

typedef struct {
    Robot *robot;
    Str prompt;
} Tasks;

typedef struct {
    const Tasks *tasks;
    const EnvTask *task;
    RobotVerdict verdict;
} Writing;

static void close_tasks(void *world)
{
    Tasks *t = world;
    if (!t)
        return;
    robot_close(t->robot);
    str_drop(&t->prompt);
    mem_free(t);
}

static Status read_data(Tasks *t, json_t **problems, const char *data)
{
    char *path = path_join(data, ROBOT_PROBLEMS), *prompt = path_join(data, ROBOT_PROMPT);
    Status st = json_file_read(problems, path);
    if (st == ST_OK && !json_is_array(*problems))
        st = fail(ST_FORMAT, "%s: no array of problems", path);
    if (st == ST_OK)
        st = file_read(&t->prompt, prompt, 1 << 20);
    if (st != ST_OK)
        st = fail_in(st, "RoboCodeGen's data (lemur eval --list robocodegen says where it comes from)");
    mem_free(path);
    mem_free(prompt);
    return st;
}

static Status open_tasks(const EnvOptions *options, EnvTasks *tasks, void **world)
{
    Tasks *t = mem_new(Tasks);
    json_t *problems = NULL;
    RobotSpec spec = {options->seconds, options->stopped, options->stopped_context};
    *world = t;
    Status st = read_data(t, &problems, options->data);
    if (st == ST_OK)
        st = robot_open(&t->robot, &spec);
    for (size_t i = 0; st == ST_OK && i < json_array_size(problems); i++) {
        json_t *p = json_array_get(problems, i);
        if (robot_knows(t->robot, p) == ST_OK)
            env_tasks_add(tasks, env_text(p, "f_name"), json_string_value(json_object_get(p, "category")),
                          span(env_text(p, "f_sig")), p);
        else
            tasks->left_out++;
    }
    json_decref(problems);
    return st;
}

static void end(void *state)
{
    Writing *w = state;
    robot_verdict_drop(&w->verdict);
    mem_free(w);
}

static Status reset(void *world, const EnvTask *task, EnvTurn *turn, void **state)
{
    Writing *w = mem_new(Writing);
    w->tasks = world;
    w->task = task;
    robot_query(&turn->observation, str_span(&w->tasks->prompt), span(task->about));
    *state = w;
    return ST_OK;
}

static Status step(void *state, Span action, EnvTurn *turn)
{
    Writing *w = state;
    RobotVerdict *v = &w->verdict;
    RobotTry try = {.problem = w->task->doc, .source = action, .together = true};
    TRY(robot_run(w->tasks->robot, v, &try));
    str_clear(&turn->observation);
    robot_tell(&turn->observation, v);
    turn->reward = (double)v->passed / v->inputs;
    turn->solved = v->end == ROBOT_PASSED;
    turn->failed = v->end != ROBOT_PASSED && v->end != ROBOT_WRONG;
    return ST_OK;
}

static Status copy(const void *state, void **out)
{
    const Writing *w = state;
    Writing *other = mem_new(Writing);
    other->tasks = w->tasks;
    other->task = w->task;
    *out = other;
    return ST_OK;
}

static Status expert(void *state, Str *action)
{
    const Writing *w = state;
    return robot_solution(w->tasks->robot, action, w->task->id);
}

static Status guess(void *state, Rng *rng, Str *action)
{
    static const char *const values[] = {"args[0]", "args[-1]", "0", "True", "False", "np.zeros(2)"};
    const Writing *w = state;
    str_addf(action, "def %s(*args):\n    return %s\n", w->task->id,
             values[rng_below(rng, sizeof values / sizeof *values)]);
    return ST_OK;
}

const EnvKind robot_env = {
    .name = "robot",
    .about = "RoboCodeGen: write a function for a robot, with NumPy and Shapely",
    .actions = "a function's source, such as `def get_total(xs): return np.sum(xs)`, many lines of it "
               "between two \"\"\"; its functions may call one "
               "another, and it holds neither \"import\" nor \"__\"",
    .source =
        "Code as Policies, arXiv:2209.07753; google-research/google-research, code_as_policies, Apache-2.0",
    .files = ROBOT_PROBLEMS ", " ROBOT_PROMPT,
    .steps = 5,
    .open = open_tasks,
    .close = close_tasks,
    .reset = reset,
    .step = step,
    .end = end,
    .fork = copy,
    .expert = expert,
    .guess = guess,
};
