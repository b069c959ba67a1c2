/* Products with packed weights in AMX's tiles.  BF16 weights are multiplied in tiles whatever the number of
 * rows; quantised ones from five rows on, fewer by VNNI's dot products, which give the same sums.  F32
 * weights are the table's below.
 *
 * A row is bound by reading weights, and a core of these processors reads fastest in several places at once,
 * some hundred bytes asked for ahead (docs/speed.md).  Many rows are cut into chunks that the second cache
 * holds; a thread takes a chunk and a block of panels at a time. */
#include "ops/amx/amx.h"
#include "ops/avx512bf16/vec.h"

#include "ops/avx512bf16/packed_dots.h"

enum { FEW_TILE = 8, DIRECT_PANELS = 2, ONE_PANELS = 2, ONE_AHEAD = 1536 };
#include "ops/amx/dots_tiles.h"
#include "ops/amx/plain_tiles.h"

enum {
    TILES_FROM = 5,        /* rows of quantised weights that tiles multiply */
    MANY = TILE_N + 1,     /* rows that are cut into chunks */
    CHUNK_BYTES = 1 << 20, /* of x that the second cache is to hold */
    BLOCK_PANELS = 64
};

static void few_panels(const Place *at, const PackedMatrix *w, const Panels *panels)
{
    if (!packed_form(w->type))
        bf16_few(at, w, panels);
    else if (at->p->x.dots)
        dots_few(at, w, panels);
    else
        dots_few_tiles(at, w, panels);
}

#include "ops/simd/packed_share.h" /* in terms of few_panels */

/* Many rows ---------------------------------------------------------------------------------------------- */

static int64_t row_tiles(int64_t rows)
{
    return rows < MANY ? 1 : packed_round_up(rows, 2 * TILE_N) / TILE_N;
}

static int64_t tiles_of_chunk(const Product *p, bool bf16)
{
    int64_t K = p->x.x->cols, all = row_tiles(p->y->rows);
    size_t bytes = bf16 ? bf16_row_tile(K) : i8_row_tile(K, TILE_N);
    int64_t most = (int64_t)(CHUNK_BYTES / bytes) / 2 * 2;
    most = most < 2 ? 2 : most;
    int64_t chunks = (all + most - 1) / most;
    return packed_round_up((all + chunks - 1) / chunks, 2);
}

static int64_t blocks_of(const PackedMatrix *w, int64_t panels)
{
    return (packed_panels(w) + panels - 1) / panels;
}

static int64_t all_blocks(const Product *p, int64_t panels)
{
    int64_t blocks = 0;
    for (int i = 0; i < p->count; i++)
        blocks += blocks_of(&p->w[i], panels);
    return blocks;
}

/* So many panels that every thread has some blocks, and whole pairs of them. */
static int64_t panels_of_block(const Product *p, int64_t chunks)
{
    int64_t panels = BLOCK_PANELS;
    while (panels > 2 && all_blocks(p, panels) * chunks < 4 * p->threads)
        panels /= 2;
    return panels;
}

static void block_task(const Product *p, int64_t block, int64_t panels, int64_t first, int64_t last)
{
    int64_t col = 0;
    const PackedMatrix *w = p->w;
    for (; block >= blocks_of(w, panels); w++) {
        block -= blocks_of(w, panels);
        col += w->rows;
    }
    int64_t panel = block * panels, left = packed_panels(w) - panel;
    Place at = {p, col + panel * PACKED_ROWS, w->rows - panel * PACKED_ROWS};
    Panels here = {packed_panel(w, panel), (int64_t)packed_panel_bytes(w->type, w->cols),
                   left < panels ? left : panels, 1};
    if (packed_form(w->type))
        dots_task(&at, w, &here, first, last);
    else
        bf16_task(&at, w, &here, first, last);
}

/* A block of panels and a chunk of rows, blocks first. */
typedef struct {
    int64_t panels, blocks, tiles, chunks;
} Blocks;

static Blocks blocks_cut(const Product *p, bool bf16)
{
    Blocks b = {.tiles = tiles_of_chunk(p, bf16)};
    b.chunks = (row_tiles(p->y->rows) + b.tiles - 1) / b.tiles;
    b.panels = panels_of_block(p, b.chunks);
    b.blocks = all_blocks(p, b.panels);
    return b;
}

