/* Several schemas that hold at once (allOf, or what stands beside $ref and anyOf), written as one.
 *
 * Each keyword is joined by what it means: the larger minimum, the common types, both lists of required
 * names.  What has no such form is refused where both say it.  The result borrows the parts and owns itself,
 * in b->made. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "infer/json_build.h"

enum { FLATTENED_MAX = 4096 };

static json_t *keep(JsonBuild *b, json_t *made)
{
    array_push(&b->made, made);
    return made;
}

/* Both schemas at once, joined when they are needed. */
static json_t *both(json_t *x, json_t *y)
{
    if (x == y || json_equal(x, y))
        return json_incref(x);
    return json_pack("{s:[O, O]}", "allOf", x, y);
}

static json_t *common_values(const json_t *x, const json_t *y)
{
    json_t *out = json_array(), *value, *other;
    size_t i, k;
    json_array_foreach(x, i, value)
    {
        json_array_foreach(y, k, other)
        {
            if (json_same_value(value, other)) {
                json_array_append(out, value);
                break;
            }
        }
    }
    return out;
}

/* Lists of types as one: integers are numbers. */
static Status join_types(const JsonPlace *x, const JsonPlace *y, json_t **out)
{
    static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    int mine, theirs;
    TRY(json_types(x, &mine));
    TRY(json_types(y, &theirs));
    int with_integers = JSON_TYPE_NUMBER | JSON_TYPE_INTEGER;
    if (mine & JSON_TYPE_NUMBER && theirs & with_integers && !(theirs & JSON_TYPE_NUMBER))
        mine = (mine & ~JSON_TYPE_NUMBER) | JSON_TYPE_INTEGER;
    if (theirs & JSON_TYPE_NUMBER && mine & with_integers && !(mine & JSON_TYPE_NUMBER))
        theirs = (theirs & ~JSON_TYPE_NUMBER) | JSON_TYPE_INTEGER;
    *out = json_array();
    for (int i = 0; i < 7; i++)
        if (mine & theirs & 1 << i)
            json_array_append_new(*out, json_string(names[i]));
    return ST_OK;
}

static json_t *join_names(const json_t *x, const json_t *y)
{
    json_t *out = json_deep_copy(x), *name;
    size_t i;
    json_array_foreach(y, i, name)
    {
        size_t k = 0;
        while (k < json_array_size(x) && !json_equal(json_array_get(x, k), name))
            k++;
        if (k == json_array_size(x))
            json_array_append(out, name);
    }
    return out;
}

