/* Fields: from their defaults, from text, from JSON, and back.  config_yaml.c reads YAML, args.c command
 * lines. */
#include "base/config.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/str.h"

static const char line_key[] = "\001line";

/* Where a field of `config` lies.  The const is cast away: one accessor for reading and writing. */
static void *at(const Field *f, const void *config)
{
    return (char *)(uintptr_t)config + f->offset;
}

static void set_text(const Field *f, void *config, const char *text)
{
    char **slot = at(f, config);
    char *copy = mem_str(text);
    mem_free(*slot);
    *slot = copy;
}

void config_defaults(const FieldTable *t, void *config)
{
    for (size_t i = 0; i < t->n; i++) {
        const Field *f = &t->fields[i];
        switch (f->kind) {
        case FIELD_INT: *(int64_t *)at(f, config) = (int64_t)f->number; break;
        case FIELD_FLOAT: *(double *)at(f, config) = f->number; break;
        case FIELD_BOOL: *(bool *)at(f, config) = f->number != 0; break;
        case FIELD_STRING:
        case FIELD_CHOICE: set_text(f, config, f->text ? f->text : ""); break;
        }
    }
}

void config_drop(const FieldTable *t, void *config)
{
    for (size_t i = 0; i < t->n; i++) {
        const Field *f = &t->fields[i];
        if (f->kind != FIELD_STRING && f->kind != FIELD_CHOICE)
            continue;
        char **slot = at(f, config);
        mem_free(*slot);
        *slot = NULL;
    }
}

bool config_same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return *a == *b;
}

const Field *config_find(const FieldTable *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (config_same_name(t->fields[i].name, key))
            return &t->fields[i];
    return NULL;
}

static Status unknown_key(const FieldTable *t, const char *key)
{
    const char **names = mem_array(const char *, t->n);
    for (size_t i = 0; i < t->n; i++)
        names[i] = t->fields[i].name;
    const char *near = nearest_name(key, names, t->n);
    mem_free(names);
    if (near)
        return fail(ST_ARG, "unknown setting '%s'; did you mean '%s'?", key, near);
    return fail(ST_ARG, "unknown setting '%s'; --help lists those there are", key);
}

/* 2e+09 reads badly, and so does 1000000000000000: whole numbers below a million in full, others as short
 * as is exact. */
static const char *number_text(char buf[32], double v)
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(buf, 32, "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    return buf;
}

/* A bound of an integer field, as people write it; bounds beyond 2^53 are "no bound" in all but name. */
static bool bound_matters(const Field *f, double bound)
{
    return isfinite(bound) && !(f->kind == FIELD_INT && fabs(bound) >= 0x1p53) && fabs(bound) < 1e300;
}

static Status check_bounds(const Field *f, double v, const char *shown)
{
    char lo[32], hi[32];
    if (v >= f->min && v <= f->max)
        return ST_OK;
    if (v < f->min)
        return fail(ST_ARG, "%s is %s and must be at least %s", f->name, shown, number_text(lo, f->min));
    return fail(ST_ARG, "%s is %s and must be at most %s", f->name, shown, number_text(hi, f->max));
}

static Status set_choice(const Field *f, void *config, const char *value)
{
    Str all = {0};
    size_t n = 0;
    for (; f->choices[n]; n++) {
        if (config_same_name(f->choices[n], value)) {
            set_text(f, config, f->choices[n]);
            str_drop(&all);
            return ST_OK;
        }
        str_addf(&all, "%s%s", n ? ", " : "", f->choices[n]);
    }
    const char *near = nearest_name(value, f->choices, n);
    Status st = near ? fail(ST_ARG, "%s is '%s', which is none of %s; did you mean '%s'?", f->name, value,
                            str_c(&all), near)
                     : fail(ST_ARG, "%s is '%s', which is none of %s", f->name, value, str_c(&all));
    str_drop(&all);
    return st;
}

/* Whole numbers may also be written as reals: 1e6, 2.5e3. */
static Status int_of(int64_t *out, const char *text)
{
    if (parse_int(out, text) == ST_OK)
        return ST_OK;
    Error first = error_take();
    double v;
    if (parse_double(&v, text) != ST_OK || v != floor(v) || fabs(v) >= 0x1p63)
        return error_put(&first);
    *out = (int64_t)v;
    return ST_OK;
}

static Status bool_of(bool *out, const char *text)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"}, {"true", "yes", "on", "1"}};
    for (int v = 0; v < 2; v++) {
        for (int i = 0; i < 4; i++) {
            if (strcasecmp(text, words[v][i]) == 0) {
                *out = v == 1;
                return ST_OK;
            }
        }
    }
    return fail(ST_ARG, "'%s' is neither true nor false", text);
}

Status config_set(const FieldTable *t, void *config, const char *key, const char *value)
{
    const Field *f = config_find(t, key);
    if (!f)
        return unknown_key(t, key);
    int64_t i = 0;
    double d = 0;
    bool b = false;
    Status st = f->kind == FIELD_INT     ? int_of(&i, value)
                : f->kind == FIELD_FLOAT ? parse_double(&d, value)
                : f->kind == FIELD_BOOL  ? bool_of(&b, value)
                                         : ST_OK;
    if (st != ST_OK)
        return fail_in(st, "%s", f->name);
    switch (f->kind) {
    case FIELD_INT:
        TRY(check_bounds(f, (double)i, value));
        *(int64_t *)at(f, config) = i;
        break;
    case FIELD_FLOAT:
        TRY(check_bounds(f, d, value));
        *(double *)at(f, config) = d;
        break;
    case FIELD_BOOL: *(bool *)at(f, config) = b; break;
    case FIELD_STRING: set_text(f, config, value); break;
    case FIELD_CHOICE: return set_choice(f, config, value);
    }
    return ST_OK;
}

