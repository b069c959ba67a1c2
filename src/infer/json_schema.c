#include "infer/json_schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_file.h"
#include "infer/json_build.h"

/* Keywords ----------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int types;       /* values that it restricts */
    const char *why; /* it is not honoured; NULL where it is */
} Keyword;

#define OBJECT JSON_TYPE_OBJECT
#define ARRAY JSON_TYPE_ARRAY
#define STRING JSON_TYPE_STRING
#define NUMBER JSON_TYPE_NUMBER
static const char not_a_grammar[] = "no grammar can say it: leave it out and check afterwards";

static const Keyword keywords[] = {
    {"type", 0, NULL},
    {"nullable", 0, NULL},
    {"enum", 0, NULL},
    {"const", 0, NULL},
    {"$ref", 0, NULL},
    {"allOf", 0, NULL},
    {"anyOf", 0, NULL},
    {"oneOf", 0, NULL},
    {"properties", OBJECT, NULL},
    {"required", OBJECT, NULL},
    {"additionalProperties", OBJECT, NULL},
    {"patternProperties", OBJECT, NULL},
    {"propertyNames", OBJECT, NULL},
    {"minProperties", OBJECT, NULL},
    {"maxProperties", OBJECT, NULL},
    {"items", ARRAY, NULL},
    {"prefixItems", ARRAY, NULL},
    {"additionalItems", ARRAY, NULL},
    {"minItems", ARRAY, NULL},
    {"maxItems", ARRAY, NULL},
    {"uniqueItems", ARRAY, NULL},
    {"minLength", STRING, NULL},
    {"maxLength", STRING, NULL},
    {"pattern", STRING, NULL},
    {"format", STRING, NULL},
    {"minimum", NUMBER, NULL},
    {"maximum", NUMBER, NULL},
    {"exclusiveMinimum", NUMBER, NULL},
    {"exclusiveMaximum", NUMBER, NULL},
    {"multipleOf", NUMBER, NULL},
    {"not", 0, not_a_grammar},
    {"if", 0, not_a_grammar},
    {"then", 0, not_a_grammar},
    {"else", 0, not_a_grammar},
    {"contains", ARRAY, not_a_grammar},
    {"minContains", ARRAY, not_a_grammar},
    {"maxContains", ARRAY, not_a_grammar},
    {"unevaluatedItems", ARRAY, not_a_grammar},
    {"unevaluatedProperties", OBJECT, "say additionalProperties where the properties are listed"},
    {"dependentRequired", OBJECT, "list the cases with anyOf"},
    {"dependentSchemas", OBJECT, "list the cases with anyOf"},
    {"dependencies", OBJECT, "list the cases with anyOf"},
    {"contentEncoding", STRING, not_a_grammar},
    {"contentMediaType", STRING, not_a_grammar},
    {"contentSchema", STRING, not_a_grammar},
    {"$dynamicRef", 0, "name the schema with $ref"},
    {"$recursiveRef", 0, "name the schema with $ref"},
    {"$anchor", 0, "refer by path, as #/$defs/name"},
    {"$dynamicAnchor", 0, "refer by path, as #/$defs/name"},
    {"$recursiveAnchor", 0, "refer by path, as #/$defs/name"},
    {"$vocabulary", 0, "it changes what keywords mean"},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

/* They say nothing about which texts are valid. */
static const char *const annotations[] = {"title",    "description", "default",       "examples",
                                          "example",  "$comment",    "$schema",       "$id",
                                          "id",       "$defs",       "definitions",   "deprecated",
                                          "readOnly", "writeOnly",   "discriminator", "externalDocs"};

bool json_is_annotation(const char *keyword)
{
    for (size_t i = 0; i < sizeof annotations / sizeof *annotations; i++)
        if (strcmp(annotations[i], keyword) == 0)
            return true;
    return strncmp(keyword, "x-", 2) == 0; /* OpenAPI's extensions */
}

static const Keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < KEYWORDS; i++)
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

