#include "eval/replay_robot.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "env/robot.h"

typedef struct {
    ReplayReport *report;
    const char *path;
    const json_t *problems;
    Robot *robot; /* NULL: there is no sandbox */
    RobotVerdict verdict;
    int64_t number; /* of the function among those that have a source */
} File;

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const json_t *problem_named(const json_t *problems, const char *name)
{
    size_t i;
    json_t *p;
    json_array_foreach((json_t *)problems, i, p) if (strcmp(text_at(p, "f_name"), name) == 0) return p;
    return NULL;
}

static void undecided(File *f, ReplayWhy why)
{
    f->report->counts[REPLAY_RC].undecided[why]++;
}

static Status compare(File *f, const json_t *result, const char *run, bool recorded)
{
    const char *name = text_at(result, "f_name"), *then = text_at(result, "f_name_then"),
               *error = text_at(result, "error"), *exec_error = text_at(result, "exec_error");
    const json_t *source = json_object_get(result, "source");
    RobotTry try = {.problem = problem_named(f->problems, name),
                    .defines = *then ? then : NULL,
                    .source = {json_string_value(source), json_string_length(source)}};
    if (!try.problem || robot_knows(f->robot, try.problem) != ST_OK) {
        undecided(f, REPLAY_BROKEN);
        return ST_OK;
    }
    TRY(robot_run(f->robot, &f->verdict, &try));
    bool passes = f->verdict.end == ROBOT_PASSED, agrees = passes == recorded;
    char *what = mem_format("%s: %s %s here and %s when it was recorded", run, name,
                            passes ? "passes" : "fails", recorded ? "passed" : "failed");
    f->report->counts[REPLAY_RC].whole +=
        agrees && strcmp(str_c(&f->verdict.bare), *error ? error : exec_error) == 0;
    replay_count(f->report, REPLAY_RC, agrees, f->path, f->number, what);
    mem_free(what);
    return ST_OK;
}

static Status one_run(File *f, const json_t *run)
{
    const json_t *results = json_object_get(run, "results");
    Status st = ST_OK;
    if (!json_is_array(results))
        f->report->bad_lines++;
    for (size_t i = 0; st == ST_OK && i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i), *passed = json_object_get(result, "passed");
        if (!json_is_string(json_object_get(result, "source")))
            continue;
        f->number++;
        if (!json_is_boolean(passed))
            undecided(f, REPLAY_BROKEN);
        else if (!f->robot)
            undecided(f, REPLAY_NO_SANDBOX);
        else
            st = compare(f, result, text_at(run, "name"), json_is_true(passed));
    }
    return st;
}

static Status runs(File *f, const json_t *all)
{
    const json_t *list = json_object_get(all, "runs");
    if (!json_is_array(list))
        return fail(ST_FORMAT, "no array \"runs\"");
    for (size_t i = 0; i < json_array_size(list); i++)
        TRY(one_run(f, json_array_get(list, i)));
    return ST_OK;
}

Status replay_robot_file(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    Status st;
    File f = {.report = report, .path = path};
    json_t *all = NULL, *problems = NULL;
    if (!replay_wants(spec, REPLAY_RC))
        return ST_OK;
    report->files++;
    char *beside = mem_format("%.*sproblems.json", (int)(path_base(path) - path), path);
    TRY_TO(undo, json_file_read(&all, path));
    TRY_TO(undo, json_file_read(&problems, beside));
    f.problems = problems;
    st = robot_open(&f.robot, &(RobotSpec){0});
    if (st == ST_UNSUPPORTED)
        replay_trouble(report, "RC: %s", error_text());
    else if (st != ST_OK)
        goto undo;
    st = runs(&f, all);
undo:
    robot_close(f.robot);
    robot_verdict_drop(&f.verdict);
    json_decref(all);
    json_decref(problems);
    mem_free(beside);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}
