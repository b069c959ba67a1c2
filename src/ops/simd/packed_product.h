/* What the products of matmul_plain.h and matmul_dots.h share: where sums go, and how they wait between
 * pieces of k.  Macros and constants: matmul_packed.h. */
#ifndef OPS_SIMD_PACKED_PRODUCT_H
#define OPS_SIMD_PACKED_PRODUCT_H

#include "ops/simd/packed_x.h"
#include "ops/turns.h"

enum {
    FEW_PLAIN = 24,     /* rows are computed as weights come; more, from a piece of them in the first cache */
    FEW_DOTS = 64,      /* the same, where weights are to be taken apart */
    GROUP = 4,          /* panels of a task of many rows */
    ROWS_AT_ONCE = 516, /* whose sums are kept between pieces: 129 kB; whole tiles */
};

typedef struct {
    PackedX x;
    const Tensor *y;
    const PackedMatrix *w;
    int count;
    bool add_to;
    /* The threads take pieces in turns. */
    int64_t threads, pieces;
    Turns *turns; /* [threads] */
} Product;

/* Where 16 outputs of a matrix go. */
typedef struct {
    const Product *p;
    int64_t col,
        rows; /* of y, and how many there are from this panel on: of the matrix, or of this thread's share */
} Place;

/* Where those from panel p on go. */
SIMD_INLINE Place place_from(const Place *at, int64_t p)
{
    return (Place){at->p, at->col + p * PACKED_ROWS, at->rows - p * PACKED_ROWS};
}

SIMD_INLINE void put_sums(const Place *at, int64_t n, int64_t panel, Sums s)
{
    int64_t left = at->rows - panel * PACKED_ROWS;
    if (left >= PACKED_ROWS)
        sums_put(at->p->y, n, at->col + panel * PACKED_ROWS, s, PACKED_ROWS, at->p->add_to);
    else if (left > 0)
        sums_put(at->p->y, n, at->col + panel * PACKED_ROWS, s, left, at->p->add_to);
}

/* Sums of one tile between pieces of k: [row][panel][16]. */
typedef struct {
    float *kept; /* of the tile's first row; NULL: there is one piece */
    bool first, last;
} Pieces;

SIMD_INLINE Sums sums_begin(const Pieces *k, int64_t i)
{
    return k->first ? sums_all(0) : sums_load(k->kept + i * PACKED_ROWS);
}

SIMD_INLINE void sums_end(const Pieces *k, int64_t i, const Place *at, int64_t n, int64_t panel, Sums s)
{
    if (k->last)
        put_sums(at, n, panel, s);
    else
        sums_store(k->kept + i * PACKED_ROWS, s);
}

/* Panels that lie `next` bytes apart, and how many there are from the first one on; a panel and the next one
 * here lie `apart` panels apart in the matrix. */
typedef struct {
    const unsigned char *first;
    int64_t next, count, apart;
} Panels;

/* Panels read in several places at once: as many parts of them, side by side; how far apart they are. */
static inline int64_t panels_apart(const Panels *all, int64_t places)
{
    return (all->count + places - 1) / places;
}

/* Panels p, p + apart, ... */
static inline Panels panels_from(const Panels *all, int64_t p, int64_t apart)
{
    return (Panels){all->first + p * all->next, all->next * apart, (all->count - p + apart - 1) / apart,
                    apart};
}

#endif