/* JSON --------------------------------------------------------------------------------------------------- */

static const char *json_kind(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "a map";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "text";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "true or false";
    case JSON_NULL: break;
    }
    return "empty";
}

static const char *field_kind(FieldKind kind)
{
    static const char *const names[] = {"a whole number", "a number", "true or false", "text",
                                        "one of its choices"};
    return names[kind];
}

static Status set_json(const FieldTable *t, const Field *f, void *config, const json_t *v)
{
    char text[64];
    bool is_text = f->kind == FIELD_STRING || f->kind == FIELD_CHOICE;
    if (json_is_string(v))
        return config_set(t, config, f->name, json_string_value(v));
    if (json_is_integer(v) && (f->kind == FIELD_INT || f->kind == FIELD_FLOAT)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
        return config_set(t, config, f->name, text);
    }
    if (json_is_real(v) && (f->kind == FIELD_INT || f->kind == FIELD_FLOAT))
        return config_set(t, config, f->name, number_text(text, json_real_value(v)));
    if (json_is_boolean(v) && f->kind == FIELD_BOOL) {
        *(bool *)at(f, config) = json_is_true(v);
        return ST_OK;
    }
    return fail(ST_ARG, "%s wants %s and is %s%s", f->name, field_kind(f->kind), json_kind(v),
                is_text && (json_is_number(v) || json_is_boolean(v)) ? "; put it in quotes" : "");
}

int config_line(const json_t *object)
{
    return (int)json_integer_value(json_object_get(object, line_key));
}

void config_forget_lines(json_t *value)
{
    size_t i;
    json_t *inner;
    const char *key;
    void *next;
    if (json_is_object(value)) {
        json_object_del(value, line_key);
        json_object_foreach_safe(value, next, key, inner)
            config_forget_lines(inner);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, inner)
            config_forget_lines(inner);
    }
}

static Status at_line(Status st, const json_t *object)
{
    int line = config_line(object);
    return st != ST_OK && line > 0 ? fail_in(st, "in the map at line %d", line) : st;
}

Status config_from_json(const FieldTable *t, void *config, const json_t *object)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return fail(ST_ARG, "settings must be a map of names and values, and here is %s",
                    object ? json_kind(object) : "nothing");
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (strcmp(key, line_key) == 0)
            continue;
        const Field *f = config_find(t, key);
        Status st = f ? set_json(t, f, config, value) : unknown_key(t, key);
        if (st != ST_OK)
            return at_line(st, object);
    }
    return ST_OK;
}

json_t *config_to_json(const FieldTable *t, const void *config)
{
    json_t *object = json_object();
    for (size_t i = 0; i < t->n; i++) {
        const Field *f = &t->fields[i];
        json_t *v = NULL;
        switch (f->kind) {
        case FIELD_INT: v = json_integer(*(int64_t *)at(f, config)); break;
        case FIELD_FLOAT: v = json_real(*(double *)at(f, config)); break;
        case FIELD_BOOL: v = json_boolean(*(bool *)at(f, config)); break;
        case FIELD_STRING:
        case FIELD_CHOICE: v = json_string(*(char **)at(f, config)); break;
        }
        /* Text that is not UTF-8 has no JSON form; a name of such a file is better shown empty than lost. */
        json_object_set_new(object, f->name, v ? v : json_string(""));
    }
    return object;
}

/* For people --------------------------------------------------------------------------------------------- */

static void add_bounds(Str *line, const Field *f)
{
    char lo[32], hi[32], def[32];
    bool has_lo = bound_matters(f, f->min), has_hi = bound_matters(f, f->max);
    str_addf(line, " (%s", number_text(def, f->number));
    if (has_lo && has_hi)
        str_addf(line, "; %s to %s", number_text(lo, f->min), number_text(hi, f->max));
    else if (has_lo)
        str_addf(line, "; from %s", number_text(lo, f->min));
    else if (has_hi)
        str_addf(line, "; to %s", number_text(hi, f->max));
    str_addc(line, ')');
}

static void add_choices(Str *line, const Field *f)
{
    str_adds(line, " (");
    for (size_t i = 0; f->choices[i]; i++)
        str_addf(line, "%s%s", i ? ", " : "", f->choices[i]);
    str_addf(line, "; %s)", f->text);
}

void config_help(const FieldTable *t, FILE *out)
{
    static const char *const wants[] = {" N", " X", "", " TEXT", " NAME"};
    Str line = {0};
    for (size_t i = 0; i < t->n; i++) {
        const Field *f = &t->fields[i];
        str_clear(&line);
        str_addf(&line, "--%s%s%s", f->kind == FIELD_BOOL && f->number != 0 ? "[no-]" : "", f->name,
                 wants[f->kind]);
        for (size_t c = 0; c < line.n; c++)
            if (line.at[c] == '_')
                line.at[c] = '-';
        fprintf(out, "  %-28s %s", line.at, f->help);
        str_clear(&line);
        if (f->kind == FIELD_INT || f->kind == FIELD_FLOAT)
            add_bounds(&line, f);
        else if (f->kind == FIELD_CHOICE)
            add_choices(&line, f);
        else if (f->kind == FIELD_STRING && f->text && *f->text)
            str_addf(&line, " (%s)", f->text);
        fprintf(out, "%s\n", str_c(&line));
    }
    str_drop(&line);
}
