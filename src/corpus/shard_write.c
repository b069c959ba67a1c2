/* Writing one token shard: ids go to the file as they come, the small tables are kept and written behind
 * them. */
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/check.h"
#include "base/file.h"
#include "corpus/shard.h"

struct ShardWriter {
    ShardHeader h;
    FileWriter file;
    bool open;
    Array(uint32_t) index, starts, bytes, padding;
    Array(uint16_t) source;
    Array(uint64_t) sums;
    Str names, row, mask;
    XXH3_state_t *block, *tables;
    uint32_t block_filled;
    uint64_t at; /* bytes written so far */
};

static void names_add(ShardWriter *w, const ShardSource *s)
{
    size_t n = strlen(s->name);
    check(n >= 1 && n <= SHARD_NAME_MAX);
    unsigned char head[4] = {(unsigned char)(n & 255), (unsigned char)(n >> 8), (unsigned char)s->kind, 0};
    str_add(&w->names, head, sizeof head);
    str_add(&w->names, s->name, n);
}

Status shard_create(ShardWriter **out, const char *path, const ShardSpec *spec)
{
    ShardWriter *w = mem_new(ShardWriter);
    for (int32_t i = 0; i < spec->sources_n; i++)
        names_add(w, &spec->sources[i]);
    w->h = (ShardHeader){.version = spec->has_mask ? SHARD_VERSION_MASKED : SHARD_VERSION,
                         .header_bytes = sizeof w->h,
                         .tokenizer_hash = spec->tokenizer_hash,
                         .vocab_size = (uint32_t)spec->vocab_size,
                         .id_bytes = spec->vocab_size <= 65536 ? 2 : 4,
                         .row_tokens = (uint32_t)spec->row_tokens,
                         .flags = (spec->isolated ? SHARD_ISOLATED : 0u) |
                                  (spec->has_bytes ? SHARD_HAS_BYTES : 0u) |
                                  (spec->has_mask ? SHARD_HAS_MASK : 0u),
                         .sources_n = (uint32_t)spec->sources_n,
                         .names_bytes = w->names.n};
    memcpy(w->h.magic, "LEMURTOK", 8);
    check(shard_layout(&w->h)); /* row length, vocabulary and sources are the caller's to keep in bounds */
    w->block = XXH3_createState();
    w->tables = XXH3_createState();
    check(w->block && w->tables);
    XXH3_64bits_reset(w->block);
    XXH3_64bits_reset(w->tables);
    array_push(&w->index, 0);
    Status st;
    if (!shard_machine_fits())
        TRY_TO(undo, fail(ST_UNSUPPORTED, "token shards are written on little-endian machines only"));
    TRY_TO(undo, file_begin(&w->file, path));
    w->open = true;
    TRY_TO(undo, file_write(&w->file, &w->h, sizeof w->h)); /* its place; the true one is written last */
    w->at = sizeof w->h;
    *out = w;
    return ST_OK;
undo:
    shard_abandon(w);
    return st;
}

static void block_end(ShardWriter *w)
{
    array_push(&w->sums, XXH3_64bits_digest(w->block));
    XXH3_64bits_reset(w->block);
    w->block_filled = 0;
}

static void ids_narrow(Str *row, const int32_t *ids, uint32_t n, uint32_t id_bytes, uint32_t vocab_size)
{
    str_clear(row);
    str_reserve(row, (size_t)n * id_bytes);
    uint16_t *narrow = (void *)row->at;
    uint32_t *wide = (void *)row->at, largest = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = (uint32_t)ids[i];
        largest = id > largest ? id : largest;
        if (id_bytes == 2)
            narrow[i] = (uint16_t)id;
        else
            wide[i] = id;
    }
    check(largest < vocab_size);
    row->n = (size_t)n * id_bytes;
}

