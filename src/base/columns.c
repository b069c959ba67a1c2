#include "base/columns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/check.h"

enum { COLUMNS_MAX = 16, NARROWEST = 16 /* of a column that is wrapped */ };

size_t columns_width(FILE *out, size_t otherwise)
{
    struct winsize w;
    return ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col : otherwise;
}

static size_t count_of(const Columns *c)
{
    size_t n = strlen(c->align);
    check(n > 0 && n <= COLUMNS_MAX);
    return n;
}

void columns_add(Columns *c, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    check(n >= 0);
    for (char *p = text; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = ' ';
    array_push(&c->cells, mem_str(text));
    free(text);
}

void columns_end_row(Columns *c)
{
    while (c->cells.n % count_of(c))
        columns_add(c, "%s", "");
}

static size_t width_of(const char *cell)
{
    size_t n = 0;
    for (; *cell; cell++)
        n += ((unsigned char)*cell & 0xc0) != 0x80;
    return n;
}

static void pad(Str *out, size_t n)
{
    while (n--)
        str_addc(out, ' ');
}

/* A cell from the column `indent` on, broken at blanks. */
static void add_wrapped(Str *out, const char *cell, size_t indent, size_t width)
{
    size_t at = 0;
    while (*cell) {
        size_t n = strcspn(cell, " "), w = 0;
        for (size_t i = 0; i < n; i++)
            w += ((unsigned char)cell[i] & 0xc0) != 0x80;
        if (at && indent + at + 1 + w > width) {
            str_addc(out, '\n');
            pad(out, indent);
            at = 0;
        } else if (at) {
            str_addc(out, ' ');
            at++;
        }
        str_add(out, cell, n);
        at += w;
        cell += n + strspn(cell + n, " ");
    }
}

void columns_text(const Columns *c, Str *out)
{
    size_t columns = count_of(c), widths[COLUMNS_MAX] = {0}, due = 0;
    for (size_t i = 0; i < c->cells.n; i++) {
        size_t w = width_of(c->cells.at[i]);
        if (w > widths[i % columns])
            widths[i % columns] = w;
    }
    size_t indent = 2 * (columns - 1);
    for (size_t i = 0; i + 1 < columns; i++)
        indent += widths[i];
    for (size_t i = 0; i < c->cells.n; i++) { /* `due`: blanks that are written once something follows them */
        size_t column = i % columns, w = width_of(c->cells.at[i]), room = widths[column] - w;
        bool right = c->align[column] == 'r';
        if (w) {
            pad(out, due + (right ? room : 0));
            if (c->wrap >= indent + NARROWEST && column + 1 == columns && !right && indent + w > c->wrap)
                add_wrapped(out, c->cells.at[i], indent, c->wrap);
            else
                str_adds(out, c->cells.at[i]);
            due = right ? 0 : room;
        } else {
            due += room;
        }
        due += 2;
        if (column + 1 == columns || i + 1 == c->cells.n) {
            str_addc(out, '\n');
            due = 0;
        }
    }
}

void columns_print(const Columns *c, FILE *out)
{
    Str text = {0};
    columns_text(c, &text);
    fputs(str_c(&text), out);
    str_drop(&text);
}

void columns_drop(Columns *c)
{
    for (size_t i = 0; i < c->cells.n; i++)
        mem_free(c->cells.at[i]);
    array_drop(&c->cells);
}
