/* What the API's extract of an article would be, from its plain text. */
#include "env/wikipedia_index.h"

#include <string.h>

enum { LEAD_CHARS = 1000, HEADING_CHARS = 60 };

static Span take_line(Span *text)
{
    const char *end = memchr(text->at, '\n', text->n);
    Span line = {text->at, end ? (size_t)(end - text->at) : text->n};
    size_t used = line.n + (end ? 1 : 0);
    *text = (Span){text->at + used, text->n - used};
    return span_trim(line);
}

/* Letters before: a line of a lead ends a sentence, or a list's item, or announces a list. */
static bool is_heading(Span line)
{
    static const char *const ends[] = {".",           "!", "?", ":", ";", ",", "\"", ")", "\xe2\x80\x9d",
                                       "\xe3\x80\x82"};
    if (line.n >= 5 && span_starts(line, "==") && span_ends(line, "=="))
        return true;
    if (line.n > HEADING_CHARS)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (span_ends(line, ends[i]))
            return false;
    return true;
}

static bool lists_others(Span title, Span line)
{
    static const char *const ends[] = {
        "may refer to:",  "may also refer to:",  "can refer to:",        "may refer to",
        "may stand for:", "commonly refers to:", "most often refers to:"};
    if (span_ends(title, "(disambiguation)"))
        return true;
    for (size_t i = 0; line.n < 200 && i < sizeof ends / sizeof ends[0]; i++)
        if (span_ends(line, ends[i]))
            return true;
    return false;
}

bool wikipedia_lead(Str *lead, Span title, Span text)
{
    size_t from = lead->n, chars = 0;
    while (text.n && chars < LEAD_CHARS) {
        Span line = take_line(&text);
        bool first = lead->n == from;
        if (line.n == 0 || (first && line.n == title.n && memcmp(line.at, title.at, line.n) == 0))
            continue;
        if (first && lists_others(title, line))
            return false;
        if (!first && is_heading(line))
            break;
        str_adds(lead, first ? "" : "\n");
        for (size_t i = 0; i < line.n && chars < LEAD_CHARS; chars++) {
            int n = utf8_length((unsigned char)line.at[i]);
            size_t step = n > 0 && i + (size_t)n <= line.n ? (size_t)n : 1;
            str_add(lead, line.at + i, step);
            i += step;
        }
    }
    return true;
}
