/* Whether two schemas of a oneOf can both hold.  Everything here errs on the side of "perhaps". */
#include <math.h>
#include <string.h>

#include "infer/json_build.h"

/* Pairs of schemas that are looked at: for two entries of a oneOf, and for all of a document. */
enum { DEPTH_MAX = 16, LOOKS_MAX = 4096, ALL_LOOKS_MAX = 1 << 18 };

static Status disjoint(JsonBuild *b, JsonPlace x, JsonPlace y, int depth, bool *yes);

int json_value_types(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return JSON_TYPE_OBJECT;
    case JSON_ARRAY: return JSON_TYPE_ARRAY;
    case JSON_STRING: return JSON_TYPE_STRING;
    case JSON_INTEGER: return JSON_TYPE_INTEGER | JSON_TYPE_NUMBER;
    case JSON_REAL:
        return JSON_TYPE_NUMBER |
               (json_real_value(value) == floor(json_real_value(value)) ? JSON_TYPE_INTEGER : 0);
    case JSON_NULL: return JSON_TYPE_NULL;
    default: return JSON_TYPE_BOOLEAN;
    }
}

bool json_same_value(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_number(a) && json_is_number(b))
        return json_is_integer(a) && json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
                                                        : json_number_value(a) == json_number_value(b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        bool same = json_array_size(a) == json_array_size(b);
        for (i = 0; same && i < json_array_size(a); i++)
            same = json_same_value(json_array_get(a, i), json_array_get(b, i));
        return same;
    }
    if (!json_is_object(a))
        return json_equal(a, b);
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)a, key, value)
    {
        json_t *other = json_object_get(b, key);
        if (!other || !json_same_value(value, other))
            return false;
    }
    return true;
}

/* The values of enum or const; NULL for neither.  The caller's reference. */
static json_t *constants(const json_t *schema)
{
    json_t *list = json_object_get(schema, "enum"), *only = json_object_get(schema, "const");
    if (only)
        return json_pack("[O]", only);
    return json_incref(list);
}

static int listed_types(const json_t *values)
{
    int types = 0;
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value) types |= json_value_types(value);
    return types;
}

static bool have_common_value(const json_t *a, const json_t *b)
{
    size_t i, k;
    json_t *x, *y;
    json_array_foreach(a, i, x)
    {
        json_array_foreach(b, k, y)
        {
            if (json_same_value(x, y))
                return true;
        }
    }
    return false;
}

static bool is_required(const json_t *schema, const char *key)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(schema, "required"), i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), key) == 0)
            return true;
    }
    return false;
}

/* No text of the schema's grammar has the property. */
static bool never_has(const json_t *schema, const char *key)
{
    json_t *properties = json_object_get(schema, "properties"),
           *additional = json_object_get(schema, "additionalProperties");
    if (json_object_get(properties, key) || is_required(schema, key) ||
        json_object_get(schema, "patternProperties"))
        return false;
    return additional ? json_is_false(additional) : json_object_size(properties) > 0;
}

/* What the schema's standard says, not what its grammar does. */
static bool forbids(const json_t *schema, const char *key)
{
    return json_is_false(json_object_get(schema, "additionalProperties")) &&
           !json_object_get(schema, "patternProperties") &&
           !json_object_get(json_object_get(schema, "properties"), key);
}

/* A property that only one of them can have, or that cannot be the same in both. */
static Status objects_disjoint(JsonBuild *b, const JsonPlace *x, const JsonPlace *y, int depth, bool *yes)
{
    json_t *mine = json_object_get(x->schema, "properties"),
           *theirs = json_object_get(y->schema, "properties"), *schema;
    const char *key;
    *yes = false;
    json_object_foreach(mine, key, schema)
    {
        json_t *other = json_object_get(theirs, key);
        bool required = is_required(x->schema, key), either = required || is_required(y->schema, key);
        if (required && (never_has(y->schema, key) && forbids(y->schema, key)))
            *yes = true;
        if (!*yes && either && other)
            TRY(disjoint(b, json_below(b, x, schema, "properties", key),
                         json_below(b, y, other, "properties", key), depth, yes));
        if (*yes)
            return ST_OK;
    }
    /* Each requires something that the other's grammar never writes. */
    bool x_lacks = false, y_lacks = false;
    size_t i;
    json_array_foreach(json_object_get(y->schema, "required"), i, schema) x_lacks |=
        json_is_string(schema) && never_has(x->schema, json_string_value(schema));
    json_array_foreach(json_object_get(x->schema, "required"), i, schema) y_lacks |=
        json_is_string(schema) && never_has(y->schema, json_string_value(schema));
    *yes = x_lacks && y_lacks;
    return ST_OK;
}

