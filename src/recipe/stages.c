#include "recipe/stages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/glob.h"
#include "base/json_file.h"

static void write_hash(char out[RECIPE_HASH], XXH128_hash_t h)
{
    snprintf(out, RECIPE_HASH, "%016" PRIx64 "%016" PRIx64, (uint64_t)h.high64, (uint64_t)h.low64);
}

/* Verbs. ------------------------------------------------------------------------------------------------- */

static const RecipeVerb any_program = {.words = ""};

static bool begins(const RecipeStage *stage, const char *words)
{
    const char *at = words;
    size_t i = 0;
    for (Span w; (w = words_next(&at)).n; i++)
        if (i >= stage->words.n || !span_is(w, stage->words.at[i]))
            return false;
    return true;
}

Status recipe_verb(const RecipeVerb **out, const RecipeVerbs *verbs, const RecipeStage *stage)
{
    *out = stage->program ? &any_program : NULL;
    for (size_t i = 0; !*out && i < verbs->n; i++)
        if (begins(stage, verbs->at[i].words))
            *out = &verbs->at[i];
    if (*out)
        return ST_OK;
    const char **names = mem_array(const char *, verbs->n + 1);
    for (size_t i = 0; i < verbs->n; i++)
        names[i] = verbs->at[i].words;
    char *word = mem_format("%s%s%s", stage->words.at[0], stage->words.n > 1 ? " " : "",
                            stage->words.n > 1 ? stage->words.at[1] : "");
    const char *near = nearest_name(word, names, verbs->n);
    if (!near)
        near = nearest_name(stage->words.at[0], names, verbs->n);
    Status st = fail(ST_ARG, "stage %s: \"%.60s\" is no verb of a recipe%s%s%s", stage->name, word,
                     near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
    mem_free(word);
    mem_free(names);
    return st;
}

Status recipe_check(const Recipe *r, const RecipeVerbs *verbs)
{
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        const RecipeVerb *verb;
        TRY(recipe_verb(&verb, verbs, s));
        if (!s->lined || !verb->check)
            continue;
        RecipeFiller vars = {recipe_vars_look, (void *)(uintptr_t)r, true};
        json_t *settings = recipe_fill_json(s->lined, &vars);
        Status st = verb->check(settings);
        json_decref(settings);
        if (st != ST_OK)
            return fail_in(st, "%s, stage %s (line %d)", r->path, s->name, s->line);
    }
    return ST_OK;
}

json_t *recipe_places_look(void *context, Span name)
{
    const RecipePlaces *p = context;
    char *word = mem_strn(name.at, name.n);
    json_t *value = json_incref(json_object_get(p->recipe->vars, word));
    if (span_is(name, "out") || span_is(name, "recipe"))
        value = json_string(span_is(name, "out") ? p->out : p->settings);
    for (size_t i = 0; !value && i < p->recipe->stages.n; i++)
        if (strcmp(p->recipe->stages.at[i].name, word) == 0)
            value = json_string(p->others ? p->others[i] : p->folders[i]);
    mem_free(word);
    return value;
}

/* Content. ----------------------------------------------------------------------------------------------- */

typedef struct {
    XXH3_state_t *state;
    int64_t files, bytes;
} Content;

static Status add_file(Content *c, const char *name, const char *path)
{
    FileMap map;
    TRY(file_map(&map, path));
    uint64_t n = map.n;
    XXH3_128bits_update(c->state, name, strlen(name) + 1);
    XXH3_128bits_update(c->state, &n, sizeof n);
    XXH3_128bits_update(c->state, map.at, map.n);
    c->files++;
    c->bytes += (int64_t)map.n;
    file_unmap(&map);
    return ST_OK;
}

static Status hash_inputs(Content *c, json_t *missing, const RecipeStage *s, RecipePlaces *places)
{
    for (size_t i = 0; i < s->inputs.n; i++) {
        Str pattern = {0};
        int64_t before = c->files;
        Status st = ST_OK;
        recipe_fill(&pattern, s->inputs.at[i], &(RecipeFiller){recipe_places_look, places, false});
        const char *at = str_c(&pattern), *path;
        GlobWalk *walk = glob_start(&at, 1, NULL, 0);
        while (st == ST_OK && (path = glob_next(walk)))
            st = add_file(c, path, path);
        glob_end(walk);
        if (st == ST_OK && c->files == before)
            json_array_append_new(missing, json_string(at));
        str_drop(&pattern);
        if (st != ST_OK)
            return fail_in(st, "stage %s, inputs", s->name);
    }
    return ST_OK;
}

