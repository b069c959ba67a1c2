/* The rounds as a recipe: a stage for each command, whose name tells its round, source and kind. */
#include <stdarg.h>
#include <string.h>

#include "base/json_file.h"
#include "study/improve.h"

/* Folds of a data folder's questions: held-out, untouched, to play. */
#define DATA_HELD "1/5"
#define DATA_UNTOUCHED "2/5"
#define DATA_PLAYED "3-5/5"

/* Apart from each other for any number of tasks that may be asked for. */
enum { DRAW_STRIDE = 1000000, ROLLOUT_STRIDE = 1000, SEED_STRIDE = 1000003 };

int64_t improve_tune_seed(const Improve *im, int64_t round)
{
    return im->config->seed + round;
}

int64_t improve_rollout_seed(const Improve *im, int64_t round, int64_t sample)
{
    return im->config->seed * SEED_STRIDE + round * ROLLOUT_STRIDE + sample;
}

/* Names. ------------------------------------------------------------------------------------------------- */

static char *round_stage(int64_t round, const char *source, const char *kind)
{
    char *of = round ? mem_format("r%lld", (long long)round) : mem_str("base"),
         *name = mem_format("%s%s%s-%s", of, *source ? "-" : "", source, kind);
    mem_free(of);
    return name;
}

char *improve_test_stage(const Improve *im, size_t source, int64_t round, bool untouched)
{
    return round_stage(round, im->sources.at[source].name, untouched ? "final" : "test");
}

char *improve_keep_stage(int64_t round)
{
    return round_stage(round, "", "keep");
}

char *improve_tune_stage(int64_t round)
{
    return round_stage(round, "", "tune");
}

/* "words-try" of "r2-words-try3". */
static char *kind_of(const char *stage)
{
    const char *dash = strchr(stage, '-');
    bool of_round =
        dash && (span_starts(span(stage), "base-") ||
                 (*stage == 'r' && strspn(stage + 1, "0123456789") == (size_t)(dash - stage - 1)));
    const char *from = of_round ? dash + 1 : stage;
    size_t n = strlen(from);
    while (n > 0 && from[n - 1] >= '0' && from[n - 1] <= '9')
        n--;
    return mem_strn(from, n);
}

void improve_note_seconds(Improve *im, const char *stage, double seconds)
{
    char *kind = kind_of(stage);
    if (!im->seconds)
        im->seconds = json_object();
    json_object_set_new(im->seconds, kind, json_real(seconds));
    mem_free(kind);
}

static double seconds_of(const Improve *im, const char *stage)
{
    char *kind = kind_of(stage);
    double s = json_number_value(json_object_get(im->seconds, kind));
    mem_free(kind);
    return s;
}

double improve_round_seconds(const Improve *im)
{
    double sum = 0;
    bool known = true;
    const char *const whole[] = {"keep", "tune"};
    const struct {
        const char *kind;
        int64_t times;
    } parts[] = {{"tasks", 1}, {"try", im->config->samples}, {"test", 1}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        double s = seconds_of(im, whole[i]);
        known = known && s > 0;
        sum += s;
    }
    for (size_t i = 0; i < im->sources.n; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            char *kind = mem_format("%s-%s", im->sources.at[i].name, parts[k].kind);
            double s = seconds_of(im, kind);
            bool needed = im->sources.at[i].drawn || strcmp(parts[k].kind, "tasks") != 0;
            known = known && (s > 0 || !needed);
            sum += s * (double)parts[k].times;
            mem_free(kind);
        }
    return known ? sum : 0;
}

/* Words. ------------------------------------------------------------------------------------------------- */

/* Texts from outside: a brace is one. */
static json_t *plain(const char *text)
{
    Str out = {0};
    for (; *text; text++)
        str_adds(&out, *text == '{' ? "{{" : (char[]){*text, 0});
    json_t *v = json_text(str_span(&out));
    str_drop(&out);
    return v;
}

