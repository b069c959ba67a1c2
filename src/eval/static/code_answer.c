#include "eval/static/code_answer.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "agent/python_text.h"

const char *const code_rule_names[CODE_RULES] = {"continues", "continues, indented", "whole",
                                                 "repeats prompt", "spliced"};

/* Lines. ------------------------------------------------------------------------------------------------- */

bool code_line(Span s, size_t *at, Span *line)
{
    if (*at >= s.n)
        return false;
    const char *end = memchr(s.at + *at, '\n', s.n - *at);
    size_t n = end ? (size_t)(end - s.at) - *at : s.n - *at;
    *line = (Span){s.at + *at, n};
    *at += n + (end != NULL);
    return true;
}

size_t code_indent(Span line)
{
    size_t n = 0;
    while (n < line.n && (line.at[n] == ' ' || line.at[n] == '\t'))
        n++;
    return n;
}

bool code_blank(Span line)
{
    return span_trim(line).n == 0;
}

/* Fences. ------------------------------------------------------------------------------------------------ */

typedef struct {
    char mark;
    size_t marks;
    Span language; /* the first word behind an opening fence */
} Fence;

static bool is_fence(Span line, Fence *f)
{
    size_t i = code_indent(line);
    if (i > 3 || i >= line.n || (line.at[i] != '`' && line.at[i] != '~'))
        return false;
    f->mark = line.at[i];
    size_t from = i;
    while (i < line.n && line.at[i] == f->mark)
        i++;
    f->marks = i - from;
    Span rest = span_trim((Span){line.at + i, line.n - i});
    f->language = (Span){rest.at, 0};
    while (f->language.n < rest.n && !isspace((unsigned char)rest.at[f->language.n]))
        f->language.n++;
    return f->marks >= 3 && !(f->mark == '`' && memchr(rest.at, '`', rest.n));
}

static bool closes(const Fence *open, Span line)
{
    Fence f;
    return is_fence(line, &f) && f.mark == open->mark && f.marks >= open->marks && f.language.n == 0;
}

static bool is_one_of(Span word, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strlen(words[i]) == word.n && strncasecmp(words[i], word.at, word.n) == 0)
            return true;
    return false;
}

/* The block whose opening fence is the line before `at`; *at goes behind its closing one. */
static Span inside(Span text, size_t *at, const Fence *open)
{
    Span block = {text.at + *at, 0}, line;
    size_t from = *at;
    while (code_line(text, at, &line)) {
        if (closes(open, line))
            return block;
        block.n = *at - from;
    }
    return block;
}

/* "- x", "* x", "+ x", "1. x", "2) x" */
static bool is_item(Span line)
{
    size_t i = code_indent(line), from = i;
    while (i < line.n && i - from < 9 && isdigit((unsigned char)line.at[i]))
        i++;
    return i + 1 < line.n && strchr(i > from ? ".)" : "-*+", line.at[i]) && line.at[i + 1] == ' ';
}

static Span without_indent(Span line, size_t most)
{
    size_t n = code_indent(line);
    n = n < most ? n : most;
    return (Span){line.at + n, line.n - n};
}

Span code_fences_left(Str *own, Span text)
{
    size_t at = 0, by = 0, item = text.n; /* item: what the first item is indented */
    bool within = false, moved = false;
    Span line;
    Fence open;
    str_clear(own);
    while (code_line(text, &at, &line)) {
        size_t indent = code_indent(line);
        Span left = without_indent(line, within ? by : indent);
        if (within) {
            within = !closes(&open, left);
        } else if (is_fence(left, &open) && (indent <= 3 || indent > item)) {
            within = true;
            by = indent;
            moved = moved || by > 0;
        } else {
            left = line;
            item = item == text.n && is_item(line) ? indent : item;
        }
        str_add(own, left.at, left.n);
        str_add(own, "\n", line.at + line.n < text.at + text.n);
    }
    return moved ? str_span(own) : text;
}

bool code_block(Span text, const char *const *languages, Span *out)
{
    size_t at = 0;
    int best = 0; /* 3: of the language, 2: of none, 1: any */
    Span line;
    Fence open;
    while (best < 3 && code_line(text, &at, &line)) {
        if (!is_fence(line, &open))
            continue;
        int worth = is_one_of(open.language, languages) ? 3 : open.language.n == 0 ? 2 : 1;
        Span block = inside(text, &at, &open);
        if (worth > best) {
            best = worth;
            *out = block;
        }
    }
    return best > 0;
}

static bool defines_something(Span text)
{
    size_t at = 0;
    Span line;
    while (code_line(text, &at, &line))
        if (span_starts(line, "def ") || span_starts(line, "async def ") || span_starts(line, "class "))
            return true;
    return false;
}

static bool has_fence(Span text)
{
    size_t at = 0;
    Span line;
    Fence f;
    while (code_line(text, &at, &line))
        if (is_fence(line, &f))
            return true;
    return false;
}

