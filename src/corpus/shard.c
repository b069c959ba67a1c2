/* Reading one token shard.  Everything that a file says is checked before it is used: the layout against
 * the counts, the tables against their sum when the file is opened, each block of ids against its sum when
 * first touched, each id against the vocabulary when it is copied. */
#include "corpus/shard.h"

#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/mem.h"

static const char magic[8] = {'L', 'E', 'M', 'U', 'R', 'T', 'O', 'K'};
enum { BLOCK_BYTES = 256 * 1024, ALIGN = 64 };

struct ShardReader {
    FileMap map;
    char *path;
    ShardHeader h;
    const uint32_t *index, *starts, *bytes, *padding;
    const uint8_t *mask;
    const uint16_t *source;
    const uint64_t *sums;
    ShardSource *sources; /* names are copies */
    uint8_t *touched;     /* one bit per block whose sum has been compared */
};

static uint64_t aligned(uint64_t at)
{
    return (at + ALIGN - 1) / ALIGN * ALIGN;
}

bool shard_layout(ShardHeader *h)
{
    uint64_t row_bytes = (uint64_t)h->row_tokens * h->id_bytes;
    if (h->row_tokens < 2 || h->row_tokens > SHARD_ROW_TOKENS_MAX || (h->id_bytes != 2 && h->id_bytes != 4) ||
        h->vocab_size < 1 || h->vocab_size > INT32_MAX || (h->id_bytes == 2 && h->vocab_size > 65536) ||
        h->starts_n > UINT32_MAX || h->starts_n < h->rows || h->sources_n < 1 ||
        h->sources_n > SHARD_SOURCES_MAX || h->names_bytes > SHARD_SOURCES_MAX * (4 + SHARD_NAME_MAX))
        return false;
    if (h->rows > (UINT64_C(1) << 56) / row_bytes)
        return false;
    h->block_rows = row_bytes < BLOCK_BYTES ? (uint32_t)(BLOCK_BYTES / row_bytes) : 1;
    uint64_t blocks = (h->rows + h->block_rows - 1) / h->block_rows;
    h->ids_at = sizeof *h;
    h->index_at = aligned(h->ids_at + h->rows * row_bytes);
    h->starts_at = aligned(h->index_at + (h->rows + 1) * 4);
    h->source_at = aligned(h->starts_at + h->starts_n * 4);
    uint64_t next = aligned(h->source_at + h->rows * 2);
    h->bytes_at = h->flags & SHARD_HAS_BYTES ? next : 0;
    next = h->bytes_at ? aligned(next + h->rows * 4) : next;
    h->padding_at = h->flags & (SHARD_HAS_BYTES | SHARD_HAS_MASK) ? next : 0;
    next = h->padding_at ? aligned(next + h->rows * 4) : next;
    h->mask_at = h->flags & SHARD_HAS_MASK ? next : 0;
    h->sums_at = h->mask_at ? aligned(next + h->rows * (uint64_t)shard_mask_bytes(h->row_tokens)) : next;
    h->names_at = aligned(h->sums_at + blocks * 8);
    h->file_bytes = h->names_at + h->names_bytes;
    return true;
}

static Status header_check(const ShardReader *r)
{
    const ShardHeader *h = &r->h;
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return fail(ST_FORMAT, "not a token shard: it does not begin with \"LEMURTOK\"");
    if (h->version != SHARD_VERSION && h->version != SHARD_VERSION_MASKED)
        return fail(ST_UNSUPPORTED,
                    "token shard of version %u, this program reads versions %d and %d; pack the corpus again",
                    h->version, SHARD_VERSION, SHARD_VERSION_MASKED);
    if (h->header_xxh3 != XXH3_64bits(h, offsetof(ShardHeader, header_xxh3)))
        return fail(ST_FORMAT,
                    "the header does not match its sum: the file is damaged; pack the corpus again");
    if (h->file_bytes != r->map.n)
        return fail(ST_FORMAT, "the file has %zu bytes where its header says %llu: it was cut or added to",
                    r->map.n, (unsigned long long)h->file_bytes);
    ShardHeader again = *h;
    bool masked = h->flags & SHARD_HAS_MASK;
    if (h->row_tokens < 2 || h->rows > r->map.n || h->header_bytes != sizeof *h ||
        masked != (h->version == SHARD_VERSION_MASKED) || !shard_layout(&again) ||
        memcmp(&again, h, sizeof again) != 0)
        return fail(ST_FORMAT, "the header's counts and offsets contradict each other");
    return ST_OK;
}

