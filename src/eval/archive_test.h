/* Archives for tests: tar, tar.gz or zip in memory. */
#ifndef EVAL_ARCHIVE_TEST_H
#define EVAL_ARCHIVE_TEST_H

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

typedef enum { TEST_TAR, TEST_TAR_GZ, TEST_ZIP } TestArchive;

/* Members are "name", "content", ...; NULL at the end.  A content of "->x" makes a symbolic link to x.  The
 * caller drops it. */
static inline Str archive_of(TestArchive kind, const char *const *members)
{
    static char buffer[1 << 18];
    size_t used = 0;
    struct archive *a = archive_write_new();
    if (kind == TEST_ZIP)
        check(archive_write_set_format_zip(a) == ARCHIVE_OK);
    else
        check(archive_write_set_format_ustar(a) == ARCHIVE_OK);
    if (kind == TEST_TAR_GZ)
        check(archive_write_add_filter_gzip(a) == ARCHIVE_OK);
    check(archive_write_open_memory(a, buffer, sizeof buffer, &used) == ARCHIVE_OK);
    for (; *members; members += 2) {
        struct archive_entry *e = archive_entry_new();
        bool link = strncmp(members[1], "->", 2) == 0;
        archive_entry_set_pathname(e, members[0]);
        archive_entry_set_filetype(e, link ? AE_IFLNK : AE_IFREG);
        archive_entry_set_perm(e, 0644);
        if (link)
            archive_entry_set_symlink(e, members[1] + 2);
        else
            archive_entry_set_size(e, (la_int64_t)strlen(members[1]));
        check(archive_write_header(a, e) == ARCHIVE_OK);
        if (!link)
            check(archive_write_data(a, members[1], strlen(members[1])) == (la_ssize_t)strlen(members[1]));
        archive_entry_free(e);
    }
    check(archive_write_close(a) == ARCHIVE_OK);
    archive_write_free(a);
    Str out = {0};
    str_add(&out, buffer, used);
    return out;
}

#endif
