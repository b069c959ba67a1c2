#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *expr, const char *file, int line)
{
    fprintf(stderr, "lemur: %s:%d: broken contract: %s\n", file, line, expr);
    abort();
}
