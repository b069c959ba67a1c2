/* JSON Schema's validation, written from the standard (2020-12) and not from json_schema.c, to judge what
 * that allows.  A schema that it has no words for fails the test. */
#ifndef INFER_VALIDATOR_TEST_H
#define INFER_VALIDATOR_TEST_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* Somewhere in the text, or the whole of it. */
static inline bool pcre_matches(const char *pattern, const char *text, size_t n, bool whole)
{
    int error;
    PCRE2_SIZE at;
    uint32_t options = PCRE2_UTF | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0) | PCRE2_DOLLAR_ENDONLY;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &at, NULL);
    if (!code)
        fail_msg("PCRE2 does not take %s", pattern);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    int found = pcre2_match(code, (PCRE2_SPTR)text, n, 0, 0, match, NULL);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    return found > 0;
}

static inline bool valid(const json_t *root, const json_t *schema, const json_t *v);

static inline bool valid_type(const char *name, const json_t *v)
{
    if (strcmp(name, "number") == 0)
        return json_is_number(v);
    if (strcmp(name, "integer") == 0)
        return json_is_integer(v) || (json_is_real(v) && json_real_value(v) == floor(json_real_value(v)));
    return (strcmp(name, "null") == 0 && json_is_null(v)) ||
           (strcmp(name, "boolean") == 0 && json_is_boolean(v)) ||
           (strcmp(name, "string") == 0 && json_is_string(v)) ||
           (strcmp(name, "array") == 0 && json_is_array(v)) ||
           (strcmp(name, "object") == 0 && json_is_object(v));
}

static inline double valid_number(const json_t *schema, const char *keyword, double otherwise)
{
    json_t *n = json_object_get(schema, keyword);
    return n ? json_number_value(n) : otherwise;
}

static inline bool valid_numeric(const json_t *schema, const json_t *v)
{
    double x = json_number_value(v), step = valid_number(schema, "multipleOf", 0);
    double parts = step > 0 ? x / step : 0;
    return x >= valid_number(schema, "minimum", -INFINITY) &&
           x <= valid_number(schema, "maximum", INFINITY) &&
           (!json_object_get(schema, "exclusiveMinimum") ||
            x > valid_number(schema, "exclusiveMinimum", 0)) &&
           (!json_object_get(schema, "exclusiveMaximum") ||
            x < valid_number(schema, "exclusiveMaximum", 0)) &&
           fabs(parts - round(parts)) <= 1e-9 * fmax(1, fabs(parts));
}

static inline bool valid_string(const json_t *schema, const json_t *v)
{
    const char *s = json_string_value(v);
    double n = 0;
    for (size_t i = 0; i < json_string_length(v); i++)
        n += ((unsigned char)s[i] & 0xC0) != 0x80;
    json_t *pattern = json_object_get(schema, "pattern");
    return n >= valid_number(schema, "minLength", 0) && n <= valid_number(schema, "maxLength", INFINITY) &&
           (!pattern || pcre_matches(json_string_value(pattern), s, json_string_length(v), false));
}

static inline bool valid_array(const json_t *root, const json_t *schema, const json_t *v)
{
    size_t i, n = json_array_size(json_object_get(schema, "prefixItems"));
    json_t *item;
    if ((double)json_array_size(v) < valid_number(schema, "minItems", 0) ||
        (double)json_array_size(v) > valid_number(schema, "maxItems", INFINITY))
        return false;
    json_array_foreach(v, i, item)
    {
        json_t *s = i < n ? json_array_get(json_object_get(schema, "prefixItems"), i)
                          : json_object_get(schema, "items");
        if (s && !valid(root, s, item))
            return false;
    }
    return true;
}

static inline bool valid_object(const json_t *root, const json_t *schema, const json_t *v)
{
    json_t *required = json_object_get(schema, "required"), *name, *value, *one,
           *names = json_object_get(schema, "propertyNames");
    const char *key, *pattern;
    size_t i;
    if ((double)json_object_size(v) < valid_number(schema, "minProperties", 0) ||
        (double)json_object_size(v) > valid_number(schema, "maxProperties", INFINITY))
        return false;
    json_array_foreach(required, i, name)
    {
        if (!json_object_get(v, json_string_value(name)))
            return false;
    }
    json_object_foreach((json_t *)v, key, value)
    {
        json_t *s = json_object_get(json_object_get(schema, "properties"), key), *k = json_string(key);
        bool listed = s != NULL, fits = (!s || valid(root, s, value)) && (!names || valid(root, names, k));
        json_decref(k);
        json_object_foreach(json_object_get(schema, "patternProperties"), pattern, one)
        {
            if (!pcre_matches(pattern, key, strlen(key), false))
                continue;
            listed = true;
            fits = fits && valid(root, one, value);
        }
        s = json_object_get(schema, "additionalProperties");
        if (!fits || (!listed && s && !valid(root, s, value)))
            return false;
    }
    return true;
}

static inline int valid_among(const json_t *root, const json_t *list, const json_t *v)
{
    int n = 0;
    size_t i;
    json_t *schema;
    json_array_foreach(list, i, schema) n += valid(root, schema, v);
    return n;
}

static inline bool valid_constant(const json_t *a, const json_t *b)
{
    return json_is_number(a) && json_is_number(b) ? json_number_value(a) == json_number_value(b)
                                                  : json_equal(a, b);
}

static inline bool valid_general(const json_t *root, const json_t *schema, const json_t *v)
{
    json_t *type = json_object_get(schema, "type"), *list = json_object_get(schema, "enum"), *one,
           *ref = json_object_get(schema, "$ref");
    json_t *only = json_object_get(schema, "const"), *all = json_object_get(schema, "allOf");
    bool fits = !type || (json_is_true(json_object_get(schema, "nullable")) && json_is_null(v));
    size_t i;
    if (json_is_string(type))
        fits = fits || valid_type(json_string_value(type), v);
    json_array_foreach(type, i, one) fits = fits || valid_type(json_string_value(one), v);
    bool among = !list;
    json_array_foreach(list, i, one) among = among || valid_constant(one, v);
    if (!fits || !among || (only && !valid_constant(only, v)))
        return false;
    if (ref) { /* "#/a/b" without escapes */
        char *path = strdup(json_string_value(ref) + 1), *rest = path, *step;
        const json_t *target = root;
        while ((step = strtok_r(rest, "/", &rest)))
            target = json_is_array(target) ? json_array_get(target, (size_t)atoi(step))
                                           : json_object_get(target, step);
        free(path);
        assert_non_null(target);
        if (!valid(root, target, v))
            return false;
    }
    return (!json_object_get(schema, "anyOf") ||
            valid_among(root, json_object_get(schema, "anyOf"), v) >= 1) &&
           (!json_object_get(schema, "oneOf") ||
            valid_among(root, json_object_get(schema, "oneOf"), v) == 1) &&
           valid_among(root, all, v) == (int)json_array_size(all);
}

static inline bool valid(const json_t *root, const json_t *schema, const json_t *v)
{
    if (json_is_boolean(schema))
        return json_is_true(schema);
    return valid_general(root, schema, v) && (!json_is_number(v) || valid_numeric(schema, v)) &&
           (!json_is_string(v) || valid_string(schema, v)) &&
           (!json_is_array(v) || valid_array(root, schema, v)) &&
           (!json_is_object(v) || valid_object(root, schema, v));
}

#endif
