/* lemur run: a recipe's stages, each once. */
#include <string.h>

#include "base/columns.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/run_forecast.h"
#include "cli/run_verbs.h"
#include "cli/stop_signal.h"
#include "recipe/pipeline.h"

static const Flag flags[] = {
    {"output", 'o', "FOLDER",
     "links to the stages' folders and the lock file; run/NAME where it is not given"},
    {"set", 0, "KEY=VALUE",
     "a variable, or a path of keys such as stages.base.settings.train.steps; may be given more than once"},
    {"quick", 0, NULL, "the small form of the recipe: what its key \"quick\" sets; into run/NAME-quick"},
    {"dry-run", 0, NULL, "show the stages, what they will take on this machine and what stands in the way"},
    {"from", 0, "STAGE", "do this stage once more, and all that depend on it"},
    {"only", 0, "STAGE", "do this stage alone"},
    {"jobs", 'j', "N", "stages at a time, each on its share of the processors; default: 1"},
    {"quiet", 'q', NULL, "what stages say goes to their logs only"},
    {"json", 0, NULL, "print the stages as JSON, when they are done or with --dry-run"},
    {"verify", 0, "FOLDER", "hold a run's folder against its lock file, and run nothing"},
};

static bool stopped(void *context)
{
    return *(const volatile sig_atomic_t *)context != 0;
}

/* Showing. ----------------------------------------------------------------------------------------------- */

/* What a stage took that is done and stays so, or will take. */
typedef struct {
    double seconds, memory, disk;
    const char *from;
} Takes;

static Takes takes(const PipelineStage *s)
{
    const RecipeForecast *f = &s->forecast;
    if (s->done && !s->wanted)
        return (Takes){json_number_value(json_object_get(s->done, "seconds")),
                       json_number_value(json_object_get(s->done, "memory")),
                       json_number_value(json_object_get(s->done, "disk")), "took"};
    return (Takes){f->seconds, (double)f->memory, (double)f->disk, forecast_from_names[f->from]};
}

static json_t *to_json(const Recipe *r, const PipelineStage *stages)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        const RecipeForecast *f = &stages[i].forecast;
        json_t *after = json_array(), *missing = json_object_get(stages[i].inputs, "missing");
        for (size_t k = 0; k < s->after.n; k++)
            json_array_append_new(after, json_string(r->stages.at[s->after.at[k]].name));
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:f, s:s, s:I, s:I, s:I}", "stage", s->name, "state",
                              stage_state_names[stages[i].state], "key", stages[i].key, "folder",
                              stages[i].folder, "after", after, "minutes", f->seconds / 60, "minutes_from",
                              forecast_from_names[f->from], "memory", (json_int_t)f->memory, "memory_least",
                              (json_int_t)f->memory_least, "disk", (json_int_t)f->disk);
        json_object_set(o, "product", json_object_get(stages[i].done, "product"));
        json_object_set(o, "seconds", json_object_get(stages[i].done, "seconds"));
        if (missing)
            json_object_set(o, "missing", missing);
        json_array_append_new(list, o);
    }
    return list;
}

static const char *shown(char buf[32], const char *(*human)(char *, double), double value)
{
    return value > 0 ? human(buf, value) : "";
}

static void print_table(const Recipe *r, const PipelineStage *stages)
{
    static const char *const titles[] = {"stage",  "state", "time", "by",
                                         "memory", "disk",  "key",  "what it does"};
    Columns c = {.align = "llrlrrll", .wrap = columns_width(stdout, 120)};
    char a[32], b[32], d[32];
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        columns_add(&c, "%s", titles[i]);
    for (size_t i = 0; i < r->stages.n; i++) {
        bool again = stages[i].again && stages[i].wanted && stages[i].state != STAGE_TODO;
        Takes t = takes(&stages[i]);
        columns_add(&c, "%s", r->stages.at[i].name);
        columns_add(&c, "%s", again ? "once more" : stage_state_names[stages[i].state]);
        columns_add(&c, "%s", shown(a, human_time, t.seconds));
        columns_add(&c, "%s", t.from);
        columns_add(&c, "%s", shown(b, human_bytes, t.memory));
        columns_add(&c, "%s", shown(d, human_bytes, t.disk));
        columns_add(&c, "%.8s", stages[i].key);
        columns_add(&c, "%s", r->stages.at[i].about);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
}

/* most[0..n) are the largest so far. */
static void keep_largest(double *most, size_t n, double x)
{
    for (size_t i = 0; i < n; i++)
        if (x > most[i]) {
            double less = most[i];
            most[i] = x;
            x = less;
        }
}

/* The sum of what is to do; "and more" where something cannot be told. */
static void print_sum(const Recipe *r, const PipelineStage *stages, size_t jobs)
{
    double seconds = 0, disk = 0, memory = 0, *most = mem_zeroed(jobs, sizeof *most);
    size_t todo = 0, unknown = 0;
    char a[32];
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeForecast *f = &stages[i].forecast;
        if (!stages[i].wanted)
            continue;
        todo++;
        unknown += f->seconds <= 0;
        seconds += f->seconds;
        disk += (double)f->disk;
        keep_largest(most, jobs, (double)f->memory);
    }
    for (size_t i = 0; i < jobs; i++)
        memory += most[i];
    mem_free(most);
    printf("\n%zu of %zu stages to do", todo, r->stages.n);
    if (seconds > 0)
        printf(", about %s%s", human_time(a, seconds), unknown ? " and what cannot be told" : "");
    if (memory > 0)
        printf(", %s of memory at most", human_bytes(a, memory));
    if (disk > 0)
        printf(", %s of disk", human_bytes(a, disk));
    printf("; the store is %s\n", r->store);
}

