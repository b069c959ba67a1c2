/* Any bytes as a token shard, with their sums made right so that the checks behind them are reached: rows
 * whose ids are in the vocabulary, or a sentence. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/mem.h"
#include "corpus/shard.h"

static void reseal(uint8_t *bytes, size_t n)
{
    ShardHeader h;
    if (n < sizeof h)
        return;
    memcpy(&h, bytes, sizeof h);
    memcpy(h.magic, "LEMURTOK", 8);
    h.version = SHARD_VERSION;
    h.header_bytes = sizeof h;
    if (n % 2 == 0) { /* half of all inputs get a layout that fits their counts */
        h.rows %= 16;
        h.row_tokens %= 64;
        h.starts_n %= 64;
        h.sources_n %= 4;
        h.names_bytes %= 64;
        (void)shard_layout(&h);
    }
    h.file_bytes = n;
    uint64_t block = (uint64_t)h.block_rows * h.row_tokens * h.id_bytes;
    for (uint64_t i = 0;
         h.sums_at % 8 == 0 && h.sums_at < n && block && block < n && h.sums_at + i * 8 + 8 <= n; i++) {
        uint64_t from = h.ids_at + i * block, to = from + block;
        uint64_t end = h.ids_at + h.rows * h.row_tokens * h.id_bytes;
        to = to < end ? to : end;
        if (from >= to || to > n)
            break;
        uint64_t sum = XXH3_64bits(bytes + from, to - from);
        memcpy(bytes + h.sums_at + i * 8, &sum, 8);
    }
    if (h.index_at < n)
        h.tables_xxh3 = XXH3_64bits(bytes + h.index_at, n - h.index_at);
    h.header_xxh3 = XXH3_64bits(&h, offsetof(ShardHeader, header_xxh3));
    memcpy(bytes, &h, sizeof h);
}

static void rows_see(ShardReader *r)
{
    int32_t n = shard_row_tokens(r), *ids = mem_array(int32_t, n);
    for (int64_t i = 0; i < shard_rows(r); i++) {
        ShardRow row;
        if (shard_row(r, i, ids, &row) != ST_OK) {
            check(strlen(error_text()) > 0);
            continue;
        }
        for (int32_t k = 0; k < n; k++)
            check(ids[k] >= 0 && (uint32_t)ids[k] < shard_header(r)->vocab_size);
        check(row.starts_n >= 1 && row.starts[0] == 0 && row.starts[row.starts_n - 1] < (uint32_t)n);
        check(strlen(shard_sources(r)[row.source].name) > 0);
    }
    mem_free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    int fd = memfd_create("fuzz", 0);
    uint8_t *copy = mem_copy(bytes, n);
    reseal(copy, n);
    check(fd >= 0 && write(fd, copy, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ShardReader *r;
    if (shard_open(&r, path) == ST_OK) {
        rows_see(r);
        shard_close(r);
    } else {
        check(strlen(error_text()) > 0);
    }
    mem_free(copy);
    close(fd);
    return 0;
}
