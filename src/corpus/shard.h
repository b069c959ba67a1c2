/* Token shards: the files between `lemur pack` and the trainer, and all of corpus/ that the trainer sees.
 *
 *     ShardSet *set;
 *     TRY(shards_open(&set, "packed", "train"));
 *     int32_t *ids = mem_array(int32_t, shards_row_tokens(set));
 *     ShardRow row;
 *     TRY(shards_row(set, i, ids, &row));       // inputs ids[0..T), targets ids[1..T], T = row_tokens - 1
 *     shards_close(set);
 *
 * A folder holds shards and a manifest.json, which names them; a new set takes the old one's place at once.
 * Rows have one length and one source each.  Rows to train on lie in the order in which they are to be
 * trained on, and hold no padding but in a set with a mask (`lemur tune`), where a row is whole examples and
 * what they leave free, in both splits.  Without a mask, held-out rows of a source follow each other with one
 * id in common, the last of one being the first of the next; the first row begins with an end-of-text id that
 * is no document's and the last is padded: so every held-out token is a target exactly once, and `bytes` add
 * up to the corpus' own.
 *
 * One .tok file (docs/formats/shard.md), little-endian, sections 64-byte aligned, offsets from the file's
 * start:
 *
 *     0           ShardHeader                       256 bytes, drawn below
 *     ids_at      ids[rows][row_tokens]             u16 where the vocabulary has at most 65536 ids, else u32
 *     index_at    first[rows + 1]                   u32: row i's starts are starts[first[i] .. first[i+1])
 *     starts_at   starts[starts_n]                  u32: where documents begin within their row; first is 0
 *     source_at   source[rows]                      u16: index into the names
 *     bytes_at    bytes[rows]                       u32: of text that ids[1..T] stand for; 0: no table
 *     padding_at  padding[rows]                     u32: ids at the row's end that are none; with bytes_at
 *                                                   or mask_at
 *     mask_at     mask[rows][ceil(row_tokens / 8)]  bit t % 8 of byte t / 8: whether id t is learned as a
 *                                                   target; 0: no mask, all are
 *     sums_at     sum[ceil(rows / block_rows)]      u64: XXH3 of each block of rows of ids
 *     names_at    { u16 n, u8 kind, u8 0, name[n] } once per source
 *
 * The header carries the XXH3 of all tables (index_at to the end) and of itself, so its sum vouches for
 * the file, and the manifest repeats it.  Opening reads header and tables (under 3 % of the file at 512
 * tokens a row); a block of ids (about 256 kB) is read and summed when a row of it is first asked for:
 * some 20 us, once. */
#ifndef CORPUS_SHARD_H
#define CORPUS_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A shard without a mask is of version 2 (1 had no padding_at), one with a mask of version 3: a program that
 * knows no masks, and would learn what is not to be learned, refuses it. */
enum { SHARD_VERSION = 2, SHARD_VERSION_MASKED = 3 };
enum { SHARD_ROW_TOKENS_MAX = 1 << 24, SHARD_SOURCES_MAX = 4096, SHARD_NAME_MAX = 255 };
enum { SHARD_ISOLATED = 1, SHARD_HAS_BYTES = 2, SHARD_HAS_MASK = 4 }; /* ShardHeader.flags */