/* Texts up to NULL, whose braces name stages. */
static void say(json_t *words, ...)
{
    va_list args;
    va_start(args, words);
    for (const char *w; (w = va_arg(args, const char *));)
        json_array_append_new(words, json_string(w));
    va_end(args);
}

static void say_number(json_t *words, const char *flag, int64_t n)
{
    char *text = mem_format("%lld", (long long)n);
    say(words, flag, text, NULL);
    mem_free(text);
}

static void say_all(json_t *words, const json_t *more)
{
    for (size_t i = 0; i < json_array_size(more); i++)
        json_array_append_new(words, plain(json_string_value(json_array_get(more, i))));
}

/* The word for a stage's folder, or for something in it. */
static void say_stage(json_t *words, const char *stage, const char *below)
{
    char *text = mem_format("{%s}%s", stage, below);
    say(words, text, NULL);
    mem_free(text);
}

static void say_model(const Improve *im, json_t *words, int64_t round)
{
    char *stage = improve_tune_stage(round);
    say(words, "-m", NULL);
    if (round)
        say_stage(words, stage, "");
    else
        json_array_append_new(words, plain(im->model));
    mem_free(stage);
}

/* Adds the stage and takes words, settings (or NULL), inputs (or NULL). */
static void add_stage(const Improve *im, json_t *stages, const char *name, json_t *words, json_t *settings,
                      json_t *inputs, const char *about)
{
    json_t *s = json_pack("{s:o, s:s}", "run", words, "about", about);
    if (settings)
        json_object_set_new(s, "settings", settings);
    if (inputs)
        json_object_set_new(s, "inputs", inputs);
    double seconds = seconds_of(im, name);
    if (seconds > 0)
        json_object_set_new(s, "minutes", json_real(seconds / 60));
    json_object_set_new(stages, name, s);
}

/* What a stage reads that is no stage's: the model that was given, and the data folder. */
static json_t *outside(const Improve *im, bool model, bool data)
{
    json_t *o = json_object();
    if (model)
        json_object_set_new(o, "model", json_string(im->hash));
    if (data && im->data_hash)
        json_object_set_new(o, "data", json_string(im->data_hash));
    return o;
}

/* Tasks. ------------------------------------------------------------------------------------------------- */

static char *tasks_stage(const ImproveSource *s, int64_t round)
{
    return round ? round_stage(round, s->name, "tasks") : mem_format("held-%s", s->name);
}

/* Round 0: the held-out and the untouched ones, whose halves are kept apart by folds. */
static void add_tasks(const Improve *im, json_t *stages, const ImproveSource *s, int64_t round)
{
    const ImproveConfig *c = im->config;
    json_t *words = json_array();
    char *name = tasks_stage(s, round),
         *about = round ? mem_format("tasks of %s to play", s->name)
                        : mem_format("tasks of %s that are never learned", s->name);
    say(words, "env", "make", NULL);
    say(words, s->name, "-o", "{out}", NULL);
    say_number(words, "--train", round ? c->train : 1);
    say_number(words, "--test", 2 * c->test);
    say_number(words, "--seed", c->seed);
    say_number(words, "--draw", round);
    add_stage(im, stages, name, words, NULL, NULL, about);
    mem_free(name);
    mem_free(about);
}

typedef enum { TASKS_HELD, TASKS_UNTOUCHED, TASKS_PLAYED } Tasks;

static void say_tasks(const Improve *im, json_t *words, const ImproveSource *s, Tasks tasks, int64_t round)
{
    static const char *const halves[] = {"1/2", "2/2", NULL};
    static const char *const fifths[] = {DATA_HELD, DATA_UNTOUCHED, DATA_PLAYED};
    const ImproveConfig *c = im->config;
    say(words, "--tasks", s->benchmark, "--data", NULL);
    if (!s->drawn) {
        json_array_append_new(words, plain(im->data));
        say(words, "--fold", fifths[tasks], NULL);
        say_number(words, "--limit", tasks == TASKS_PLAYED ? c->train : c->test);
        say_number(words, "--draw-seed",
                   1 + c->seed + (tasks == TASKS_PLAYED ? round * (int64_t)DRAW_STRIDE : 0));
        return;
    }
    char *stage = tasks_stage(s, tasks == TASKS_PLAYED ? round : 0);
    say_stage(words, stage, tasks == TASKS_PLAYED ? "/train" : "/test");
    if (halves[tasks])
        say(words, "--fold", halves[tasks], NULL);
    mem_free(stage);
}