Status shard_add(ShardWriter *w, const int32_t *ids, const ShardRow *row)
{
    check(row->starts_n >= 1 && row->starts[0] == 0 && row->source >= 0 &&
          row->source < (int32_t)w->h.sources_n);
    bool may_pad = w->h.flags & (SHARD_HAS_BYTES | SHARD_HAS_MASK);
    check(row->padding == 0 ||
          (may_pad && row->padding > 0 && row->padding <= (int32_t)w->h.row_tokens - 2));
    check(!row->mask == !(w->h.flags & SHARD_HAS_MASK));
    if (w->starts.n + (size_t)row->starts_n > UINT32_MAX)
        return fail(ST_LIMIT, "a shard holds at most 2^32 document starts; ask for fewer rows a shard");
    ids_narrow(&w->row, ids, w->h.row_tokens, w->h.id_bytes, w->h.vocab_size);
    TRY(file_write(&w->file, w->row.at, w->row.n));
    w->at += w->row.n;
    XXH3_64bits_update(w->block, w->row.at, w->row.n);
    if (++w->block_filled == w->h.block_rows)
        block_end(w);
    for (int32_t i = 0; i < row->starts_n; i++) {
        check(row->starts[i] < w->h.row_tokens && (i == 0 || row->starts[i] > row->starts[i - 1]));
        array_push(&w->starts, row->starts[i]);
    }
    array_push(&w->index, (uint32_t)w->starts.n);
    array_push(&w->source, (uint16_t)row->source);
    if (w->h.flags & SHARD_HAS_BYTES) {
        check(row->bytes >= 0 && row->bytes <= UINT32_MAX);
        array_push(&w->bytes, (uint32_t)row->bytes);
    }
    if (may_pad)
        array_push(&w->padding, (uint32_t)row->padding);
    if (row->mask)
        str_add(&w->mask, row->mask, (size_t)shard_mask_bytes(w->h.row_tokens));
    w->h.rows++;
    return ST_OK;
}

/* Writes a table, padded to its place `at`. */
static Status table_write(ShardWriter *w, uint64_t at, const void *bytes, size_t n)
{
    static const char zeros[64];
    check(at >= w->at && at - w->at < sizeof zeros);
    size_t pad = (size_t)(at - w->at);
    TRY(file_write(&w->file, zeros, pad));
    TRY(file_write(&w->file, bytes, n));
    if (at > w->h.index_at)
        XXH3_64bits_update(w->tables, zeros, pad);
    XXH3_64bits_update(w->tables, bytes, n);
    w->at = at + n;
    return ST_OK;
}

static Status tables_write(ShardWriter *w)
{
    ShardHeader *h = &w->h;
    h->starts_n = w->starts.n;
    if (w->block_filled)
        block_end(w);
    check(shard_layout(h));
    TRY(table_write(w, h->index_at, w->index.at, w->index.n * 4));
    TRY(table_write(w, h->starts_at, w->starts.at, w->starts.n * 4));
    TRY(table_write(w, h->source_at, w->source.at, w->source.n * 2));
    if (h->bytes_at)
        TRY(table_write(w, h->bytes_at, w->bytes.at, w->bytes.n * 4));
    if (h->padding_at)
        TRY(table_write(w, h->padding_at, w->padding.at, w->padding.n * 4));
    if (h->mask_at)
        TRY(table_write(w, h->mask_at, str_c(&w->mask), w->mask.n));
    TRY(table_write(w, h->sums_at, w->sums.at, w->sums.n * 8));
    TRY(table_write(w, h->names_at, w->names.at, w->names.n));
    check(w->at == h->file_bytes);
    h->tables_xxh3 = XXH3_64bits_digest(w->tables);
    h->header_xxh3 = XXH3_64bits(h, offsetof(ShardHeader, header_xxh3));
    if (fseeko(w->file.f, 0, SEEK_SET) != 0)
        return fail_errno(ST_IO, "cannot go back to the start of %s", w->file.temporary);
    return file_write(&w->file, h, sizeof *h);
}

Status shard_finish(ShardWriter *w, uint64_t *sum)
{
    Status st = tables_write(w);
    if (st == ST_OK) {
        w->open = false;
        st = file_commit(&w->file);
    }
    if (st == ST_OK && sum)
        *sum = w->h.header_xxh3;
    shard_abandon(w);
    return st;
}

void shard_abandon(ShardWriter *w)
{
    if (!w)
        return;
    if (w->open)
        file_abandon(&w->file);
    array_drop(&w->index);
    array_drop(&w->starts);
    array_drop(&w->bytes);
    array_drop(&w->padding);
    array_drop(&w->source);
    array_drop(&w->sums);
    str_drop(&w->names);
    str_drop(&w->row);
    str_drop(&w->mask);
    XXH3_freeState(w->block);
    XXH3_freeState(w->tables);
    mem_free(w);
}
