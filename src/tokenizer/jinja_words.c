#include "tokenizer/jinja_words.h"

#include <string.h>

#include "tokenizer/chat_templates.h"

void jinja_words_drop(WordList *list)
{
    for (size_t i = 0; i < list->n; i++)
        str_drop(&list->at[i].text);
    array_drop(list);
}

/* "x == 'user'", "x['role']" and "'tools' in x" look at a text without printing it. */
static bool is_compared(Span jinja, size_t open, size_t close)
{
    Span before = chat_strip_end((Span){jinja.at, open});
    Span after = chat_strip_start((Span){jinja.at + close, jinja.n - close});
    bool index = span_ends(before, "[") && span_starts(after, "]");
    return index || span_ends(before, "==") || span_ends(before, "!=") || span_starts(after, "==") ||
           span_starts(after, "!=") || span_starts(after, "in ") || span_starts(after, "not in ") ||
           span_ends(before, "get(") || span_ends(before, "raise_exception(");
}

static void add_escaped(Str *out, char c)
{
    static const char from[] = "ntr", to[] = "\n\t\r";
    const char *known = strchr(from, c);
    str_addc(out, c && known ? to[known - from] : c);
}

/* The string that begins at jinja.at[open], a quote; returns where it ends, behind its quote. */
static size_t read_literal(WordList *list, Span jinja, size_t open)
{
    Words w = {.at = open, .literal = true};
    size_t i = open + 1;
    for (; i < jinja.n && jinja.at[i] != jinja.at[open]; i++)
        if (jinja.at[i] == '\\' && i + 1 < jinja.n)
            add_escaped(&w.text, jinja.at[++i]);
        else
            str_addc(&w.text, jinja.at[i]);
    i += i < jinja.n;
    w.compared = is_compared(jinja, open, i);
    array_push(list, w);
    return i;
}

/* A tag from behind its opening to behind its closing. */
static size_t read_tag(WordList *list, Span jinja, size_t i, char kind)
{
    char close[3] = {kind == '{' ? '}' : kind, '}', 0};
    while (i < jinja.n && !span_starts((Span){jinja.at + i, jinja.n - i}, close))
        i = kind != '#' && (jinja.at[i] == '\'' || jinja.at[i] == '"') ? read_literal(list, jinja, i) : i + 1;
    return i < jinja.n ? i + 2 : i;
}

void jinja_words_read(WordList *list, Span jinja)
{
    for (size_t i = 0, from = 0; i <= jinja.n; i++) {
        bool tag = i + 1 < jinja.n && jinja.at[i] == '{' && strchr("{%#", jinja.at[i + 1]);
        if (!tag && i < jinja.n)
            continue;
        if (i > from) {
            Words w = {.at = from};
            str_add(&w.text, jinja.at + from, i - from);
            array_push(list, w);
        }
        if (!tag)
            return;
        i = from = read_tag(list, jinja, i + 2, jinja.at[i + 1]);
        i--;
    }
}

bool jinja_words_have(const WordList *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (!list->at[i].compared && strstr(str_c(&list->at[i].text), text))
            return true;
    return false;
}

size_t jinja_words_markup(Span s)
{
    size_t i = 0;
    char close = s.at[0] == '<' ? '>' : s.at[0] == '[' ? ']' : 0;
    if (!close)
        return 0;
    for (i = 1; i < s.n && i < 48 && s.at[i] != close; i++)
        if (strchr(" \n\t\"'{}(),:", s.at[i]) || (close == ']' && s.at[i] >= 'a' && s.at[i] <= 'z'))
            return 0;
    if (i < 2 || i >= s.n || s.at[i] != close)
        return 0;
    return i + 1 < s.n && s.at[1] == '<' && s.at[i + 1] == '>' ? i + 2 : i + 1;
}
