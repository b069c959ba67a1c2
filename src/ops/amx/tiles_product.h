/* What products in tiles share: x, and where they are computed. */
#ifndef OPS_AMX_TILES_PRODUCT_H
#define OPS_AMX_TILES_PRODUCT_H

#include "ops/amx/tiles_x.h"
#include "ops/simd/packed_product.h"

typedef struct {
    Product product; /* the first member: what a Place points to is this */
    TilesX x;
    unsigned char *apart; /* this thread's room for panels taken apart */
} TilesProduct;

static inline const TilesProduct *tiles_product(const Place *at)
{
    return (const TilesProduct *)(const void *)at->p;
}

#endif
