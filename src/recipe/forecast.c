/* What stages will take: by what their verbs compute, better by what the store tells of stages like them, and
 * before all by the recipe's own words. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "recipe/pipeline_inside.h"
#include "recipe/recipe_inside.h"

const char *const forecast_from_names[] = {"", "coarse", "computed", "last time", "recipe"};

const json_t *recipe_facts(const RecipeAsk *ask, const char *path)
{
    for (size_t i = 0; i < ask->known_n; i++) {
        size_t n = strlen(ask->known[i].folder);
        if (strncmp(path, ask->known[i].folder, n) == 0 && (path[n] == 0 || path[n] == '/'))
            return ask->known[i].facts;
    }
    return NULL;
}

/* What the store knows. ---------------------------------------------------------------------------------- */

typedef struct {
    json_t **at; /* stage.json of stages that were done in one go */
    size_t n, cap;
} Past;

static void read_past(Past *past, const char *store)
{
    FolderList names;
    if (!path_is_folder(store) || folder_list(&names, store) != ST_OK)
        return;
    for (size_t i = 0; i < names.n; i++) {
        char *folder = path_join(store, names.at[i]), *path = path_join(folder, "stage.json");
        json_t *done = NULL;
        bool read = path_exists(path) && json_file_read(&done, path) == ST_OK;
        if (read && json_is_string(json_object_get(done, "like")) &&
            !json_is_true(json_object_get(done, "resumed")))
            array_push(past, json_incref(done));
        json_decref(done);
        mem_free(path);
        mem_free(folder);
    }
    folder_list_drop(&names);
}

static void drop_past(Past *past)
{
    for (size_t i = 0; i < past->n; i++)
        json_decref(past->at[i]);
    array_drop(past);
}

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

static void take_past(RecipeForecast *f, const Past *past, const char *like, bool uses_all)
{
    const json_t *last = NULL;
    for (size_t i = 0; i < past->n; i++)
        if (strcmp(text(past->at[i], "like"), like) == 0 &&
            (!last || strcmp(text(past->at[i], "finished"), text(last, "finished")) > 0))
            last = past->at[i];
    if (!last)
        return;
    f->from = FORECAST_MEASURED;
    f->seconds = json_number_value(json_object_get(last, "seconds"));
    if (uses_all && json_is_number(json_object_get(last, "share"))) /* it had a part of the processors only */
        f->seconds *= json_number_value(json_object_get(last, "share"));
    f->memory = f->memory_least = json_integer_value(json_object_get(last, "memory"));
    f->disk = json_integer_value(json_object_get(last, "disk"));
}

static void take_told(RecipeForecast *f, const RecipeStage *s)
{
    if (s->minutes > 0) {
        f->from = FORECAST_TOLD;
        f->seconds = 60 * s->minutes;
    }
    if (s->memory > 0)
        f->memory = s->memory;
    if (s->disk > 0)
        f->disk = s->disk;
}

/* Asking. ------------------------------------------------------------------------------------------------ */

static Status ask_verb(RecipeForecast *out, RecipeAsk *ask, const RecipeVerb *verb, const RecipeStage *s,
                       RecipePlaces *places)
{
    RecipeFiller filler = {recipe_places_look, places, false};
    char **words = mem_array(char *, s->words.n + 1);
    json_t *settings = s->settings ? recipe_fill_json(s->settings, &filler) : NULL;
    for (size_t i = 0; i < s->words.n; i++) {
        Str word = {0};
        recipe_fill(&word, s->words.at[i], &filler);
        words[i] = mem_str(str_c(&word));
        str_drop(&word);
    }
    ask->words = words;
    ask->words_n = s->words.n;
    ask->settings = settings;
    Status st = verb->forecast(out, ask);
    for (size_t i = 0; i < s->words.n; i++)
        mem_free(words[i]);
    mem_free(words);
    json_decref(settings);
    return st;
}

/* A verb that does not know is no failure: what it found is kept. */
static Status forecast_one(PipelineStage *p, const RecipeStage *s, RecipeAsk *ask, RecipePlaces *places)
{
    Status st = p->verb->forecast ? ask_verb(&p->forecast, ask, p->verb, s, places) : ST_OK;
    if (st == ST_ARG)
        return st;
    if (st != ST_OK)
        (void)error_take();
    return ST_OK;
}

Status pipeline_forecast(PipelineStage *stages, const PipelineSpec *spec)
{
    const Recipe *r = spec->recipe;
    Status st = ST_OK;
    Past past = {0};
    bool todo = false;
    RecipeKnown *known = mem_array(RecipeKnown, r->stages.n);
    char **folders = mem_array(char *, r->stages.n);
    for (size_t i = 0; i < r->stages.n; i++) {
        folders[i] = stages[i].out;
        todo = todo || stages[i].wanted;
    }
    if (todo)
        read_past(&past, r->store);
    for (size_t i = 0; st == ST_OK && i < r->stages.n; i++) {
        RecipePlaces places = {
            .recipe = r, .out = stages[i].out, .settings = "recipe.yaml", .folders = folders};
        RecipeAsk ask = {.out = stages[i].out,
                         .done = stages[i].state == STAGE_DONE,
                         .wanted = stages[i].wanted,
                         .known = known,
                         .known_n = i,
                         .machine = spec->machine_speed};
        st = recipe_in_place(forecast_one(&stages[i], &r->stages.at[i], &ask, &places), r,
                             r->stages.at[i].name, r->stages.at[i].line);
        take_past(&stages[i].forecast, &past, stages[i].like, stages[i].verb->uses_all);
        take_told(&stages[i].forecast, &r->stages.at[i]);
        known[i] = (RecipeKnown){stages[i].out, stages[i].forecast.facts};
    }
    drop_past(&past);
    mem_free(known);
    mem_free(folders);
    return st;
}
