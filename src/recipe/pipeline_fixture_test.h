/* For the tests of pipelines: a script that stands for lemur counts its runs, copies its settings, fails and
 * sleeps as told; its verbs; a recipe is read, run and told of. */
#ifndef RECIPE_PIPELINE_FIXTURE_TEST_H
#define RECIPE_PIPELINE_FIXTURE_TEST_H

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/scratch_test.h"
#include "recipe/pipeline.h"

/* "copy OUT SETTINGS FROM...": OUT/text is the settings and what the others have; "slow OUT [--resume]" takes
 * three short pauses and keeps how far it is; "fail OUT"; "meet OUT NAME OTHERS..." waits for stages of these
 * names, at most ten seconds; "alone OUT" fails beside its like; "parts OUT" takes its
 * time, "late OUT FROM" reads them in the end; "leave OUT" leaves a child running; "shield OUT" does not end when
 * asked. */
static const char script[] =
    "#!/bin/sh\n"
    "verb=$1 out=$2 home=${0%/*}\n"
    "mkdir -p \"$out\"\n"
    "case $verb in\n"
    "shield) trap '' TERM ;;\n"
    "slow) trap 'exit 130' TERM; echo \"begun $3\" >> \"$out/begun\" ;;\n"
    "esac\n"
    "echo \"$verb\" >> \"$home/runs\"\n" /* from here on it may be stopped */
    "case $verb in\n"
    "copy) shift 2; cat \"$@\" > \"$out/text\"; date +%s%N > \"$out/log\"; echo copied ;;\n"
    "slow) n=$(cat \"$out/text\" 2> /dev/null || echo 0)\n"
    "    while [ $n -lt 3 ]; do sleep 0.2; n=$((n + 1)); echo $n > \"$out/text\"; done ;;\n"
    "meet) shift 2; touch \"$home/is-$1\"\n"
    "    for other; do\n"
    "        case $other in */*) continue ;; esac\n"
    "        n=0; while [ ! -e \"$home/is-$other\" ]; do sleep 0.05; n=$((n + 1)); [ $n -lt 200 ] || exit 1; done\n"
    "    done; echo met > \"$out/text\" ;;\n"
    "alone) mkdir \"$home/alone\" || exit 1; sleep 0.3; rmdir \"$home/alone\"; echo done > \"$out/text\" ;;\n"
    "parts) for i in 1 2 3; do echo $i > \"$out/p$i\"; sleep 0.15; done; cat \"$out\"/p* > \"$out/text\" ;;\n"
    "late) sleep 0.4; cat \"$3\"/p* > \"$out/text\" ;;\n"
    "leave) sleep 20 & echo left > \"$out/text\" ;;\n"
    "shield) sleep 0.4; echo well > \"$out/text\" ;;\n"
    "fail) [ -e \"$home/mended\" ] || { echo broken >&2; exit 3; }; echo well > \"$out/text\" ;;\n"
    "esac\n";

static const char *const text_alone[] = {"text", NULL};

/* "copy" has no forecast.  "slow" says what is in its settings, makes as many bytes as the stage that it
 * reads and one more, and refuses a word. */
static inline Status forecast_slow(RecipeForecast *out, const RecipeAsk *ask)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < ask->words_n; i++) {
        if (strcmp(ask->words[i], "--wrong") == 0)
            return (fail)(ST_ARG, "there is no flag --wrong");
        if (strcmp(ask->words[i], "--unknown") == 0)
            return (fail)(ST_IO, "who knows");
        bytes += json_integer_value(json_object_get(recipe_facts(ask, ask->words[i]), "bytes"));
    }
    out->facts = json_pack("{s:I}", "bytes", (json_int_t)bytes + 1);
    out->from = FORECAST_COMPUTED;
    out->seconds = (double)bytes + 1;
    out->memory_least = json_integer_value(json_object_get(ask->settings, "memory"));
    out->disk = json_integer_value(json_object_get(ask->settings, "disk"));
    return ST_OK;
}

static const RecipeVerb verbs[] = {{"copy", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"slow", 1, RESUME_FLAG, false, text_alone, NULL, forecast_slow},
                                   {"fail", 1, RESUME_SAME, false, text_alone, NULL, NULL},
                                   {"meet", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"parts", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"late", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"leave", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"shield", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"alone", 1, RESUME_ANEW, false, text_alone, NULL, NULL}};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static inline void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static pid_t test; /* this process; a child that runs beside it has a recipe and a folder of its own */

static inline int make_scripts(void **state)
{
    int rc = scratch_make(state);
    log_level_set(LOG_ERROR);
    test = getpid();
    scratch_text("lemur", script);
    chmod(in_scratch("lemur"), 0755);
    return rc;
}

/* Times it was run, since the last question. */
static inline int runs(void)
{
    int n = 0;
    if (path_exists(in_scratch("runs"))) {
        Str text = scratch_read("runs");
        for (size_t i = 0; i < text.n; i++)
            n += text.at[i] == '\n';
        str_drop(&text);
        unlink(in_scratch("runs"));
    }
    return n;
}

typedef struct {
    const char *set, *from, *only;
    const char *folder; /* in the scratch folder; NULL: run */
    int jobs;
    bool (*stopped)(void *context);
    void (*look)(const Pipeline *p); /* instead of running it */
} How;

/* Reads the recipe anew and runs it; leaves what it says, and in `states` ("dht") how the stages ended. */
static inline Status run(const char *text, How how, char *states)
{
    Recipe r;
    Pipeline *p;
    char *whole = mem_format("store: %s\n%s", in_scratch("store"), text);
    const char *recipe = getpid() == test ? "r.yaml" : "other.yaml", *own = getpid() == test ? "run" : "run2";
    scratch_text(recipe, whole);
    mem_free(whole);
    must(recipe_read(&r, in_scratch(recipe), &how.set, how.set != NULL));
    char *folder = mem_str(in_scratch(how.folder ? how.folder : own)), *lemur = mem_str(in_scratch("lemur"));
    PipelineSpec spec = {.recipe = &r,
                         .verbs = {verbs, VERBS},
                         .lemur = lemur,
                         .folder = folder,
                         .from = how.from,
                         .only = how.only,
                         .quiet = true,
                         .jobs = how.jobs,
                         .stopped = how.stopped};
    Status st = pipeline_open(&p, &spec);
    if (st == ST_OK) {
        if (how.look)
            how.look(p);
        else
            st = pipeline_run(p);
        for (size_t i = 0; states && i < r.stages.n; i++)
            states[i] = "thd"[pipeline_stages(p)[i].state];
        pipeline_close(p);
    }
    mem_free(folder);
    mem_free(lemur);
    recipe_drop(&r);
    return st;
}

/* For How.stopped: a stage has begun. */
static inline bool after_a_step(void *context)
{
    (void)context;
    return path_exists(in_scratch("runs"));
}

#endif
