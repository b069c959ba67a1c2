/* The query in what a model wrote (spider.h). */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "eval/sql_text.h"
#include "eval/static/code_answer.h"
#include "eval/static/spider.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_comment(Span token)
{
    return token.n > 1 && (span_starts(token, "--") || span_starts(token, "/*"));
}

static bool word_is(Span text, size_t at, const char *word)
{
    return sql_text_token(text, at) == strlen(word) && strncasecmp(text.at + at, word, strlen(word)) == 0;
}

/* Behind blanks. */
static size_t next_word(Span text, size_t at)
{
    at += sql_text_token(text, at);
    while (at < text.n && is_blank(text.at[at]))
        at++;
    return at;
}

static bool query_begins(Span text, size_t at)
{
    if (word_is(text, at, "select"))
        return true;
    if (!word_is(text, at, "with"))
        return false;
    size_t name = next_word(text, at), as = name < text.n ? next_word(text, name) : text.n;
    return name < text.n && (word_is(text, name, "recursive") || (as < text.n && word_is(text, as, "as")));
}

/* In words an apostrophe is no quote, nor is what is not closed on its line. */
static size_t prose_token(Span text, size_t at)
{
    size_t n = sql_text_token(text, at);
    bool quotes = strchr("'\"`[", text.at[at]), word_before = at && isalnum((unsigned char)text.at[at - 1]);
    return quotes && (memchr(text.at + at, '\n', n) || (text.at[at] == '\'' && word_before)) ? 1 : n;
}

/* From the first word of a query on, an open bracket before it included; n is 0: there is none. */
static Span query_in(Span text)
{
    size_t open = text.n;
    for (size_t i = 0; i < text.n; i += prose_token(text, i)) {
        if (query_begins(text, i)) {
            size_t from = open < i ? open : i;
            return (Span){text.at + from, text.n - from};
        }
        if (text.at[i] != '(' && !is_blank(text.at[i]))
            open = text.n;
        else if (text.at[i] == '(' && open == text.n)
            open = i;
    }
    return (Span){text.at, 0};
}

static Span up_to_empty_line(Span text)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t next = i + 1;
        while (text.at[i] == '\n' && next < text.n && is_blank(text.at[next]) && text.at[next] != '\n')
            next++;
        if (text.at[i] == '\n' && next < text.n && text.at[next] == '\n')
            return (Span){text.at, i};
    }
    return text;
}

/* One line, without comments and the last ";". */
static void add_line(Str *out, Span query)
{
    size_t from = out->n;
    for (size_t i = 0, n; i < query.n; i += n) {
        n = sql_text_token(query, i);
        Span token = {query.at + i, n};
        if (!is_comment(token) && !is_blank(*token.at))
            str_add(out, token.at, token.n);
        else if (out->n > from && out->at[out->n - 1] != ' ')
            str_addc(out, ' ');
    }
    while (out->n > from && strchr("; ", out->at[out->n - 1]))
        out->n--;
    if (out->at)
        out->at[out->n] = '\0';
}

bool spider_answer_query(Str *out, Span answer, bool continues)
{
    static const char *const languages[] = {"sql", "sqlite", NULL};
    size_t from = out->n;
    Str left = {0};
    Span block, text = span_trim(answer);
    if (code_block(code_fences_left(&left, text), languages, &block))
        text = query_in(block).n ? query_in(block) : span_trim(block);
    else if (continues && text.n && !query_begins(text, 0) && *text.at != '(')
        str_adds(out, "SELECT ");
    else
        text = query_in(text);
    text = up_to_empty_line(text);
    size_t begun = out->n;
    add_line(out, sql_text_first(text));
    str_drop(&left);
    if (out->n > begun)
        return true;
    out->n = from;
    return false;
}
