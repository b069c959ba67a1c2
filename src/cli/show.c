#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* U+202A .. U+202E, U+2066 .. U+2069, U+200E, U+200F, U+061C. */
static bool turns_direction(uint32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F ||
           c == 0x061C;
}

/* One character at text.at[i]; returns its bytes. */
static size_t show_one(FILE *out, Span text, size_t i)
{
    unsigned char c = (unsigned char)text.at[i];
    uint32_t point;
    int n = c < 0x80 ? 0 : utf8_decode(&point, text.at + i, text.n - i);
    if (c >= 0x80 && !n) { /* halves of characters could come together on the terminal */
        fputs("\xEF\xBF\xBD", out);
        return 1;
    }
    if (n > 1 && point >= 0x80 && point < 0xA0)
        fputs("^?", out);
    else if (n > 1 && turns_direction(point))
        fprintf(out, "<U+%04X>", (unsigned)point);
    else if (n > 1)
        fwrite(text.at + i, 1, (size_t)n, out);
    else if (c == 127 || (c < 32 && c != '\n' && c != '\t'))
        fprintf(out, "^%c", c ^ 64);
    else
        fputc(c, out);
    return n > 1 ? (size_t)n : 1;
}

void show_text(FILE *out, Span text, bool guard)
{
    if (!guard)
        fwrite(text.at ? text.at : "", 1, text.n, out);
    for (size_t i = 0; guard && i < text.n;)
        i += show_one(out, text, i);
}

void show_lines(FILE *out, Span text, const char *margin, size_t lines, bool guard)
{
    size_t shown = 0, left = 0;
    for (size_t at = 0; at < text.n;) {
        const char *end = memchr(text.at + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.at) - at : text.n - at;
        if (!lines || shown < lines) {
            fputs(margin, out);
            show_text(out, (Span){text.at + at, n}, guard);
            fputc('\n', out);
            shown++;
        } else {
            left++;
        }
        at += n + 1;
    }
    if (left)
        fprintf(out, "%s(%zu more line%s)\n", margin, left, left == 1 ? "" : "s");
}

void show_note(FILE *notes, FILE *out, const char *fmt, va_list args)
{
    char *text;
    int n = vasprintf(&text, fmt, args);
    check(n >= 0);
    fflush(out);
    show_text(notes, (Span){text, (size_t)n}, true);
    free(text);
    fputc('\n', notes);
    fflush(notes);
}
