#ifndef OPS_AVX512VNNI_AVX512VNNI_H
#define OPS_AVX512VNNI_AVX512VNNI_H

#include "ops/ops.h"

void avx512vnni_matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count,
                              bool add_to);

#endif
