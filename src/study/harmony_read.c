/* What the stages' folders record of mixtures, seeds, losses and scores. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "eval/results.h"
#include "study/harmony_inside.h"
#include "study/report_parts.h"

typedef enum { STAGE_OTHER, STAGE_PACKED, STAGE_TRAINING, STAGE_SCORES, STAGE_FAMILY } StageKind;

typedef struct {
    char *path; /* real */
    StageKind kind;
    json_t *json;    /* manifest.json, results.json, family.json */
    json_t *config;  /* a training's config.json */
    const char *mix; /* of a training, once it is known; the Harmony's */
    int64_t seed;
    bool tuned, scored;
} Stage;

typedef struct {
    Harmony *h;
    Array(Stage) stages;
} Reading;

/* Folders. ----------------------------------------------------------------------------------------------- */

static Stage look_at(const char *path)
{
    Stage s = {.path = mem_str(path)};
    json_t *manifest = report_read(path, "manifest.json"), *results = report_read(path, "results.json"),
           *family = report_read(path, "family.json"), *config = report_read(path, "config.json");
    if (strcmp(report_text(manifest, "format"), "lemur-shards") == 0) {
        s.kind = STAGE_PACKED;
        s.json = json_incref(manifest);
    } else if (*report_text(family, "benchmark")) {
        s.kind = STAGE_FAMILY;
        s.json = json_incref(family);
    } else if (json_is_object(json_object_get(results, "results"))) {
        s.kind = STAGE_SCORES;
        s.json = json_incref(results);
    } else if (results && *report_text(config, "data")) {
        s.kind = STAGE_TRAINING;
        s.json = json_incref(results);
        s.config = json_incref(config);
    }
    json_decref(manifest);
    json_decref(results);
    json_decref(family);
    json_decref(config);
    return s;
}

/* A folder named twice, by itself and by its run, counts once. */
static bool add_stage(Reading *r, const char *path)
{
    char *real = realpath(path, NULL);
    bool known = false;
    for (size_t i = 0; real && i < r->stages.n; i++)
        known = known || strcmp(r->stages.at[i].path, real) == 0;
    if (real && !known) {
        Stage s = look_at(real);
        array_push(&r->stages, s);
        known = s.kind != STAGE_OTHER;
    }
    free(real);
    return known;
}

static Status add_folder(Reading *r, const char *path)
{
    const char *name;
    json_t *stage, *lock = report_read(path, "lock.json"), *stages = json_object_get(lock, "stages");
    bool found = false;
    if (!path_is_folder(path))
        return fail(ST_IO, "there is no folder %s", path);
    json_object_foreach(stages, name, stage)
    {
        char *out = path_join(report_text(stage, "folder"), "out");
        found = add_stage(r, out) || found;
        mem_free(out);
    }
    if (!stages)
        found = add_stage(r, path);
    json_decref(lock);
    return found
               ? ST_OK
               : fail(ST_ARG,
                      "%s holds nothing of this study: no run of lemur run, packed rows, training or scores",
                      path);
}

/* Whether `path`, or what it lies in, is what `folder` ends with, two names at least: a path that was
 * recorded relative to a folder that may be another one now. */
static bool ends_with(const char *folder, const char *path)
{
    char *part = mem_str(strncmp(path, "./", 2) == 0 ? path + 2 : path);
    size_t n = strlen(folder);
    bool ends = false;
    for (char *slash = part + strlen(part); !ends && slash; slash = strrchr(part, '/')) {
        *slash = 0;
        size_t m = strlen(part);
        ends = strchr(part, '/') && m < n && folder[n - m - 1] == '/' && strcmp(folder + n - m, part) == 0;
    }
    mem_free(part);
    return ends;
}

/* Whether a path that a stage recorded is a folder, which is real, or lies in it. */
static bool lies_in(const char *recorded, const char *folder)
{
    char *real = realpath(recorded, NULL);
    const char *path = real ? real : recorded;
    size_t n = strlen(folder);
    bool lies = strncmp(path, folder, n) == 0 && (path[n] == '/' || !path[n]);
    free(real);
    return lies || (*recorded != '/' && ends_with(folder, recorded));
}

static Stage *find_stage(Reading *r, StageKind kind, const char *recorded)
{
    for (size_t i = 0; *recorded && i < r->stages.n; i++)
        if (r->stages.at[i].kind == kind && lies_in(recorded, r->stages.at[i].path))
            return &r->stages.at[i];
    return NULL;
}

/* Base models. ------------------------------------------------------------------------------------------- */

static double most_repeated(const json_t *manifest, const char *kind)
{
    double most = 0;
    const json_t *ledger = json_object_get(manifest, "ledger");
    for (size_t i = 0; i < json_array_size(ledger); i++) {
        const json_t *source = json_array_get(ledger, i);
        if (strcmp(report_text(source, "kind"), kind) == 0)
            most = fmax(most, report_number(source, "repeats"));
    }
    return most;
}

