/* Objects and arrays.  Members come in the order of "properties", then required ones that are not listed
 * there, then additional ones; items in their own order. */
#include <string.h>

#include "infer/json_build.h"

/* Objects ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *key;
    size_t key_n;
    int32_t rule;
    bool required;
} Member;

typedef struct {
    Array(Member) members;
    int32_t extra_key_of; /* rule of the keys of additional members; -1: none may come */
    int32_t extra_value;  /* rule */
    int32_t required, max_extra;
    bool may_be_empty;
} Object;

static bool names(const json_t *required, const char *key, size_t n)
{
    size_t i;
    json_t *name;
    json_array_foreach(required, i, name)
    {
        if (json_string_length(name) == n && memcmp(json_string_value(name), key, n) == 0)
            return true;
    }
    return false;
}

static Status check_object(const JsonPlace *p)
{
    static const char *const objects[] = {"properties", "patternProperties"};
    json_t *required = json_object_get(p->schema, "required"), *name;
    size_t i;
    for (i = 0; i < 2; i++) {
        json_t *value = json_object_get(p->schema, objects[i]);
        if (value && !json_is_object(value))
            return json_refuse(p, ST_ARG, objects[i], "is not an object of schemas");
    }
    if (required && !json_is_array(required))
        return json_refuse(p, ST_ARG, "required", "is not a list of names");
    json_array_foreach(required, i, name)
    {
        if (!json_is_string(name))
            return json_refuse(p, ST_ARG, "required", "entry %zu is not a name", i);
    }
    return ST_OK;
}

static Status add_listed(JsonBuild *b, const JsonPlace *p, Object *o)
{
    json_t *properties = json_object_get(p->schema, "properties"),
           *required = json_object_get(p->schema, "required"), *schema;
    const char *key;
    size_t n;
    json_object_keylen_foreach(properties, key, n, schema)
    {
        Member m = {.key = key, .key_n = n, .required = names(required, key, n)};
        TRY(json_rule(b, json_below(b, p, schema, "properties", key), &m.rule));
        array_push(&o->members, m);
        o->required += m.required;
    }
    return ST_OK;
}

/* Required, and not among the properties: what additionalProperties says of them. */
static Status add_unlisted(JsonBuild *b, const JsonPlace *p, Object *o)
{
    json_t *additional = json_object_get(p->schema, "additionalProperties"), *name;
    size_t i;
    json_array_foreach(json_object_get(p->schema, "required"), i, name)
    {
        Member m = {.key = json_string_value(name), .key_n = json_string_length(name), .required = true};
        bool known = false;
        for (size_t k = 0; k < o->members.n && !known; k++)
            known = o->members.at[k].key_n == m.key_n && memcmp(o->members.at[k].key, m.key, m.key_n) == 0;
        if (known)
            continue;
        if (json_object_get(p->schema, "patternProperties") || json_object_get(p->schema, "propertyNames"))
            return json_refuse(p, ST_UNSUPPORTED, "required",
                               "names \"%.100s\", which stands in no \"properties\": list it "
                               "there",
                               m.key);
        if (json_is_false(additional))
            return json_refuse(p, ST_ARG, "required", "names \"%.100s\", which additionalProperties forbids",
                               m.key);
        TRY(json_rule(b,
                      json_below(b, p, additional ? additional : json_true(), "additionalProperties", NULL),
                      &m.rule));
        array_push(&o->members, m);
        o->required++;
    }
    return ST_OK;
}