/* Episodes. ---------------------------------------------------------------------------------------------- */

static json_t *eval_words(const Improve *im, const ImproveSource *s, int64_t model, Tasks tasks,
                          int64_t round)
{
    json_t *words = json_array();
    say(words, "eval", NULL);
    say_model(im, words, model);
    say_tasks(im, words, s, tasks, round);
    say(words, "--wikipedia", "none", NULL);
    say_all(words, im->eval);
    return words;
}

static void add_eval(const Improve *im, json_t *stages, const char *name, json_t *words,
                     const ImproveSource *s, int64_t model, const char *about)
{
    say(words, "-o", "{out}", NULL);
    json_t *settings = json_object();
    json_object_set_new(settings, "improve", outside(im, model == 0, !s->drawn));
    add_stage(im, stages, name, words, settings, NULL, about);
}

static void add_test(const Improve *im, json_t *stages, size_t source, int64_t model, bool untouched)
{
    const ImproveSource *s = &im->sources.at[source];
    char *name = improve_test_stage(im, source, model, untouched),
         *about = mem_format("%s tasks of %s", untouched ? "untouched" : "held-out", s->name);
    json_t *words = eval_words(im, s, model, untouched ? TASKS_UNTOUCHED : TASKS_HELD, 0);
    say_number(words, "--seed", im->config->seed);
    add_eval(im, stages, name, words, s, model, about);
    mem_free(name);
    mem_free(about);
}

static void add_tests(const Improve *im, json_t *stages, int64_t model, bool untouched)
{
    for (size_t i = 0; i < im->sources.n; i++)
        add_test(im, stages, i, model, untouched);
}

static char *try_stage(const ImproveSource *s, int64_t round, int64_t sample)
{
    char *kind = mem_format("try%lld", (long long)sample), *name = round_stage(round, s->name, kind);
    mem_free(kind);
    return name;
}

static void add_try(const Improve *im, json_t *stages, const ImproveSource *s, int64_t round, int64_t sample)
{
    const ImproveConfig *c = im->config;
    int64_t model = im->rounds.at[round - 1].parent;
    char *name = try_stage(s, round, sample), *temperature = mem_format("%g", c->temperature),
         *about = mem_format("episode %lld of %lld of each task of %s", (long long)sample,
                             (long long)c->samples, s->name);
    json_t *words = eval_words(im, s, model, TASKS_PLAYED, round);
    say_number(words, "--seed", improve_rollout_seed(im, round, sample));
    say(words, "--temperature", temperature, NULL);
    say_all(words, im->rollout);
    add_eval(im, stages, name, words, s, model, about);
    mem_free(name);
    mem_free(temperature);
    mem_free(about);
}

/* Rounds. ------------------------------------------------------------------------------------------------ */

/* Held-out and untouched tasks, as the given model played them, are not to be learned. */
static void add_keep(const Improve *im, json_t *stages, int64_t round)
{
    json_t *words = json_array();
    char *name = improve_keep_stage(round);
    say(words, "study", "keep", NULL);
    for (size_t i = 0; i < im->sources.n; i++)
        for (int64_t k = 1; k <= im->config->samples; k++) {
            char *stage = try_stage(&im->sources.at[i], round, k);
            say_stage(words, stage, "");
            mem_free(stage);
        }
    for (size_t i = 0; i < 2 * im->sources.n; i++) {
        char *stage = improve_test_stage(im, i / 2, 0, i % 2);
        say(words, "--apart", NULL);
        say_stage(words, stage, "");
        mem_free(stage);
    }
    say_number(words, "--most", im->config->most);
    say(words, "-o", "{out}", NULL);
    add_stage(im, stages, name, words, NULL, NULL, "successes, each once");
    mem_free(name);
}