Status json_refuse(const JsonPlace *p, Status status, const char *keyword, const char *fmt, ...)
{
    char why[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    return fail(status, "JSON Schema: \"%.100s\" at %.200s: %s", keyword, p->path, why);
}

Status json_refuse_format(const JsonPlace *p, const char *name, const char *what, const char *const *known,
                          const char *otherwise)
{
    Str list = {0};
    for (size_t i = 0; known[i]; i++)
        str_addf(&list, "%s%s", i ? ", " : "", known[i]);
    Status st = json_refuse(p, ST_UNSUPPORTED, "format",
                            "\"%.60s\" is not among those honoured of %s: %s; or say it by %s", name, what,
                            str_c(&list), otherwise);
    str_drop(&list);
    return st;
}

static Status unknown_keyword(const JsonPlace *p, const char *name)
{
    const char *names[KEYWORDS];
    for (size_t i = 0; i < KEYWORDS; i++)
        names[i] = keywords[i].name;
    const char *near = nearest_name(name, names, KEYWORDS);
    if (near)
        return json_refuse(p, ST_UNSUPPORTED, name, "no such keyword; did you mean \"%s\"?", near);
    return json_refuse(p, ST_UNSUPPORTED, name, "no keyword that is honoured");
}

static bool true_of_nothing(const char *name, const json_t *value)
{
    return strcmp(name, "unevaluatedProperties") == 0 || strcmp(name, "unevaluatedItems") == 0
               ? json_is_true(value)
               : false;
}

static Status check_keywords(const JsonPlace *p)
{
    const char *name;
    json_t *value;
    if (!json_is_object(p->schema))
        return fail(ST_ARG, "JSON Schema: what stands at %.200s is neither an object nor true nor false",
                    p->path);
    json_object_foreach(p->schema, name, value)
    {
        const Keyword *k = find_keyword(name);
        if (!k && !json_is_annotation(name))
            return unknown_keyword(p, name);
        if (k && k->why && !true_of_nothing(name, value))
            return json_refuse(p, ST_UNSUPPORTED, name, "not honoured (%s)", k->why);
    }
    return ST_OK;
}

int json_implied_types(const json_t *schema)
{
    int types = 0;
    for (size_t i = 0; i < KEYWORDS; i++)
        if (keywords[i].types && json_object_get(schema, keywords[i].name))
            types |= keywords[i].types;
    return types;
}

/* Places ------------------------------------------------------------------------------------------------- */

JsonPlace json_below(JsonBuild *b, const JsonPlace *p, json_t *schema, const char *keyword, const char *name)
{
    Str path = {0};
    str_addf(&path, "%s/%s", p->path, keyword);
    if (name)
        str_addf(&path, "/%s", name);
    JsonPlace below = {.schema = schema, .path = arena_strn(&b->arena, path.at, path.n), .merges = p->merges};
    str_drop(&path);
    return below;
}

Status json_rule(JsonBuild *b, JsonPlace place, int32_t *rule)
{
    if (json_is_boolean(place.schema)) {
        *rule = json_is_true(place.schema) ? json_any_value(b)
                                           : grammar_rule(b->g); /* an unset rule is a dead end */
        return ST_OK;
    }
    int64_t *known = map_put(b->rules, (const char *)&place.schema, sizeof place.schema);
    if (!*known) {
        if (b->g->rules.n > JSON_RULES_MAX)
            return fail(ST_LIMIT, "JSON Schema: more than %d schemas in one", JSON_RULES_MAX);
        *known = grammar_rule(b->g) + 1;
        array_push(&b->tasks, ((JsonTask){.place = place, .rule = (int32_t)*known - 1}));
    }
    *rule = (int32_t)*known - 1;
    return ST_OK;
}

/* One step of a JSON pointer (RFC 6901), with the URI's percent signs; moves *at behind it. */
static json_t *pointer_step(json_t *in, const char **at, Str *name)
{
    const char *s = *at + 1;
    str_clear(name);
    for (; *s && *s != '/'; s++) {
        unsigned byte;
        if (s[0] == '~' && (s[1] == '0' || s[1] == '1'))
            str_addc(name, *++s == '0' ? '~' : '/');
        else if (s[0] == '%' && s[1] && s[2] && sscanf(s + 1, "%2x", &byte) == 1) {
            str_addc(name, (char)byte);
            s += 2;
        } else
            str_addc(name, *s);
    }
    *at = s;
    if (json_is_array(in)) {
        int64_t i;
        return parse_int(&i, str_c(name)) == ST_OK && i >= 0 ? json_array_get(in, (size_t)i) : NULL;
    }
    return json_object_get(in, str_c(name));
}

Status json_resolve(JsonBuild *b, const JsonPlace *p, JsonPlace *target)
{
    const char *ref = json_string_value(json_object_get(p->schema, "$ref"));
    json_t *at = b->root;
    Str name = {0};
    if (!ref)
        return json_refuse(p, ST_ARG, "$ref", "is not a string");
    if (ref[0] != '#')
        return json_refuse(p, ST_UNSUPPORTED, "$ref", "\"%.100s\" is another document: copy it into $defs",
                           ref);
    if (ref[1] && ref[1] != '/')
        return json_refuse(p, ST_UNSUPPORTED, "$ref",
                           "\"%.100s\" names an anchor: refer by path, as #/$defs/name", ref);
    for (const char *s = ref + 1; *s && at;)
        at = pointer_step(at, &s, &name);
    str_drop(&name);
    if (!at)
        return json_refuse(p, ST_ARG, "$ref", "\"%.100s\" names nothing in this schema", ref);
    *target = (JsonPlace){.schema = at, .path = arena_strn(&b->arena, ref, strlen(ref)), .merges = p->merges};
    return ST_OK;
}

/* Types -------------------------------------------------------------------------------------------------- */

static int type_named(const char *name)
{
    static const struct {
        const char *name;
        int type;
    } all[] = {{"null", JSON_TYPE_NULL},     {"boolean", JSON_TYPE_BOOLEAN}, {"integer", JSON_TYPE_INTEGER},
               {"number", JSON_TYPE_NUMBER}, {"string", JSON_TYPE_STRING},   {"array", JSON_TYPE_ARRAY},
               {"object", JSON_TYPE_OBJECT}};
    for (size_t i = 0; name && i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].type;
    return 0;
}

Status json_types(const JsonPlace *p, int *types)
{
    json_t *type = json_object_get(p->schema, "type"), *one;
    size_t i;
    *types = type_named(json_string_value(type));
    json_array_foreach(type, i, one)
    {
        int t = type_named(json_string_value(one));
        if (!t)
            return json_refuse(p, ST_ARG, "type", "entry %zu is no type's name", i);
        *types |= t;
    }
    if (type && !*types)
        return json_refuse(p, ST_ARG, "type",
                           "is no type: null, boolean, integer, number, string, array, object, or a "
                           "list of these");
    if (*types && json_is_true(json_object_get(p->schema, "nullable")))
        *types |= JSON_TYPE_NULL;
    return ST_OK;
}

Status json_count(const JsonPlace *p, const char *keyword, int32_t otherwise, int32_t *out)
{
    json_t *value = json_object_get(p->schema, keyword);
    *out = otherwise;
    if (!value)
        return ST_OK;
    double n = json_number_value(value);
    if (!json_is_number(value) || n < 0 || n != (double)(int64_t)n)
        return json_refuse(p, ST_ARG, keyword, "is not a whole number from 0 on");
    if (n > GRAMMAR_COUNT_MAX && otherwise != GRAMMAR_FOREVER)
        return json_refuse(p, ST_LIMIT, keyword, "is more than %d", GRAMMAR_COUNT_MAX);
    *out = n > GRAMMAR_COUNT_MAX ? GRAMMAR_COUNT_MAX : (int32_t)n;
    return ST_OK;
}

/* What is not restricted --------------------------------------------------------------------------------- */

int32_t json_space(JsonBuild *b, int32_t next)
{
    int32_t loop;
    if (b->compact)
        return next;
    int32_t back = grammar_loop_begin(b->g, 0, 64, &loop);
    int32_t blanks = grammar_loop_end(b->g, loop, grammar_any_of(b->g, " \t", back), next);
    return grammar_either(
        b->g, next,
        grammar_either(b->g, grammar_text(b->g, span(" "), next), grammar_text(b->g, span("\n"), blanks)));
}

static Status build_type(JsonBuild *b, const JsonPlace *p, JsonType type, int32_t next, int32_t *start)
{
    Grammar *g = b->g;
    switch (type) {
    case JSON_TYPE_NULL: *start = grammar_text(g, span("null"), next); return ST_OK;
    case JSON_TYPE_BOOLEAN:
        *start = grammar_either(g, grammar_text(g, span("true"), next), grammar_text(g, span("false"), next));
        return ST_OK;
    case JSON_TYPE_INTEGER: return json_build_number(b, p, true, next, start);
    case JSON_TYPE_NUMBER: return json_build_number(b, p, false, next, start);
    case JSON_TYPE_STRING: return json_build_string(b, p, next, start);
    case JSON_TYPE_ARRAY: return json_build_array(b, p, next, start);
    default: return json_build_object(b, p, next, start);
    }
}

static Status build_types(JsonBuild *b, const JsonPlace *p, int types, int32_t next, int32_t *start)
{
    if (types & JSON_TYPE_NUMBER)
        types &= ~JSON_TYPE_INTEGER;
    *start = GRAMMAR_NOTHING;
    for (int type = 1; type <= JSON_TYPE_OBJECT; type *= 2) {
        int32_t one;
        if (!(types & type))
            continue;
        TRY(build_type(b, p, (JsonType)type, next, &one));
        *start = grammar_either(b->g, *start, one);
    }
    return ST_OK;
}

int32_t json_any_value(JsonBuild *b)
{
    if (b->value < 0) {
        static const char everything[] = "#";
        JsonPlace p = {.schema = json_object(), .path = everything};
        int32_t start;
        array_push(&b->made, p.schema);
        b->value = grammar_rule(b->g);
        Status st = build_types(b, &p, JSON_TYPES_ALL, grammar_return(b->g), &start);
        grammar_rule_set(b->g, b->value, st == ST_OK ? start : GRAMMAR_NOTHING);
    }
    return b->value;
}

/* Schemas ------------------------------------------------------------------------------------------------ */

/* A real that was an integer beyond 64 bits, at any depth. */
static bool holds_widened(const json_t *value)
{
    const char *key;
    json_t *part;
    size_t i;
    bool found = json_is_real(value) && fabs(json_real_value(value)) >= 0x1p63;
    json_array_foreach(value, i, part) found |= holds_widened(part);
    json_object_foreach((json_t *)(uintptr_t)value, key, part) found |= holds_widened(part);
    return found;
}

static Status build_constants(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start)
{
    json_t *list = json_object_get(p->schema, "enum"), *only = json_object_get(p->schema, "const"), *value;
    Array(json_t *) kept = {0};
    int types;
    size_t i;
    TRY(json_types(p, &types));
    if (list && (!json_is_array(list) || !json_array_size(list)))
        return json_refuse(p, ST_ARG, "enum", "is not a list of values");
    if (b->widened && (holds_widened(list) || holds_widened(only)))
        return json_refuse(p, ST_UNSUPPORTED, list ? "enum" : "const",
                           "an integer beyond 64 bits is not honoured as a constant");
    for (size_t k = 0; k < KEYWORDS; k++)
        if (keywords[k].types && json_object_get(p->schema, keywords[k].name))
            return json_refuse(p, ST_UNSUPPORTED, keywords[k].name,
                               "not honoured beside enum or const: list the values that are meant");
    if (!list)
        array_push(&kept, only);
    json_array_foreach(list, i, value)
    {
        if (!only || json_same_value(value, only))
            array_push(&kept, value);
    }
    if (types) {
        size_t n = 0;
        for (i = 0; i < kept.n; i++)
            if (json_value_types(kept.at[i]) & types)
                kept.at[n++] = kept.at[i];
        kept.n = n;
    }
    *start = json_constants(b, kept.at, kept.n, next);
    Status st = ST_OK;
    if (!kept.n && !p->merges) /* one of several merged schemas may come to nothing */
        st = json_refuse(p, ST_ARG, list ? "enum" : "const", "no value is of the type, or equal to const");
    array_drop(&kept);
    return st;
}

static bool only_annotations_beside(const json_t *schema, const char *keyword)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)schema, name, value)
    {
        if (strcmp(name, keyword) != 0 && !json_is_annotation(name))
            return false;
    }
    return true;
}

