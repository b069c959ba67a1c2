#include "study/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Light and dark as the reader's system has it; what is wider than a telephone scrolls by itself. */
static const char style[] =
    ":root{color-scheme:light dark;--line:#8884;--soft:#8882;--good:#1d6b32;--bad:#a12a1f;--mark:#c4ecce}\n"
    "@media(prefers-color-scheme:dark){:root{--good:#6fcf8a;--bad:#ff8f82;--mark:#1f5a33}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--line)}"
    "h3{font-size:1.05rem;margin-top:1.8rem}\n"
    "nav a{margin-right:1em;white-space:nowrap}a{color:LinkText}\n"
    ".wide{overflow-x:auto}table{border-collapse:separate;border-spacing:0;font-size:.9rem;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:4px .7em;line-height:22px;border-bottom:1px solid "
    "var(--line);text-align:left;vertical-align:top;"
    "white-space:nowrap}.r{text-align:right}td.t{white-space:normal;min-width:14rem}\n"
    "@media(max-width:40rem){th,td{padding:4px "
    ".4em}.w{white-space:normal;min-width:5rem;overflow-wrap:break-word}}\n"
    "td:first-child,th:first-child{padding-left:0;position:sticky;left:0;background:Canvas}\n"
    "pre{white-space:pre-wrap;background:var(--soft);padding:.6em;border-radius:.3em;font-size:.85rem;"
    "margin:.2em 0 .8em}mark{background:var(--mark);color:inherit;border-radius:.2em}\n"
    "details{margin:.4em 0;padding-left:.6em;border-left:3px solid var(--line)}summary{cursor:pointer}\n"
    "svg{width:100%;min-width:34rem;height:auto}.plot{color:CanvasText;overflow-x:auto}"
    ".small{font-size:.85rem;opacity:.8}p.small{margin:.3em 0}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n";

void html_begin(Str *page, const char *title)
{
    html_add(page,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>%s</title>\n",
             title);
    str_addf(page, "<style>\n%s</style></head><body>\n", style);
    html_add(page, "<h1>%s</h1>\n", title);
}

void html_end(Str *page)
{
    str_adds(page, "</body></html>\n");
}

void html_text(Str *page, Span text)
{
    Str valid = {0};
    str_add_valid(&valid, text.at, text.n);
    for (size_t i = 0; i < valid.n; i++)
        switch (valid.at[i]) {
        case '<': str_adds(page, "&lt;"); break;
        case '>': str_adds(page, "&gt;"); break;
        case '&': str_adds(page, "&amp;"); break;
        case '"': str_adds(page, "&quot;"); break;
        case '\'': str_adds(page, "&#39;"); break;
        default:
            if ((unsigned char)valid.at[i] >= 32 || valid.at[i] == '\n' || valid.at[i] == '\t')
                str_addc(page, valid.at[i]);
            else
                str_adds(page, "\xEF\xBF\xBD");
        }
    str_drop(&valid);
}

/* "%s", or "%.8s": so many bytes at most. */
static void add_text(Str *page, const char *directive, const char *text)
{
    const char *dot = strchr(directive, '.');
    Span all = span(text);
    size_t most = dot ? strtoul(dot + 1, NULL, 10) : all.n;
    html_text(page, (Span){all.at, all.n < most ? all.n : most});
}

/* The directives one by one, so that what %s brings is escaped and what the format says is not. */
static void add_list(Str *page, const char *fmt, va_list args)
{
    while (*fmt) {
        size_t plain = strcspn(fmt, "%");
        str_add(page, fmt, plain);
        fmt += plain;
        if (!*fmt)
            break;
        size_t n = 1 + strspn(fmt + 1, "-+ #0123456789.lz");
        char one[24], text[64];
        snprintf(one, sizeof one, "%.*s", (int)n + 1, fmt);
        switch (fmt[n]) {
        case '%': str_addc(page, '%'); break;
        case 's': add_text(page, one, va_arg(args, const char *)); break;
        case 'f':
        case 'g':
            snprintf(text, sizeof text, one, va_arg(args, double));
            str_adds(page, text);
            break;
        default: /* d, u, and these with z or ll */
            if (strstr(one, "ll"))
                snprintf(text, sizeof text, one, va_arg(args, long long));
            else if (strchr(one, 'z'))
                snprintf(text, sizeof text, one, va_arg(args, size_t));
            else
                snprintf(text, sizeof text, one, va_arg(args, int));
            str_adds(page, text);
        }
        fmt += n + 1;
    }
}

void html_add(Str *page, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_list(page, fmt, args);
    va_end(args);
}

void html_heading(Str *page, int level, const char *id, const char *text)
{
    html_add(page, "<h%d id=\"%s\">%s</h%d>\n", level, id, text, level);
}

HtmlTable html_table(Str *page, const char *align)
{
    str_adds(page, "<div class=\"wide\"><table>\n");
    return (HtmlTable){.page = page, .align = align, .head = true};
}

void html_cell_raw(HtmlTable *t, Span html)
{
    const char *kind = t->head ? "th" : "td";
    if (t->column == 0)
        str_adds(t->page, "<tr>");
    char align = t->align[t->column];
    const char *class = align == 'r'   ? " class=\"r\""
                        : align == 't' ? " class=\"t\""
                        : align == 'w' ? " class=\"w\""
                                       : "";
    str_addf(t->page, "<%s%s>", kind, class);
    str_add(t->page, html.at, html.n);
    str_addf(t->page, "</%s>", kind);
    if (!t->align[++t->column]) {
        str_adds(t->page, "</tr>\n");
        t->column = 0;
        t->head = false;
    }
}

void html_cell(HtmlTable *t, const char *fmt, ...)
{
    Str text = {0};
    va_list args;
    va_start(args, fmt);
    add_list(&text, fmt, args);
    va_end(args);
    html_cell_raw(t, str_span(&text));
    str_drop(&text);
}

void html_cells(HtmlTable *t, const char *const *texts)
{
    for (; *texts; texts++)
        html_cell(t, "%s", *texts);
}

void html_table_end(HtmlTable *t)
{
    str_adds(t->page, "</table></div>\n");
}

void html_fold(Str *page, const char *fmt, ...)
{
    va_list args;
    str_adds(page, "<details><summary>");
    va_start(args, fmt);
    add_list(page, fmt, args);
    va_end(args);
    str_adds(page, "</summary>\n");
}

void html_fold_end(Str *page)
{
    str_adds(page, "</details>\n");
}
