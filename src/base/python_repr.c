#include "base/python_repr.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "d.ddde+xx" with the fewest digits. */
static void shortest(char text[32], double real)
{
    for (int digits = 0; digits < 17; digits++) {
        snprintf(text, 32, "%.*e", digits, real);
        if (strtod(text, NULL) == real)
            return;
    }
}

void python_repr_real(Str *out, double real)
{
    char text[32], digits[32];
    int n = 0;
    if (!isfinite(real)) {
        str_adds(out, isnan(real) ? "nan" : real > 0 ? "inf" : "-inf");
        return;
    }
    shortest(text, real);
    const char *e = strchr(text, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    for (const char *c = text; c < e; c++)
        if (*c >= '0' && *c <= '9')
            digits[n++] = *c;
    if (text[0] == '-')
        str_addc(out, '-');
    if (exponent < -4 || exponent >= 16) {
        str_addf(out, "%c%s%.*se%c%02d", digits[0], n > 1 ? "." : "", n - 1, digits + 1,
                 exponent < 0 ? '-' : '+', abs(exponent));
    } else if (exponent < 0) {
        str_addf(out, "0.%.*s%.*s", -exponent - 1, "0000", n, digits);
    } else {
        for (int i = 0; i <= exponent; i++)
            str_addc(out, i < n ? digits[i] : '0');
        str_addf(out, ".%.*s", n > exponent + 1 ? n - exponent - 1 : 1,
                 n > exponent + 1 ? digits + exponent + 1 : "0");
    }
}