Span code_open_block(Span text, const char *const *languages, bool plain)
{
    size_t at = 0, before = 0;
    Span line, block;
    Fence f;
    while (code_line(text, &at, &line)) {
        if (is_fence(line, &f)) {
            Span said = {text.at, before};
            bool opens = f.language.n || code_blank(said) ||
                         (!plain && !defines_something(said) && has_fence((Span){text.at + at, text.n - at}));
            if (!opens)
                return said;
            return code_block(text, languages, &block) ? block : text;
        }
        before = at;
    }
    return text;
}

/* Stops. ------------------------------------------------------------------------------------------------- */

Span code_cut(Span text, const char *const *stops, size_t stops_n)
{
    for (size_t i = 0; i < stops_n; i++) {
        size_t at = python_find(text, span(stops[i]), 0);
        if (at < text.n)
            text.n = at;
    }
    return text;
}

void code_stops(CodeStops *out, const struct json_t *array)
{
    size_t i;
    json_t *stop;
    array_clear(out);
    json_array_foreach((json_t *)array, i, stop)
    {
        const char *text = json_string_value(stop);
        if (text && *text)
            array_push(out, text);
    }
}

/* Python. ------------------------------------------------------------------------------------------------ */

static bool is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static Span skip(Span s, size_t n)
{
    return (Span){s.at + n, s.n - n};
}

static bool defines(Span line, const char *name)
{
    static const char *const heads[] = {"def ", "async def ", "class ", ""};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        if (!span_starts(line, heads[i]))
            continue;
        Span rest = skip(line, strlen(heads[i]));
        rest = *heads[i] ? skip(rest, code_indent(rest)) : rest;
        if (!span_starts(rest, name) || (rest.n > length && is_name_part(rest.at[length])))
            continue;
        rest = span_trim(skip(rest, length));
        if (*heads[i] || (rest.n > 1 && rest.at[0] == '=' && rest.at[1] != '='))
            return true;
    }
    return false;
}

size_t code_python_definition(Span s, const char *name)
{
    size_t at = 0, from = 0;
    Span line;
    while (code_line(s, &at, &line)) {
        if (defines(line, name))
            return from;
        from = at;
    }
    return s.n + 1;
}

/* The first line stands at the left edge.  Is it alone there, because the answer was stripped, or is all of
 * it moved to the left?  Moved, where a later line stands at the edge too, or where the second, behind a
 * colon, is only one step in. */
static bool moved_left(Span answer)
{
    size_t at = 0;
    Span line, first = {0};
    while (code_blank(first) && code_line(answer, &at, &first)) {
    }
    bool second = true;
    while (code_line(answer, &at, &line)) {
        if (code_blank(line))
            continue;
        if (code_indent(line) == 0 || (second && span_ends(span_trim(first), ":") && code_indent(line) <= 4))
            return true;
        second = false;
    }
    return false;
}

static void add_indented(Str *out, Span answer)
{
    bool all = moved_left(answer), first = true;
    size_t at = 0;
    Span line;
    while (code_line(answer, &at, &line)) {
        if (!code_blank(line) && (all || first)) {
            str_adds(out, "    ");
            first = false;
        }
        str_add(out, line.at, line.n);
        str_addc(out, '\n');
    }
}

static bool stands_at_edge(Span answer)
{
    size_t at = 0;
    Span line;
    while (code_line(answer, &at, &line))
        if (!code_blank(line))
            return code_indent(line) == 0;
    return false;
}

CodeRule code_python_module(Str *out, Span stub, const char *name, Span answer, bool plain,
                            const char *const *stops, size_t stops_n)
{
    if (!plain && code_python_definition(answer, name) < answer.n) {
        size_t head = code_python_definition(stub, name);
        str_add(out, stub.at, head < stub.n ? head : 0);
        str_add(out, answer.at, answer.n);
        return CODE_WHOLE;
    }
    answer = code_cut(answer, stops, stops_n);
    str_add(out, stub.at, stub.n);
    if (plain || !stands_at_edge(answer)) {
        str_add(out, answer.at, answer.n);
        return CODE_CONTINUES;
    }
    add_indented(out, answer);
    return CODE_INDENTED;
}

void code_python_literal(Str *out, Span text)
{
    Str valid = {0};
    str_add_valid(&valid, text.at, text.n);
    str_addc(out, '"');
    for (size_t i = 0; i < valid.n; i++) {
        unsigned char c = (unsigned char)valid.at[i];
        if (c == '"' || c == '\\')
            str_addf(out, "\\%c", c);
        else if (c == '\n')
            str_adds(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            str_addf(out, "\\x%02x", c);
        else
            str_addc(out, (char)c);
    }
    str_addc(out, '"');
    str_drop(&valid);
}