/* What a finished stage took, what is forecast of the others, and why it could not begin. */
static void print_stages(const Recipe *r, const Pipeline *p, size_t jobs)
{
    size_t n;
    const Error *obstacles = pipeline_obstacles(p, &n);
    print_table(r, pipeline_stages(p));
    print_sum(r, pipeline_stages(p), jobs);
    for (size_t i = 0; i < n; i++)
        printf("%s%s\n", i ? "" : "It would not begin here:\n", obstacles[i].text);
}

/* Running. ----------------------------------------------------------------------------------------------- */

static Status jobs_asked(int *jobs, const Args *args)
{
    int64_t n = 1, most = cpu_count();
    if (args_has(args, "jobs") && parse_int(&n, args_value(args, "jobs")) != ST_OK)
        return fail_in(ST_ARG, "--jobs");
    if (n < 1 || n > most)
        return fail(ST_ARG, "--jobs %lld: each stage takes a processor at least, and %lld are there",
                    (long long)n, (long long)most);
    *jobs = (int)n;
    return ST_OK;
}

static Status run_pipeline(const Args *args, const Recipe *r)
{
    Pipeline *p;
    int jobs = 1;
    TRY(jobs_asked(&jobs, args));
    char *name = *r->name ? mem_str(r->name) : mem_strn(path_base(r->path), strcspn(path_base(r->path), ".")),
         *otherwise = mem_format("run/%s%s", name, args_has(args, "quick") ? "-quick" : "");
    json_t *here = run_machine();
    char *program = run_program();
    MachineSpeed speed = {0};
    PipelineSpec spec = {.recipe = r,
                         .verbs = run_verbs,
                         .lemur = program,
                         .folder = args_has(args, "output") ? args_value(args, "output") : otherwise,
                         .from = args_value(args, "from"),
                         .only = args_value(args, "only"),
                         .quiet = args_has(args, "quiet"),
                         .jobs = jobs,
                         .machine = here,
                         .machine_speed = &speed,
                         .stopped = stopped};
    Status st = pipeline_open(&p, &spec);
    if (st == ST_OK) {
        if (!args_has(args, "dry-run")) {
            spec.stopped_context = (void *)stop_signal_watch();
            st = pipeline_run(p);
        }
        if (st == ST_OK && args_has(args, "json")) {
            json_t *list = to_json(r, pipeline_stages(p));
            cmd_print_json(list, 6);
            json_decref(list);
        } else if (st == ST_OK) {
            print_stages(r, p, (size_t)jobs);
        }
        pipeline_close(p);
    }
    json_decref(here);
    mem_free(program);
    mem_free(otherwise);
    mem_free(name);
    return st;
}

static Status verify(const char *folder)
{
    int64_t wrong;
    TRY(pipeline_verify(&wrong, folder, &run_verbs));
    if (wrong)
        return fail(ST_FORMAT, "%s: %lld of its stages are not what the run made", folder, (long long)wrong);
    log_info("%s: every stage is what the run made", folder);
    return ST_OK;
}

static Status run(const Args *args, void *context)
{
    Recipe r;
    Array(const char *) sets = {0};
    (void)context;
    if (args_has(args, "verify"))
        return args->positional_n ? fail(ST_ARG, "--verify takes no recipe: the folder has it")
                                  : verify(args_value(args, "verify"));
    if (!args->positional_n)
        return fail(ST_ARG, "which recipe? name its file, such as recipes/mini.yaml");
    size_t place = 0;
    for (const char *set; (set = args_next(args, "set", &place));)
        array_push(&sets, set);
    Status st = args_has(args, "quick") ? recipe_read_quick(&r, args->positional[0], sets.at, sets.n)
                                        : recipe_read(&r, args->positional[0], sets.at, sets.n);
    if (st == ST_OK)
        st = run_pipeline(args, &r);
    recipe_drop(&r);
    array_drop(&sets);
    return st;
}

int cmd_run_recipe(int argc, char **argv)
{
    const Command c = {
        .usage = "RECIPE.yaml [flags]   |   --verify FOLDER",
        .words = "[RECIPE.yaml]",
        .about =
            "Runs a pipeline: the stages of a recipe, each in its place.  What is up to date is not done "
            "again, what\n"
            "is half done goes on, and one changed setting does again what depends on it and nothing else.\n"
            "docs/formats/recipe.md says what a recipe is.\n"
            "example: lemur run recipes/harmony.yaml --jobs 4",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
