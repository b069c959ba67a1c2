/* What a model's answer does, as InterCode's parser finds it: experiments/policies.py. */
#include <string.h>
#include <strings.h>

#include "env/sql.h"
#include "env/sql_token.h"

static const char *const keywords[] = {"SHOW", "SELECT", "DESCRIBE", "DESC"};
enum { KEYWORDS = 4 };

static Span before_semicolon(Span s)
{
    const char *at = memchr(s.at, ';', s.n);
    return (Span){s.at, at ? (size_t)(at - s.at) : s.n};
}

/* Without a fence. */
static bool read_bare(Span *action, Span answer)
{
    if (span_starts(answer, "SQL: ")) {
        *action = before_semicolon((Span){answer.at + 5, answer.n - 5});
        return true;
    }
    for (int i = 0; i < KEYWORDS; i++) {
        const char *at = memmem(answer.at, answer.n, keywords[i], strlen(keywords[i]));
        if (at) {
            *action = before_semicolon((Span){at, (size_t)(answer.at + answer.n - at)});
            return true;
        }
    }
    return false;
}

/* What is between the first fence and the next, without its sql or SQL; another language's name stays. */
static bool find_block(Span *block, Span answer)
{
    const char *end = answer.at + answer.n, *at = memmem(answer.at, answer.n, "```", 3) + 3;
    if (end - at >= 3 && (memcmp(at, "sql", 3) == 0 || memcmp(at, "SQL", 3) == 0))
        at += 3;
    const char *close = memmem(at, (size_t)(end - at), "```", 3);
    *block = (Span){at, close ? (size_t)(close - at) : 0};
    return close != NULL;
}

static void add_collapsed(Str *out, Span text)
{
    bool blank = false;
    text = span_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        bool white = strchr(" \t\r\n\v\f", text.at[i]) != NULL;
        if (blank && !white)
            str_addc(out, ' ');
        if (!white)
            str_addc(out, text.at[i]);
        blank = white;
    }
}

/* *action stays empty where there is no block. */
static bool read_fenced(Str *action, Span answer)
{
    Span block;
    if (!find_block(&block, answer))
        return false;
    add_collapsed(action, block);
    action->n = before_semicolon(str_span(action)).n;
    if (action->at)
        action->at[action->n] = 0;
    Span rest = str_span(action), first = sql_word_next(&rest);
    for (int i = 0; i < KEYWORDS; i++)
        if (sql_word_is(first, keywords[i]))
            return true;
    return false;
}

bool sql_action_read(Str *action, Span answer)
{
    Str text = {0};
    for (size_t i = 0; i < answer.n; i++)
        if (answer.at[i] != '\\' || i + 1 == answer.n || answer.at[i + 1] != '_')
            str_addc(&text, answer.at[i]);
    Span all = str_span(&text), found;
    str_clear(action);
    bool good = false;
    if (all.n && memmem(all.at, all.n, "```", 3))
        good = read_fenced(action, all);
    else if (all.n && (good = read_bare(&found, all)))
        str_add(action, found.at, found.n);
    if (!good && action->n == 0)
        str_add(action, str_c(&text), text.n);
    str_drop(&text);
    return good;
}