static Status check_one_of(JsonBuild *b, const JsonPlace *p, const JsonPlace *branches, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            bool disjoint;
            TRY(json_disjoint(b, &branches[i], &branches[k], &disjoint));
            if (!disjoint)
                return json_refuse(
                    p, ST_UNSUPPORTED, "oneOf",
                    "a text might be valid for both entries %zu and %zu: tell them "
                    "apart by type or by a required property with different constants, or use anyOf",
                    k, i);
        }
    return ST_OK;
}

/* anyOf or oneOf; what stands beside it holds for each of its schemas. */
static Status build_union(JsonBuild *b, const JsonPlace *p, const char *keyword, int32_t next, int32_t *start)
{
    json_t *list = json_object_get(p->schema, keyword), *entry;
    bool one_of = strcmp(keyword, "oneOf") == 0, alone = only_annotations_beside(p->schema, keyword);
    JsonPlace rest = *p;
    size_t i, n = json_array_size(list);
    if (!json_is_array(list) || n == 0)
        return json_refuse(p, ST_ARG, keyword, "is not a list of schemas");
    if (one_of && n > 256)
        return json_refuse(p, ST_LIMIT, keyword, "has more than 256 entries");
    if (!alone) {
        rest.schema = json_copy(p->schema);
        array_push(&b->made, rest.schema);
        json_object_del(rest.schema, keyword);
    }
    JsonPlace *branches = mem_array(JsonPlace, n);
    Status st = ST_OK;
    *start = GRAMMAR_NOTHING;
    json_array_foreach(list, i, entry)
    {
        char index[24];
        int32_t rule = 0;
        snprintf(index, sizeof index, "%zu", i);
        branches[i] = json_below(b, p, entry, keyword, index);
        if (st == ST_OK && !alone)
            st = json_merge_two(b, &rest, &branches[i], &branches[i]);
        if (st == ST_OK)
            st = json_rule(b, branches[i], &rule);
        if (st == ST_OK)
            *start = grammar_either(b->g, *start, grammar_call(b->g, rule, next));
    }
    if (st == ST_OK && one_of)
        st = check_one_of(b, p, branches, n);
    mem_free(branches);
    return st;
}

