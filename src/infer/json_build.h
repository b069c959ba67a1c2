/* How the files json_*.c make a grammar of a schema together.  Not for other files.
 *
 *     json_schema.c    which keywords there are; references, unions, types
 *     json_merge.c     several schemas that hold at once, as one
 *     json_disjoint.c  whether two schemas of a oneOf can both accept a text
 *     json_object.c    objects and arrays
 *     json_string.c    strings, formats, constants
 *     json_number.c    numbers between bounds, as digits */
#ifndef INFER_JSON_BUILD_H
#define INFER_JSON_BUILD_H

#include <jansson.h>

#include "base/arena.h"
#include "infer/grammar.h"

typedef enum {
    JSON_TYPE_NULL = 1,
    JSON_TYPE_BOOLEAN = 2,
    JSON_TYPE_INTEGER = 4,
    JSON_TYPE_NUMBER = 8, /* every number: implies integers */
    JSON_TYPE_STRING = 16,
    JSON_TYPE_ARRAY = 32,
    JSON_TYPE_OBJECT = 64,
    JSON_TYPES_ALL = 127,
} JsonType;

enum { JSON_MERGES_MAX = 64, JSON_RULES_MAX = 100000 };

/* A schema and where it stands: "#/properties/a".  `merges`: how many merged schemas it lies inside. */
typedef struct {
    json_t *schema;
    const char *path;
    int merges;
} JsonPlace;

typedef struct {
    JsonPlace place;
    int32_t rule;
} JsonTask;

typedef struct {
    Grammar *g;
    json_t *root;
    bool compact;
    Arena arena;              /* paths */
    Map *rules;               /* rule + 1 of a schema, by its address */
    Array(JsonTask) tasks;    /* rules to be built */
    Array(json_t *) made;     /* merged schemas */
    int32_t value, string;    /* the rules of any value and any string; -1 until made */
    int32_t flattened;        /* by the json_flatten or json_merge_two that is under way */
    int32_t looks, all_looks; /* of the json_disjoint that is under way, and of all */
    bool widened;             /* integers beyond 64 bits were read as reals */
} JsonBuild;

/* json_schema.c */
/* The place of a part of a place: a keyword, and below it a key or an index where `name` is not NULL. */
JsonPlace json_below(JsonBuild *b, const JsonPlace *p, json_t *schema, const char *keyword, const char *name);
/* The rule of a schema; built later. */
MUST_CHECK Status json_rule(JsonBuild *b, JsonPlace place, int32_t *rule);
/* What $ref names.  ST_ARG: nothing; ST_UNSUPPORTED: another document. */
MUST_CHECK Status json_resolve(JsonBuild *b, const JsonPlace *p, JsonPlace *target);
bool json_is_annotation(const char *keyword);
/* The types that a schema's "type" and "nullable" name; 0: none named. */
MUST_CHECK Status json_types(const JsonPlace *p, int *types);
/* The types whose keywords a schema uses; 0: none. */
int json_implied_types(const json_t *schema);
/* A count such as minLength; `otherwise` where it is absent.  ST_ARG. */
MUST_CHECK Status json_count(const JsonPlace *p, const char *keyword, int32_t otherwise, int32_t *out);
Status json_refuse(const JsonPlace *p, Status status, const char *keyword, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* ... because a "format" is none of `known` (NULL at the end), those of `what`; `otherwise` can say it. */
MUST_CHECK Status json_refuse_format(const JsonPlace *p, const char *name, const char *what,
                                     const char *const *known, const char *otherwise);
/* No white space, one space, or a line end and up to 64 blanks. */
int32_t json_space(JsonBuild *b, int32_t next);
int32_t json_any_value(JsonBuild *b); /* rules */
int32_t json_any_string(JsonBuild *b);

/* json_merge.c: without $ref and allOf at its top; `out->schema` lives as long as the build (inside of
 * json_disjoint.c: as long as the look); `out` may be `p`. */
MUST_CHECK Status json_flatten(JsonBuild *b, const JsonPlace *p, JsonPlace *out);
/* `base` (flat) and `more` together. */
MUST_CHECK Status json_merge_two(JsonBuild *b, const JsonPlace *base, const JsonPlace *more, JsonPlace *out);

/* json_disjoint.c: *disjoint only where no text that the grammar allows for either is valid for the other. */
MUST_CHECK Status json_disjoint(JsonBuild *b, const JsonPlace *x, const JsonPlace *y, bool *disjoint);
int json_value_types(const json_t *value); /* 1.0 is an integer too */
/* As JSON Schema compares: 1 and 1.0 are equal. */
bool json_same_value(const json_t *a, const json_t *b);

/* json_object.c */
MUST_CHECK Status json_build_object(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start);
MUST_CHECK Status json_build_array(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start);

/* json_string.c */
MUST_CHECK Status json_build_string(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start);
/* The texts of constants; scalars share their beginnings.  A list of json_t *. */
int32_t json_constants(JsonBuild *b, json_t *const *values, size_t n, int32_t next);
int32_t json_key(JsonBuild *b, const char *key, size_t n, int32_t next); /* with its quotes */
/* A key, with quotes, that is none of the members of `listed`. */
MUST_CHECK Status json_other_key(JsonBuild *b, const JsonPlace *p, const json_t *listed, int32_t next,
                                 int32_t *start);

/* json_number.c */
MUST_CHECK Status json_build_number(JsonBuild *b, const JsonPlace *p, bool integers_only, int32_t next,
                                    int32_t *start);
/* The shortest decimal digits that give the double back. */
void json_real_digits(char out[32], double value);

#endif