static Status branches_disjoint(JsonBuild *b, const JsonPlace *x, const char *keyword, JsonPlace y, int depth,
                                bool *yes)
{
    size_t i;
    json_t *branch;
    *yes = true;
    json_array_foreach(json_object_get(x->schema, keyword), i, branch)
    {
        TRY(disjoint(b, json_below(b, x, branch, keyword, NULL), y, depth, yes));
        if (!*yes)
            return ST_OK;
    }
    return ST_OK;
}

static Status plain_disjoint(JsonBuild *b, const JsonPlace *x, const JsonPlace *y, int depth, bool *yes)
{
    int x_types, y_types;
    json_t *x_values = constants(x->schema), *y_values = constants(y->schema);
    Status st = json_types(x, &x_types);
    if (st == ST_OK)
        st = json_types(y, &y_types);
    if (st == ST_OK) {
        int x_valid = x_values ? listed_types(x_values) : x_types ? x_types : JSON_TYPES_ALL;
        int y_valid = y_values ? listed_types(y_values) : y_types ? y_types : JSON_TYPES_ALL;
        int x_made = x_values || x_types             ? x_valid
                     : json_implied_types(x->schema) ? json_implied_types(x->schema)
                                                     : x_valid;
        int y_made = y_values || y_types             ? y_valid
                     : json_implied_types(y->schema) ? json_implied_types(y->schema)
                                                     : y_valid;
        int common = (x_made & y_valid) | (y_made & x_valid);
        int numbers = JSON_TYPE_INTEGER | JSON_TYPE_NUMBER;
        if ((x_made & numbers && y_valid & numbers) || (y_made & numbers && x_valid & numbers))
            common |= JSON_TYPE_NUMBER;
        *yes = !common || (x_values && y_values && !have_common_value(x_values, y_values));
        if (!*yes && common == JSON_TYPE_OBJECT && !x_values && !y_values)
            st = objects_disjoint(b, x, y, depth, yes);
    }
    json_decref(x_values);
    json_decref(y_values);
    return st;
}

static Status disjoint(JsonBuild *b, JsonPlace x, JsonPlace y, int depth, bool *yes)
{
    *yes = false;
    if (depth > DEPTH_MAX || ++b->looks > LOOKS_MAX || ++b->all_looks > ALL_LOOKS_MAX)
        return ST_OK;
    if (json_is_false(x.schema) || json_is_false(y.schema)) {
        *yes = true;
        return ST_OK;
    }
    if (!json_is_object(x.schema) || !json_is_object(y.schema))
        return ST_OK;
    TRY(json_flatten(b, &x, &x));
    TRY(json_flatten(b, &y, &y));
    if (!json_is_object(x.schema) || !json_is_object(y.schema)) {
        *yes = true; /* nothing satisfies one of them */
        return ST_OK;
    }
    static const char *const unions[] = {"anyOf", "oneOf"};
    for (int u = 0; u < 2; u++) {
        if (json_object_get(x.schema, unions[u]))
            return branches_disjoint(b, &x, unions[u], y, depth + 1, yes);
        if (json_object_get(y.schema, unions[u]))
            return branches_disjoint(b, &y, unions[u], x, depth + 1, yes);
    }
    return plain_disjoint(b, &x, &y, depth + 1, yes);
}

Status json_disjoint(JsonBuild *b, const JsonPlace *x, const JsonPlace *y, bool *yes)
{
    size_t kept = b->made.n;
    b->looks = 0;
    Status st = disjoint(b, *x, *y, 0, yes);
    while (b->made.n > kept) /* nobody goes on with what was merged for a look */
        json_decref(b->made.at[--b->made.n]);
    return st;
}
