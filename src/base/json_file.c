#include "base/json_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
