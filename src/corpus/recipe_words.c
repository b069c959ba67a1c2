#include "corpus/recipe_words.h"

#include <string.h>

#include "base/mem.h"

void recipe_words_drop(RecipeWords *w)
{
    for (size_t i = 0; i < w->n; i++)
        mem_free(w->at[i]);
    mem_free(w->at);
    *w = (RecipeWords){0};
}

void recipe_words_add(RecipeWords *w, const char *word)
{
    w->at = mem_resize(w->at, w->n + 1, sizeof *w->at);
    w->at[w->n++] = mem_str(word);
}

Status recipe_words_take(RecipeWords *out, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!value)
        return ST_OK;
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        if (!word || !*word)
            return fail(ST_ARG, "%s must be text or a list of texts", key);
        recipe_words_add(out, word);
    }
    json_object_del(object, key);
    return ST_OK;
}

json_t *recipe_words_to_json(const RecipeWords *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->n; i++)
        json_array_append_new(list, json_string(w->at[i]));
    return list;
}

bool recipe_name_is_plain(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n > 0 && !name[n] && name[0] != '.' && n <= 100;
}