static void note_run(Harmony *h, HarmonyMix *mix, const Stage *s, const json_t *manifest)
{
    int64_t tokens = json_integer_value(json_object_get(s->json, "tokens"));
    const HarmonyMix *first = &h->mixes.at[0];
    for (size_t i = 0; i < h->mixes.n && !first->tokens; i++)
        first = &h->mixes.at[i];
    if (!mix->tokens) {
        mix->tokens = first->tokens ? first->tokens : tokens; /* what it is held against */
        mix->repeats_code = most_repeated(manifest, "code");
        mix->repeats_text = most_repeated(manifest, "text");
    }
    if (tokens != mix->tokens)
        str_addf(&h->notes, "%s, seed %lld was trained on %lld tokens, another on %lld\n", mix->name,
                 (long long)s->seed, (long long)tokens, (long long)mix->tokens);
    mix->tokens = tokens;
    if (strcmp(report_text(s->json, "status"), "diverged") == 0)
        str_addf(&h->notes, "%s, seed %lld: the training diverged\n", mix->name, (long long)s->seed);
}

static double number_or_nan(const json_t *o, const char *path)
{
    double x = report_number(o, path);
    return x > 0 ? x : (double)NAN; /* no loss is 0 */
}

static Status take_base(Harmony *h, Stage *s, const json_t *manifest)
{
    const json_t *pack = json_object_get(manifest, "pack");
    double code = report_number(manifest, "rows_code"), text = report_number(manifest, "rows_text");
    char *name = mem_format("%g:%g", report_number(pack, "ratio_code"), report_number(pack, "ratio_text"));
    bool is_new;
    s->seed = report_whole(report_number(s->config, "settings.seed"));
    HarmonyRun *run = harmony_run(h, name, code + text > 0 ? code / (code + text) : 0, s->seed, &is_new);
    HarmonyMix *mix = harmony_mix(h, name);
    mem_free(name);
    if (!is_new)
        return fail(ST_ARG, "two trainings on %s with seed %lld; %s is the second", mix->name,
                    (long long)s->seed, s->path);
    s->mix = mix->name;
    run->values[HARMONY_CODE] = number_or_nan(s->json, "held_out.kinds.code.bits_per_byte");
    run->values[HARMONY_TEXT] = number_or_nan(s->json, "held_out.kinds.text.bits_per_byte");
    note_run(h, mix, s, manifest);
    return ST_OK;
}

/* A training on packed code and text; other trainings are left for later. */
static Status try_base(Reading *r, Stage *s)
{
    const char *data = report_text(s->config, "data");
    const Stage *packed = find_stage(r, STAGE_PACKED, data);
    json_t *manifest = packed ? json_incref(packed->json) : report_read(data, "manifest.json");
    Status st = json_object_get(manifest, "pack") ? take_base(r->h, s, manifest) : ST_OK;
    json_decref(manifest);
    return st;
}

/* Tuned models and their scores. ------------------------------------------------------------------------- */

static HarmonyRun *run_of(Reading *r, const Stage *s)
{
    bool is_new;
    return harmony_run(r->h, s->mix, 0, s->seed, &is_new);
}

/* The name of the family that such a benchmark asks. */
static const char *family_name(const Reading *r, const char *benchmark)
{
    for (size_t i = 0; i < r->stages.n; i++)
        if (r->stages.at[i].kind == STAGE_FAMILY &&
            strcmp(report_text(r->stages.at[i].json, "benchmark"), benchmark) == 0)
            return report_text(r->stages.at[i].json, "family");
    return benchmark;
}

static Status add_family(size_t *out, Harmony *h, const char *name)
{
    for (*out = HARMONY_FAMILIES; *out < h->measures_n; (*out)++)
        if (strcmp(h->measures[*out].name, name) == 0)
            return ST_OK;
    if (h->measures_n == HARMONY_MEASURES)
        return fail(ST_LIMIT, "more than %d families of tasks", HARMONY_FAMILIES_MOST);
    h->measures[h->measures_n++] = (HarmonyMeasure){mem_str(name), true, false};
    return ST_OK;
}

static Status take_score(Reading *r, const Stage *tuned, const Stage *scores, const char *benchmark)
{
    const json_t *results = scores->json;
    char *key = results_key(report_text(json_object_get(results, "metrics"), benchmark), "");
    const json_t *value =
        json_object_get(json_object_get(json_object_get(results, "results"), benchmark), key);
    size_t k = 0;
    mem_free(key);
    if (!json_is_number(value))
        return ST_OK;
    TRY(add_family(&k, r->h, family_name(r, benchmark)));
    HarmonyRun *run = run_of(r, tuned);
    if (isfinite(run->values[k]))
        return fail(ST_ARG,
                    "two scores in %s of %s with seed %lld; %s is the second: name those that are meant",
                    r->h->measures[k].name, tuned->mix, (long long)tuned->seed, scores->path);
    run->values[k] = json_number_value(value);
    return ST_OK;
}

