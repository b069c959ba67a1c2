/* Pages without anything from outside: text that is escaped, tables, what unfolds.
 *
 *     Str page = {0};
 *     html_begin(&page, "Lemur: mini");
 *     html_heading(&page, 2, "scores", "Scores");
 *     html_add(&page, "<p>%s of %s", name, total);       // the format is HTML, what is filled in is text
 *     html_end(&page); */
#ifndef STUDY_HTML_H
#define STUDY_HTML_H

#include "base/str.h"

void html_begin(Str *page, const char *title);
void html_end(Str *page);
/* Text with what HTML reads as its own written out; bytes that are no UTF-8 become U+FFFD. */
void html_text(Str *page, Span text);
/* Like str_addf, but %s arguments are text: they are escaped. */
void html_add(Str *page, const char *fmt, ...) PRINTF_LIKE(2, 3);
void html_heading(Str *page, int level, const char *id, const char *text);

/* Tables: letters of `align` are columns, l(eft), r(ight), t(ext, which goes on below itself) or w(rapped on
 * a telephone, left elsewhere); cells come row by row, the first row is the head. */
typedef struct {
    Str *page;
    const char *align;
    size_t column;
    bool head;
} HtmlTable;
HtmlTable html_table(Str *page, const char *align);
void html_cell(HtmlTable *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void html_cell_raw(HtmlTable *t, Span html);             /* HTML as it is */
void html_cells(HtmlTable *t, const char *const *texts); /* a cell each; NULL at the end */
void html_table_end(HtmlTable *t);

/* A line that unfolds what follows until html_fold_end. */
void html_fold(Str *page, const char *fmt, ...) PRINTF_LIKE(2, 3);
void html_fold_end(Str *page);

#endif
