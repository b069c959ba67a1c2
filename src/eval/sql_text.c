#include "eval/sql_text.h"

#include <string.h>

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '#' || (unsigned char)c >= 0x80;
}

/* A closing quote that is doubled goes on. */
static size_t quoted(Span text, size_t at, char close)
{
    for (size_t i = at + 1; i < text.n; i++)
        if (text.at[i] != close)
            continue;
        else if (close != ']' && i + 1 < text.n && text.at[i + 1] == close)
            i++;
        else
            return i + 1 - at;
    return 1;
}

static size_t commented(Span text, size_t at)
{
    const char *from = text.at + at + 2, *end;
    size_t left = text.n - at - 2;
    if (text.at[at] == '-') {
        end = memchr(from, '\n', left);
        return end ? (size_t)(end - text.at) - at : text.n - at;
    }
    end = memmem(from, left, "*/", 2);
    return end ? (size_t)(end + 2 - text.at) - at : 1;
}

size_t sql_text_token(Span text, size_t at)
{
    char c = text.at[at], next = at + 1 < text.n ? text.at[at + 1] : '\0';
    if (c == '\'' || c == '"' || c == '`' || c == '[')
        return quoted(text, at, c == '[' ? ']' : c);
    if ((c == '-' && next == '-') || (c == '/' && next == '*'))
        return commented(text, at);
    size_t n = (c == '@' || c == ':') && is_word_char(next);
    while (at + n < text.n && is_word_char(text.at[at + n]))
        n++;
    return n ? n : 1;
}

Span sql_text_first(Span text)
{
    for (size_t i = 0; i < text.n; i += sql_text_token(text, i))
        if (text.at[i] == ';')
            return (Span){text.at, i + 1};
    return text;
}
