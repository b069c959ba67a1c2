#include "base/json_file.h"

#include <ctype.h>
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

/* Beyond 64 bits, without point and exponent. */
static bool is_wide_integer(Span word)
{
    bool negative = word.n && word.at[0] == '-';
    const char *digits = word.at + negative, *last = negative ? "9223372036854775808" : "9223372036854775807";
    size_t n = word.n - negative, most = strlen(last);
    for (size_t i = 0; i < n; i++)
        if (digits[i] < '0' || digits[i] > '9')
            return false;
    return n > most || (n == most && memcmp(digits, last, n) > 0);
}

/* The bytes of a string, of a number or word, or one other byte, from text.at[i] on. */
static size_t token_at(Span text, size_t i)
{
    size_t end = i;
    if (text.at[i] == '"') {
        for (end++; end < text.n && text.at[end] != '"'; end++)
            end += text.at[end] == '\\';
        return (end < text.n ? end + 1 : text.n) - i;
    }
    while (end < text.n && (isalnum((unsigned char)text.at[end]) || strchr("+-.", text.at[end])))
        end++;
    return end > i ? end - i : 1;
}

/* The text with its integers beyond 64 bits as reals and, with `python`, null for what is no number. */
static Str without_oddities(Span text, bool python)
{
    Str out = {0};
    for (size_t i = 0, n; i < text.n; i += n) {
        n = token_at(text, i);
        Span token = {text.at + i, n};
        bool none =
            python && (span_is(token, "NaN") || span_is(token, "Infinity") || span_is(token, "-Infinity"));
        str_add(&out, none ? "null" : token.at, none ? 4 : n);
        if (is_wide_integer(token))
            str_adds(&out, ".0");
    }
    return out;
}

static json_t *load_again(Span text, size_t flags, bool python, json_error_t *error)
{
    json_error_t again;
    Str plain = without_oddities(text, python);
    json_t *value = json_loadb(str_c(&plain), plain.n, flags, &again);
    bool further = json_error_code(error) == json_error_numeric_overflow;
    if (!value && further) /* the integer is no fault; else the first one is the one to tell */
        *error = again;
    str_drop(&plain);
    return value;
}

json_t *json_load_wide(Span text, size_t flags, bool *widened, json_error_t *error)
{
    json_t *value = json_loadb(text.at, text.n, flags, error);
    *widened = !value && json_error_code(error) == json_error_numeric_overflow;
    return *widened ? load_again(text, flags, false, error) : value;
}

json_t *json_load_lenient(Span text, size_t flags, json_error_t *error)
{
    json_t *value = json_loadb(text.at, text.n, flags, error);
    enum json_error_code code = value ? json_error_unknown : json_error_code(error);
    bool odd = code == json_error_numeric_overflow || code == json_error_invalid_syntax;
    return odd ? load_again(text, flags, true, error) : value;
}