typedef struct {
    char magic[8];           /*   0  "LEMURTOK"                              */
    uint32_t version;        /*   8  SHARD_VERSION, SHARD_VERSION_MASKED     */
    uint32_t header_bytes;   /*  12  256                                     */
    uint64_t file_bytes;     /*  16                                          */
    uint64_t tokenizer_hash; /*  24  tokenizer_hash() of the packing one     */
    uint32_t vocab_size;     /*  32  every id is below it                    */
    uint32_t id_bytes;       /*  36  2 or 4                                  */
    uint32_t row_tokens;     /*  40  context length + 1                      */
    uint32_t flags;          /*  44  SHARD_*                                 */
    uint64_t rows;           /*  48                                          */
    uint64_t starts_n;       /*  56  documents begun, each row's first included */
    uint32_t block_rows;     /*  64  rows that one sum covers                */
    uint32_t sources_n;      /*  68                                          */
    uint64_t ids_at;         /*  72                                          */
    uint64_t index_at;       /*  80                                          */
    uint64_t starts_at;      /*  88                                          */
    uint64_t source_at;      /*  96                                          */
    uint64_t bytes_at;       /* 104                                          */
    uint64_t sums_at;        /* 112                                          */
    uint64_t names_at;       /* 120                                          */
    uint64_t names_bytes;    /* 128                                          */
    uint64_t tables_xxh3;    /* 136  of bytes index_at .. file_bytes         */
    uint64_t padding_at;     /* 144                                          */
    uint64_t mask_at;        /* 152                                          */
    uint8_t zero[88];        /* 160                                          */
    uint64_t header_xxh3;    /* 248  of bytes 0 .. 248                       */
} ShardHeader;
_Static_assert(sizeof(ShardHeader) == 256, "drawn above");
_Static_assert(__builtin_offsetof(ShardHeader, rows) == 48, "drawn above");
_Static_assert(__builtin_offsetof(ShardHeader, ids_at) == 72, "drawn above");
_Static_assert(__builtin_offsetof(ShardHeader, header_xxh3) == 248, "drawn above");

/* Fills the offsets, file_bytes and block_rows from the counts; false where they are out of bounds.  The
 * reader computes the layout again and refuses a header that says otherwise. */
bool shard_layout(ShardHeader *h);
bool shard_machine_fits(void); /* little-endian: the tables are used where they lie in the map */

typedef enum { SHARD_CODE, SHARD_TEXT } ShardKind;

typedef struct {
    const char *name; /* 1 .. SHARD_NAME_MAX bytes of UTF-8 */
    ShardKind kind;
} ShardSource;

/* What belongs to one row beside its ids.  With isolated documents, positions restart at every start and
 * attention does not cross one; otherwise starts only tell where documents begin. */
typedef struct {
    const uint32_t *starts; /* [starts_n] rising, starts[0] = 0; a view into the file */
    int32_t starts_n;
    int32_t source;
    int64_t bytes;       /* of text that ids[1..T] stand for; -1 where not recorded */
    int32_t padding;     /* how many ids at the end are to be neither read nor predicted; at most T - 1 */
    const uint8_t *mask; /* [shard_mask_bytes] which ids are learned; NULL: all; a view into the file */
} ShardRow;

static inline int64_t shard_mask_bytes(int64_t row_tokens)
{
    return (row_tokens + 7) / 8;
}

static inline bool shard_mask_has(const uint8_t *mask, int64_t t)
{
    return mask[t / 8] >> (t % 8) & 1;
}

/* How many of ids 1..T of a row are learned as a target. */
static inline int64_t shard_row_learned(const ShardRow *row, int64_t row_tokens)
{
    int64_t n = 0;
    if (!row->mask)
        return row_tokens - 1 - row->padding;
    for (int64_t t = 1; t < row_tokens; t++)
        n += shard_mask_has(row->mask, t);
    return n;
}

/* One shard ---------------------------------------------------------------------------------------------- */

typedef struct ShardReader ShardReader;

/* Maps a shard and verifies magic, version, length, tables.  One reader per thread.
 *   ST_IO cannot open or map   ST_FORMAT damaged or cut
 *   ST_UNSUPPORTED another version, or a big-endian machine */
MUST_CHECK Status shard_open(ShardReader **out, const char *path);
void shard_close(ShardReader *r);

const ShardHeader *shard_header(const ShardReader *r);
int64_t shard_rows(const ShardReader *r);
int32_t shard_row_tokens(const ShardReader *r);
const ShardSource *shard_sources(const ShardReader *r); /* [sources_n] */
int64_t shard_learned(const ShardReader *r);            /* targets in all rows, counted when asked for */

/* Copies row i's ids to ids[row_tokens] and fills *row (NULL: not wanted).
 *   ST_FORMAT: its block does not match its sum, an id outside the vocabulary, starts that do not rise */
MUST_CHECK Status shard_row(ShardReader *r, int64_t i, int32_t *ids, ShardRow *row);

