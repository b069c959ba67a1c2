/* Any bytes as a table: rows that, written with every field quoted, are read again as they were; or a
 * sentence. */
#include <string.h>

#include "base/check.h"
#include "eval/csv.h"

static void write_field(Str *out, Span f)
{
    str_addc(out, '"');
    for (size_t i = 0; i < f.n; i++) {
        if (f.at[i] == '"')
            str_addc(out, '"');
        str_addc(out, f.at[i]);
    }
    str_addc(out, '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Csv c = csv_open((Span){(const char *)bytes, n});
    Str again = {0};
    Status st;
    while ((st = csv_next(&c)) == ST_OK && c.fields) {
        str_clear(&again);
        for (size_t i = 0; i < c.fields; i++) {
            if (i)
                str_addc(&again, ',');
            write_field(&again, csv_field(&c, i));
        }
        Csv copy = csv_open(str_span(&again));
        check(csv_next(&copy) == ST_OK && copy.fields == c.fields);
        for (size_t i = 0; i < c.fields; i++) {
            Span a = csv_field(&c, i), b = csv_field(&copy, i);
            check(a.n == b.n && (!a.n || memcmp(a.at, b.at, a.n) == 0));
        }
        check(csv_next(&copy) == ST_OK && !copy.fields);
        csv_drop(&copy);
    }
    check(st == ST_OK || (*error_text() && csv_next(&c) == st));
    csv_drop(&c);
    str_drop(&again);
    return 0;
}
