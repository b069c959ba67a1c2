#include "env/hint.h"

#include <string.h>

#include "base/array.h"

const char *const hint_over_names[] = {"last", "all", "answer", "answers", NULL};

/* Words. ------------------------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* The next word, or other character, of *rest, which goes on behind it; n 0: there is none. */
static Span next(Span *rest)
{
    size_t n = 0;
    *rest = span_trim(*rest);
    while (n < rest->n && is_letter(rest->at[n]))
        n++;
    Span word = {rest->at, n ? n : rest->n > 0};
    *rest = (Span){rest->at + word.n, rest->n - word.n};
    return word;
}

static char plain(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '"' ? '\'' : c;
}

static bool same(Span a, Span b)
{
    bool yes = a.n == b.n;
    for (size_t i = 0; yes && i < a.n; i++)
        yes = plain(a.at[i]) == plain(b.at[i]);
    return yes;
}

static bool begins(Span words, Span text)
{
    for (Span word; (word = next(&words)).n;)
        if (!same(word, next(&text)))
            return false;
    return true;
}

int64_t hint_count(Span words, Span text)
{
    int64_t n = 0;
    if (!span_trim(words).n)
        return 0;
    for (Span left = text; span_trim(left).n; next(&left))
        n += begins(words, left);
    return n;
}

/* What hints may say. ------------------------------------------------------------------------------------ */

static bool among(Span word, const Span *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (same(word, words[i]))
            return true;
    return false;
}

bool hint_discloses(Span hint, Span solution)
{
    Array(Span) words = {0}; /* of the solution, each once */
    size_t said = 0;
    if (hint_count(solution, hint) > 0)
        return true;
    for (Span word; (word = next(&solution)).n;) {
        if (!is_letter(word.at[0]) || among(word, words.at, words.n))
            continue;
        array_push(&words, word);
        said += hint_count(word, hint) > 0;
    }
    bool discloses = words.n >= 3 && 2 * said >= words.n;
    array_drop(&words);
    return discloses;
}

/* The form. ---------------------------------------------------------------------------------------------- */

/* The i-th of "has" or "lacks", a text or an array of them; NULL: there are no more. */
static const json_t *text_at(const json_t *texts, size_t i)
{
    return json_is_array(texts) ? json_array_get(texts, i) : i == 0 ? texts : NULL;
}

static Span span_of(const json_t *text)
{
    return (Span){json_string_value(text), json_string_length(text)};
}

static bool is_text(const json_t *value)
{
    return json_is_string(value) && span_trim(span_of(value)).n > 0;
}

