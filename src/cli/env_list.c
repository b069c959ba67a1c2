#include <stdio.h>

#include "base/columns.h"
#include "base/log.h"
#include "cli/env.h"

enum { LINE = 120 }; /* characters, where no terminal says otherwise */

typedef struct {
    EnvPlace place;
    bool json;
} Job;

static const Field fields[] = {
    F_BOOL(Job, json, false, "print JSON"),
};
static const FieldTable table = FIELD_TABLE(fields);

static json_t *describe(const EnvKind *k, const EnvOptions *options)
{
    Env *e;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:b}", "name", k->name, "about", k->about,
                          "actions", k->actions, "source", k->source, "files", k->files, "steps", k->steps,
                          "admissible", k->admissible != NULL, "expert", k->expert != NULL);
    if (env_open(&e, k, options) == ST_OK) {
        json_object_set_new(o, "tasks", json_integer((json_int_t)env_tasks(e)->n));
        json_object_set_new(o, "left_out", json_integer((json_int_t)env_tasks(e)->left_out));
        env_close(e);
    } else {
        json_object_set_new(o, "error", json_string(error_text()));
    }
    return o;
}

static void print_worlds(const json_t *all)
{
    static const char *const titles[] = {"world", "tasks", "steps", "expert", "what it is"};
    Columns c = {.align = "lrrll", .wrap = columns_width(stdout, LINE)};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        columns_add(&c, "%s", titles[i]);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *o = json_array_get(all, i), *tasks = json_object_get(o, "tasks");
        columns_add(&c, "%s", json_string_value(json_object_get(o, "name")));
        if (tasks)
            columns_add(&c, "%lld", (long long)json_integer_value(tasks));
        else
            columns_add(&c, "not here");
        columns_add(&c, "%lld", (long long)json_integer_value(json_object_get(o, "steps")));
        columns_add(&c, "%s", json_is_true(json_object_get(o, "expert")) ? "yes" : "no");
        columns_add(&c, "%s", json_string_value(json_object_get(o, "about")));
    }
    columns_print(&c, stdout);
    columns_drop(&c);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *o = json_array_get(all, i);
        if (json_object_get(o, "error"))
            printf("\n%s: %s\n", json_string_value(json_object_get(o, "name")),
                   json_string_value(json_object_get(o, "error")));
    }
}

static Status list_worlds(const EnvOptions *options, bool as_json)
{
    json_t *all = json_array();
    for (size_t i = 0; env_kinds[i]; i++)
        json_array_append_new(all, describe(env_kinds[i], options));
    if (as_json)
        cmd_print_json(all, 0);
    else
        print_worlds(all);
    json_decref(all);
    return ST_OK;
}

static void print_tasks(const Env *e, bool as_json)
{
    const EnvTasks *tasks = env_tasks(e);
    json_t *all = json_array();
    Columns c = {.align = "lll", .wrap = columns_width(stdout, LINE)};
    for (size_t i = 0; i < tasks->n; i++) {
        const EnvTask *t = &tasks->at[i];
        json_array_append_new(all,
                              json_pack("{s:s, s:s?, s:s}", "id", t->id, "part", t->part, "about", t->about));
        columns_add(&c, "%s", t->id);
        columns_add(&c, "%s", t->part ? t->part : "");
        columns_add(&c, "%s", t->about);
    }
    if (as_json)
        cmd_print_json(all, 0);
    else
        columns_print(&c, stdout);
    columns_drop(&c);
    json_decref(all);
    if (tasks->left_out)
        log_info("%zu more tasks of %s cannot be played here: their files are missing", tasks->left_out,
                 env_kind(e)->name);
}

static Status run(const Args *args, void *context)
{
    const Job *job = context;
    EnvOptions options = env_place_options(&job->place);
    const EnvKind *kind;
    Env *e;
    if (!args->positional_n)
        return list_worlds(&options, job->json);
    TRY(env_kind_named(&kind, span(args->positional[0])));
    TRY(env_open(&e, kind, &options));
    print_tasks(e, job->json);
    env_close(e);
    return ST_OK;
}

int env_list(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&env_place_table, &job.place}, {&table, &job}};
    const Command c = {
        .usage = "[WORLD] [flags]",
        .words = "[WORLD]",
        .about =
            "The worlds that can be acted in, with how many tasks of each are here; or the tasks of one.\n"
            "example: lemur env list household --data data",
        COMMAND_TABLES(tables)};
    return cmd_run(&c, argc, argv, run, &job);
}