static Status names_read(ShardReader *r)
{
    Cursor c = cursor_over(r->map.at + r->h.names_at, r->h.names_bytes);
    r->sources = mem_array(ShardSource, r->h.sources_n);
    for (uint32_t i = 0; i < r->h.sources_n; i++) {
        uint16_t n = cursor_u16(&c);
        uint8_t kind = cursor_u8(&c);
        cursor_skip(&c, 1);
        Span name = cursor_bytes(&c, n);
        if (c.bad || n < 1 || n > SHARD_NAME_MAX || kind > SHARD_TEXT || !utf8_valid(name.at, name.n) ||
            memchr(name.at, 0, name.n))
            return fail(ST_FORMAT, "the name of source %u is damaged", i);
        r->sources[i] = (ShardSource){.name = mem_strn(name.at, name.n), .kind = (ShardKind)kind};
    }
    if (cursor_left(&c) != 0)
        return fail(ST_FORMAT, "%zu bytes follow the names", cursor_left(&c));
    return ST_OK;
}

static Status tables_check(ShardReader *r)
{
    const ShardHeader *h = &r->h;
    const unsigned char *at = r->map.at;
    if (XXH3_64bits(at + h->index_at, (size_t)(h->file_bytes - h->index_at)) != h->tables_xxh3)
        return fail(ST_FORMAT, "the tables behind the ids do not match their sum: the file is damaged");
    r->index = (const void *)(at + h->index_at);
    r->starts = (const void *)(at + h->starts_at);
    r->source = (const void *)(at + h->source_at);
    r->bytes = h->bytes_at ? (const void *)(at + h->bytes_at) : NULL;
    r->padding = h->padding_at ? (const void *)(at + h->padding_at) : NULL;
    r->mask = h->mask_at ? at + h->mask_at : NULL;
    r->sums = (const void *)(at + h->sums_at);
    for (uint64_t i = 0; i < h->rows; i++)
        if (r->index[i + 1] <= r->index[i] || r->source[i] >= h->sources_n)
            return fail(ST_FORMAT, "row %llu has no document or no source", (unsigned long long)i);
        else if (r->padding && r->padding[i] > h->row_tokens - 2)
            return fail(ST_FORMAT, "row %llu is nothing but padding", (unsigned long long)i);
    if (r->index[0] != 0 || r->index[h->rows] != h->starts_n)
        return fail(ST_FORMAT, "the index of document starts does not cover them");
    return names_read(r);
}

bool shard_machine_fits(void)
{
    uint16_t one = 1;
    return *(unsigned char *)&one == 1;
}

Status shard_open(ShardReader **out, const char *path)
{
    Status st;
    ShardReader *r = mem_new(ShardReader);
    r->path = mem_str(path);
    if (!shard_machine_fits())
        TRY_TO(undo, fail(ST_UNSUPPORTED, "token shards are read on little-endian machines only"));
    TRY_TO(undo, file_map(&r->map, path));
    if (r->map.n < sizeof r->h)
        TRY_TO(undo, fail(ST_FORMAT, "%zu bytes are too few for a token shard", r->map.n));
    memcpy(&r->h, r->map.at, sizeof r->h);
    TRY_TO(undo, header_check(r));
    TRY_TO(undo, tables_check(r));
    r->touched = mem_zeroed((size_t)(r->h.rows / r->h.block_rows / 8 + 1), 1);
    *out = r;
    return ST_OK;
undo:
    shard_close(r);
    return fail_in(st, "opening %s", path);
}

void shard_close(ShardReader *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; r->sources && i < r->h.sources_n; i++)
        mem_free((void *)(uintptr_t)r->sources[i].name);
    mem_free(r->sources);
    mem_free(r->touched);
    mem_free(r->path);
    file_unmap(&r->map);
    mem_free(r);
}

