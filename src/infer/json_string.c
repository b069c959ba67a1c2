/* Strings, and the texts of constants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/json_build.h"
#include "infer/regex.h"
#include "infer/regex_class.h"

static const CodeRange all_codes[] = {{0, 0xD7FF}, {0xE000, 0x10FFFF}};

static int32_t quote(JsonBuild *b, int32_t next)
{
    return grammar_text(b->g, span("\""), next);
}

/* Characters --------------------------------------------------------------------------------------------- */

static int32_t hex(JsonBuild *b, const char *first, int digits, int32_t next)
{
    for (; digits > 0; digits--)
        next = grammar_any_of(b->g, "0123456789abcdefABCDEF", next);
    return grammar_any_of(b->g, first, next);
}

/* Behind \u: four digits, or eight with another \u between them for a surrogate pair; no half of one, and not
 * the character 0, which many parsers refuse. */
static int32_t hex_forms(JsonBuild *b, int32_t next)
{
    Grammar *g = b->g;
    const char *any = "0123456789abcdefABCDEF", *not_zero = "123456789abcdefABCDEF";
    int32_t last = grammar_any_of(g, any, next), last2 = grammar_any_of(g, any, last);
    int32_t low = grammar_text(g, span("\\u"), grammar_any_of(g, "dD", hex(b, "cdefCDEF", 2, next)));
    int32_t nothing = grammar_any_of(g, not_zero, next); /* 000x */
    nothing =
        grammar_either(g, grammar_any_of(g, not_zero, last), grammar_text(g, span("0"), nothing)); /* 00.. */
    nothing =
        grammar_either(g, grammar_any_of(g, not_zero, last2), grammar_text(g, span("0"), nothing)); /* 0... */
    int32_t d = grammar_either(g, grammar_any_of(g, "01234567", last2), hex(b, "89abAB", 2, low));
    int32_t forms = grammar_either(g, grammar_text(g, span("0"), nothing), grammar_any_of(g, "dD", d));
    return grammar_either(g, grammar_any_of(g, "123456789abcefABCEF", grammar_any_of(g, any, last2)), forms);
}

/* One character of a string, in any of its forms. */
static int32_t any_char(JsonBuild *b, int32_t next)
{
    static const CodeRange plain[] = {{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0xD7FF}, {0xE000, 0x10FFFF}};
    Grammar *g = b->g;
    int32_t escape = grammar_either(g, grammar_any_of(g, "\"\\/bfnrt", next),
                                    grammar_text(g, span("u"), hex_forms(b, next)));
    return grammar_either(g, grammar_chars(g, plain, 4, next), grammar_text(g, span("\\"), escape));
}

static int32_t any_chars(JsonBuild *b, int32_t min, int32_t max, int32_t next)
{
    int32_t loop;
    if (max == GRAMMAR_FOREVER && min <= 1) {
        int32_t again = grammar_star_begin(b->g), once = any_char(b, again);
        grammar_mark_text(b->g, once, again);
        again = grammar_star_end(b->g, again, once, next);
        return min ? once : again;
    }
    int32_t back = grammar_loop_begin(b->g, min, max, &loop), once = any_char(b, back);
    grammar_mark_text(b->g, once, back);
    return grammar_loop_end(b->g, loop, once, next);
}

int32_t json_any_string(JsonBuild *b)
{
    if (b->string < 0) {
        b->string = grammar_rule(b->g);
        grammar_rule_set(b->g, b->string,
                         quote(b, any_chars(b, 0, GRAMMAR_FOREVER, quote(b, grammar_return(b->g)))));
    }
    return b->string;
}

/* Formats ------------------------------------------------------------------------------------------------ */

/* Each allows a part of what its definition does, and nothing else. */
#define YEAR "(\\d{3}[1-9]|\\d\\d[1-9]0|\\d[1-9]00|[1-9]000)" /* no year 0000, which many programs lack */
#define LEAP_YEAR "(\\d\\d(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
#define DATE_DAYS                                                                                           \
    "(" YEAR "-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[" \
    "0-8]))|" LEAP_YEAR "-02-29)"