static Status take_scores(Reading *r, const Stage *s)
{
    const json_t *model = json_object_get(json_object_get(s->json, "config"), "model");
    const char *benchmark;
    json_t *metric;
    Stage *of = find_stage(r, STAGE_TRAINING, report_text(model, "model"));
    if (!of || !of->mix || !of->tuned) {
        if (strcmp(report_text(model, "kind"), "local") == 0)
            str_addf(&r->h->notes, "scores of %s are passed over: it is no tuned model of the study\n",
                     report_text(model, "name"));
        return ST_OK;
    }
    json_object_foreach(json_object_get(s->json, "metrics"), benchmark, metric)
        TRY(take_score(r, of, s, benchmark));
    return ST_OK;
}

/* All models are to be tuned on the same rows in the same way. */
static void note_tuning(Reading *r, const Stage *s)
{
    for (size_t i = 0; i < r->stages.n; i++) {
        const Stage *first = &r->stages.at[i];
        if (!first->tuned)
            continue;
        const char *mine = report_text(json_object_get(s->config, "facts"), "data"),
                   *its = report_text(json_object_get(first->config, "facts"), "data");
        if (strcmp(mine, its) != 0 ||
            !json_equal(json_object_get(s->config, "settings"), json_object_get(first->config, "settings")))
            str_addf(&r->h->notes, "%s, seed %lld was tuned otherwise than %s, seed %lld\n", s->mix,
                     (long long)s->seed, first->mix, (long long)first->seed);
        return;
    }
}

static Status try_tuned(Reading *r, Stage *s)
{
    const Stage *base = s->mix ? NULL : find_stage(r, STAGE_TRAINING, report_text(s->config, "init"));
    if (!base || !base->mix || base->tuned)
        return ST_OK;
    for (size_t i = 0; i < r->stages.n; i++)
        if (r->stages.at[i].tuned && r->stages.at[i].seed == base->seed && r->stages.at[i].mix == base->mix)
            return fail(ST_ARG, "two tunings of %s with seed %lld; %s is the second", base->mix,
                        (long long)base->seed, s->path);
    s->mix = base->mix;
    s->seed = base->seed;
    note_tuning(r, s);
    s->tuned = true;
    return ST_OK;
}

/* The mean over the families' episodes among the tuning examples that were held out. */
static void take_episodes(Reading *r, const Stage *s)
{
    const Harmony *h = r->h;
    const json_t *sources = json_object_get(json_object_get(s->json, "held_out"), "sources");
    double sum = 0;
    for (size_t k = HARMONY_FAMILIES; k < h->measures_n; k++)
        sum += number_or_nan(json_object_get(sources, h->measures[k].name), "loss_nats");
    if (h->measures_n > HARMONY_FAMILIES)
        run_of(r, s)->values[HARMONY_EPISODES] = sum / (double)(h->measures_n - HARMONY_FAMILIES);
}

/* The whole. --------------------------------------------------------------------------------------------- */

static Status gather(Reading *r)
{
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < r->stages.n; i++)
        if (r->stages.at[i].kind == STAGE_TRAINING)
            st = try_base(r, &r->stages.at[i]);
    for (size_t i = 0; st == ST_OK && i < r->stages.n; i++)
        if (r->stages.at[i].kind == STAGE_TRAINING)
            st = try_tuned(r, &r->stages.at[i]);
    for (size_t i = 0; st == ST_OK && i < r->stages.n; i++)
        if (r->stages.at[i].kind == STAGE_SCORES)
            st = take_scores(r, &r->stages.at[i]);
    for (size_t i = 0; st == ST_OK && i < r->stages.n; i++)
        if (r->stages.at[i].tuned)
            take_episodes(r, &r->stages.at[i]);
    if (st == ST_OK && !r->h->mixes.n)
        st = fail(ST_ARG, "no training on a mixture of code and text is among what was named");
    return st;
}

Status harmony_read(Harmony *out, const char *const *folders, size_t n)
{
    static const char *const names[] = {"code", "text", "episodes", "agent"};
    Reading r = {.h = out};
    Status st = ST_OK;
    *out = (Harmony){.measures_n = HARMONY_FAMILIES};
    for (size_t k = 0; k < HARMONY_FAMILIES; k++)
        out->measures[k] = (HarmonyMeasure){mem_str(names[k]), k == HARMONY_AGENT, false};
    for (size_t i = 0; st == ST_OK && i < n; i++)
        st = add_folder(&r, folders[i]);
    if (st == ST_OK)
        st = gather(&r);
    if (st == ST_OK)
        harmony_complete(out);
    for (size_t i = 0; i < r.stages.n; i++) {
        mem_free(r.stages.at[i].path);
        json_decref(r.stages.at[i].json);
        json_decref(r.stages.at[i].config);
    }
    array_drop(&r.stages);
    return st;
}
