#include "base/json_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { JSON_FILE_MAX = 16 << 20 };

Status json_file_read(json_t **out, const char *path)
{
    Str text = {0};
    json_error_t why;
    Status st = file_read(&text, path, JSON_FILE_MAX);
    json_t *value = NULL;
    if (st == ST_OK) {
        value = json_loadb(str_c(&text), text.n, JSON_REJECT_DUPLICATES, &why);
        if (value)
            *out = value;
        else
            st = fail(ST_FORMAT, "%s line %d is no JSON: %s", path, why.line, why.text);
    }
    str_drop(&text);
    return st;
}

enum { DIGITS_LEAST = 12, DIGITS_ENOUGH = 17 }; /* 17 tell all doubles apart */

static char *dump_exactly(const json_t *value)
{
    const size_t flags = JSON_INDENT(2);
    for (size_t digits = DIGITS_LEAST;; digits++) {
        char *text = json_dumps(value, flags | JSON_REAL_PRECISION(digits));
        json_t *again = text ? json_loads(text, 0, NULL) : NULL;
        bool exact = json_equal(again, value);
        json_decref(again);
        if (exact || digits == DIGITS_ENOUGH || !text)
            return text;
        free(text);
    }
}

Status json_file_write(const char *path, const json_t *value)
{
    char *text = dump_exactly(value);
    if (!text)
        return fail(ST_ARG, "cannot write %s: its value has no JSON form", path);
    Str line = {0};
    str_addf(&line, "%s\n", text);
    Status st = file_replace(path, line.at, line.n);
    str_drop(&line);
    free(text);
    return st;
}

json_t *json_text(Span text)
{
    json_t *string = json_stringn(text.n ? text.at : "", text.n);
    if (string) /* nearly always: it is not copied twice */
        return string;
    Str valid = {0};
    str_add_valid(&valid, text.at, text.n);
    string = json_stringn(str_c(&valid), valid.n);
    str_drop(&valid);
    return string;
}

json_t *json_hex(uint64_t hash)
{
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    return json_string(digits);
}

/* The bytes of a number or word that begins at text.at[i], outside of strings. */
static size_t word_at(Span text, size_t i)
{
    size_t n = 0;
    while (i + n < text.n && text.at[i + n] && strchr("+-.0123456789EINafinty", text.at[i + n]))
        n++;
    return n;
}

static void add_word(Str *out, Span word)
{
    enum { MOST_DIGITS = 18 }; /* that surely fit 64 bits */
    bool not_finite = span_is(word, "NaN") || span_is(word, "Infinity") || span_is(word, "-Infinity");
    size_t digits = word.n - (word.n && word.at[0] == '-');
    bool whole = strspn(word.at + (word.n - digits), "0123456789") >= digits;
    if (not_finite) {
        str_adds(out, "null");
        return;
    }
    str_add(out, word.at, word.n);
    if (whole && digits > MOST_DIGITS)
        str_adds(out, "e0");
}

static Str without_oddities(Span text)
{
    Str out = {0};
    bool quoted = false;
    for (size_t i = 0; i < text.n;) {
        size_t n = quoted ? 0 : word_at(text, i);
        if (n) {
            add_word(&out, (Span){text.at + i, n});
            i += n;
            continue;
        }
        if (text.at[i] == '"')
            quoted = !quoted;
        if (quoted && text.at[i] == '\\' && i + 1 < text.n)
            str_addc(&out, text.at[i++]);
        str_addc(&out, text.at[i++]);
    }
    return out;
}

json_t *json_load_lenient(Span text, size_t flags, json_error_t *error)
{
    json_error_t again;
    json_t *value = json_loadb(text.at, text.n, flags, error);
    if (value || (json_error_code(error) != json_error_numeric_overflow &&
                  json_error_code(error) != json_error_invalid_syntax))
        return value;
    Str plain = without_oddities(text);
    value = json_loadb(str_c(&plain), plain.n, flags, &again); /* else the first error is the one to tell */
    str_drop(&plain);
    return value;
}
