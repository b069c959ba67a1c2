#include "ops/avx512bf16/avx512bf16.h"
#include "ops/avx512bf16/vec.h" /* before the kernels written in it */

#include "ops/simd/cast.h"
#include "ops/simd/cross_entropy.h"
#include "ops/simd/decode_rows.h"
#include "ops/simd/dropout.h"
#include "ops/simd/rmsnorm.h"
#include "ops/simd/rope.h"
#include "ops/simd/swiglu.h"

const Ops ops_avx512bf16 = {
    .attention = avx512bf16_attention,
    .attention_back = avx512bf16_attention_back,
    .attention_paged = avx512bf16_attention_paged,
    .cast = simd_cast,
    .cross_entropy = simd_cross_entropy,
    .decode_rows = simd_decode_rows,
    .dropout = simd_dropout,
    .matmul_packed = avx512bf16_matmul_packed,
    .rmsnorm = simd_rmsnorm,
    .rmsnorm_back = simd_rmsnorm_back,
    .rope = simd_rope,
    .rope_back = simd_rope_back,
    .swiglu = simd_swiglu,
    .swiglu_back = simd_swiglu_back,
};
