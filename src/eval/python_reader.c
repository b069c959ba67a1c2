#include "eval/python_reader.h"

#include <string.h>

const PythonValue python_beyond = {.kind = PYTHON_BEYOND}, python_other = {.kind = PYTHON_OTHER};

bool python_stopped(const PythonReader *p)
{
    return p->broken || p->beyond;
}

PythonValue python_break_off(PythonReader *p)
{
    if (!p->beyond)
        p->broken = true;
    return python_beyond;
}

PythonValue python_give_up(PythonReader *p)
{
    if (!p->broken)
        p->beyond = true;
    return python_beyond;
}

PythonValue python_noted(PythonReader *p, PythonValue v)
{
    if (v.kind != PYTHON_RAISES)
        return v;
    if (!p->unasked)
        p->raised = true;
    return python_beyond;
}

PythonValue python_fails(PythonReader *p)
{
    return python_noted(p, (PythonValue){.kind = PYTHON_RAISES});
}

void python_skip_space(PythonReader *p)
{
    while (p->at < p->end) {
        if (strchr(" \t\f", *p->at) && *p->at)
            p->at++;
        else if (p->brackets && (*p->at == '\n' || *p->at == '\r'))
            p->at++;
        else if (*p->at == '\\' && p->end - p->at > 1 && p->at[1] == '\n')
            p->at += 2;
        else if (*p->at == '#')
            while (p->at < p->end && *p->at != '\n')
                p->at++;
        else
            return;
    }
}

bool python_is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80);
}

bool python_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

Span python_word_at(const PythonReader *p)
{
    size_t n = 0;
    if (p->at < p->end && python_is_name_char(*p->at) && !python_is_digit(*p->at))
        while (p->at + n < p->end && python_is_name_char(p->at[n]))
            n++;
    return (Span){p->at, n};
}

bool python_take_word(PythonReader *p, const char *word)
{
    python_skip_space(p);
    Span w = python_word_at(p);
    if (!span_is(w, word))
        return false;
    p->at += w.n;
    return true;
}

Span python_operator_at(PythonReader *p)
{
    static const char *const operators[] = {
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=", "-=",
        "*=",  "/=",  "%=",  "&=",  "|=",  "^=", "@=", ":=", "+",  "-",  "*",  "/",  "%",  "@",  "&",  "|",
        "^",   "~",   "<",   ">",   "(",   ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",  ";",  "="};
    python_skip_space(p);
    Span rest = {p->at, (size_t)(p->end - p->at)};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (span_starts(rest, operators[i]))
            return (Span){p->at, strlen(operators[i])};
    return (Span){p->at, 0};
}

char python_next_char(PythonReader *p)
{
    python_skip_space(p);
    return p->at < p->end ? *p->at : 0;
}

bool python_take(PythonReader *p, const char *op)
{
    Span o = python_operator_at(p);
    if (!span_is(o, op))
        return false;
    p->at += o.n;
    return true;
}

bool python_is_among(Span word, const char *const *words)
{
    for (; *words; words++)
        if (span_is(word, *words))
            return true;
    return false;
}
