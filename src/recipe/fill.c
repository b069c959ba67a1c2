/* What stands between braces in the texts of a recipe. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/recipe_inside.h"

/* The name in "{name}" at `at`: a letter, then letters, digits, '_', '-' and '.', and perhaps a '*'; or
 * nothing. */
static Span name_at(const char *at)
{
    size_t n = 1;
    while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == '-' || at[n] == '.')
        n++;
    n += at[n] == '*';
    return isalpha((unsigned char)at[1]) && at[n] == '}' ? (Span){at + 1, n - 1} : (Span){NULL, 0};
}

void recipe_add_value(Str *out, const json_t *value)
{
    if (json_is_string(value)) {
        str_add(out, json_string_value(value), json_string_length(value));
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    str_adds(out, text ? text : "");
    free(text);
}

void recipe_fill(Str *out, const char *text, const RecipeFiller *f)
{
    for (const char *at = text; *at;) {
        Span name = *at == '{' ? name_at(at) : (Span){NULL, 0};
        bool brace = at[0] == '{' && at[1] == '{';
        json_t *value = name.at && !brace ? f->lookup(f->context, name) : NULL;
        if (value) {
            recipe_add_value(out, value);
            at += name.n + 2;
        } else {
            str_adds(out, brace && f->again ? "{{" : (char[]){*at, 0});
            at += brace ? 2 : 1;
        }
        json_decref(value);
    }
}

static json_t *fill_text(const char *text, const RecipeFiller *f)
{
    Span name = *text == '{' ? name_at(text) : (Span){NULL, 0};
    json_t *whole = name.at && !text[name.n + 2] ? f->lookup(f->context, name) : NULL;
    if (whole)
        return whole;
    Str filled = {0};
    recipe_fill(&filled, text, f);
    json_t *out = json_stringn(str_c(&filled), filled.n);
    str_drop(&filled);
    return out;
}

json_t *recipe_fill_json(const json_t *value, const RecipeFiller *f)
{
    if (json_is_object(value)) {
        json_t *out = json_object(), *v;
        const char *key;
        json_object_foreach((json_t *)value, key, v) json_object_set_new(out, key, recipe_fill_json(v, f));
        return out;
    }
    if (json_is_array(value)) {
        json_t *out = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(out, recipe_fill_json(json_array_get(value, i), f));
        return out;
    }
    return json_is_string(value) ? fill_text(json_string_value(value), f) : json_copy((json_t *)value);
}

json_t *recipe_vars_look(void *recipe, Span name)
{
    const Recipe *r = recipe;
    char *word = mem_strn(name.at, name.n);
    json_t *value = json_incref(json_object_get(r->vars, word));
    mem_free(word);
    return value;
}