/* A folder of shards: one split -------------------------------------------------------------------------- */

typedef struct ShardSet ShardSet;

/* split: "train" or "held_out".  Same failures as shard_open; ST_IO also where the folder has no
 * manifest.json, ST_FORMAT where manifest and shards disagree.  A split without rows opens and has 0 of
 * them.  One set per thread. */
MUST_CHECK Status shards_open(ShardSet **out, const char *folder, const char *split);
void shards_close(ShardSet *s);

int64_t shards_rows(const ShardSet *s);
/* Share of all rows' positions whose target is learned, counted when asked for; 1 without rows. */
double shards_learned(const ShardSet *s);
int32_t shards_row_tokens(const ShardSet *s);
int32_t shards_vocab_size(const ShardSet *s);
uint64_t shards_tokenizer_hash(const ShardSet *s);
bool shards_isolated(const ShardSet *s);
bool shards_masked(const ShardSet *s); /* every row has a mask */
int32_t shards_sources_n(const ShardSet *s);
const ShardSource *shards_sources(const ShardSet *s); /* [sources_n] */
uint64_t shards_hash(const ShardSet *s); /* of every shard's sum, in order: names exactly this data */
/* The vocabulary that the folder carries (a folder or file for tokenizer_open), or NULL.  Lives as long as
 * the set. */
const char *shards_tokenizer_path(const ShardSet *s);
MUST_CHECK Status shards_row(ShardSet *s, int64_t i, int32_t *ids, ShardRow *row);

/* Writing ------------------------------------------------------------------------------------------------ */

typedef struct {
    int32_t row_tokens, vocab_size;
    uint64_t tokenizer_hash;
    bool isolated, has_bytes, has_mask;
    const ShardSource *sources; /* [sources_n], borrowed as long as the writer lives */
    int32_t sources_n;
} ShardSpec;

typedef struct ShardWriter ShardWriter;

/* Writes one shard under a temporary name; shard_finish renames it and gives its header sum (NULL: not
 * wanted). row->starts are copied; row->bytes counts where the spec says has_bytes; a row may be padded where
 * it says has_bytes or has_mask, and has a mask where it says has_mask.  shard_abandon takes NULL, and frees
 * a writer that is not to be finished. */
MUST_CHECK Status shard_create(ShardWriter **out, const char *path, const ShardSpec *spec);
MUST_CHECK Status shard_add(ShardWriter *w, const int32_t *ids, const ShardRow *row);
MUST_CHECK Status shard_finish(ShardWriter *w, uint64_t *sum); /* frees w, also when it fails */
void shard_abandon(ShardWriter *w);

typedef struct ShardSetWriter ShardSetWriter;
struct json_t;

/* Writes a folder of shards of at most shard_rows rows.  Shards that lie there stay readable until
 * shards_finish puts the new ones in their place, all at once (manifest.h).  has_bytes of the spec is
 * ignored: training rows have none, held-out rows do.  tokenizer_path is what shards_tokenizer_path is to
 * say, relative to the folder, or NULL: what shards_stage's folder holds under the name "tokenizer" is part
 * of the set.  `more` (borrowed, may be NULL) is an object whose keys the manifest also gets: the ledger. */
MUST_CHECK Status shards_create(ShardSetWriter **out, const char *folder, const ShardSpec *spec,
                                int64_t shard_rows);
const char *shards_stage(const ShardSetWriter *w); /* the folder in which the set is written */
MUST_CHECK Status shards_add(ShardSetWriter *w, const char *split, const int32_t *ids, const ShardRow *row);
MUST_CHECK Status shards_finish(ShardSetWriter *w, const char *tokenizer_path,
                                struct json_t *more); /* frees w */
void shards_abandon(ShardSetWriter *w);               /* removes what was written */

/* Puts the whole set in the folder `from`, which carries its vocabulary, in place of the one in `to`, all at
 * once; `from` is no more then.  Both on one file system; readers of the set may have it open.
 *   ST_ARG another process writes to `to`   ST_FORMAT `from` is no set   ST_IO */
MUST_CHECK Status shards_move(const char *from, const char *to);

#endif