static json_t *tune_sources(const Improve *im, const ImproveRound *r, int64_t round)
{
    json_t *paths = json_array(), *sources = json_array();
    double left = 1;
    for (int64_t i = r->parent + 1; i <= round; i++) {
        char *stage = improve_keep_stage(i);
        if (im->rounds.at[i - 1].kept.kept)
            say_stage(paths, stage, "/kept.jsonl");
        mem_free(stage);
    }
    json_t *kept = json_pack("{s:s, s:s, s:s, s:o}", "name", "kept", "kind", "code", "format", "transcript",
                             "path", paths);
    json_array_append_new(sources, kept);
    for (size_t i = 0; i < im->replays.n; i++) {
        char *name = mem_format("replay%zu", i + 1);
        left -= im->replays.at[i].share;
        json_array_append_new(sources,
                              json_pack("{s:s, s:s, s:o, s:f}", "name", name, "kind", "code", "path",
                                        plain(im->replays.at[i].path), "share", im->replays.at[i].share));
        mem_free(name);
    }
    if (im->replays.n)
        json_object_set_new(kept, "share", json_real(left));
    return sources;
}

static void add_tune(const Improve *im, json_t *stages, int64_t round)
{
    const ImproveRound *r = &im->rounds.at[round - 1];
    json_t *words = json_array(), *settings = json_object(), *inputs = NULL,
           *tune = json_pack("{s:I}", "seed", (json_int_t)improve_tune_seed(im, round));
    char *name = improve_tune_stage(round);
    say(words, "tune", NULL);
    say_model(im, words, r->parent);
    say(words, "--recipe", "{recipe}", "-o", "{out}", NULL);
    const char *key;
    json_t *value;
    json_object_foreach(im->tune, key, value) json_object_set_new(
        tune, key, json_is_string(value) ? plain(json_string_value(value)) : json_incref(value));
    json_object_set_new(tune, "sources", tune_sources(im, r, round));
    json_object_set_new(settings, "tune", tune);
    json_object_set_new(settings, "improve", outside(im, r->parent == 0, false));
    for (size_t i = 0; i < im->replays.n; i++) {
        inputs = inputs ? inputs : json_array();
        json_array_append_new(inputs, plain(im->replays.at[i].path));
    }
    add_stage(im, stages, name, words, settings, inputs, "a model tuned on them");
    mem_free(name);
}

static void add_round(const Improve *im, json_t *stages, int64_t round)
{
    for (size_t i = 0; i < im->sources.n; i++) {
        const ImproveSource *s = &im->sources.at[i];
        if (s->drawn)
            add_tasks(im, stages, s, round);
        for (int64_t k = 1; k <= im->config->samples; k++)
            add_try(im, stages, s, round, k);
    }
    add_keep(im, stages, round);
    if (!im->rounds.at[round - 1].tunes)
        return;
    add_tune(im, stages, round);
    add_tests(im, stages, round, false);
}

json_t *improve_recipe(const Improve *im)
{
    json_t *stages = json_object();
    for (size_t i = 0; i < im->sources.n; i++)
        if (im->sources.at[i].drawn)
            add_tasks(im, stages, &im->sources.at[i], 0);
    add_tests(im, stages, 0, false);
    add_tests(im, stages, 0, true);
    for (size_t i = 0; i < im->rounds.n; i++)
        add_round(im, stages, (int64_t)i + 1);
    if (im->ended && improve_best(im))
        add_tests(im, stages, improve_best(im), true);
    return json_pack("{s:s, s:s, s:o}", "name", "improve", "about", "rounds of lemur study improve", "stages",
                     stages);
}