static void many_piece(const Product *p, const Blocks *b, int64_t piece)
{
    int64_t all = row_tiles(p->y->rows), first = piece / b->blocks * b->tiles, last = first + b->tiles;
    block_task(p, piece % b->blocks, b->panels, first, last < all ? last : all);
}

/* ------------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t dots, bf16, i8, apart; /* bytes of x's forms, and of a thread's panel taken apart */
} Room;

static Room room_for(TilesProduct *p)
{
    const Product *product = &p->product;
    const Tensor *x = product->x.x;
    int64_t N = x->rows, K = x->cols;
    Room room = {0};
    packed_x_plan(&p->product.x, product->w, product->count);
    if (packed_needs(product->w, product->count, QUANT_BF16, false))
        room.bf16 = (size_t)row_tiles(N) * bf16_row_tile(K);
    if (!packed_needs(product->w, product->count, QUANT_F32, true))
        return room;
    if (N < TILES_FROM)
        room.dots = (size_t)packed_round_up(N * dot_words(&product->x), 16) * sizeof(uint32_t);
    else
        room.i8 = (size_t)row_tiles(N) * i8_row_tile(K, i8_rows(N));
    for (int i = 0; i < product->count; i++)
        if (N >= MANY && apart_bytes(&product->w[i]) > room.apart)
            room.apart = apart_bytes(&product->w[i]);
    return room;
}

static void place_x(TilesProduct *p, const Room *room, unsigned char *memory)
{
    p->product.x.dots = room->dots ? (uint32_t *)(void *)memory : NULL;
    p->x.bf16 = room->bf16 ? memory + room->dots : NULL;
    p->x.i8 = room->i8 ? memory + room->dots + room->bf16 : NULL;
}

static void round_x(const TilesProduct *p, SimdShare rows, SimdShare tiles, SimdShare of)
{
    packed_x_round(&p->product.x, rows, of);
    tiles_x_round(&p->x, &p->product.x, tiles, of);
}

/* One row is rounded by every thread for itself: sooner done than waiting for each other. */
static void tiles_matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count,
                                bool add_to)
{
    TilesProduct p = {.product = {.x = {.x = x, .tile = FEW_TILE},
                                  .y = y,
                                  .w = w,
                                  .count = count,
                                  .add_to = add_to,
                                  .threads = dev->threads}};
    Product *product = &p.product;
    Room room = room_for(&p);
    size_t of_x = room.dots + room.bf16 + room.i8, turns = (size_t)dev->threads * sizeof(Turns);
    bool own = x->rows == 1, few = x->rows < MANY;
    size_t copies = own ? (size_t)dev->threads : 1;
    unsigned char *memory =
        device_scratch(dev, turns + copies * of_x + (size_t)dev->threads * room.apart + PACKED_VECTOR);
    if (!memory || x->rows == 0)
        return;
    memory += -(uintptr_t)memory & (PACKED_VECTOR - 1);
    Blocks blocks = blocks_cut(product, room.bf16 > 0);
    product->turns = (Turns *)(void *)memory;
    product->pieces = few ? few_pieces(product) : blocks.blocks * blocks.chunks;
    turns_deal(product->turns, product->threads, product->pieces);
    memory += turns;
#pragma omp parallel num_threads(dev->threads)
    {
        TilesProduct mine = p;
        size_t me = (size_t)omp_get_thread_num();
        place_x(&mine, &room, memory + (own ? me * of_x : 0));
        mine.apart = memory + copies * of_x + me * room.apart;
        if (few)
            round_x(&mine, (SimdShare){0, x->rows}, (SimdShare){0, 1},
                    own ? x_all_numbers(&mine.product.x) : x_share_of_numbers(&mine.product.x));
        else
            round_x(&mine, simd_share(x->rows, 1), simd_share(row_tiles(x->rows), 1),
                    x_all_numbers(&mine.product.x));
        if (!own) {
#pragma omp barrier
        }
        for (int64_t piece; (piece = turns_next(product->turns, product->threads, (int64_t)me)) >= 0;) {
            if (few)
                few_piece(&mine.product, piece);
            else
                many_piece(&mine.product, &blocks, piece);
        }
        tiles_end();
    }
}

void amx_matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count, bool add_to)
{
    if (simd_takes(x) && simd_takes(y) && !packed_needs(w, count, QUANT_F32, false))
        tiles_matmul_packed(dev, y, x, w, count, add_to);
    else
        ops_avx512vnni.matmul_packed(dev, y, x, w, count, add_to);
}
