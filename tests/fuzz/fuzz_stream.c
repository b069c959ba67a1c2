/* Any bytes as a file to read from: what comes out is bounded by the test, and reading ends. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/stream.h"

enum { BYTES_MAX = 8 << 20 };

static void read_lines(StreamReader *r)
{
    const char *member;
    LineReader l = {0};
    Span line = {0};
    bool cut;
    size_t total = 0;
    while (total < BYTES_MAX && stream_next(r, &member) == ST_OK && member) {
        lines_start(&l, r);
        while (total++ < BYTES_MAX && lines_next(&l, 1000, &line, &cut) == ST_OK && line.at) {
            check(line.n <= 1000);
            total += line.n;
        }
    }
    lines_drop(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    int fd = memfd_create("fuzz", 0);
    check(fd >= 0);
    check(write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    StreamReader *r;
    if (stream_open(&r, path) == ST_OK)
        read_lines(r);
    stream_close(r);
    close(fd);
    return 0;
}