/* A rule for keys that `string` (a schema of strings) accepts. */
static Status key_rule(JsonBuild *b, JsonPlace string, int32_t *rule)
{
    if (json_is_boolean(string.schema)) {
        *rule = json_is_true(string.schema) ? json_any_string(b) : -1;
        return ST_OK;
    }
    if (!json_is_object(string.schema) || json_object_get(string.schema, "type")) {
        int types = 0;
        if (json_is_object(string.schema))
            TRY(json_types(&string, &types));
        if (types != JSON_TYPE_STRING)
            return fail(ST_ARG, "JSON Schema: %.200s is not a schema of strings, as keys are", string.path);
    } else {
        string.schema = json_copy(string.schema);
        array_push(&b->made, string.schema);
        json_object_set_new(string.schema, "type", json_string("string"));
    }
    return json_rule(b, string, rule);
}

/* Additional members under a pattern, or with restricted names: only where nothing else is listed, so that no
 * key can fall under two rules. */
static Status add_patterned(JsonBuild *b, const JsonPlace *p, Object *o)
{
    json_t *patterns = json_object_get(p->schema, "patternProperties"), *schema;
    json_t *key_names = json_object_get(p->schema, "propertyNames"), *string;
    json_t *additional = json_object_get(p->schema, "additionalProperties");
    const char *pattern;
    if (patterns && key_names)
        return json_refuse(p, ST_UNSUPPORTED, "propertyNames", "not honoured beside patternProperties");
    if (key_names) {
        if (o->members.n)
            return json_refuse(p, ST_UNSUPPORTED, "propertyNames", "not honoured beside properties");
        TRY(key_rule(b, json_below(b, p, key_names, "propertyNames", NULL), &o->extra_key_of));
        if (json_is_false(additional))
            o->extra_key_of = -1;
        return json_rule(
            b, json_below(b, p, additional ? additional : json_true(), "additionalProperties", NULL),
            &o->extra_value);
    }
    if (json_object_size(patterns) > 1 || o->members.n)
        return json_refuse(p, ST_UNSUPPORTED, "patternProperties",
                           "honoured only with one pattern and without \"properties\", "
                           "because a key may fall under several");
    if (additional && !json_is_false(additional))
        return json_refuse(p, ST_UNSUPPORTED, "patternProperties",
                           "honoured only without additionalProperties, or with false");
    json_object_foreach(patterns, pattern, schema)
    {
        string = json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
        array_push(&b->made, string);
        TRY(json_rule(b, json_below(b, p, string, "patternProperties", NULL), &o->extra_key_of));
        TRY(json_rule(b, json_below(b, p, schema, "patternProperties", pattern), &o->extra_value));
    }
    return ST_OK;
}

static Status add_additional(JsonBuild *b, const JsonPlace *p, Object *o)
{
    json_t *additional = json_object_get(p->schema, "additionalProperties");
    bool open = json_object_size(p->schema) == 0 || !o->members.n;
    if (additional ? json_is_false(additional) : !open)
        return ST_OK;
    int32_t key;
    o->extra_key_of = grammar_rule(b->g);
    TRY(json_other_key(b, p, o->members.n ? p->schema : NULL, grammar_return(b->g), &key));
    grammar_rule_set(b->g, o->extra_key_of, key);
    return json_rule(b, json_below(b, p, additional ? additional : json_true(), "additionalProperties", NULL),
                     &o->extra_value);
}

/* Two additional members may have the same name (no grammar can forbid it), so their number says nothing of
 * how many there are at least. */
static Status count_members(const JsonPlace *p, Object *o)
{
    int32_t min, max, listed = (int32_t)o->members.n;
    TRY(json_count(p, "minProperties", 0, &min));
    TRY(json_count(p, "maxProperties", GRAMMAR_FOREVER, &max));
    o->may_be_empty = min == 0;
    o->max_extra = max;
    if (min > o->required && min > 1)
        return json_refuse(p, ST_UNSUPPORTED, "minProperties",
                           "honoured up to 1, or up to the number of required properties");
    if (max == GRAMMAR_FOREVER)
        return ST_OK;
    if (max < min || max < o->required)
        return json_refuse(p, ST_ARG, "maxProperties", "is less than there must be");
    if (max < listed)
        return json_refuse(p, ST_UNSUPPORTED, "maxProperties",
                           "honoured only where it is not less than the number of listed "
                           "properties");
    o->max_extra = max - listed;
    return ST_OK;
}