static Status build_schema(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start)
{
    int types, implied;
    TRY(check_keywords(p));
    if (json_object_get(p->schema, "$ref") && only_annotations_beside(p->schema, "$ref")) {
        JsonPlace target;
        int32_t rule;
        TRY(json_resolve(b, p, &target));
        TRY(json_rule(b, target, &rule));
        *start = grammar_call(b->g, rule, next);
        return ST_OK;
    }
    JsonPlace flat = *p;
    if (json_object_get(p->schema, "$ref") || json_object_get(p->schema, "allOf")) {
        TRY(json_flatten(b, p, &flat));
        if (json_is_false(flat.schema)) {
            *start = GRAMMAR_NOTHING;
            return ST_OK;
        }
        TRY(check_keywords(&flat));
    }
    if (json_object_get(flat.schema, "oneOf"))
        return build_union(b, &flat, "oneOf", next, start);
    if (json_object_get(flat.schema, "anyOf"))
        return build_union(b, &flat, "anyOf", next, start);
    if (json_object_get(flat.schema, "enum") || json_object_get(flat.schema, "const"))
        return build_constants(b, &flat, next, start);
    TRY(json_types(&flat, &types));
    implied = json_implied_types(flat.schema);
    if (!types && !implied) {
        *start = grammar_call(b->g, json_any_value(b), next);
        return ST_OK;
    }
    if (!types && json_is_true(json_object_get(flat.schema, "nullable")))
        implied |= JSON_TYPE_NULL;
    return build_types(b, &flat, types ? types : implied, next, start);
}