/* What is said is read up to its first NUL: it has none. */
static bool is_hint(const json_t *value)
{
    return is_text(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static bool are_texts(const json_t *texts)
{
    size_t n = 0;
    for (const json_t *t; (t = text_at(texts, n)); n++)
        if (!is_text(t))
            return false;
    return n > 0;
}

static Status check_keys(const json_t *object, const char *const *keys)
{
    const char *key;
    const json_t *value;
    size_t n = 0;
    while (keys[n])
        n++;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (i < n && strcmp(keys[i], key) != 0)
            i++;
        const char *near = nearest_name(key, keys, n);
        if (i == n)
            return fail(ST_FORMAT, "it has an unknown key \"%.40s\"%s%s%s", key,
                        near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    return ST_OK;
}

static bool over_of(HintOver *out, const json_t *name)
{
    int i = 0;
    while (i < HINT_OVERS &&
           (!json_is_string(name) || strcmp(hint_over_names[i], json_string_value(name)) != 0))
        i++;
    *out = (HintOver)i;
    return i < HINT_OVERS;
}

static Status check_over(const json_t *object)
{
    HintOver over;
    const json_t *name = json_object_get(object, "over");
    return !name || over_of(&over, name) ? ST_OK
                                         : fail(ST_FORMAT, "\"over\" is none of last, all, answer, answers");
}

static bool is_keyword(Span words)
{
    next(&words);
    return next(&words).n == 0;
}

static Status check_entry(const json_t *entry)
{
    static const char *const keys[] = {"over", "has", "lacks", "times", "hint", NULL};
    const json_t *has = json_object_get(entry, "has"), *lacks = json_object_get(entry, "lacks");
    const json_t *hint = json_object_get(entry, "hint"), *times = json_object_get(entry, "times");
    if (!json_is_object(entry))
        return fail(ST_FORMAT, "it is no object");
    TRY(check_keys(entry, keys));
    TRY(check_over(entry));
    if (!is_hint(hint))
        return fail(ST_FORMAT, "\"hint\" is no text, or an empty one");
    if ((!has && !lacks) || (has && !are_texts(has)) || (lacks && !are_texts(lacks)))
        return fail(ST_FORMAT, "it wants \"has\" or \"lacks\" or both, each a text or an array of texts");
    if (times && (!json_is_integer(times) || json_integer_value(times) < 1))
        return fail(ST_FORMAT, "\"times\" is no whole number from 1 on");
    const json_t *t;
    for (size_t i = 0; lacks && (t = text_at(lacks, i)); i++)
        if (!is_keyword(span_of(t)) && hint_count(span_of(t), span_of(hint)))
            return fail(ST_FORMAT, "it says what is lacking, \"%.60s\": a hint gives no part of the solution",
                        json_string_value(t));
    return ST_OK;
}

Status hint_check(const json_t *line)
{
    static const char *const keys[] = {"contains", "over", "repeats", "hints", "otherwise", NULL};
    const json_t *hints = json_object_get(line, "hints"), *otherwise = json_object_get(line, "otherwise");
    const json_t *repeats = json_object_get(line, "repeats");
    if (!json_is_object(line))
        return fail(ST_FORMAT, "it is no object");
    TRY(check_keys(line, keys));
    TRY(check_over(line));
    if (!is_text(json_object_get(line, "contains")))
        return fail(ST_FORMAT, "\"contains\" is no text, or an empty one");
    if (repeats && !json_is_boolean(repeats))
        return fail(ST_FORMAT, "\"repeats\" is neither true nor false");
    if (otherwise && !is_hint(otherwise))
        return fail(ST_FORMAT, "\"otherwise\" is no text, or an empty one");
    if (hints ? !json_is_array(hints) : !otherwise)
        return fail(ST_FORMAT, "it has neither an array \"hints\" nor a text \"otherwise\"");
    for (size_t i = 0; i < json_array_size(hints); i++) {
        Status st = check_entry(json_array_get(hints, i));
        if (st != ST_OK)
            return fail_in(st, "hint %zu", i + 1);
    }
    return ST_OK;
}

/* Choosing. ---------------------------------------------------------------------------------------------- */

static int64_t count_all(const json_t *texts, Span in)
{
    int64_t n = 0;
    const json_t *t;
    for (size_t i = 0; (t = text_at(texts, i)); i++)
        n += hint_count(span_of(t), in);
    return n;
}

static bool holds(const json_t *entry, HintOver over, const HintSaid *said)
{
    const json_t *has = json_object_get(entry, "has"), *lacks = json_object_get(entry, "lacks");
    const json_t *own = json_object_get(entry, "over"), *number = json_object_get(entry, "times");
    int64_t times = number ? json_integer_value(number) : 1;
    if (own)
        over_of(&over, own);
    Span in = said->over[over];
    return (!has || count_all(has, in) >= times) && (!lacks || count_all(lacks, in) < times);
}

const char *hint_choose(const json_t *line, const HintSaid *said)
{
    const json_t *hints = json_object_get(line, "hints"), *own = json_object_get(line, "over");
    HintOver over = HINT_LAST;
    if (own)
        over_of(&over, own);
    for (size_t i = 0; i < json_array_size(hints); i++) {
        const json_t *entry = json_array_get(hints, i);
        if (holds(entry, over, said))
            return json_string_value(json_object_get(entry, "hint"));
    }
    return json_string_value(json_object_get(line, "otherwise"));
}
