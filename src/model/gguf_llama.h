/* A Llama's shape and parameters by the names that GGUF has for them.
 *
 * Keys "llama.*" as llama.cpp's converter writes them; tensors token_embd.weight, blk.N.attn_q.weight and
 * so on.  Rows of q and k lie permuted (model_file.h).  Llama-3's stretching of low frequencies is not
 * among the keys: a tensor rope_freqs.weight holds what each frequency is divided by, from which the four
 * numbers of rope_scaling are found again. What is asked for and not computed here (experts, a sliding
 * window, other rope scaling, per-layer shapes, scales of attention or logits) is refused by name. */
#ifndef MODEL_GGUF_LLAMA_H
#define MODEL_GGUF_LLAMA_H

#include "model/gguf.h"
#include "model/params.h"

enum { GGUF_NAME_BYTES = 64 };
extern const char gguf_rope_name[]; /* "rope_freqs.weight" */

/* What is read has passed hparams_check.  ST_UNSUPPORTED: another architecture or one of the above.
 * ST_FORMAT. */
MUST_CHECK Status gguf_hparams(HParams *out, const Gguf *g);

void gguf_param_name(char out[GGUF_NAME_BYTES], ParamKind kind, int layer);
int64_t gguf_permuted_heads(const HParams *h, ParamKind kind); /* H for q, Hk for k, 0: rows in order */
/* The row of a tensor with permuted heads where row `row` of Hugging Face's order lies. */
int64_t gguf_stored_row(int64_t row, int64_t rows, int64_t permuted_heads);
/* divisors[D/2]: what h->rope_scaling divides each frequency by. */
void gguf_rope_divisors(float *divisors, const HParams *h);

#endif
