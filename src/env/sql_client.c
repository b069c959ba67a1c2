/* What both variants of the client share: addresses, and the memory of answers. */
#include "env/sql_client.h"

#include <stdlib.h>
#include <string.h>

void sql_answer_drop(SqlAnswer *a)
{
    array_drop(&a->columns);
    array_drop(&a->cells);
    str_drop(&a->error);
    arena_drop(&a->arena);
    *a = (SqlAnswer){0};
}

void sql_address_drop(SqlAddress *a)
{
    mem_free(a->socket);
    mem_free(a->host);
    mem_free(a->user);
    mem_free(a->password);
    *a = (SqlAddress){0};
}

void sql_address_add(Str *out, const SqlAddress *a)
{
    if (a->user)
        str_addf(out, "%s@", a->user);
    if (a->socket)
        str_adds(out, a->socket);
    else
        str_addf(out, "%s:%d", a->host, a->port ? a->port : 3306);
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* %41 becomes 'A'; NULL: the two behind a % are no hexadecimal digits, or a NUL. */
static char *unescaped(Span text)
{
    Str s = {0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] != '%') {
            str_addc(&s, text.at[i]);
            continue;
        }
        int high = i + 2 < text.n ? hex(text.at[i + 1]) : -1, low = high < 0 ? -1 : hex(text.at[i + 2]);
        if (low < 0 || high * 16 + low == 0) {
            str_drop(&s);
            return NULL;
        }
        str_addc(&s, (char)(high * 16 + low));
        i += 2;
    }
    char *copy = mem_strn(str_c(&s), s.n);
    str_drop(&s);
    return copy;
}

/* "USER[:PASSWORD]" */
static bool read_user(SqlAddress *a, Span text)
{
    const char *colon = text.n ? memchr(text.at, ':', text.n) : NULL;
    size_t n = colon ? (size_t)(colon - text.at) : text.n;
    a->user = unescaped((Span){text.at, n});
    if (colon)
        a->password = unescaped((Span){colon + 1, text.n - n - 1});
    return a->user && a->user[0] && (!colon || a->password);
}

/* "HOST[:PORT][/]", a host of numbers and colons in [] */
static bool read_host(SqlAddress *a, Span text)
{
    if (span_ends(text, "/"))
        text.n--;
    const char *end = text.at + text.n, *behind;
    if (text.n && text.at[0] == '[') {
        const char *close = memchr(text.at, ']', text.n);
        if (!close)
            return false;
        a->host = mem_strn(text.at + 1, (size_t)(close - text.at) - 1);
        behind = close + 1;
    } else {
        const char *colon = text.n ? memchr(text.at, ':', text.n) : NULL;
        behind = colon ? colon : end;
        a->host = mem_strn(text.at, (size_t)(behind - text.at));
    }
    if (behind < end) {
        int64_t port = 0;
        char *digits = mem_strn(behind + 1, (size_t)(end - behind) - 1);
        bool good = *behind == ':' && parse_int(&port, digits) == ST_OK && port > 0 && port < 65536;
        mem_free(digits);
        a->port = (int)port;
        if (!good)
            return false;
    }
    return a->host[0] && !strpbrk(a->host, "/?#");
}

Status sql_address_read(SqlAddress *out, const char *text)
{
    static const char scheme[] = "mysql://";
    const char *password = getenv("LEMUR_SQL_PASSWORD");
    bool url = strncmp(text, scheme, sizeof scheme - 1) == 0;
    Span rest = span(url ? text + sizeof scheme - 1 : text);
    /* The user ends at the last @ in front of the host, or of the path. */
    const char *slash = rest.n ? memchr(rest.at, '/', rest.n) : NULL;
    const char *at = rest.n ? memrchr(rest.at, '@', slash ? (size_t)(slash - rest.at) : rest.n) : NULL;
    Span place = at ? (Span){at + 1, rest.n - (size_t)(at + 1 - rest.at)} : rest;
    SqlAddress a = {0};
    bool good = !at || read_user(&a, (Span){rest.at, (size_t)(at - rest.at)});
    if (good && url)
        good = read_host(&a, place);
    else if (good && (good = span_starts(place, "/")))
        a.socket = mem_strn(place.at, place.n);
    if (!good) {
        sql_address_drop(&a);
        return fail(ST_ARG,
                    "no address of a server: write mysql://USER[:PASSWORD]@HOST[:PORT]/, a socket's path, "
                    "or auto for a server of our own");
    }
    if (!a.password && password)
        a.password = mem_str(password);
    *out = a;
    return ST_OK;
}