/* Every pair of an entry here and an entry there. */
static json_t *join_unions(const json_t *x, const json_t *y)
{
    json_t *out = json_array(), *mine, *theirs;
    size_t i, k;
    json_array_foreach(x, i, mine)
    {
        json_array_foreach(y, k, theirs) json_array_append_new(out, both(mine, theirs));
    }
    return out;
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* Values of the same keyword; *out is a new reference. */
static Status join_values(const JsonPlace *x, const JsonPlace *y, const char *keyword, json_t *mine,
                          json_t *theirs, json_t **out)
{
    static const char *const larger[] = {"minimum", "exclusiveMinimum", "minLength", "minItems",
                                         "minProperties"};
    static const char *const smaller[] = {"maximum", "exclusiveMaximum", "maxLength", "maxItems",
                                          "maxProperties"};
    bool up = is_one_of(keyword, larger, 5);
    *out = NULL;
    if (json_is_annotation(keyword) || json_equal(mine, theirs) || strcmp(keyword, "const") == 0)
        *out = json_incref(mine);
    else if ((up || is_one_of(keyword, smaller, 5)) && json_is_number(mine) && json_is_number(theirs))
        *out = json_incref((json_number_value(mine) > json_number_value(theirs)) == up ? mine : theirs);
    else if (strcmp(keyword, "type") == 0)
        return join_types(x, y, out);
    else if (strcmp(keyword, "nullable") == 0)
        *out = json_false();
    else if (strcmp(keyword, "required") == 0 && json_is_array(mine) && json_is_array(theirs))
        *out = join_names(mine, theirs);
    else if (strcmp(keyword, "enum") == 0)
        *out = common_values(mine, theirs);
    else if (strcmp(keyword, "items") == 0 && !json_is_array(mine) && !json_is_array(theirs))
        *out = both(mine, theirs);
    else if (strcmp(keyword, "propertyNames") == 0)
        *out = both(mine, theirs);
    else if (strcmp(keyword, "uniqueItems") == 0)
        *out = json_true();
    else if (strcmp(keyword, "anyOf") == 0 && json_array_size(mine) * json_array_size(theirs) <= 256)
        *out = join_unions(mine, theirs);
    else if (strcmp(keyword, "multipleOf") == 0 && json_number_value(theirs) > 0 &&
             fmod(json_number_value(mine), json_number_value(theirs)) == 0)
        *out = json_incref(mine);
    else if (strcmp(keyword, "multipleOf") == 0 && json_number_value(mine) > 0 &&
             fmod(json_number_value(theirs), json_number_value(mine)) == 0)
        *out = json_incref(theirs);
    return *out ? ST_OK
                : json_refuse(y, ST_UNSUPPORTED, keyword, "not honoured together with the \"%s\" at %.200s",
                              keyword, x->path);
}

/* What `other` says of a property that it does not list: its additionalProperties; NULL: nothing. */
static json_t *said_of_unlisted(const json_t *other)
{
    json_t *additional = json_object_get(other, "additionalProperties");
    return additional && !json_is_true(additional) ? additional : NULL;
}

static json_t *join_properties(json_t *x, json_t *y)
{
    json_t *mine = json_object_get(x, "properties"), *theirs = json_object_get(y, "properties"),
           *out = json_object(), *schema;
    const char *key;
    json_object_foreach(mine, key, schema)
    {
        json_t *other = json_object_get(theirs, key) ? json_object_get(theirs, key) : said_of_unlisted(y);
        json_object_set_new(out, key, other ? both(schema, other) : json_incref(schema));
    }
    json_object_foreach(theirs, key, schema)
    {
        json_t *other = said_of_unlisted(x);
        if (!json_object_get(mine, key))
            json_object_set_new(out, key, other ? both(other, schema) : json_incref(schema));
    }
    return out;
}

static bool has(const json_t *schema, const char *keyword)
{
    return json_object_get(schema, keyword) != NULL;
}

/* properties and additionalProperties, which speak of each other. */
static void join_members(json_t *x, json_t *y, json_t *out)
{
    json_t *mine = json_object_get(x, "additionalProperties"),
           *theirs = json_object_get(y, "additionalProperties");
    if (has(x, "properties") || has(y, "properties"))
        json_object_set_new(out, "properties", join_properties(x, y));
    if (mine || theirs)
        json_object_set_new(out, "additionalProperties",
                            mine && theirs ? both(mine, theirs) : json_incref(mine ? mine : theirs));
}

/* Constants that differ, no type or listed value in common: nothing satisfies both. */
static bool contradict(const json_t *x, const json_t *y, const json_t *together)
{
    json_t *mine = json_object_get(x, "const"), *theirs = json_object_get(y, "const");
    json_t *types = json_object_get(together, "type"), *values = json_object_get(together, "enum");
    return (mine && theirs && !json_same_value(mine, theirs)) ||
           (json_is_array(types) && !json_array_size(types)) ||
           (has(x, "enum") && has(y, "enum") && json_is_array(values) && !json_array_size(values));
}

static Status check_members(const JsonPlace *x, const JsonPlace *y)
{
    const JsonPlace *const places[] = {x, y};
    for (int i = 0; i < 2; i++)
        if (has(places[i]->schema, "properties") &&
            !json_is_object(json_object_get(places[i]->schema, "properties")))
            return json_refuse(places[i], ST_ARG, "properties", "is not an object of schemas");
    bool mine = has(x->schema, "patternProperties"), theirs = has(y->schema, "patternProperties");
    if ((mine && (has(y->schema, "properties") || has(y->schema, "additionalProperties"))) ||
        (theirs && (has(x->schema, "properties") || has(x->schema, "additionalProperties"))))
        return json_refuse(mine ? x : y, ST_UNSUPPORTED, "patternProperties",
                           "not honoured together with the properties of another schema of the same value");
    bool x_list = json_is_array(json_object_get(x->schema, "items")),
         y_list = json_is_array(json_object_get(y->schema, "items"));
    if (((has(x->schema, "prefixItems") || x_list) && has(y->schema, "items")) ||
        ((has(y->schema, "prefixItems") || y_list) && has(x->schema, "items")))
        return json_refuse(y, ST_UNSUPPORTED, "items",
                           "not honoured together with a list of first items at %.200s", x->path);
    return ST_OK;
}

/* "nullable" widens "type", so it has to be looked at before types are joined. */
static Status spell_nullable(JsonBuild *b, JsonPlace *p)
{
    int types;
    TRY(json_types(p, &types));
    if (!types || !json_is_true(json_object_get(p->schema, "nullable")))
        return ST_OK;
    json_t *copy = keep(b, json_copy(p->schema)), *list = json_array(),
           *type = json_object_get(p->schema, "type");
    if (json_is_array(type))
        json_array_extend(list, type);
    else
        json_array_append(list, type);
    json_array_append_new(list, json_string("null"));
    json_object_set_new(copy, "type", list);
    json_object_del(copy, "nullable");
    p->schema = copy;
    return ST_OK;
}

static Status merge_flat(JsonBuild *b, JsonPlace x, JsonPlace y, JsonPlace *out)
{
    static const char *const together[] = {"properties", "additionalProperties"};
    const char *keyword;
    json_t *value, *joined;
    TRY(spell_nullable(b, &x));
    TRY(spell_nullable(b, &y));
    TRY(check_members(&x, &y));
    json_t *made = keep(b, json_object());
    join_members(x.schema, y.schema, made);
    json_object_foreach(x.schema, keyword, value)
    {
        json_t *other = json_object_get(y.schema, keyword);
        if (is_one_of(keyword, together, 2))
            continue;
        if (other)
            TRY(join_values(&x, &y, keyword, value, other, &joined));
        json_object_set_new(made, keyword, other ? joined : json_incref(value));
    }
    json_object_foreach(y.schema, keyword, value)
    {
        if (!json_object_get(x.schema, keyword) && !is_one_of(keyword, together, 2))
            json_object_set(made, keyword, value);
    }
    *out = (JsonPlace){
        .schema = made, .path = x.path, .merges = (x.merges > y.merges ? x.merges : y.merges) + 1};
    if (contradict(x.schema, y.schema, made))
        out->schema = json_false();
    return ST_OK;
}

static Status flatten(JsonBuild *b, const JsonPlace *p, int depth, JsonPlace *out);

static Status merge(JsonBuild *b, const JsonPlace *x, const JsonPlace *y, int depth, JsonPlace *out)
{
    JsonPlace flat;
    if (x->merges > JSON_MERGES_MAX || y->merges > JSON_MERGES_MAX)
        return fail(ST_LIMIT,
                    "JSON Schema: the allOf at %.200s leads to itself, or lies in more than %d others",
                    x->path, JSON_MERGES_MAX);
    TRY(flatten(b, y, depth, &flat));
    if (json_is_true(x->schema) || json_is_false(flat.schema))
        *out = flat;
    else if (json_is_false(x->schema) || json_is_true(flat.schema))
        *out = *x;
    else
        return merge_flat(b, *x, flat, out);
    return ST_OK;
}

/* `out` may be `from`. */
static Status flatten(JsonBuild *b, const JsonPlace *from, int depth, JsonPlace *out)
{
    const JsonPlace place = *from, *p = &place;
    json_t *all = json_object_get(p->schema, "allOf"), *ref = json_object_get(p->schema, "$ref"), *entry;
    size_t i;
    *out = *p;
    if (depth > JSON_MERGES_MAX)
        return fail(
            ST_LIMIT,
            "JSON Schema: the references or allOf at %.200s lead to themselves, or lie more than %d deep",
            p->path, JSON_MERGES_MAX);
    if (!json_is_object(p->schema) && !json_is_boolean(p->schema))
        return fail(ST_ARG, "JSON Schema: what stands at %.200s is neither an object nor true nor false",
                    p->path);
    if (!all && !ref)
        return ST_OK;
    if (all && (!json_is_array(all) || !json_array_size(all)))
        return json_refuse(p, ST_ARG, "allOf", "is not a list of schemas");
    if (++b->flattened > FLATTENED_MAX) /* what names others twice, and they others, grows fast */
        return fail(ST_LIMIT,
                    "JSON Schema: what the $ref or allOf at %.200s names leads to more than %d schemas",
                    p->path, FLATTENED_MAX);
    out->schema = keep(b, json_copy(p->schema));
    json_object_del(out->schema, "allOf");
    json_object_del(out->schema, "$ref");
    if (ref) {
        JsonPlace target;
        TRY(json_resolve(b, p, &target));
        TRY(merge(b, out, &target, depth + 1, out));
    }
    json_array_foreach(all, i, entry)
    {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        JsonPlace part = json_below(b, p, entry, "allOf", index);
        TRY(merge(b, out, &part, depth + 1, out));
    }
    return ST_OK;
}

Status json_flatten(JsonBuild *b, const JsonPlace *p, JsonPlace *out)
{
    b->flattened = 0;
    return flatten(b, p, 0, out);
}

Status json_merge_two(JsonBuild *b, const JsonPlace *base, const JsonPlace *more, JsonPlace *out)
{
    b->flattened = 0;
    return merge(b, base, more, 0, out);
}
