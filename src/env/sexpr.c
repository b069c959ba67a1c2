#include "env/sexpr.h"

#include <ctype.h>

typedef struct {
    Span text;
    char *words; /* room for the text's words, each where it stands there, with a NUL behind */
    size_t at;
    int line;
    const char *what;
    Arena *arena;
} Reader;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

static void skip(Reader *r)
{
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.at[r->at];
        if (c == ';') {
            while (r->at < r->text.n && r->text.at[r->at] != '\n')
                r->at++;
            if (r->at == r->text.n)
                return;
        } else if (!is_space(c)) {
            return;
        }
        r->line += r->text.at[r->at] == '\n';
    }
}

static Sexpr *node_new(const Reader *r)
{
    Sexpr *s = arena_alloc(r->arena, sizeof *s);
    *s = (Sexpr){.line = r->line};
    return s;
}

static Status read_word(Reader *r, Sexpr **out)
{
    size_t from = r->at;
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.at[r->at];
        if (is_space(c) || c == '(' || c == ')' || c == ';')
            break;
        if ((unsigned char)c < ' ' || c == 127)
            return fail(ST_FORMAT, "%s: line %d: a control character", r->what, r->line);
    }
    *out = node_new(r);
    for (size_t i = from; i < r->at; i++)
        r->words[i] = (char)tolower((unsigned char)r->text.at[i]);
    r->words[r->at] = 0;
    (*out)->word = r->words + from;
    return ST_OK;
}

Status sexpr_read(Sexpr **out, Arena *arena, Span text, const char *what)
{
    Reader r = {.text = text, .line = 1, .what = what, .arena = arena};
    Sexpr *open[SEXPR_DEPTH_MAX], **link[SEXPR_DEPTH_MAX], *whole = NULL;
    int depth = 0;
    if (text.n > SEXPR_BYTES_MAX)
        return fail(ST_LIMIT, "%s: %zu bytes, more than %d", what, text.n, SEXPR_BYTES_MAX);
    r.words = arena_alloc(arena, text.n + 1);
    for (skip(&r); r.at < r.text.n; skip(&r)) {
        char c = r.text.at[r.at];
        Sexpr *node = NULL;
        if (whole && !depth)
            return fail(ST_FORMAT, "%s: line %d: text behind the last parenthesis", what, r.line);
        if (c == ')') {
            if (!depth)
                return fail(ST_FORMAT, "%s: line %d: ')' without '('", what, r.line);
            depth--;
            r.at++;
            continue;
        }
        if (c == '(') {
            if (depth == SEXPR_DEPTH_MAX)
                return fail(ST_LIMIT, "%s: line %d: deeper than %d lists", what, r.line, SEXPR_DEPTH_MAX);
            node = node_new(&r);
            r.at++;
        } else {
            TRY(read_word(&r, &node));
            if (!depth)
                return fail(ST_FORMAT, "%s: line %d: '(' expected, not \"%.40s\"", what, r.line, node->word);
        }
        if (depth) {
            *link[depth - 1] = node;
            link[depth - 1] = &node->next;
        } else {
            whole = node;
        }
        if (!node->word) {
            open[depth] = node;
            link[depth++] = &node->first;
        }
    }
    if (!whole)
        return fail(ST_FORMAT, "%s: empty", what);
    if (depth)
        return fail(ST_FORMAT, "%s: line %d: '(' is never closed", what, open[depth - 1]->line);
    *out = whole;
    return ST_OK;
}