/* files: the hash of inputs, or "". */
static void hash_stage(char out[RECIPE_HASH], const RecipeStage *s, const RecipeVerb *verb,
                       RecipePlaces *places, const char *files)
{
    RecipeFiller filler = {recipe_places_look, places, false};
    json_t *words = json_array();
    for (size_t i = 0; i < s->words.n; i++)
        json_array_append_new(words, json_string(s->words.at[i]));
    json_t *all =
        json_pack("{s:i, s:s, s:i, s:o, s:o, s:s}", "pipeline", 1, "verb", verb->words, "version",
                  verb->version, "words", recipe_fill_json(words, &filler), "settings",
                  s->settings ? recipe_fill_json(s->settings, &filler) : json_null(), "inputs", files);
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    write_hash(out, XXH3_128bits(text, strlen(text)));
    free(text);
    json_decref(all);
    json_decref(words);
}

static Status stage_key(char out[RECIPE_HASH], json_t **inputs, const RecipeStage *s, const RecipeVerb *verb,
                        RecipePlaces *places)
{
    Content c = {.state = XXH3_createState()};
    char files[RECIPE_HASH];
    json_t *missing = json_array();
    XXH3_128bits_reset(c.state);
    Status st = hash_inputs(&c, missing, s, places);
    write_hash(files, XXH3_128bits_digest(c.state));
    XXH3_freeState(c.state);
    hash_stage(out, s, verb, places, json_array_size(missing) ? "missing" : s->inputs.n ? files : "");
    if (st == ST_OK && s->inputs.n)
        *inputs = json_pack("{s:I, s:I, s:s}", "files", (json_int_t)c.files, "bytes", (json_int_t)c.bytes,
                            "hash", files);
    if (*inputs && json_array_size(missing))
        json_object_set(*inputs, "missing", missing);
    json_decref(missing);
    return st;
}

Status recipe_keys(char (*keys)[RECIPE_HASH], json_t **inputs, const Recipe *r, const RecipeVerbs *verbs)
{
    RecipePlaces places = {.recipe = r, .out = "{out}", .settings = "{recipe}", .others = keys};
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeVerb *verb;
        TRY(recipe_verb(&verb, verbs, &r->stages.at[i]));
        TRY(stage_key(keys[i], &inputs[i], &r->stages.at[i], verb, &places));
    }
    return ST_OK;
}

void recipe_likeness(char out[RECIPE_HASH], const Recipe *r, const RecipeStage *s, const RecipeVerb *verb)
{
    char **names = mem_array(char *, r->stages.n);
    for (size_t i = 0; i < r->stages.n; i++)
        names[i] = r->stages.at[i].name;
    RecipePlaces places = {.recipe = r, .out = "{out}", .settings = "{recipe}", .folders = names};
    hash_stage(out, s, verb, &places, "");
    mem_free(names);
}

/* Products. ---------------------------------------------------------------------------------------------- */

static Status add_json_key(Content *c, const char *folder, const char *product, const char *colon)
{
    char *name = mem_strn(product, (size_t)(colon - product)), *path = path_join(folder, name);
    json_t *all = NULL;
    Status st = json_file_read(&all, path);
    const json_t *value = json_object_get(all, colon + 1);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    if (text) {
        XXH3_128bits_update(c->state, product, strlen(product) + 1);
        XXH3_128bits_update(c->state, text, strlen(text));
        c->files++;
    }
    free(text);
    json_decref(all);
    mem_free(name);
    mem_free(path);
    return st;
}

static void add_name(Content *c, const char *name)
{
    XXH3_128bits_update(c->state, name, strlen(name) + 1);
    c->files++;
}

static Status add_product(Content *c, const char *folder, const char *product)
{
    const char *colon = strchr(product, ':');
    if (colon && colon[1])
        return add_json_key(c, folder, product, colon);
    char *name = mem_strn(product, colon ? (size_t)(colon - product) : strlen(product)),
         *pattern = path_join(folder, name);
    const char *at = pattern, *path;
    size_t skip = strlen(folder) + 1;
    Status st = ST_OK;
    GlobWalk *walk = glob_start(&at, 1, NULL, 0);
    while (st == ST_OK && (path = glob_next(walk)))
        if (colon)
            add_name(c, path + skip);
        else
            st = add_file(c, path + skip, path);
    glob_end(walk);
    mem_free(pattern);
    mem_free(name);
    return st;
}

Status recipe_product(char out[RECIPE_HASH], const RecipeVerb *verb, const char *folder)
{
    static const char *const all[] = {"**", NULL};
    const char *const *products = verb->products ? verb->products : all;
    Content c = {.state = XXH3_createState()};
    Status st = ST_OK;
    XXH3_128bits_reset(c.state);
    for (size_t i = 0; st == ST_OK && products[i]; i++)
        st = add_product(&c, folder, products[i]);
    if (st == ST_OK && c.files == 0)
        st = !path_is_folder(folder)
                 ? fail(ST_IO, "%s is no folder: a stage makes {out} one, and files in it", folder)
                 : fail(ST_IO, "%s holds nothing of what `%s` should have made", folder,
                        *verb->words ? verb->words : "program");
    if (st == ST_OK)
        write_hash(out, XXH3_128bits_digest(c.state));
    XXH3_freeState(c.state);
    return st;
}
