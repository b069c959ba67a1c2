#include "env/sql_token.h"

#include <string.h>
#include <strings.h>

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Behind the quote that closes; NULL: none does. */
static const char *behind_quoted(const char *at, const char *end)
{
    char quote = *at++;
    for (; at < end; at++) {
        if (*at == '\\' && quote != '`' && at + 1 < end)
            at++;
        else if (*at == quote && (at + 1 == end || at[1] != quote))
            return at + 1;
        else if (*at == quote)
            at++;
    }
    return NULL;
}

static const char *behind_mark(const char *at, const char *end)
{
    static const char *const marks[] = {"<=>", "||", "&&", "<=", ">=", "<>", "!=", ":="};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i]);
        if ((size_t)(end - at) >= n && memcmp(at, marks[i], n) == 0)
            return at + n;
    }
    return at + 1;
}

static const char *behind_comment(const char *at, const char *end)
{
    const char *stop = NULL;
    if (*at == '#' ||
        (end - at > 1 && at[0] == '-' && at[1] == '-' && (end - at == 2 || (unsigned char)at[2] <= ' '))) {
        stop = memchr(at, '\n', (size_t)(end - at));
        return stop ? stop : end;
    }
    if (end - at < 4 || at[0] != '/' || at[1] != '*')
        return at;
    stop = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
    return stop ? stop + 2 : at;
}

const char *sql_tokens_split(SqlTokens *out, Span query)
{
    const char *at = query.at, *end = query.at + query.n;
    while (at < end) {
        const char *begin = at, *behind = behind_comment(at, end);
        SqlToken t = {SQL_TOKEN_MARK, {0}};
        if (behind > at || strchr(" \t\r\n\v\f", *at)) {
            at = behind > at ? behind : at + 1;
            continue;
        }
        if (end - at > 1 && at[0] == '/' && at[1] == '*')
            return begin;
        if (*at == '\'' || *at == '"' || *at == '`') {
            t.kind = *at == '`' ? SQL_TOKEN_NAME : SQL_TOKEN_TEXT;
            at = behind_quoted(at, end);
            if (!at)
                return begin;
        } else if (is_word_char(*at)) {
            t.kind = is_digit(*at) ? SQL_TOKEN_NUMBER : SQL_TOKEN_WORD;
            while (at < end && (is_word_char(*at) || (t.kind == SQL_TOKEN_NUMBER && *at == '.')))
                at++;
        } else {
            at = behind_mark(at, end);
        }
        t.text = (Span){begin, (size_t)(at - begin)};
        array_push(out, t);
    }
    return NULL;
}

bool sql_token_is(const SqlToken *t, const char *word)
{
    return (t->kind == SQL_TOKEN_WORD || t->kind == SQL_TOKEN_MARK) && t->text.n == strlen(word) &&
           strncasecmp(t->text.at, word, t->text.n) == 0;
}

bool sql_token_is_any(const SqlToken *t, const char *const *words)
{
    for (; *words; words++)
        if (sql_token_is(t, *words))
            return true;
    return false;
}

size_t sql_tokens_behind_bracket(const SqlTokens *t, size_t i)
{
    int depth = 0;
    for (; i < t->n; i++) {
        depth += sql_token_is(&t->at[i], "(") - sql_token_is(&t->at[i], ")");
        if (depth == 0)
            return i + 1;
    }
    return i;
}

size_t sql_tokens_find(const SqlTokens *t, size_t i, size_t end, const char *const *words)
{
    while (i < end && !sql_token_is_any(&t->at[i], words) && !sql_token_is(&t->at[i], ")"))
        i = sql_token_is(&t->at[i], "(") ? sql_tokens_behind_bracket(t, i) : i + 1;
    return i < end ? i : end;
}

Span sql_word_next(Span *rest)
{
    *rest = span_trim(*rest);
    size_t n = 0;
    bool quoted = rest->n && strchr("`\"'", rest->at[0]);
    const char *end = quoted ? memchr(rest->at + 1, rest->at[0], rest->n - 1) : NULL;
    if (end) {
        Span word = {rest->at + 1, (size_t)(end - rest->at) - 1};
        *rest = (Span){end + 1, rest->n - word.n - 2};
        return word;
    }
    while (n < rest->n && !strchr(" \t\r\n;", rest->at[n]))
        n++;
    Span word = {rest->at, n};
    *rest = (Span){rest->at + n, rest->n - n};
    return word;
}

bool sql_word_is(Span word, const char *text)
{
    return word.n == strlen(text) && strncasecmp(word.at, text, word.n) == 0;
}
