/* Pages of bf16 as those of f32 are taken in: what does not change from row to row stays in registers.  For
 * the attention_paged.c of an instruction set, behind attention_paged.h. */
#ifndef OPS_SIMD_PAGED_BF16_H
#define OPS_SIMD_PAGED_BF16_H

#include "ops/simd/attention_paged.h"

static void tasks_begin(void)
{
}

static void tasks_end(void)
{
}

static void page_step_bf16(const Paged *a, Queries *b, int64_t i, int64_t rows, int64_t page)
{
    page_switch(a, b, i, rows, page, QUANT_BF16);
}

#endif
