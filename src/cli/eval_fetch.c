#include "cli/eval_fetch.h"

#include "cli/cmd.h"
#include "cli/eval_tasks.h"
#include "cli/stop_signal.h"
#include "eval/fetch_set.h"

static bool stopped(void *context)
{
    return **(const volatile sig_atomic_t *const *)context != 0;
}

static void tell(void *arg, const char *path, const char *what)
{
    json_t *files = arg;
    if (files)
        json_object_set_new(files, path, json_string(what));
    else
        printf("%-20s  %s\n", what, path); /* paths are of any length */
    fflush(stdout);
}

static Status fetch(const Args *args, const TaskList *tasks)
{
    const char *data = args_value(args, "data");
    const volatile sig_atomic_t *stop = stop_signal_watch();
    FetchSpec spec = fetch_spec(data ? data : "data");
    FetchReport report;
    HttpClient *http;
    TRY(http_open(&http));
    spec.mirror = args_value(args, "mirror");
    spec.stopped = stopped;
    spec.context = &stop;
    json_t *files = args_has(args, "json") ? json_object() : NULL;
    Status st = fetch_set(&report, http, &spec, tasks->at, tasks->n, tell, files);
    if (files) {
        json_t *all = json_pack("{s:s?, s:I, s:I, s:I, s:I, s:I, s:o}", "data", spec.data, "files",
                                (json_int_t)report.files, "here", (json_int_t)report.here, "unchecked",
                                (json_int_t)report.unchecked, "fetched", (json_int_t)report.got, "failed",
                                (json_int_t)report.failed, "each", files);
        cmd_print_json(all, 0);
        json_decref(all);
    }
    http_close(http);
    return st;
}

static Status run(const Args *args, void *context)
{
    TaskList tasks = {0};
    (void)context;
    Status st = cmd_folder_possible(args_value(args, "data") ? args_value(args, "data") : "data");
    if (st == ST_OK && args_value(args, "mirror"))
        st = http_check_url(args_value(args, "mirror"));
    if (st == ST_OK)
        st = task_list_words(&tasks, args);
    if (st == ST_OK)
        st = fetch(args, &tasks);
    task_list_drop(&tasks);
    return st;
}

int eval_fetch(int argc, char **argv)
{
    static const Flag flags[] = {
        {"fetch", 0, NULL, "get the data of benchmarks"},
        {"data", 0, "DIR", "the folder of the benchmarks' data (data)"},
        {"mirror", 0, "URL",
         "a server that has the same files; stands in for scheme and host of each address"},
        {"json", 'j', NULL, "one JSON object at the end, for programs"}};
    const Command c = {
        .usage = "--fetch TASK|GROUP|all... [--data DIR] [--mirror URL] [--json]",
        .words = "TASK...",
        .about =
            "Downloads the published data of benchmarks into DIR and checks its SHA-256.  What is there\n"
            "already is left alone, a download that was cut goes on; lemur eval --list says what is here.\n"
            "example: lemur eval --fetch gsm8k humaneval --data ~/benchmarks",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
