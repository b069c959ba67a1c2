/* A folder of this process for what is read by its path; it goes with the process. */
#ifndef FUZZ_FOLDER_H
#define FUZZ_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

static char fuzz_folder[32];

static int fuzz_remove(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static void fuzz_folder_remove(void)
{
    nftw(fuzz_folder, fuzz_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes the file, "a/b.json" below the folder, anew; its path, which the caller frees. */
static inline char *fuzz_file(const char *name, const void *bytes, size_t n)
{
    if (!fuzz_folder[0]) {
        const char *in = path_is_folder("/dev/shm") ? "/dev/shm" : "/tmp"; /* memory is faster */
        snprintf(fuzz_folder, sizeof fuzz_folder, "%s/lemur-fuzz-XXXXXX", in);
        check(mkdtemp(fuzz_folder));
        atexit(fuzz_folder_remove);
    }
    char *path = path_join(fuzz_folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        char *folder = mem_strn(path, (size_t)(path_base(path) - path - 1));
        check(folder_make(folder) == ST_OK);
        mem_free(folder);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    check(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
    return path;
}

/* An input of many parts: what stands before its next NUL. */
static inline Span fuzz_part(Span *rest)
{
    const char *nul = rest->n ? memchr(rest->at, 0, rest->n) : NULL;
    Span part = {rest->at, nul ? (size_t)(nul - rest->at) : rest->n};
    size_t past = part.n + (nul != NULL);
    *rest = (Span){rest->at + past, rest->n - past};
    return part;
}

#endif
