#include "ops/avx2/avx2.h"
#include "ops/avx2/vec.h" /* before the kernels written in it */

#include "ops/simd/adamw.h"
#include "ops/simd/add.h"
#include "ops/simd/cast.h"
#include "ops/simd/cross_entropy.h"
#include "ops/simd/embed.h"
#include "ops/simd/rmsnorm.h"
#include "ops/simd/rope.h"
#include "ops/simd/sum_squares.h"
#include "ops/simd/swiglu.h"

const Ops ops_avx2 = {
    .adamw = simd_adamw,
    .add = simd_add,
    .attention = avx2_attention,
    .attention_back = avx2_attention_back,
    .attention_cached = avx2_attention_cached,
    .cast = simd_cast,
    .cross_entropy = simd_cross_entropy,
    .embed = simd_embed,
    .embed_back = simd_embed_back,
    .rmsnorm = simd_rmsnorm,
    .rmsnorm_back = simd_rmsnorm_back,
    .rope = simd_rope,
    .rope_back = simd_rope_back,
    .sum_squares = simd_sum_squares,
    .swiglu = simd_swiglu,
    .swiglu_back = simd_swiglu_back,
};
