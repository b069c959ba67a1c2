#include "eval/spider_tokens.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/map.h"

enum { QUERY_MAX = 20000 };

/* The text, rule by rule: each makes a new text from the last one. --------------------------------------- */

typedef struct {
    Str now, next;
} Text;

static void turn(Text *t)
{
    Str last = t->now;
    t->now = t->next;
    t->next = last;
    str_clear(&t->next);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A character outside ASCII: 0 as it is, 1 a blank, 2 stands alone (quotes « “ ‘ „ » ” ’, dashes). */
static int wide_kind(uint32_t c)
{
    static const uint32_t alone[] = {0xAB,   0xBB,   0x2018, 0x2019, 0x201C, 0x201D,
                                     0x201E, 0x2012, 0x2013, 0x2014, 0x2015};
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
        if (c == alone[i])
            return 2;
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static void space_wide(Text *t)
{
    for (size_t i = 0; i < t->now.n;) {
        uint32_t c = 0;
        int n = utf8_decode(&c, t->now.at + i, t->now.n - i);
        int kind = n > 1 ? wide_kind(c) : 0;
        n = n ? n : 1;
        str_adds(&t->next, kind ? " " : "");
        if (kind != 1)
            str_add(&t->next, t->now.at + i, (size_t)n);
        str_adds(&t->next, kind ? " " : "");
        i += (size_t)n;
    }
    turn(t);
}

/* Backticks alone, two and two. */
static void space_backticks(Text *t)
{
    for (size_t i = 0; i < t->now.n; i++) {
        bool tick = t->now.at[i] == '`', two = tick && i + 1 < t->now.n && t->now.at[i + 1] == '`';
        if (tick)
            str_adds(&t->next, two ? " `` " : " ` ");
        else
            str_addc(&t->next, t->now.at[i]);
        i += two;
    }
    turn(t);
}

/* The period that ends the text, closing marks behind it or not. */
static void space_last_period(Text *t)
{
    size_t end = t->now.n;
    while (end && (is_blank(t->now.at[end - 1]) || strchr("])}>", t->now.at[end - 1])))
        end--;
    if (end < 2 || t->now.at[end - 1] != '.' || t->now.at[end - 2] == '.')
        return;
    str_add(&t->next, t->now.at, end - 1);
    str_adds(&t->next, " . ");
    str_add(&t->next, t->now.at + end, t->now.n - end);
    turn(t);
}

/* Colons and commas, but not before a digit; what follows one is not looked at again. */
static void space_commas(Text *t)
{
    for (size_t i = 0; i < t->now.n; i++) {
        char c = t->now.at[i];
        bool apart = (c == ':' || c == ',') && (i + 1 == t->now.n || !is_digit(t->now.at[i + 1]));
        str_adds(&t->next, apart ? " " : "");
        str_addc(&t->next, c);
        if (apart) {
            str_addc(&t->next, ' ');
            if (++i < t->now.n)
                str_addc(&t->next, t->now.at[i]);
        }
    }
    turn(t);
}

/* Two and more periods; two dashes. */
static void space_runs(Text *t)
{
    for (size_t i = 0, n; i < t->now.n; i += n) {
        char c = t->now.at[i];
        for (n = 1; (c == '.' || (c == '-' && n < 2)) && i + n < t->now.n && t->now.at[i + n] == c;)
            n++;
        str_adds(&t->next, n > 1 ? " " : "");
        str_add(&t->next, t->now.at + i, n);
        str_adds(&t->next, n > 1 ? " " : "");
    }
    turn(t);
}

static void space_marks(Text *t)
{
    for (size_t i = 0; i < t->now.n; i++)
        if (strchr(";@#$%&?!*[](){}<>", t->now.at[i]))
            str_addf(&t->next, " %c ", t->now.at[i]);
        else
            str_addc(&t->next, t->now.at[i]);
    turn(t);
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* "cannot" is two words of English, and so of NLTK. */
static void space_contractions(Text *t)
{
    static const struct {
        const char *whole;
        size_t first;
    } words[] = {{"cannot", 3}, {"gimme", 3}, {"gonna", 3}, {"gotta", 3}, {"lemme", 3}, {"wanna", 3}};
    for (size_t i = 0; i < t->now.n; i++) {
        size_t k = 0, left = t->now.n - i, kinds = sizeof words / sizeof words[0], n = 0;
        bool begins = i == 0 || !is_word_char(t->now.at[i - 1]);
        for (; begins && k < kinds; k++, n = 0) {
            n = strlen(words[k].whole);
            if (left >= n && strncasecmp(t->now.at + i, words[k].whole, n) == 0 &&
                (left == n || !is_word_char(t->now.at[i + n])))
                break;
        }
        if (!begins || k == kinds || (k == kinds - 1 && left > n && !is_blank(t->now.at[i + n]))) {
            str_addc(&t->next, t->now.at[i]);
            continue;
        }
        str_addf(&t->next, " %.*s %.*s ", (int)words[k].first, t->now.at + i, (int)(n - words[k].first),
                 t->now.at + i + words[k].first);
        i += n - 1;
    }
    turn(t);
}

/* Words. ------------------------------------------------------------------------------------------------- */

/* Values become words of their own, "__val_3_9__"; `values` has what they stand for, by its place in *query.
 */
static Status set_values_apart(Text *t, Map *values, Str *query)
{
    bool open = false;
    size_t from = 0;
    for (size_t i = 0; i < query->n; i++) {
        if (query->at[i] == '\'')
            query->at[i] = '"';
        if (query->at[i] != '"') {
            if (!open)
                str_addc(&t->now, query->at[i]);
            continue;
        }
        open = !open;
        if (open) {
            from = i;
            continue;
        }
        char key[48];
        size_t n = (size_t)snprintf(key, sizeof key, "__val_%zu_%zu__", from, i);
        *map_put(values, key, n) = (int64_t)from << 32 | (int64_t)(i + 1 - from);
        str_add(&t->now, key, n);
    }
    return open ? fail(ST_FORMAT, "an odd number of quotes") : ST_OK;
}

static Span lower(Arena *arena, Span word)
{
    Str low = {0};
    for (size_t i = 0; i < word.n;) {
        uint32_t c = 0;
        int n = utf8_decode(&c, word.at + i, word.n - i);
        if (n)
            str_add_utf8(&low, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
        else
            str_addc(&low, word.at[i]);
        i += n ? (size_t)n : 1;
    }
    Span kept = {arena_strn(arena, str_c(&low), low.n), low.n};
    str_drop(&low);
    return kept;
}

static void add_words(SpiderTokens *out, Arena *arena, Span text, const Map *values, const Str *query)
{
    for (size_t i = 0, n; i < text.n; i += n) {
        for (n = 0; i + n < text.n && !is_blank(text.at[i + n]);)
            n++;
        if (n) {
            Span word = lower(arena, (Span){text.at + i, n});
            const int64_t *value = map_find(values, word.at, word.n);
            size_t long_ = value ? (size_t)(*value & 0xFFFFFFFF) : 0;
            if (value)
                word = (Span){arena_strn(arena, query->at + (*value >> 32), long_), long_};
            array_push(out, word);
        } else {
            n = 1;
        }
    }
}

static void join_comparisons(SpiderTokens *out, Arena *arena)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++) {
        Span *last = kept ? &out->at[kept - 1] : NULL;
        if (last && span_is(out->at[i], "=") && last->n == 1 && strchr("!<>", last->at[0])) {
            char both[] = {last->at[0], '='};
            *last = (Span){arena_strn(arena, both, 2), 2};
        } else {
            out->at[kept++] = out->at[i];
        }
    }
    out->n = kept;
}

Status spider_tokens_read(SpiderTokens *out, Arena *arena, Span query)
{
    array_clear(out);
    if (query.n > QUERY_MAX || (query.n && memchr(query.at, '\0', query.n)))
        return fail(ST_FORMAT, "a query of more than %d bytes, or with a NUL", QUERY_MAX);
    Text t = {0};
    Str whole = {0};
    Map *values = map_new();
    str_add(&whole, query.at, query.n);
    Status st = set_values_apart(&t, values, &whole);
    if (st == ST_OK) {
        space_wide(&t);
        space_backticks(&t);
        space_last_period(&t);
        space_commas(&t);
        space_runs(&t);
        space_marks(&t);
        space_contractions(&t);
        add_words(out, arena, str_span(&t.now), values, &whole);
        join_comparisons(out, arena);
    }
    map_free(values);
    str_drop(&whole);
    str_drop(&t.now);
    str_drop(&t.next);
    return st;
}
