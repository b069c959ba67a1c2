#include "infer/regex_tree.h"

#include <stdio.h>
#include <string.h>

#include "infer/regex_class.h"

typedef struct {
    Span text;
    size_t at;
    int depth;
    RegexMode mode;
    Regex *r;
} Parser;

/* Errors ------------------------------------------------------------------------------------------------- */

/* `at` is counted in bytes from 1, and shown with what stands there. */
static Status PRINTF_LIKE(4, 5) refuse(const Parser *p, size_t from, Status status, const char *fmt, ...)
{
    char why[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    if (from >= p->text.n)
        return fail(status, "regular expression, at its end: %s", why);
    size_t n = 0;
    while (n < 12 && from + n < p->text.n) {
        uint32_t code;
        int length = utf8_decode(&code, p->text.at + from + n, p->text.n - from - n);
        n += length ? (size_t)length : 1;
    }
    return fail(status, "regular expression, byte %zu (\"%.*s%s\"): %s", from + 1, (int)n, p->text.at + from,
                from + n < p->text.n ? "..." : "", why);
}

static bool next_is(const Parser *p, const char *words)
{
    return span_starts((Span){p->text.at + p->at, p->text.n - p->at}, words);
}

static bool take(Parser *p, const char *words)
{
    if (!next_is(p, words))
        return false;
    p->at += strlen(words);
    return true;
}

static int peek(const Parser *p, size_t ahead)
{
    return p->at + ahead < p->text.n ? (unsigned char)p->text.at[p->at + ahead] : -1;
}

static Status next_code(Parser *p, uint32_t *code)
{
    int n = utf8_decode(code, p->text.at + p->at, p->text.n - p->at);
    if (!n)
        return refuse(p, p->at, ST_ARG, "not valid UTF-8");
    p->at += (size_t)n;
    return ST_OK;
}

/* Tree --------------------------------------------------------------------------------------------------- */

static int32_t add(Parser *p, RegexKind kind)
{
    array_push(&p->r->nodes, ((RegexNode){.kind = kind, .nullable = kind == RE_SEQUENCE}));
    return (int32_t)p->r->nodes.n - 1;
}

static RegexNode *node(Parser *p, int32_t at)
{
    return &p->r->nodes.at[at];
}

static void add_part(Parser *p, int32_t to, int32_t part)
{
    RegexNode *n = node(p, to);
    if (n->kind == RE_SEQUENCE)
        n->nullable &= node(p, part)->nullable;
    else
        n->nullable |= node(p, part)->nullable;
    array_push(&n->parts, part);
}

static int32_t add_class(Parser *p, CodeRanges *ranges)
{
    int32_t c = add(p, RE_CLASS);
    ranges_normalise(ranges);
    node(p, c)->ranges = *ranges;
    return c;
}

static int32_t add_repeat(Parser *p, int32_t body, int32_t min, int32_t max)
{
    int32_t r = add(p, RE_REPEAT);
    add_part(p, r, body);
    node(p, r)->min = min;
    node(p, r)->max = max;
    node(p, r)->nullable |= min == 0;
    return r;
}

static int32_t add_anything(Parser *p)
{
    CodeRanges all = {0};
    ranges_add(&all, 0, 0x10FFFF);
    return add_repeat(p, add_class(p, &all), 0, GRAMMAR_FOREVER);
}

/* Escapes ------------------------------------------------------------------------------------------------ */

static Status hex_code(Parser *p, size_t from, uint32_t *code)
{
    int digits = 0, most = p->text.at[p->at - 1] == 'x' ? 2 : 4;
    bool braces = take(p, "{");
    *code = 0;
    for (; digits < (braces ? 6 : most); digits++, p->at++) {
        int c = peek(p, 0);
        int value = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (value < 0)
            break;
        *code = *code * 16 + (uint32_t)value;
    }
    if (digits == 0 || (!braces && digits < most) || (braces && !take(p, "}")) || *code > 0x10FFFF)
        return refuse(p, from, ST_ARG,
                      "not a character's number: write \\xHH, \\uHHHH or \\x{H...} up to 10FFFF");
    return ST_OK;
}

/* \uD83D\uDE00 is one character in ECMAScript's notation. */
static Status code_with_surrogates(Parser *p, size_t from, uint32_t *code)
{
    uint32_t low = 0;
    TRY(hex_code(p, from, code));
    if (*code >= 0xD800 && *code < 0xDC00 && take(p, "\\u")) {
        TRY(hex_code(p, from, &low));
        if (low >= 0xDC00 && low < 0xE000)
            *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (*code >= 0xD800 && *code < 0xE000)
        return refuse(p, from, ST_ARG, "half a surrogate pair is no character");
    return ST_OK;
}

static Status category(Parser *p, size_t from, bool negated, CodeRanges *out)
{
    CodeRanges ranges = {0};
    Span name = {p->text.at + p->at, 1};
    if (take(p, "{")) {
        if (take(p, "^"))
            negated = !negated;
        name.at = p->text.at + p->at;
        const char *end = memchr(name.at, '}', p->text.n - p->at);
        name.n = end ? (size_t)(end - name.at) : 0;
        p->at += name.n + (end != NULL);
    } else if (p->at < p->text.n) {
        p->at++;
    } else {
        name.n = 0;
    }
    if (!ranges_add_category(&ranges, name))
        return refuse(p, from, ST_UNSUPPORTED,
                      "of Unicode's properties the general categories are honoured: \\p{L}, "
                      "\\p{Lu}, \\p{Nd} ...");
    ranges_normalise(&ranges);
    if (negated)
        ranges_negate(&ranges);
    ranges_add_all(out, &ranges);
    array_drop(&ranges);
    return ST_OK;
}

static const char *refused_escape(int c, bool in_class)
{
    if (c >= '1' && c <= '9')
        return in_class ? "octal numbers are not honoured: write \\xHH" : "back references are not honoured";
    switch (c) {
    case 'k':
    case 'g': return "back references are not honoured";
    case 'b':
    case 'B': return "word boundaries (\\b, \\B) are not honoured";
    case 'A':
    case 'z':
    case 'Z':
    case 'G': return "\\A, \\z, \\Z and \\G are not honoured: write ^ at the beginning and $ at the end";
    case 'Q':
    case 'E': return "quoting by \\Q ... \\E is not honoured: escape each character";
    case 'R':
    case 'X':
    case 'h':
    case 'H':
    case 'K':
    case 'N':
    case 'C':
    case 'V': return "\\R, \\X, \\h, \\H, \\K, \\N, \\C and \\V are not honoured";
    default: return "no such escape, or one that means different things to different programs";
    }
}

/* After a backslash.  Either *code is one character, or it is UINT32_MAX and `ranges` got a set.  `wide`:
 * inside a negated class, where the largest reading of a shorthand is the safe one. */
static Status escape(Parser *p, bool in_class, bool wide, uint32_t *code, CodeRanges *ranges)
{
    static const char plain[] = "tnrfv", values[] = "\t\n\r\f\v";
    size_t from = p->at - 1;
    int c = peek(p, 0);
    if (c < 0)
        return refuse(p, from, ST_ARG, "a backslash that escapes nothing");
    const char *simple = memchr(plain, c, 5);
    *code = UINT32_MAX;
    if (simple) {
        *code = (unsigned char)values[simple - plain];
    } else if (memchr("dDwWsS", c, 6)) {
        ranges_add_shorthand(ranges, (char)c, wide);
    } else if (c == 'x' || c == 'u') {
        p->at++;
        return code_with_surrogates(p, from, code);
    } else if (c == 'p' || c == 'P') {
        p->at++;
        return category(p, from, c == 'P', ranges);
    } else if (c == 'c' && ((peek(p, 1) | 32) >= 'a' && (peek(p, 1) | 32) <= 'z')) {
        p->at++;
        *code = (uint32_t)peek(p, 0) & 31;
    } else if (c == '0' && !(peek(p, 1) >= '0' && peek(p, 1) <= '9')) {
        *code = 0;
    } else if (c == 'b' && in_class) {
        *code = '\b';
    } else if (c >= 0x80) {
        return next_code(p, code);
    } else if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) {
        return refuse(p, from, ST_UNSUPPORTED, "%s", refused_escape(c, in_class));
    } else {
        *code = (uint32_t)c;
    }
    p->at++;
    return ST_OK;
}

/* Classes ------------------------------------------------------------------------------------------------ */

static Status class_item(Parser *p, bool negated, uint32_t *code, CodeRanges *ranges)
{
    if (next_is(p, "[:") || next_is(p, "[.") || next_is(p, "[="))
        return refuse(p, p->at, ST_UNSUPPORTED,
                      "POSIX classes are not honoured: write the characters, or escape the [");
    if (take(p, "\\"))
        return escape(p, true, negated, code, ranges);
    return next_code(p, code);
}

static Status class_body(Parser *p, size_t from, bool negated, CodeRanges *ranges)
{
    if (next_is(p, "]"))
        return refuse(p, from, ST_UNSUPPORTED,
                      "an empty class for some programs, a class with a ] for others: write \\]");
    while (!take(p, "]")) {
        uint32_t first, last;
        size_t item = p->at;
        if (p->at >= p->text.n)
            return refuse(p, from, ST_ARG, "this class is not closed by a ]");
        TRY(class_item(p, negated, &first, ranges));
        last = first;
        if (next_is(p, "-") && peek(p, 1) != ']' && peek(p, 1) >= 0) {
            p->at++;
            TRY(class_item(p, negated, &last, ranges));
            if (first == UINT32_MAX || last == UINT32_MAX)
                return refuse(p, item, ST_ARG,
                              "a range whose end is a set: escape the - if it is a character");
            if (last < first)
                return refuse(p, item, ST_ARG, "a range that runs backwards");
        }
        if (first != UINT32_MAX)
            ranges_add(ranges, first, last);
    }
    return ST_OK;
}

static Status parse_class(Parser *p, int32_t *out)
{
    size_t from = p->at - 1;
    CodeRanges ranges = {0};
    bool negated = take(p, "^");
    Status st = class_body(p, from, negated, &ranges);
    ranges_normalise(&ranges);
    if (negated)
        ranges_negate(&ranges);
    if (st == ST_OK && ranges.n == 0)
        st = refuse(p, from, ST_ARG, "a class that no character is in");
    if (st != ST_OK)
        array_drop(&ranges);
    else
        *out = add_class(p, &ranges);
    return st;
}

/* Groups, repetition, alternatives ----------------------------------------------------------------------- */

static Status parse_choice(Parser *p, int32_t *out);

/* After "(?": passes over what only names the group, refuses what does more. */
static Status group_kind(Parser *p, size_t from)
{
    if (take(p, ":"))
        return ST_OK;
    if (next_is(p, "=") || next_is(p, "!") || next_is(p, "<=") || next_is(p, "<!"))
        return refuse(p, from, ST_UNSUPPORTED, "look-around is not honoured");
    if (take(p, "<") || take(p, "P<")) {
        while (p->at < p->text.n &&
               (peek(p, 0) == '_' || peek(p, 0) >= 0x80 || (peek(p, 0) >= '0' && peek(p, 0) <= '9') ||
                ((peek(p, 0) | 32) >= 'a' && (peek(p, 0) | 32) <= 'z')))
            p->at++;
        return take(p, ">") ? ST_OK : refuse(p, from, ST_ARG, "a group's name ends with >");
    }
    if (next_is(p, ">"))
        return refuse(p, from, ST_UNSUPPORTED, "atomic groups are not honoured");
    if (next_is(p, "P="))
        return refuse(p, from, ST_UNSUPPORTED, "back references are not honoured");
    if (next_is(p, "("))
        return refuse(p, from, ST_UNSUPPORTED, "conditions are not honoured");
    if (next_is(p, "#"))
        return refuse(p, from, ST_UNSUPPORTED, "comments are not honoured");
    if (next_is(p, "R") || next_is(p, "P>") || next_is(p, "&") || (peek(p, 0) >= '0' && peek(p, 0) <= '9'))
        return refuse(p, from, ST_UNSUPPORTED, "recursion is not honoured");
    return refuse(p, from, ST_UNSUPPORTED, "flags are not honoured: write both cases as [aA]");
}

static Status parse_group(Parser *p, int32_t *out)
{
    size_t from = p->at - 1;
    if (next_is(p, "*"))
        return refuse(p, from, ST_UNSUPPORTED, "verbs (*...) are not honoured");
    if (take(p, "?"))
        TRY(group_kind(p, from));
    if (++p->depth > REGEX_DEPTH)
        return refuse(p, from, ST_LIMIT, "groups lie more than %d deep", REGEX_DEPTH);
    TRY(parse_choice(p, out));
    p->depth--;
    return take(p, ")") ? ST_OK : refuse(p, from, ST_ARG, "this group is not closed by a )");
}

static Status parse_atom(Parser *p, int32_t *out)
{
    size_t from = p->at;
    uint32_t code = UINT32_MAX;
    CodeRanges ranges = {0};
    if (take(p, "("))
        return parse_group(p, out);
    if (take(p, "["))
        return parse_class(p, out);
    if (next_is(p, "^") || next_is(p, "$"))
        return refuse(p, from, ST_UNSUPPORTED,
                      "^ and $ are honoured at the two ends of the whole expression only");
    if (next_is(p, "*") || next_is(p, "+") || next_is(p, "?"))
        return refuse(p, from, ST_ARG, "nothing to repeat");
    if (next_is(p, "{") && ((peek(p, 1) >= '0' && peek(p, 1) <= '9') || peek(p, 1) == ','))
        return refuse(p, from, ST_ARG, "nothing to repeat: a { that is a character is written \\{");
    Status st = ST_OK;
    if (take(p, "."))
        ranges_add_dot(&ranges);
    else if (take(p, "\\"))
        st = escape(p, false, false, &code, &ranges);
    else
        st = next_code(p, &code);
    if (code != UINT32_MAX)
        ranges_add(&ranges, code, code);
    if (st != ST_OK)
        array_drop(&ranges);
    else
        *out = add_class(p, &ranges);
    return st;
}

static bool take_number(Parser *p, int64_t *n)
{
    size_t from = p->at;
    *n = 0;
    for (; peek(p, 0) >= '0' && peek(p, 0) <= '9'; p->at++)
        *n = *n > REGEX_REPEAT ? *n : *n * 10 + (peek(p, 0) - '0');
    return p->at > from;
}

/* {m} {m,} {m,n}; *found is false where the brace is a character. */
static Status take_counts(Parser *p, int64_t *min, int64_t *max, bool *found)
{
    size_t from = p->at;
    *found = false;
    if (!next_is(p, "{") || !((peek(p, 1) >= '0' && peek(p, 1) <= '9') || peek(p, 1) == ','))
        return ST_OK;
    p->at++;
    if (!take_number(p, min))
        return refuse(p, from, ST_UNSUPPORTED,
                      "{,n} is a count for some programs and text for others: write {0,n} or \\{");
    *max = *min;
    if (take(p, ",") && !take_number(p, max))
        *max = GRAMMAR_FOREVER;
    if (!take(p, "}"))
        return refuse(p, from, ST_ARG,
                      "a count is {m}, {m,} or {m,n}: a { that is a character is written \\{");
    if (*min > REGEX_REPEAT || (*max > REGEX_REPEAT && *max != GRAMMAR_FOREVER))
        return refuse(p, from, ST_LIMIT, "counts go up to %d", REGEX_REPEAT);
    if (*max < *min)
        return refuse(p, from, ST_ARG, "at least more than at most");
    *found = true;
    return ST_OK;
}

static Status parse_repeat(Parser *p, int32_t *out)
{
    TRY(parse_atom(p, out));
    for (bool counted = true; counted;) {
        int64_t min = 0, max = GRAMMAR_FOREVER;
        size_t from = p->at;
        TRY(take_counts(p, &min, &max, &counted));
        if (!counted) {
            if (take(p, "?"))
                max = 1;
            else if (take(p, "+"))
                min = 1;
            else if (!take(p, "*"))
                return ST_OK;
        }
        *out = add_repeat(p, *out, (int32_t)min, (int32_t)max);
        if (next_is(p, "+"))
            return refuse(p, from, ST_UNSUPPORTED, "possessive repetition is not honoured");
        take(p, "?"); /* lazy: the same texts */
        if (next_is(p, "*") || next_is(p, "+") || next_is(p, "?"))
            return refuse(p, p->at, ST_ARG, "a repetition of a repetition: put the first into (?:...)");
    }
    return ST_OK;
}

/* At the outermost level each alternative may begin with ^ and end with $; where it does not, a search may
 * have anything there. */
static Status parse_sequence(Parser *p, bool outermost, int32_t *out)
{
    int32_t part, sequence = add(p, RE_SEQUENCE);
    if (outermost && !take(p, "^") && p->mode == REGEX_SEARCH)
        add_part(p, sequence, add_anything(p));
    while (p->at < p->text.n && !next_is(p, "|") && !next_is(p, ")")) {
        bool last = peek(p, 1) < 0 || peek(p, 1) == '|';
        if (outermost && next_is(p, "$") && last) {
            p->at++;
            *out = sequence;
            return ST_OK;
        }
        TRY(parse_repeat(p, &part));
        add_part(p, sequence, part);
    }
    if (outermost && p->mode == REGEX_SEARCH)
        add_part(p, sequence, add_anything(p));
    *out = node(p, sequence)->parts.n == 1 ? node(p, sequence)->parts.at[0] : sequence;
    return ST_OK;
}

/* One class for two alternatives that are classes: (.|\n) is a set of characters. */
static bool join_classes(Parser *p, int32_t *a, int32_t b)
{
    if (node(p, *a)->kind != RE_CLASS || node(p, b)->kind != RE_CLASS)
        return false;
    CodeRanges both = {0};
    ranges_add_all(&both, &node(p, *a)->ranges);
    ranges_add_all(&both, &node(p, b)->ranges);
    *a = add_class(p, &both);
    return true;
}

static Status parse_choice(Parser *p, int32_t *out)
{
    bool outermost = p->depth == 0;
    int32_t part;
    int32_t choice = GRAMMAR_NOTHING, last;
    TRY(parse_sequence(p, outermost, &last));
    while (take(p, "|")) {
        TRY(parse_sequence(p, outermost, &part));
        if (join_classes(p, &last, part))
            continue;
        choice = choice < 0 ? add(p, RE_CHOICE) : choice;
        add_part(p, choice, last);
        last = part;
    }
    if (choice >= 0)
        add_part(p, choice, last);
    *out = choice >= 0 ? choice : last;
    return ST_OK;
}

Status regex_parse(Regex **out, Span pattern, RegexMode mode)
{
    Parser p = {.text = pattern, .mode = mode, .r = mem_new(Regex)};
    Status st = ST_OK;
    if (pattern.n > REGEX_BYTES)
        st = fail(ST_LIMIT, "regular expression: longer than %d bytes", REGEX_BYTES);
    if (st == ST_OK)
        st = parse_choice(&p, &p.r->root);
    if (st == ST_OK && p.at < pattern.n)
        st = refuse(&p, p.at, ST_ARG, "a ) that closes nothing: a ) that is a character is written \\)");
    if (st == ST_OK)
        *out = p.r;
    else
        regex_free(p.r);
    return st;
}

void regex_free(Regex *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->nodes.n; i++) {
        array_drop(&r->nodes.at[i].ranges);
        array_drop(&r->nodes.at[i].parts);
    }
    array_drop(&r->nodes);
    mem_free(r);
}
