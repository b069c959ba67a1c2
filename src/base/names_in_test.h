/* How many names a folder has, for tests: also of this process's descriptors and threads, in /proc/self. */
#ifndef BASE_NAMES_IN_TEST_H
#define BASE_NAMES_IN_TEST_H

#include <unistd.h>

#include "base/file.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static inline size_t names_in(const char *folder)
{
    FolderList l;
    assert_int_equal(folder_list(&l, folder), ST_OK);
    size_t n = l.n;
    folder_list_drop(&l);
    return n;
}

/* A thread that ended leaves the list a little later. */
static inline void expect_threads(size_t n)
{
    for (int tries = 0; names_in("/proc/self/task") > n && tries < 2000; tries++)
        usleep(1000);
    assert_int_equal(names_in("/proc/self/task"), n);
}

#endif