#define TIME_OF_DAY "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?"
#define TIME_ZONE "(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
#define BYTE_DECIMAL "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define HEX_GROUP "[0-9a-fA-F]{1,4}"
#define HOST_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define YEARS "\\d{1,4}Y"
#define MONTHS "\\d{1,4}M"
#define WEEKS "\\d{1,4}W"
#define DAYS "\\d{1,4}D"
#define DAY_TIME "T(\\d{1,4}H(\\d{1,4}M(\\d{1,4}S)?)?|\\d{1,4}M(\\d{1,4}S)?|\\d{1,4}S)"
#define URI_CHAR "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"

static const struct {
    const char *name, *pattern;
} formats[] = {
    {"date", "^" DATE_DAYS "$"},                                      /* RFC 3339, full-date */
    {"time", "^" TIME_OF_DAY TIME_ZONE "$"},                          /* full-time, without leap seconds */
    {"date-time", "^" DATE_DAYS "T" TIME_OF_DAY TIME_ZONE "$"},       /* date-time */
    {"uuid", "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}, /* RFC 4122 */
    {"ipv4", "^" BYTE_DECIMAL "(\\." BYTE_DECIMAL "){3}$"},           /* RFC 2673, section 3.2 */
    {"ipv6",
     "^(" HEX_GROUP "(:" HEX_GROUP "){7}|::1?|" HEX_GROUP "::(" HEX_GROUP "(:" HEX_GROUP "){0,5})?)$"},
    {"hostname", "^" HOST_LABEL "(\\." HOST_LABEL "){0,2}$"}, /* RFC 1123, up to three labels */
    {"email",
     "^[A-Za-z0-9_+-]{1,20}(\\.[A-Za-z0-9_+-]{1,20}){0,2}@[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
     "(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?){0,2}\\.[A-Za-z]{2,12}$"}, /* RFC 5321, plain ones */
    {"duration", "^P(" WEEKS "|" DAY_TIME "|(" DAYS "|" MONTHS "(" DAYS ")?|" YEARS "(" MONTHS "(" DAYS
                 ")?)?)(" DAY_TIME ")?)$"}, /* RFC 3339, appendix A */
    /* RFC 3986; without counts, so that it takes few states for each character of a maxLength */
    {"uri", "^[A-Za-z][A-Za-z0-9+.-]*:(//[A-Za-z0-9.-]+(:\\d{1,5})?|" URI_CHAR "+)(/" URI_CHAR "*)*"
            "(\\?" URI_CHAR "*)?(#" URI_CHAR "*)?$"},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const char *format_pattern(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].pattern;
    return NULL;
}

static Status refuse_format(const JsonPlace *p, const char *name)
{
    const char *known[FORMATS + 1] = {NULL};
    for (size_t i = 0; i < FORMATS; i++)
        known[i] = formats[i].name;
    return json_refuse_format(p, name, "strings", known, "\"pattern\"");
}

/* Strings ------------------------------------------------------------------------------------------------ */

static Status string_pattern(const JsonPlace *p, const char *keyword, Span *pattern)
{
    json_t *value = json_object_get(p->schema, keyword);
    *pattern = (Span){NULL, 0};
    if (!value)
        return ST_OK;
    if (!json_is_string(value))
        return json_refuse(p, ST_ARG, keyword, "is not a string");
    *pattern = (Span){json_string_value(value), json_string_length(value)};
    return ST_OK;
}

Status json_build_string(JsonBuild *b, const JsonPlace *p, int32_t next, int32_t *start)
{
    int32_t min, max;
    Span pattern, format;
    Regex *r = NULL;
    TRY(json_count(p, "minLength", 0, &min));
    TRY(json_count(p, "maxLength", GRAMMAR_FOREVER, &max));
    TRY(string_pattern(p, "pattern", &pattern));
    TRY(string_pattern(p, "format", &format));
    if (max < min)
        return json_refuse(p, ST_ARG, "maxLength", "is less than minLength");
    bool counted = min > 0 || max < GRAMMAR_FOREVER;
    if (pattern.at && format.at)
        return json_refuse(p, ST_UNSUPPORTED, "format", "not honoured beside pattern: leave out one of them");
    if (format.at) {
        const char *known = format_pattern(format.at);
        if (!known)
            return refuse_format(p, format.at);
        pattern = span(known);
    }
    if (!pattern.at) {
        *start = !counted ? grammar_call(b->g, json_any_string(b), next)
                          : quote(b, any_chars(b, min, max, quote(b, next)));
        return ST_OK;
    }
    Status st = regex_parse(&r, pattern, REGEX_SEARCH);
    if (st != ST_OK)
        return fail_in(st, "JSON Schema: \"pattern\" at %.200s", p->path);
    int32_t end = quote(b, next), shortest, longest;
    regex_lengths(r, &shortest, &longest);
    counted = shortest < min || longest > max; /* else its own bounds are enough */
    *start = quote(b, counted ? regex_build_bounded(r, b->g, grammar_json_chars, min, max, end)
                              : regex_build(r, b->g, grammar_json_chars, end));
    regex_free(r);
    return ST_OK;
}

/* Keys --------------------------------------------------------------------------------------------------- */

/* The text of a string with its quotes; only what has to be escaped is. */
static void string_text(Str *out, const char *s, size_t n)
{
    json_t *value = json_stringn_nocheck(s, n);
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    str_adds(out, text ? text : "\"\"");
    free(text);
    json_decref(value);
}

int32_t json_key(JsonBuild *b, const char *key, size_t n, int32_t next)
{
    Str text = {0};
    string_text(&text, key, n);
    int32_t node = grammar_text(b->g, str_span(&text), next);
    str_drop(&text);
    return node;
}

typedef struct {
    JsonBuild *b;
    const Span *names; /* sorted */
    int32_t rest;      /* any characters, then the quote */
    int32_t end;       /* the quote */
} OtherKey;

/* What may follow `depth` bytes that the names [from, to) have in common. */
static int32_t other_than(const OtherKey *o, size_t from, size_t to, size_t depth)
{
    Grammar *g = o->b->g;
    CodeRanges others = {0};
    bool is_name = o->names[from].n == depth;
    int32_t node = is_name ? GRAMMAR_NOTHING : o->end;
    for (size_t i = from + is_name; i < to;) {
        uint32_t code;
        int n = utf8_decode(&code, o->names[i].at + depth, o->names[i].n - depth);
        size_t k = i;
        while (k < to && memcmp(o->names[k].at + depth, o->names[i].at + depth, (size_t)n) == 0)
            k++;
        CodeRange one = {code, code};
        ranges_add(&others, code, code);
        node =
            grammar_either(g, grammar_json_chars(g, &one, 1, other_than(o, i, k, depth + (size_t)n)), node);
        i = k;
    }
    ranges_normalise(&others);
    ranges_negate(&others);
    node = grammar_either(g, grammar_json_chars(g, others.at, others.n, o->rest), node);
    array_drop(&others);
    return node;
}

static int by_bytes(const void *x, const void *y)
{
    const Span *a = x, *b = y;
    int order = memcmp(a->at, b->at, a->n < b->n ? a->n : b->n);
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* The names that have rules of their own, each once. */
static size_t listed_names(const json_t *schema, Span **out)
{
    json_t *properties = json_object_get(schema, "properties"),
           *required = json_object_get(schema, "required"), *value;
    Span *names = mem_array(Span, json_object_size(properties) + json_array_size(required) + 1);
    const char *key;
    size_t n = 0, length, i, kept = 0;
    json_object_keylen_foreach(properties, key, length, value) names[n++] = (Span){key, length};
    json_array_foreach(required, i, value) names[n++] =
        (Span){json_string_value(value), json_string_length(value)};
    if (n)
        qsort(names, n, sizeof *names, by_bytes);
    for (i = 0; i < n; i++)
        if (!kept || by_bytes(&names[kept - 1], &names[i]) != 0)
            names[kept++] = names[i];
    *out = names;
    return kept;
}

/* The characters of such a key have one form each, so that no listed name comes in disguise. */
Status json_other_key(JsonBuild *b, const JsonPlace *p, const json_t *listed, int32_t next, int32_t *start)
{
    Span *names = NULL;
    size_t n = listed_names(listed, &names);
    OtherKey o = {.b = b, .names = names, .end = quote(b, next)};
    int32_t again = grammar_star_begin(b->g);
    o.rest = grammar_star_end(b->g, again, grammar_json_chars(b->g, all_codes, 2, again), o.end);
    Status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++)
        if (names[i].n > 1000)
            st = json_refuse(p, ST_LIMIT, "properties", "a name has more than 1000 bytes");
    if (st == ST_OK)
        *start = quote(b, n ? other_than(&o, 0, n, 0) : o.rest);
    mem_free(names);
    return st;
}

/* Constants ---------------------------------------------------------------------------------------------- */

static void scalar_text(Str *out, const json_t *value)
{
    char digits[32];
    switch (json_typeof(value)) {
    case JSON_STRING: string_text(out, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER: str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
    case JSON_REAL:
        json_real_digits(digits, json_real_value(value));
        str_adds(out, digits);
        break;
    case JSON_TRUE: str_adds(out, "true"); break;
    case JSON_FALSE: str_adds(out, "false"); break;
    default: str_adds(out, "null");
    }
}

/* The texts [from, to) beyond what they have in common, as a tree. */
static int32_t text_tree(JsonBuild *b, const Span *texts, size_t from, size_t to, size_t depth, int32_t next)
{
    Span first = texts[from], last = texts[to - 1];
    size_t common = depth;
    int32_t node = GRAMMAR_NOTHING;
    if (to - from == 1 || by_bytes(&first, &last) == 0)
        return grammar_text(b->g, (Span){first.at + depth, first.n - depth}, next);
    while (common < first.n && common < last.n && first.at[common] == last.at[common])
        common++;
    for (size_t i = from; i < to;) {
        size_t k = i;
        if (texts[i].n == common) {
            node = next;
            i++;
            continue;
        }
        while (k < to && texts[k].n > common && texts[k].at[common] == texts[i].at[common])
            k++;
        node = grammar_either(b->g, text_tree(b, texts, i, k, common, next), node);
        i = k;
    }
    return grammar_text(b->g, (Span){first.at + depth, common - depth}, node);
}

static int32_t container(JsonBuild *b, const json_t *value, int32_t next)
{
    Grammar *g = b->g;
    bool object = json_is_object(value);
    int32_t close = grammar_text(g, span(object ? "}" : "]"), next), node = json_space(b, close);
    size_t n = object ? json_object_size(value) : json_array_size(value);
    const char **keys = mem_array(const char *, n + 1), *key;
    json_t **parts = mem_array(json_t *, n + 1), *part;
    size_t i = 0;
    if (object)
        json_object_foreach((json_t *)value, key, part)
        {
            keys[i] = key;
            parts[i++] = part;
        }
    for (; !object && i < n; i++)
        parts[i] = json_array_get(value, i);
    for (i = n; i-- > 0;) {
        node = json_constants(b, &parts[i], 1, node);
        if (object)
            node = json_key(b, keys[i], strlen(keys[i]), grammar_text(g, span(":"), json_space(b, node)));
        node = json_space(b, node);
        if (i > 0)
            node = grammar_text(g, span(","), node);
    }
    mem_free(keys);
    mem_free(parts);
    return grammar_text(g, span(object ? "{" : "["), n ? node : json_space(b, close));
}

int32_t json_constants(JsonBuild *b, json_t *const *values, size_t n, int32_t next)
{
    Str *texts = mem_array(Str, n + 1);
    Span *sorted = mem_array(Span, n + 1);
    int32_t node = GRAMMAR_NOTHING;
    size_t scalars = 0;
    for (size_t i = 0; i < n; i++) {
        if (json_is_object(values[i]) || json_is_array(values[i])) {
            node = grammar_either(b->g, container(b, values[i], next), node);
            continue;
        }
        scalar_text(&texts[scalars], values[i]);
        sorted[scalars] = str_span(&texts[scalars]);
        scalars++;
    }
    if (scalars) {
        qsort(sorted, scalars, sizeof *sorted, by_bytes);
        node = grammar_either(b->g, text_tree(b, sorted, 0, scalars, 0, next), node);
    }
    for (size_t i = 0; i < scalars; i++)
        str_drop(&texts[i]);
    mem_free(texts);
    mem_free(sorted);
    return node;
}
