/* A folder in /tmp for tests that write files:
 *     cmocka_run_group_tests(tests, scratch_make, scratch_remove) */
#ifndef BASE_SCRATCH_TEST_H
#define BASE_SCRATCH_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static char scratch[32]; /* its path, once it is made */

static inline int scratch_make(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/lemur-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    (void)state;
    return folder_remove(scratch) == ST_OK ? 0 : -1;
}

/* The path of a name in the folder; caller frees. */
static inline char *scratch_path(const char *name)
{
    return path_join(scratch, name);
}

/* The same, valid until the eighth next call. */
static inline const char *in_scratch(const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

/* Makes the folders in front of the name as well. */
static inline void scratch_write(const char *name, const void *bytes, size_t n)
{
    char *path = scratch_path(name), *slash = strrchr(path, '/');
    *slash = 0;
    assert_int_equal(folder_make(path), ST_OK);
    *slash = '/';
    unlink(path); /* some file systems wait for the disk where a file is cut and written again */
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    mem_free(path);
}

static inline void scratch_text(const char *name, const char *text)
{
    scratch_write(name, text, strlen(text));
}

/* All of a file; the caller drops it. */
static inline Str scratch_read(const char *name)
{
    Str bytes = {0};
    char *path = scratch_path(name);
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    mem_free(path);
    return bytes;
}

/* Runs a shell command in the folder. */
static inline void scratch_run(const char *command)
{
    char *line = mem_format("cd %s && %s", scratch, command);
    assert_int_equal(system(line), 0);
    mem_free(line);
}

/* This thread's error says so. */
static inline void expect_words(const char *words)
{
    if (!strstr(error_text(), words))
        fail_msg("\"%s\" does not say \"%s\"", error_text(), words);
}

#endif
