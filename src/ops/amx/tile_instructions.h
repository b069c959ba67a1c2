/* The instructions for tiles; tests/emulated has the same names in C.  What was stored before is seen by a
 * load, and what is loaded next by nobody before a store. */
#ifndef OPS_AMX_TILE_INSTRUCTIONS_H
#define OPS_AMX_TILE_INSTRUCTIONS_H

#define TILES_BEGIN(shapes) __asm__ volatile("ldtilecfg %0" ::"m"(shapes))
#define TILES_END() __asm__ volatile("tilerelease" ::: "memory")
#define TILE_ZERO(t) __asm__ volatile("tilezero %%tmm" #t ::)
#define TILE_LOAD(t, p, stride) \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t ::"r"(p), "r"((int64_t)(stride)) : "memory")
#define TILE_STORE(p, stride, t) \
    __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)" ::"r"(p), "r"((int64_t)(stride)) : "memory")
#define TILE_BF16(c, a, b) __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c ::)
#define TILE_I8(c, a, b) __asm__ volatile("tdpbssd %%tmm" #b ", %%tmm" #a ", %%tmm" #c ::)

#endif
