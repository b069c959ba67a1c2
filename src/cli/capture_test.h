/* For tests of commands: what one writes to standard output. */
#ifndef CLI_CAPTURE_TEST_H
#define CLI_CAPTURE_TEST_H

#include <stdio.h>
#include <unistd.h>

#include "base/scratch_test.h"

/* The command's exit code.  *out, which the caller drops, becomes what it printed. */
static inline int capture(Str *out, int (*command)(int, char **), int argc, char **argv)
{
    char buffer[4096];
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    int code = command(argc, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    str_clear(out);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        str_add(out, buffer, n);
    fclose(file);
    return code;
}

#endif