const ShardHeader *shard_header(const ShardReader *r)
{
    return &r->h;
}

int64_t shard_rows(const ShardReader *r)
{
    return (int64_t)r->h.rows;
}

int32_t shard_row_tokens(const ShardReader *r)
{
    return (int32_t)r->h.row_tokens;
}

const ShardSource *shard_sources(const ShardReader *r)
{
    return r->sources;
}

static ShardRow row_at(const ShardReader *r, int64_t i)
{
    return (ShardRow){.starts = r->starts + r->index[i],
                      .starts_n = (int32_t)(r->index[i + 1] - r->index[i]),
                      .source = r->source[i],
                      .bytes = r->bytes ? (int64_t)r->bytes[i] : -1,
                      .padding = r->padding ? (int32_t)r->padding[i] : 0,
                      .mask = r->mask ? r->mask + i * shard_mask_bytes(r->h.row_tokens) : NULL};
}

int64_t shard_learned(const ShardReader *r)
{
    int64_t n = 0;
    for (int64_t i = 0; i < shard_rows(r); i++) {
        ShardRow row = row_at(r, i);
        n += shard_row_learned(&row, r->h.row_tokens);
    }
    return n;
}

static Status block_touch(ShardReader *r, uint64_t row)
{
    const ShardHeader *h = &r->h;
    uint64_t block = row / h->block_rows, first = block * h->block_rows;
    uint8_t bit = (uint8_t)(1u << (block % 8));
    if (r->touched[block / 8] & bit)
        return ST_OK;
    uint64_t rows = h->rows - first < h->block_rows ? h->rows - first : h->block_rows;
    uint64_t row_bytes = (uint64_t)h->row_tokens * h->id_bytes;
    if (XXH3_64bits(r->map.at + h->ids_at + first * row_bytes, (size_t)(rows * row_bytes)) != r->sums[block])
        return fail(
            ST_FORMAT,
            "%s: rows %llu to %llu do not match their sum: the file is damaged; pack the corpus again",
            r->path, (unsigned long long)first, (unsigned long long)(first + rows - 1));
    r->touched[block / 8] |= bit;
    return ST_OK;
}

/* Widens a row; returns its largest id. */
static uint32_t ids_copy(int32_t *out, const unsigned char *from, uint32_t n, uint32_t id_bytes)
{
    uint32_t largest = 0;
    if (id_bytes == 2) {
        const uint16_t *ids = (const void *)from;
        for (uint32_t i = 0; i < n; i++) {
            out[i] = ids[i];
            largest = ids[i] > largest ? ids[i] : largest;
        }
    } else {
        const uint32_t *ids = (const void *)from;
        for (uint32_t i = 0; i < n; i++) {
            out[i] = (int32_t)ids[i];
            largest = ids[i] > largest ? ids[i] : largest;
        }
    }
    return largest;
}

static Status starts_check(const ShardReader *r, int64_t row)
{
    uint32_t from = r->index[row], to = r->index[row + 1];
    bool good = r->starts[from] == 0;
    for (uint32_t k = from + 1; k < to; k++)
        good &= r->starts[k] > r->starts[k - 1] && r->starts[k] < r->h.row_tokens;
    return good ? ST_OK
                : fail(ST_FORMAT, "%s: the document starts of row %lld do not rise within it", r->path,
                       (long long)row);
}

Status shard_row(ShardReader *r, int64_t i, int32_t *ids, ShardRow *row)
{
    check(i >= 0 && i < shard_rows(r));
    TRY(block_touch(r, (uint64_t)i));
    uint64_t row_bytes = (uint64_t)r->h.row_tokens * r->h.id_bytes;
    uint32_t largest =
        ids_copy(ids, r->map.at + r->h.ids_at + (uint64_t)i * row_bytes, r->h.row_tokens, r->h.id_bytes);
    if (largest >= r->h.vocab_size)
        return fail(ST_FORMAT, "%s: row %lld holds id %u, outside the vocabulary of %u", r->path,
                    (long long)i, largest, r->h.vocab_size);
    if (!row)
        return ST_OK;
    TRY(starts_check(r, i));
    *row = row_at(r, i);
    return ST_OK;
}
