/* Numbers between bounds, as nodes that read digits.
 *
 * A bound is followed digit by digit: as long as the digits read are those of the bound, the next one may not
 * pass it; afterwards every digit is free.  Between two bounds of the same length there are four cases (at
 * the lower, at the upper, at both, at neither), and a shorter or longer number is at neither from its first
 * digit on.
 *
 * Integers have the range of 64 bits.  Other numbers have up to 18 digits before the point and up to 17
 * behind it, and an exponent of up to two digits where nothing bounds them.  Where a bound is strict they
 * have no more digits than a double keeps: another number is then another double, too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/json_build.h"

enum {
    INTEGER_DIGITS = 19,
    WHOLE_DIGITS = 18,
    FRACTION_DIGITS = 17,
    BOUND_DIGITS = 40,
    ALL_DIGITS = WHOLE_DIGITS + FRACTION_DIGITS,
    DOUBLE_DIGITS = 15, /* DBL_DIG */
    FLOAT_DIGITS = 6,   /* FLT_DIG */
    MULTIPLE_MAX = 10000
};

void json_real_digits(char out[32], double value)
{
    if (value == floor(value) && fabs(value) < 1e15) {
        snprintf(out, 32, "%.1f", value); /* 100.0 and not 1e+02 */
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
}

/* Integers ----------------------------------------------------------------------------------------------- */

typedef struct {
    Grammar *g;
    char low[24], high[24]; /* of `n` digits each */
    int n;
    uint32_t multiple; /* of which the number has to be one */
    int32_t *free; /* [INTEGER_DIGITS + 1][multiple] nodes of what is at neither bound, + 1; 0: not built */
    int32_t next;
} Digits;

static int32_t free_digits(Digits *d, int left, uint32_t rest)
{
    int32_t *known = &d->free[(uint32_t)left * d->multiple + rest], node = GRAMMAR_NOTHING;
    if (left == 0)
        return rest == 0 ? d->next : GRAMMAR_NOTHING;
    if (*known)
        return *known - 1;
    if (d->multiple == 1) {
        node = grammar_byte_range(d->g, '0', '9', free_digits(d, left - 1, 0));
    } else {
        for (uint32_t digit = 0; digit < 10; digit++) {
            int32_t then = free_digits(d, left - 1, (rest * 10 + digit) % d->multiple);
            node = grammar_either(d->g, grammar_byte_range(d->g, '0' + (int)digit, '0' + (int)digit, then),
                                  node);
        }
    }
    *known = node + 1;
    return node;
}

/* The digits from `at` on; so far they are the lower's, the upper's or both's. */
static int32_t bounded_digits(Digits *d, int at, bool low, bool high, uint32_t rest)
{
    int32_t node = GRAMMAR_NOTHING;
    if (!low && !high)
        return free_digits(d, d->n - at, rest);
    if (at == d->n)
        return rest == 0 ? d->next : GRAMMAR_NOTHING;
    int first = low ? d->low[at] : '0', last = high ? d->high[at] : '9';
    for (int digit = first; digit <= last; digit++) {
        int32_t then = bounded_digits(d, at + 1, low && digit == first, high && digit == last,
                                      (rest * 10 + (uint32_t)(digit - '0')) % d->multiple);
        node = grammar_either(d->g, grammar_byte_range(d->g, digit, digit, then), node);
    }
    return node;
}

/* Whole numbers from low to high. */
static int32_t whole_range(Grammar *g, uint64_t low, uint64_t high, uint32_t multiple, int32_t next)
{
    int32_t node = GRAMMAR_NOTHING;
    Digits d = {.g = g, .multiple = multiple, .next = next};
    d.free = mem_array(int32_t, (INTEGER_DIGITS + 2) * (size_t)multiple);
    uint64_t least = 0; /* of this many digits */
    for (d.n = 1; d.n <= INTEGER_DIGITS; d.n++) {
        uint64_t most = least == 0 ? 9 : least * 10 - 1;
        uint64_t from = low > least ? low : least, to = high < most ? high : most;
        if (from <= to) {
            snprintf(d.low, sizeof d.low, "%llu", (unsigned long long)from);
            snprintf(d.high, sizeof d.high, "%llu", (unsigned long long)to);
            node = grammar_either(g, bounded_digits(&d, 0, true, true, 0), node);
        }
        least = most + 1;
    }
    mem_free(d.free);
    return node;
}

static int32_t integer_range(Grammar *g, int64_t low, int64_t high, uint32_t multiple, int32_t next)
{
    int32_t node = GRAMMAR_NOTHING;
    if (high >= 0)
        node = whole_range(g, low > 0 ? (uint64_t)low : 0, (uint64_t)high, multiple, next);
    if (low < 0) {
        uint64_t least = high < 0 ? (uint64_t)-high : 1, most = (uint64_t) - (low + 1) + 1;
        node =
            grammar_either(g, grammar_text(g, span("-"), whole_range(g, least, most, multiple, next)), node);
    }
    return node;
}

/* Formats ------------------------------------------------------------------------------------------------ */

typedef struct {
    const char *name;
    int64_t low, high; /* of an integer; 0, 0: of any number */
    bool single;       /* a float of 32 bits */
} NumberFormat;

static const NumberFormat formats[] = {
    {"int8", INT8_MIN, INT8_MAX, false},
    {"int16", INT16_MIN, INT16_MAX, false},
    {"int32", INT32_MIN, INT32_MAX, false},
    {"int64", INT64_MIN, INT64_MAX, false},
    {"uint8", 0, UINT8_MAX, false},
    {"uint16", 0, UINT16_MAX, false},
    {"uint32", 0, UINT32_MAX, false},
    {"uint64", 0, INT64_MAX, false},      /* as far as integers go here */
    {"int", INT64_MIN, INT64_MAX, false}, /* schemars' names of Rust's isize and usize */
    {"uint", 0, INT64_MAX, false},
    {"float", 0, 0, true},
    {"double", 0, 0, false},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static Status refuse_format(const JsonPlace *p, const char *name)
{
    const char *known[FORMATS + 1] = {NULL};
    for (size_t i = 0; i < FORMATS; i++)
        known[i] = formats[i].name;
    return json_refuse_format(p, name, "numbers", known, "bounds");
}

/* *out is NULL where none is given, or one that speaks of the strings which the schema allows as well. */
static Status number_format(const JsonPlace *p, bool integers_only, const NumberFormat **out)
{
    json_t *value = json_object_get(p->schema, "format");
    int types;
    *out = NULL;
    if (!value)
        return ST_OK;
    if (!json_is_string(value))
        return json_refuse(p, ST_ARG, "format", "is not a string");
    TRY(json_types(p, &types));
    for (size_t i = 0; i < FORMATS && !*out; i++)
        if (strcmp(formats[i].name, json_string_value(value)) == 0 && (formats[i].high || !integers_only))
            *out = &formats[i];
    bool of_strings = (types ? types : json_implied_types(p->schema)) & JSON_TYPE_STRING;
    return *out || of_strings ? ST_OK : refuse_format(p, json_string_value(value));
}

/* Bounds ------------------------------------------------------------------------------------------------- */

/* A bound of `keyword`, as a whole number towards the inside. */
static Status integer_bound(const JsonPlace *p, const char *keyword, bool lower, bool strict, int64_t *bound)
{
    json_t *value = json_object_get(p->schema, keyword);
    int64_t n;
    if (!value)
        return ST_OK;
    if (!json_is_number(value))
        return json_refuse(p, ST_ARG, keyword,
                           strict && json_is_boolean(value)
                               ? "is true or false, as in draft 4: write the bound itself"
                               : "is not a number");
    if (json_is_integer(value)) {
        n = json_integer_value(value);
    } else {
        double x = json_real_value(value), whole = lower ? ceil(x) : floor(x);
        strict = strict && whole == x;
        if (lower ? whole < -0x1p63 : whole >= 0x1p63)
            return ST_OK; /* beyond every integer of 64 bits */
        if (lower ? whole >= 0x1p63 : whole < -0x1p63)
            return json_refuse(p, ST_UNSUPPORTED, keyword, "leaves no integer of 64 bits");
        n = (int64_t)whole;
    }
    if (strict && n == (lower ? INT64_MAX : INT64_MIN))
        return json_refuse(p, ST_ARG, keyword, "leaves no integer of 64 bits");
    n += strict ? (lower ? 1 : -1) : 0;
    if (lower ? n > *bound : n < *bound)
        *bound = n;
    return ST_OK;
}

static Status build_integer(JsonBuild *b, const JsonPlace *p, const NumberFormat *format, int32_t next,
                            int32_t *start)
{
    bool bounded = format && format->high;
    int64_t low = bounded ? format->low : INT64_MIN, high = bounded ? format->high : INT64_MAX;
    json_t *multiple = json_object_get(p->schema, "multipleOf");
    double step = multiple ? json_number_value(multiple) : 1;
    TRY(integer_bound(p, "minimum", true, false, &low));
    TRY(integer_bound(p, "exclusiveMinimum", true, true, &low));
    TRY(integer_bound(p, "maximum", false, false, &high));
    TRY(integer_bound(p, "exclusiveMaximum", false, true, &high));
    if (!(step > 0))
        return json_refuse(p, ST_ARG, "multipleOf", "is not a number above 0");
    if (step < 1 && fmod(1, step) == 0)
        step = 1; /* every integer is one */
    if (step > MULTIPLE_MAX || step != floor(step))
        return json_refuse(p, ST_UNSUPPORTED, "multipleOf", "honoured for integers up to %d", MULTIPLE_MAX);
    if (low > high)
        return json_refuse(p, ST_ARG, "maximum", "leaves no integer between it and the minimum%s",
                           bounded ? " that the format allows" : "");
    *start = integer_range(b->g, low, high, (uint32_t)step, next);
    return ST_OK;
}

/* Other numbers ------------------------------------------------------------------------------------------ */

/* The size of a number: digits before the point without leading zeros ("0" for none), digits behind it
 * without trailing ones. */
typedef struct {
    char whole[BOUND_DIGITS + 1], part[BOUND_DIGITS + 1];
    bool negative, strict;
} Decimal;

/* From "-1.25e3"; false: more digits than are followed. */
static bool decimal_of(Decimal *d, const char *text)
{
    char digits[32];
    int n = 0, point = -1;
    d->negative = *text == '-';
    for (text += d->negative; *text && *text != 'e'; text++) {
        if (*text == '.')
            point = n;
        else
            digits[n++] = *text;
    }
    point = (point < 0 ? n : point) + (*text ? atoi(text + 1) : 0);
    if (point > BOUND_DIGITS || n - point > BOUND_DIGITS || point < -BOUND_DIGITS)
        return false;
    Str whole = {0}, part = {0};
    for (int i = 0; i < point; i++)
        str_addc(&whole, i < n ? digits[i] : '0');
    for (int i = point; i < n; i++)
        str_addc(&part, i < 0 ? '0' : digits[i]);
    const char *w = str_c(&whole);
    while (w[0] == '0' && w[1])
        w++;
    while (part.n && part.at[part.n - 1] == '0')
        part.at[--part.n] = 0;
    bool fits = strlen(w) <= WHOLE_DIGITS && part.n <= BOUND_DIGITS;
    if (fits) {
        snprintf(d->whole, sizeof d->whole, "%s", *w ? w : "0");
        snprintf(d->part, sizeof d->part, "%s", str_c(&part));
    }
    str_drop(&whole);
    str_drop(&part);
    return fits;
}

/* Of sizes, signs aside. */
static int compare_sizes(const Decimal *a, const Decimal *b)
{
    size_t n = strlen(a->whole), m = strlen(b->whole);
    if (n != m)
        return n < m ? -1 : 1;
    int whole = strcmp(a->whole, b->whole);
    return whole ? whole : strcmp(a->part, b->part);
}

typedef struct {
    int behind, all; /* digits behind the point, and all but the zeros in front, at most */
} Places;

typedef struct {
    Grammar *g;
    const Decimal *low, *high;
    Places places;
    int32_t next;
    int32_t free[FRACTION_DIGITS + 1]; /* up to so many digits of what is at neither bound, or the end */
    /* What follows the digits before the point, by whether they are 0 and whether they are the bounds'. */
    int32_t fraction[2][2][2];
    int n; /* digits before the point */
} Sizes;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Whether the number may end after `at` digits behind the point, which so far are the bounds'. */
static bool may_stop(const Sizes *s, int at, bool low, bool high)
{
    bool low_more = low && strlen(s->low->part) > (size_t)at,
         high_more = high && strlen(s->high->part) > (size_t)at;
    if (low && (low_more || s->low->strict))
        return false;
    return !high || high_more || !s->high->strict;
}

/* The digits from `at` on behind the point; `left`: how many more there may be, zeros in front aside. */
static int32_t part_digits(const Sizes *s, int at, int left, bool zeros, bool low, bool high)
{
    int32_t node = at > 0 && may_stop(s, at, low, high) ? s->next : GRAMMAR_NOTHING;
    if (at == s->places.behind || left == 0)
        return node;
    if (!low && !high) {
        int32_t more = s->free[smaller(s->places.behind - at - 1, left - 1)];
        int32_t zero = zeros ? part_digits(s, at + 1, left, true, false, false) : more;
        return grammar_either(s->g, node,
                              grammar_either(s->g, grammar_byte_range(s->g, '0', '0', zero),
                                             grammar_byte_range(s->g, '1', '9', more)));
    }
    int first = !low ? '0' : strlen(s->low->part) > (size_t)at ? s->low->part[at] : '0';
    int last = !high ? '9' : strlen(s->high->part) > (size_t)at ? s->high->part[at] : '0';
    for (int digit = first; digit <= last; digit++) {
        bool zero = zeros && digit == '0';
        int32_t then =
            part_digits(s, at + 1, left - !zero, zero, low && digit == first, high && digit == last);
        node = grammar_either(s->g, grammar_byte_range(s->g, digit, digit, then), node);
    }
    return node;
}

static int32_t whole_digits(const Sizes *s, int at, bool zero, bool low, bool high)
{
    int32_t node = GRAMMAR_NOTHING;
    if (at == s->n)
        return s->fraction[zero][low][high];
    int first = low                   ? s->low->whole[at]
                : at == 0 && s->n > 1 ? '1'
                                      : '0',
        last = high ? s->high->whole[at] : '9';
    if (!low && !high && at > 0)
        return grammar_byte_range(s->g, '0', '9', whole_digits(s, at + 1, false, false, false));
    for (int digit = first; digit <= last; digit++) {
        int32_t then =
            whole_digits(s, at + 1, at == 0 && digit == '0', low && digit == first, high && digit == last);
        node = grammar_either(s->g, grammar_byte_range(s->g, digit, digit, then), node);
    }
    return node;
}

/* For numbers of s->n digits before the point. */
static void build_fractions(Sizes *s)
{
    for (int zero = 0; zero < 2; zero++)
        for (int l = 0; l < 2; l++)
            for (int h = 0; h < 2; h++) {
                int left = s->places.all - (zero ? 0 : s->n);
                int32_t part = s->places.behind
                                   ? grammar_text(s->g, span("."), part_digits(s, 0, left, zero, l, h))
                                   : GRAMMAR_NOTHING;
                s->fraction[zero][l][h] =
                    grammar_either(s->g, may_stop(s, 0, l, h) ? s->next : GRAMMAR_NOTHING, part);
            }
}

/* Numbers without sign from low to high. */
static int32_t size_range(Grammar *g, const Decimal *low, const Decimal *high, Places places, int32_t next)
{
    Sizes s = {.g = g, .low = low, .high = high, .places = places, .next = next};
    int32_t node = GRAMMAR_NOTHING;
    int shortest = (int)strlen(low->whole), longest = smaller((int)strlen(high->whole), places.all);
    s.free[0] = next;
    for (int i = 1; i <= places.behind; i++)
        s.free[i] = grammar_either(g, next, grammar_byte_range(g, '0', '9', s.free[i - 1]));
    for (s.n = shortest; s.n <= longest; s.n++) {
        build_fractions(&s);
        node = grammar_either(g, whole_digits(&s, 0, false, s.n == shortest, s.n == (int)strlen(high->whole)),
                              node);
    }
    return node;
}

static Decimal zero(bool strict)
{
    return (Decimal){.whole = "0", .strict = strict};
}

static Decimal largest(void)
{
    return (Decimal){.whole = "999999999999999999"};
}

typedef struct {
    bool given;
    double value;
    Decimal decimal;
} Bound;

/* The tighter of the two keywords. */
static Status real_bound(const JsonPlace *p, const char *keyword, const char *strict_keyword, bool lower,
                         Bound *bound)
{
    for (int strict = 0; strict < 2; strict++) {
        const char *name = strict ? strict_keyword : keyword;
        json_t *value = json_object_get(p->schema, name);
        char digits[32];
        if (!value)
            continue;
        if (!json_is_number(value))
            return json_refuse(p, ST_ARG, name,
                               strict && json_is_boolean(value)
                                   ? "is true or false, as in draft 4: write the bound itself"
                                   : "is not a number");
        double x = json_number_value(value);
        if (bound->given && (lower ? x < bound->value : x > bound->value))
            continue;
        *bound = (Bound){.given = true, .value = x};
        if (lower ? x <= -1e18 : x >= 1e18) { /* beyond all that is written */
            bound->decimal = largest();
            continue;
        }
        if (json_is_integer(value) && !strict)
            snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            json_real_digits(digits, x);
        if (!decimal_of(&bound->decimal, digits))
            return json_refuse(p, ST_UNSUPPORTED, name,
                               "honoured up to %d digits before the point and %d behind it", WHOLE_DIGITS,
                               BOUND_DIGITS);
        bound->decimal.strict = strict;
    }
    return ST_OK;
}

/* Digits behind the point where multipleOf is 1, 0.1, 0.01 ...; -1: something else. */
static int decimal_places(double step)
{
    for (int places = 0; places <= FRACTION_DIGITS; places++) {
        char text[32];
        snprintf(text, sizeof text, "1e-%d", places);
        if (strtod(text, NULL) == step)
            return places;
    }
    return -1;
}

static int32_t any_number(Grammar *g, int32_t next)
{
    Decimal low = zero(false), high = largest();
    int32_t digit = grammar_byte_range(g, '0', '9', next),
            digits = grammar_either(g, digit, grammar_byte_range(g, '0', '9', digit));
    int32_t sign = grammar_either(g, digits, grammar_any_of(g, "+-", digits));
    int32_t end = grammar_either(g, next, grammar_any_of(g, "eE", sign));
    int32_t size = size_range(g, &low, &high, (Places){FRACTION_DIGITS, ALL_DIGITS}, end);
    return grammar_either(g, size, grammar_text(g, span("-"), size));
}

static Status build_real(JsonBuild *b, const JsonPlace *p, const NumberFormat *format, int32_t next,
                         int32_t *start)
{
    Bound low = {0}, high = {0};
    Grammar *g = b->g;
    json_t *multiple = json_object_get(p->schema, "multipleOf");
    TRY(real_bound(p, "minimum", "exclusiveMinimum", true, &low));
    TRY(real_bound(p, "maximum", "exclusiveMaximum", false, &high));
    bool strict = low.decimal.strict || high.decimal.strict, single = format && format->single;
    Places places = {FRACTION_DIGITS, !strict ? ALL_DIGITS : single ? FLOAT_DIGITS : DOUBLE_DIGITS};
    if (multiple) {
        double step = json_number_value(multiple);
        if (!json_is_number(multiple) || !(step > 0))
            return json_refuse(p, ST_ARG, "multipleOf", "is not a number above 0");
        places.behind = decimal_places(step);
        if (places.behind < 0 && step == floor(step))
            return build_integer(b, p, format, next, start);
        if (places.behind < 0)
            return json_refuse(p, ST_UNSUPPORTED, "multipleOf",
                               "honoured for whole numbers and for 0.1, 0.01, 0.001 ...");
    }
    if (!low.given && !high.given && !multiple && !single) { /* exponents lead out of what a float holds */
        *start = any_number(g, next);
        return ST_OK;
    }
    if (low.given && high.given && low.value > high.value)
        return json_refuse(p, ST_ARG, "maximum", "is less than the minimum");
    Decimal top = largest(), nought = zero(false), above = zero(true);
    *start = GRAMMAR_NOTHING;
    if (!high.given || high.value >= 0) {
        Decimal *from = low.given && low.value >= 0 ? &low.decimal : &nought,
                *to = high.given ? &high.decimal : &top;
        to->negative = false;
        if (compare_sizes(from, to) <= 0)
            *start = size_range(g, from, to, places, next);
    }
    if (!low.given || low.value < 0) { /* the sizes of what is below 0: the bounds change places */
        Decimal *from = high.given && high.value < 0 ? &high.decimal : &above,
                *to = low.given ? &low.decimal : &top;
        if (compare_sizes(from, to) <= 0)
            *start =
                grammar_either(g, grammar_text(g, span("-"), size_range(g, from, to, places, next)), *start);
    }
    if (*start == GRAMMAR_NOTHING)
        return json_refuse(p, ST_ARG, high.given ? "maximum" : "minimum",
                           "leaves no number of as many digits as are honoured");
    return ST_OK;
}

Status json_build_number(JsonBuild *b, const JsonPlace *p, bool integers_only, int32_t next, int32_t *start)
{
    const NumberFormat *format;
    TRY(number_format(p, integers_only, &format));
    return integers_only || (format && format->high) ? build_integer(b, p, format, next, start)
                                                     : build_real(b, p, format, next, start);
}