static int32_t member(JsonBuild *b, int32_t key, int32_t value, int32_t next)
{
    int32_t colon = grammar_text(b->g, span(":"), json_space(b, grammar_call(b->g, value, next)));
    return key == GRAMMAR_NOTHING ? colon : grammar_call(b->g, key, colon);
}

/* "," and what follows it, up to max times in all; `first` is the same without the comma in front of the
 * first one. */
static int32_t extra_members(JsonBuild *b, const Object *o, int32_t end, int32_t *first)
{
    Grammar *g = b->g;
    int32_t loop, max = o->max_extra;
    *first = GRAMMAR_NOTHING;
    if (o->extra_key_of < 0 || max == 0)
        return end;
    int32_t back = grammar_loop_begin(g, 0, max == GRAMMAR_FOREVER ? max : max - 1, &loop);
    int32_t again = member(b, o->extra_key_of, o->extra_value, back);
    int32_t rest = grammar_loop_end(g, loop, grammar_text(g, span(","), json_space(b, again)), end);
    *first = member(b, o->extra_key_of, o->extra_value, rest);
    return grammar_either(g, end, grammar_text(g, span(","), json_space(b, *first)));
}

/* From the last to the first: `keys` is the choice of keys that may come from here, `rest` what follows a
 * value. */
static int32_t build_members(JsonBuild *b, const Object *o, int32_t next)
{
    Grammar *g = b->g;
    int32_t keys, close = grammar_text(g, span("}"), next);
    int32_t end = json_space(b, close), rest = extra_members(b, o, end, &keys);
    bool may_end = true;
    for (size_t i = o->members.n; i-- > 0;) {
        const Member *m = &o->members.at[i];
        int32_t text = member(b, GRAMMAR_NOTHING, m->rule, rest);
        int32_t this = json_key(b, m->key, m->key_n, text);
        keys = m->required ? this : grammar_either(g, this, keys);
        may_end = may_end && !m->required;
        rest = grammar_either(g, may_end ? end : GRAMMAR_NOTHING,
                              grammar_text(g, span(","), json_space(b, keys)));
    }
    int32_t empty = may_end && o->may_be_empty ? close : GRAMMAR_NOTHING;
    return grammar_text(g, span("{"), json_space(b, grammar_either(g, keys, empty)));
}

static Status plan_object(JsonBuild *b, const JsonPlace *p, Object *o)
{
    TRY(check_object(p));
    TRY(add_listed(b, p, o));
    TRY(add_unlisted(b, p, o));
    if (json_object_get(p->schema, "patternProperties") || json_object_get(p->schema, "propertyNames"))
        TRY(add_patterned(b, p, o));
    else
        TRY(add_additional(b, p, o));
    return count_members(p, o);
}

Status json_build_object(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start)
{
    Object o = {.extra_key_of = -1};
    Status st = plan_object(b, p, &o);
    if (st == ST_OK)
        *start = build_members(b, &o, next);
    array_drop(&o.members);
    return st;
}

/* Arrays ------------------------------------------------------------------------------------------------- */

typedef struct {
    int32_t *prefix; /* [prefix_n] rules */
    size_t prefix_n;
    int32_t item; /* rule of the others; -1: none may come */
    int32_t min, max;
} List;

/* "," and an item, from `least` to `most` times. */
static int32_t more_items(JsonBuild *b, int32_t item, int32_t least, int32_t most, int32_t next)
{
    Grammar *g = b->g;
    int32_t loop;
    if (most == GRAMMAR_FOREVER && least == 0) {
        int32_t again = grammar_star_begin(g);
        return grammar_star_end(
            g, again, grammar_text(g, span(","), json_space(b, grammar_call(g, item, again))), next);
    }
    int32_t back = grammar_loop_begin(g, least, most, &loop);
    return grammar_loop_end(g, loop, grammar_text(g, span(","), json_space(b, grammar_call(g, item, back))),
                            next);
}

