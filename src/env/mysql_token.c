#include "env/mysql_token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const MysqlReader *r, size_t ahead)
{
    return (size_t)(r->end - r->at) > ahead ? r->at[ahead] : '\0';
}

static Status broken(const MysqlReader *r, const char *what)
{
    return fail(ST_FORMAT, "%s:%lld: %s", r->file, (long long)r->line, what);
}

static void skip_line(MysqlReader *r)
{
    const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    r->at = end ? end : r->end;
}

static Status skip_comment(MysqlReader *r)
{
    const char *end = memmem(r->at + 2, (size_t)(r->end - r->at) - 2, "*/", 2);
    if (!end)
        return broken(r, "a comment without its end");
    for (; r->at < end + 2; r->at++)
        r->line += *r->at == '\n';
    return ST_OK;
}

/* "-- " begins a comment, "--1" does not. */
static bool at_line_comment(const MysqlReader *r)
{
    return peek(r, 0) == '#' ||
           (peek(r, 0) == '-' && peek(r, 1) == '-' && (r->end - r->at == 2 || strchr(" \t\r\n", peek(r, 2))));
}

static Status skip_blank(MysqlReader *r)
{
    for (;;) {
        char c = peek(r, 0);
        if (r->at == r->end) {
            return ST_OK;
        } else if (c && strchr(" \t\r\n\f\v", c)) {
            r->line += c == '\n';
            r->at++;
        } else if (at_line_comment(r)) {
            skip_line(r);
        } else if (c == '/' && peek(r, 1) == '*') {
            TRY(skip_comment(r));
        } else {
            return ST_OK;
        }
    }
}

/* \% and \_ keep their backslash: they are for patterns. */
static void add_escaped(Str *text, char c)
{
    static const char from[] = "0bnrtZ", to[] = {0, '\b', '\n', '\r', '\t', 26};
    const char *known = c ? strchr(from, c) : NULL;
    if (c == '%' || c == '_')
        str_addc(text, '\\');
    str_addc(text, known ? to[known - from] : c);
}

/* From behind the opening quote to behind the closing one. */
static Status read_quoted(MysqlReader *r, char quote)
{
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        r->line += c == '\n';
        if (c == '\\' && quote != '`') {
            if (++r->at == r->end)
                break;
            r->line += *r->at == '\n';
            add_escaped(&r->text, *r->at);
        } else if (c != quote) {
            if (c == '\0' && quote == '`')
                return broken(r, "a NUL in a name");
            str_addc(&r->text, c);
        } else if (peek(r, 1) == quote) {
            str_addc(&r->text, quote);
            r->at++;
        } else {
            r->at++;
            return ST_OK;
        }
    }
    return broken(r, quote == '`' ? "a name without its closing `" : "a string without its closing quote");
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Digits up to `end` (the quote), or up to the end of the word where `end` is 0. */
static Status read_hex(MysqlReader *r, char end)
{
    const char *from = r->at;
    while (r->at < r->end && hex_digit(*r->at) >= 0)
        r->at++;
    size_t n = (size_t)(r->at - from);
    if ((end ? peek(r, 0) != end : n == 0 || (r->at < r->end && is_word_char(*r->at))) || n % 2)
        return broken(r, "bytes in hexadecimal digits that are odd in number or none");
    for (size_t i = 0; i < n; i += 2)
        str_addc(&r->text, (char)(hex_digit(from[i]) * 16 + hex_digit(from[i + 1])));
    r->at += end != 0;
    return ST_OK;
}

static void read_number(MysqlReader *r)
{
    const char *from = r->at;
    while (is_digit(peek(r, 0)) || peek(r, 0) == '.')
        r->at++;
    if (peek(r, 0) == 'e' || peek(r, 0) == 'E') {
        size_t sign = peek(r, 1) == '-' || peek(r, 1) == '+';
        if (is_digit(peek(r, 1 + sign)))
            for (r->at += 1 + sign; is_digit(peek(r, 0));)
                r->at++;
    }
    str_add(&r->text, from, (size_t)(r->at - from));
}

static Status read_token(MysqlReader *r, MysqlKind *kind)
{
    char c = *r->at, next = peek(r, 1);
    if (c == '`' || c == '\'' || c == '"') {
        r->at++;
        *kind = c == '`' ? MYSQL_NAME : MYSQL_STRING;
        return read_quoted(r, c);
    }
    if ((c == '0' && next == 'x') || ((c == 'x' || c == 'X') && next == '\'')) {
        r->at += 2;
        *kind = MYSQL_BYTES;
        return read_hex(r, c == '0' ? '\0' : '\'');
    }
    if (is_digit(c) || (c == '.' && is_digit(next))) {
        *kind = MYSQL_NUMBER;
        read_number(r);
        return ST_OK;
    }
    *kind = is_word_char(c) ? MYSQL_WORD : MYSQL_MARK;
    do
        str_addc(&r->text, *r->at++);
    while (*kind == MYSQL_WORD && r->at < r->end && is_word_char(*r->at));
    return ST_OK;
}

Status mysql_token_next(MysqlReader *r, MysqlToken *out)
{
    str_clear(&r->text);
    TRY(skip_blank(r));
    out->kind = MYSQL_END;
    if (r->at < r->end)
        TRY(read_token(r, &out->kind));
    out->text = (Span){str_c(&r->text), r->text.n};
    return ST_OK;
}

bool mysql_token_is(const MysqlToken *t, const char *word)
{
    return (t->kind == MYSQL_WORD || t->kind == MYSQL_MARK) && t->text.n == strlen(word) &&
           strncasecmp(t->text.at, word, t->text.n) == 0;
}

Status mysql_token_refuse(const MysqlReader *r, const MysqlToken *now, Status st, const char *what)
{
    Str shown = {0};
    str_add_valid(&shown, now->text.at, now->text.n < 40 ? now->text.n : 40);
    fail(st, "%s:%lld: %s%s%s", r->file, (long long)r->line, what,
         now->kind == MYSQL_END ? ": the end of the file" : ": ", str_c(&shown));
    str_drop(&shown);
    return st;
}

Status mysql_token_expect(MysqlReader *r, MysqlToken *now, const char *word)
{
    char what[64];
    if (mysql_token_is(now, word))
        return mysql_token_next(r, now);
    snprintf(what, sizeof what, "%s should stand here", word);
    return mysql_token_refuse(r, now, ST_FORMAT, what);
}

Status mysql_token_accept(MysqlReader *r, MysqlToken *now, const char *word, bool *was)
{
    *was = mysql_token_is(now, word);
    return *was ? mysql_token_next(r, now) : ST_OK;
}

Status mysql_token_name(MysqlReader *r, MysqlToken *now, Str *out)
{
    if ((now->kind != MYSQL_WORD && now->kind != MYSQL_NAME) || now->text.n == 0)
        return mysql_token_refuse(r, now, ST_FORMAT, "a name should stand here");
    if (now->text.n > 256 || !utf8_valid(now->text.at, now->text.n))
        return mysql_token_refuse(r, now, ST_FORMAT, "a name of more than 64 characters, or no UTF-8");
    str_add(out, now->text.at, now->text.n);
    return mysql_token_next(r, now);
}

void mysql_reader_drop(MysqlReader *r)
{
    str_drop(&r->text);
}
