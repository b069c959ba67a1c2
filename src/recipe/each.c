/* One stage for every choice of values. */
#include <ctype.h>
#include <string.h>

#include "recipe/recipe_inside.h"

enum { CHOICES_MOST = 1000 };

void recipe_choices_drop(RecipeChoices *c)
{
    for (size_t i = 0; i < c->n; i++) {
        str_drop(&c->at[i].suffix);
        json_decref(c->at[i].values);
        json_decref(c->at[i].vars);
    }
    array_drop(c);
}

/* A value as a part of a stage's name: "10:1" is "10-1". */
static Status add_label(Str *out, const json_t *value)
{
    const json_t *named = json_is_object(value) ? json_object_get(value, "name") : value;
    if (json_is_object(named) || json_is_array(named) || !named || json_is_null(named))
        return fail(ST_ARG, "a value of \"each\" is a text, a number, or a map with a name");
    recipe_add_value(out, named);
    for (size_t i = 0; i < out->n; i++)
        if (!isalnum((unsigned char)out->at[i]) && out->at[i] != '_')
            out->at[i] = '-';
    return out->n ? ST_OK : fail(ST_ARG, "a value of \"each\" is empty");
}

static Status add_value(RecipeChoice *c, const char *name, json_t *value)
{
    Str label = {0};
    Status st = add_label(&label, value);
    if (st == ST_OK) {
        const char *key;
        json_t *inner;
        str_addf(&c->suffix, ".%s", str_c(&label));
        json_object_set_new(c->values, name, json_string(str_c(&label)));
        json_object_set(c->vars, name, json_is_object(value) ? json_object_get(value, "name") : value);
        json_object_foreach(value, key, inner)
        {
            char *whole = mem_format("%s-%s", name, key);
            if (key[0] != '\001')
                json_object_set(c->vars, whole, inner);
            mem_free(whole);
        }
    }
    str_drop(&label);
    return st;
}

/* Each choice so far with each value of one name more. */
static Status multiply(RecipeChoices *all, const char *name, const json_t *values)
{
    RecipeChoices more = {0};
    Status st = ST_OK;
    size_t n = json_array_size(values);
    if (!n)
        return fail(ST_ARG, "each: %s must be a list of values, or \"{NAME}\" of a variable that is one",
                    name);
    if (all->n * n > CHOICES_MOST)
        return fail(ST_LIMIT, "each: more than %d stages", CHOICES_MOST);
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; st == ST_OK && k < n; k++) {
            RecipeChoice c = {.values = json_copy(all->at[i].values), .vars = json_copy(all->at[i].vars)};
            str_add(&c.suffix, all->at[i].suffix.at, all->at[i].suffix.n);
            st = add_value(&c, name, json_array_get(values, k));
            array_push(&more, c);
        }
    recipe_choices_drop(all);
    *all = more;
    return st;
}

/* The list, or the variable's that is named in its place.  Borrowed. */
static const json_t *list_of(const json_t *values, const json_t *vars)
{
    const char *text = json_string_value(values);
    size_t n = text ? strlen(text) : 0;
    if (n < 3 || text[0] != '{' || text[n - 1] != '}')
        return values;
    char *name = mem_strn(text + 1, n - 2);
    const json_t *list = json_object_get(vars, name);
    mem_free(name);
    return list;
}

Status recipe_choices(RecipeChoices *out, const json_t *each, const json_t *vars)
{
    const char *name;
    json_t *values;
    RecipeChoice none = {.values = json_object(), .vars = json_object()};
    array_push(out, none);
    if (!json_is_object(each))
        return fail(ST_ARG, "\"each\" must be a map of lists");
    json_object_foreach((json_t *)each, name, values)
    {
        if (name[0] == '\001')
            continue;
        if (json_object_get(vars, name))
            return fail(ST_ARG, "each: a variable is called %s, too", name);
        TRY(multiply(out, name, list_of(values, vars)));
    }
    return ST_OK;
}

static json_t *look(void *context, Span name)
{
    const RecipeChoice *c = context;
    char *word = mem_strn(name.at, name.n);
    json_t *value = json_incref(json_object_get(c->vars, word));
    mem_free(word);
    return value;
}

json_t *recipe_choice_fill(const RecipeChoice *c, const json_t *stage)
{
    RecipeFiller filler = {look, (void *)(uintptr_t)c, true};
    return recipe_fill_json(stage, &filler);
}
