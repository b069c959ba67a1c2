/* Any bytes as an archive of data: files below the folder, as many as it says, or a sentence; nothing beside
 * it. */
#include <ftw.h>

#include "base/log.h"
#include "eval/unpack.h"
#include "fuzz_folder.h"

enum { BYTES_MAX = 1 << 18, FILES_MAX = 20 };
static int64_t files, bytes_there;

static int count(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)path, (void)at;
    check(kind == FTW_F || kind == FTW_D); /* no links */
    files += kind == FTW_F;
    bytes_there += kind == FTW_F ? s->st_size : 0;
    return 0;
}

static void look(const char *folder)
{
    files = bytes_there = 0;
    nftw(folder, count, 8, FTW_PHYS);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    log_level_set(LOG_ERROR);
    char *archive = fuzz_file("archive", bytes, n), *into = path_join(fuzz_folder, "into");
    check(folder_make(into) == ST_OK);
    UnpackSpec spec = {.bytes_max = BYTES_MAX, .files_max = FILES_MAX};
    int64_t said = 0;
    Status st = unpack_archive(&said, archive, into, &spec);
    check(st == ST_OK || *error_text());
    look(into);
    check(files <= FILES_MAX && bytes_there <= BYTES_MAX);
    check(st != ST_OK || (said > 0 && files > 0 && files <= said)); /* two members may have one name */
    nftw(into, fuzz_remove, 8, FTW_DEPTH | FTW_PHYS);
    look(fuzz_folder);
    check(files == 1); /* the archive */
    mem_free(into);
    mem_free(archive);
    return 0;
}
