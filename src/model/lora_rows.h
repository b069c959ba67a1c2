/* What merging and decoding share about merged rows: for the files of this folder only. */
#ifndef MODEL_LORA_ROWS_H
#define MODEL_LORA_ROWS_H

#include "model/lora_merge.h"

/* row[in] += scale * b[rank] A[rank, in] */
void lora_merge_add(float *row, const float *b, const float *a, int64_t rank, int64_t in, float scale);
/* What a matrix is best kept as: as it lies in the base; merged ones Q8_0 over a quantised base, else F32. */
QuantType lora_merge_type(const LoraMerge *m, const Param *p);

#endif
