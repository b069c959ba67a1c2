/* bf16 stored, by the vec_to_bf16 that an AVX-512 folder's vec.h has defined before. */
#ifndef OPS_AVX512_STORE_H
#define OPS_AVX512_STORE_H

static inline void vec_store_bf16(uint16_t *p, Vec v, int lanes)
{
    if (lanes == LANES)
        _mm256_storeu_si256((void *)p, vec_to_bf16(v));
    else
        _mm256_mask_storeu_epi16(p, vec_mask(lanes), vec_to_bf16(v));
}

/* LANES of them past the caches, where p allows it: for what nobody reads soon.  vec_stream_end ends it. */
static inline void vec_stream_bf16(uint16_t *p, Vec v)
{
    if (((uintptr_t)p & 31) == 0)
        _mm256_stream_si256((void *)p, vec_to_bf16(v));
    else
        vec_store_bf16(p, v, LANES);
}

#endif
