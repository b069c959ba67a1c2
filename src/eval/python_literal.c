#include "eval/python_literal.h"

#include <stdlib.h>
#include <string.h>

#include "eval/python_names.h"
#include "eval/python_number.h"

/* Digits of the base, single underscores between them, without these into *out. */
static void take_digits(PythonReader *p, Str *out, const char *digits)
{
    while (p->at < p->end && *p->at && strchr(digits, *p->at)) {
        str_addc(out, *p->at++);
        if (p->end - p->at > 1 && *p->at == '_' && p->at[1] && strchr(digits, p->at[1]))
            p->at++;
    }
}

/* The value of a literal of digits in the base. */
static PythonValue whole_literal(const Str *digits, int base)
{
    int64_t whole = 0;
    double real = 0;
    bool fits = true;
    for (size_t i = 0; i < digits->n; i++) {
        int d = python_is_digit(digits->at[i]) ? digits->at[i] - '0' : (digits->at[i] | 0x20) - 'a' + 10;
        fits =
            fits && !__builtin_mul_overflow(whole, base, &whole) && !__builtin_add_overflow(whole, d, &whole);
        real = real * base + d;
    }
    if (fits)
        return python_int(whole);
    return (PythonValue){.kind = real < 1e300 ? PYTHON_BIG : PYTHON_BEYOND, .real = real};
}

static PythonValue read_based(PythonReader *p, Str *digits)
{
    char mark = p->at[1] | 0x20;
    const char *all = mark == 'x' ? "0123456789abcdefABCDEF" : mark == 'o' ? "01234567" : "01";
    p->at += 2;
    if (p->at < p->end && *p->at == '_')
        p->at++;
    take_digits(p, digits, all);
    return digits->n ? whole_literal(digits, mark == 'x' ? 16 : mark == 'o' ? 8 : 2) : python_break_off(p);
}

/* Takes "e", "e+", "e-" where digits follow. */
static bool take_exponent(PythonReader *p, Str *text)
{
    ptrdiff_t left = p->end - p->at;
    if (left < 2 || (*p->at | 0x20) != 'e')
        return false;
    bool sign = p->at[1] == '+' || p->at[1] == '-';
    if (!(sign ? left > 2 && python_is_digit(p->at[2]) : python_is_digit(p->at[1])))
        return false;
    str_add(text, p->at, sign ? 2 : 1);
    p->at += sign ? 2 : 1;
    take_digits(p, text, "0123456789");
    return true;
}

static PythonValue read_decimal(PythonReader *p, Str *text)
{
    bool real = false;
    take_digits(p, text, "0123456789");
    bool zero_first = text->n > 1 && text->at[0] == '0';
    if (p->at < p->end && *p->at == '.') {
        real = true;
        str_addc(text, *p->at++);
        take_digits(p, text, "0123456789");
    }
    real = take_exponent(p, text) || real;
    if (p->at < p->end && (*p->at | 0x20) == 'j') {
        p->at++;
        return (PythonValue){.kind = PYTHON_COMPLEX};
    }
    if (real)
        return python_real(strtod(str_c(text), NULL));
    return zero_first && strspn(text->at, "0") < text->n ? python_break_off(p) : whole_literal(text, 10);
}

PythonValue python_read_number(PythonReader *p)
{
    Str text = {0};
    bool based = p->end - p->at > 1 && *p->at == '0' && p->at[1] && strchr("xXoObB", p->at[1]);
    PythonValue v = based ? read_based(p, &text) : read_decimal(p, &text);
    str_drop(&text);
    Span word = p->at < p->end && python_is_name_char(*p->at) ? python_word_at(p) : (Span){p->at, 0};
    bool glued =
        p->at < p->end && python_is_name_char(*p->at) && !python_is_among(word, python_operator_words);
    return glued ? python_break_off(p) : v;
}

const char *python_quote_at(const PythonReader *p)
{
    const char *q = p->at;
    while (q < p->end && q - p->at < 2 && *q && strchr("rRbBuUfF", *q))
        q++;
    return q < p->end && (*q == '\'' || *q == '"') ? q : NULL;
}

static PythonValue read_string(PythonReader *p)
{
    const char *q = python_quote_at(p);
    bool raw = false, bytes = false, format = false, escapes = false;
    for (; p->at < q; p->at++) {
        raw = raw || (*p->at | 0x20) == 'r';
        bytes = bytes || (*p->at | 0x20) == 'b';
        format = format || (*p->at | 0x20) == 'f';
    }
    bool triple = p->end - q > 2 && q[1] == *q && q[2] == *q;
    const char *from = q + (triple ? 3 : 1);
    for (p->at = from; p->at < p->end; p->at++) {
        if (*p->at == '\\') {
            escapes = !raw;
            p->at++;
        } else if (*p->at == '\n' && !triple) {
            return python_break_off(p);
        } else if (*p->at == *q && (!triple || (p->end - p->at > 2 && p->at[1] == *q && p->at[2] == *q))) {
            Span text = {from, (size_t)(p->at - from)};
            p->at += triple ? 3 : 1;
            if (format)
                return python_beyond;
            return bytes ? python_other
                         : (PythonValue){.kind = PYTHON_STR, .text = {escapes ? NULL : text.at, text.n}};
        }
    }
    return python_break_off(p);
}

PythonValue python_read_strings(PythonReader *p)
{
    PythonValue v = read_string(p);
    for (python_skip_space(p); !python_stopped(p) && python_quote_at(p); python_skip_space(p)) {
        PythonValue next = read_string(p);
        if ((v.kind == PYTHON_OTHER) != (next.kind == PYTHON_OTHER))
            return python_break_off(p); /* bytes beside text */
        v = v.kind == next.kind ? (PythonValue){.kind = v.kind} : python_beyond;
    }
    return v;
}