static int32_t less(int32_t count, int32_t by)
{
    return count == GRAMMAR_FOREVER ? count : count > by ? count - by : 0;
}

static int32_t build_items(JsonBuild *b, const List *l, int32_t next)
{
    Grammar *g = b->g;
    int32_t close = grammar_text(g, span("]"), next), end = json_space(b, close), n = (int32_t)l->prefix_n;
    int32_t first = GRAMMAR_NOTHING; /* the item to begin with, where one may */
    int32_t rest = l->max <= n ? end : GRAMMAR_NOTHING;
    if (l->item >= 0 && n > 0)
        rest = l->max > n ? more_items(b, l->item, less(l->min, n), less(l->max, n), end) : rest;
    else if (l->item >= 0 && l->max > 0)
        first = grammar_call(g, l->item, more_items(b, l->item, less(l->min, 1), less(l->max, 1), end));
    else if (l->item < 0 && l->min <= n)
        rest = end;
    for (int32_t i = n; i-- > 0;) { /* what follows item i is known */
        if (i < l->max)
            first = grammar_call(g, l->prefix[i], rest);
        rest =
            grammar_either(g, l->min <= i ? end : GRAMMAR_NOTHING,
                           i < l->max ? grammar_text(g, span(","), json_space(b, first)) : GRAMMAR_NOTHING);
    }
    int32_t empty = l->min == 0 ? close : GRAMMAR_NOTHING;
    return grammar_text(g, span("["), json_space(b, grammar_either(g, first, empty)));
}

static Status plan_list(JsonBuild *b, const JsonPlace *p, List *l)
{
    json_t *prefix = json_object_get(p->schema, "prefixItems"), *items = json_object_get(p->schema, "items"),
           *schema;
    const char *items_name = "items";
    size_t i;
    if (json_is_array(items)) { /* before 2020-12 the list was called items, and the rest additionalItems */
        if (prefix)
            return json_refuse(p, ST_ARG, "items", "is a list, and prefixItems is there too");
        prefix = items;
        items_name = "additionalItems";
        items = json_object_get(p->schema, "additionalItems");
    }
    if (prefix && (!json_is_array(prefix) || !json_array_size(prefix)))
        return json_refuse(p, ST_ARG, "prefixItems", "is not a list of schemas");
    TRY(json_count(p, "minItems", 0, &l->min));
    TRY(json_count(p, "maxItems", GRAMMAR_FOREVER, &l->max));
    if (l->max < l->min)
        return json_refuse(p, ST_ARG, "maxItems", "is less than minItems");
    if (json_is_true(json_object_get(p->schema, "uniqueItems")) && l->max > 1)
        return json_refuse(p, ST_UNSUPPORTED, "uniqueItems",
                           "not honoured (no grammar can say it): say maxItems, or leave it "
                           "out and check afterwards");
    l->prefix_n = json_array_size(prefix);
    l->prefix = mem_array(int32_t, l->prefix_n + 1);
    json_array_foreach(prefix, i, schema)
    {
        TRY(json_rule(b, json_below(b, p, schema, "prefixItems", NULL), &l->prefix[i]));
    }
    /* A list of schemas for the first items is all there is, unless more are asked for. */
    l->item = -1;
    if (!items && (!prefix || l->min > (int32_t)l->prefix_n))
        items = json_true();
    if (items && !json_is_false(items))
        TRY(json_rule(b, json_below(b, p, items, items_name, NULL), &l->item));
    return ST_OK;
}

Status json_build_array(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start)
{
    List l = {0};
    Status st = plan_list(b, p, &l);
    if (st == ST_OK)
        *start = build_items(b, &l, next);
    mem_free(l.prefix);
    return st;
}