static Status build_all(JsonBuild *b, int32_t next, int32_t *start)
{
    int32_t root;
    TRY(json_rule(b, (JsonPlace){.schema = b->root, .path = "#"}, &root));
    *start = grammar_call(b->g, root, next);
    for (size_t i = 0; i < b->tasks.n; i++) {
        JsonTask t = b->tasks.at[i]; /* the list grows */
        int32_t node;
        Status st = build_schema(b, &t.place, grammar_return(b->g), &node);
        if (b->g->too_large) /* whatever else was said of what then is missing */
            return fail(ST_LIMIT,
                        "JSON Schema: what stands at %.200s needs more than %d states: make it smaller",
                        t.place.path, GRAMMAR_NODES_MAX);
        TRY(st);
        grammar_rule_set(b->g, t.rule, node);
    }
    return ST_OK;
}

Status json_schema_build(Grammar *g, Span schema, bool compact, int32_t next, int32_t *start)
{
    json_error_t e;
    if (schema.n > JSON_SCHEMA_BYTES)
        return fail(ST_LIMIT, "JSON Schema: longer than %d bytes", JSON_SCHEMA_BYTES);
    JsonBuild b = {.g = g, .compact = compact, .value = -1, .string = -1};
    b.root = json_load_wide(schema, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &b.widened, &e);
    if (!b.root)
        return fail(ST_ARG, "JSON Schema: not JSON at line %d, column %d: %s", e.line, e.column, e.text);
    b.rules = map_new();
    Status st = build_all(&b, next, start);
    for (size_t i = 0; i < b.made.n; i++)
        json_decref(b.made.at[i]);
    array_drop(&b.made);
    array_drop(&b.tasks);
    map_free(b.rules);
    arena_drop(&b.arena);
    json_decref(b.root);
    return st;
}
