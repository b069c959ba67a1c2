/* A run against its lock file. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "recipe/pipeline.h"

static const RecipeVerb *verb_of(const RecipeVerbs *verbs, const char *words)
{
    static const RecipeVerb other = {.words = ""};
    for (size_t i = 0; i < verbs->n; i++)
        if (strcmp(verbs->at[i].words, words) == 0)
            return &verbs->at[i];
    return *words ? NULL : &other;
}

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

static bool agrees(const char *name, const json_t *stage, const RecipeVerbs *verbs)
{
    char product[RECIPE_HASH], *out = path_join(text(stage, "folder"), "out"),
                               *path = path_join(text(stage, "folder"), "stage.json");
    const RecipeVerb *verb = verb_of(verbs, text(stage, "verb"));
    json_t *done = NULL;
    bool good = false;
    if (!verb)
        log_error("%s: this program has no verb '%s'", name, text(stage, "verb"));
    else if (json_file_read(&done, path) != ST_OK || recipe_product(product, verb, out) != ST_OK)
        log_error("%s: %s", name, error_text());
    else if (!*text(done, "key"))
        log_error("%s: it was to be made once more, and is not", name);
    else if (strcmp(text(done, "key"), text(stage, "key")) != 0)
        log_error("%s: %s is of another stage, key %.16s", name, path, text(done, "key"));
    else if (strcmp(product, text(stage, "product")) != 0)
        log_error("%s: what lies in %s has changed: its hash is %s, that of the run was %s", name, out,
                  product, text(stage, "product"));
    else
        good = true;
    json_decref(done);
    mem_free(out);
    mem_free(path);
    return good;
}

Status pipeline_verify(int64_t *wrong, const char *folder, const RecipeVerbs *verbs)
{
    char *path = path_join(folder, "lock.json");
    json_t *lock = NULL, *stage;
    const char *name;
    *wrong = 0;
    Status st = json_file_read(&lock, path);
    if (st == ST_OK && (json_integer_value(json_object_get(lock, "lock")) != 1 ||
                        json_object_size(json_object_get(lock, "stages")) == 0))
        st = fail(ST_FORMAT, "%s: no lock file of a run", path);
    if (st == ST_OK)
        json_object_foreach(json_object_get(lock, "stages"), name, stage) *wrong +=
            !agrees(name, stage, verbs);
    json_decref(lock);
    mem_free(path);
    return st;
}
