#include "tokenizer/json_python.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json.encoder's ESCAPE_DCT: control characters, the quote and the backslash; all else as it is. */
static void add_text(Str *out, Span text)
{
    static const char shorts[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    str_addc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c >= 32)
            str_addc(out, (char)c);
        else if (shorts[c])
            str_addf(out, "\\%c", shorts[c]);
        else
            str_addf(out, "\\u%04x", c);
    }
    str_addc(out, '"');
}

/* float.__repr__: the fewest digits that bring the number back, plain for exponents in [-4, 16). */
static void add_real(Str *out, double x)
{
    char digits[40];
    int precision = 1;
    if (!isfinite(x)) {
        str_adds(out, isnan(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision - 1, x);
        if (strtod(digits, NULL) == x)
            break;
    }
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        str_adds(out, digits);
        return;
    }
    int decimals = precision - 1 - exponent;
    str_addf(out, "%.*f", decimals > 1 ? decimals : 1, x);
}

static void add_line(Str *out, int indent, int depth)
{
    if (indent)
        str_addf(out, "\n%*s", indent * depth, "");
}

static void add_value(Str *out, const json_t *value, int indent, int depth)
{
    const char *comma = indent ? "," : ", ", *key;
    json_t *one;
    size_t i, done = 0;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        str_addc(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, one)
        {
            str_adds(out, done++ ? comma : "");
            add_line(out, indent, depth + 1);
            add_text(out, span(key));
            str_adds(out, ": ");
            add_value(out, one, indent, depth + 1);
        }
        if (done)
            add_line(out, indent, depth);
        str_addc(out, '}');
        break;
    case JSON_ARRAY:
        str_addc(out, '[');
        json_array_foreach(value, i, one)
        {
            str_adds(out, i ? comma : "");
            add_line(out, indent, depth + 1);
            add_value(out, one, indent, depth + 1);
        }
        if (json_array_size(value))
            add_line(out, indent, depth);
        str_addc(out, ']');
        break;
    case JSON_STRING: add_text(out, (Span){json_string_value(value), json_string_length(value)}); break;
    case JSON_INTEGER: str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); break;
    case JSON_REAL: add_real(out, json_real_value(value)); break;
    case JSON_TRUE: str_adds(out, "true"); break;
    case JSON_FALSE: str_adds(out, "false"); break;
    case JSON_NULL: str_adds(out, "null"); break;
    }
}

void json_python_add(Str *out, const json_t *value, int indent)
{
    add_value(out, value, indent, 0);
}
