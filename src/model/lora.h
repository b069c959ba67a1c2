/* Low-rank adapters: y = W x + s B (A drop(x)), where W is frozen and A [r, in] and B [out, r] are trained.
 * Hu et al. 2021, arXiv:2106.09685; s = alpha / r, or alpha / sqrt(r) (Kalajdzievski 2023, arXiv:2312.03732).
 * Names, initial values and files are those of PEFT (docs/formats/lora.md).
 *
 *     LoraSetup setup = lora_setup(16, 32);           // all seven matrices of every layer
 *     TRY(lora_check(&setup, &h));
 *     Params adapters;
 *     lora_params(&adapters, &h, &setup);             // the table of what is trained
 *
 * How they are computed: linear.c.  Folders: adapter.h.  Merging: lora_merge.h. */
#ifndef MODEL_LORA_H
#define MODEL_LORA_H

#include "model/linear.h"

enum { LORA_TARGETS = 7 }; /* PARAM_Q .. PARAM_DOWN, in the order of ParamKind */

typedef struct {
    int64_t rank[LORA_TARGETS]; /* r of each target; 0: it has no adapter.  All 0: no LoRA, everything
                                 * is trained */
    double alpha[LORA_TARGETS];
    bool rslora;       /* s = alpha / sqrt(r) */
    double dropout;    /* share of an adapter's inputs that it does not see while training, [0, 1).  Matrices
                        * that are one product share the choice. */
    bool embed, head;  /* trained whole beside the adapters, as PEFT's modules_to_save: for new ids */
} LoraSetup;

LoraSetup lora_setup(int64_t rank, double alpha); /* the same for all targets */
bool lora_on(const LoraSetup *s);
double lora_scale(const LoraSetup *s, ParamKind target);
/* ST_ARG: a rank that is negative or larger than its matrix, no target at all, dropout out of bounds, or a
 * tied embedding that is to be trained whole. */
MUST_CHECK Status lora_check(const LoraSetup *s, const HParams *h);

const char *lora_target_name(ParamKind target); /* "q_proj", ... */
/* "q,v", "q_proj, v_proj", "attention", "mlp", "all" and PEFT's "all-linear": which targets.
 * ST_ARG names what is not. */
MUST_CHECK Status lora_targets(bool out[LORA_TARGETS], const char *text);

/* The table of what is trained, all of it matrices: for each product of each layer the As of its matrices as
 * neighbours, then their Bs; then the embedding and the head where they are trained whole.
 * Names are PEFT's. */
void lora_params(Params *p, const HParams *h, const LoraSetup *s);
/* NULL: there is none. */
const Param *lora_find(const Params *p, ParamKind target, int layer, ParamPart part);

/* Columns that the As of a product write behind x, where the product with the Bs finds them: the sum of
 * ranks, rounded up so that rows stay on cache lines; 0 without adapters. */
int64_t lora_columns(const LoraSetup *s, Linear which);
/* The first of a target's columns among them. */
int64_t lora_column(const LoraSetup *s, Linear which, ParamKind target);

int64_t lora_param_count(const HParams *h, const LoraSetup *s); /* what is trained */
/* Training FLOPs a token: 4 for each number of the base's products, whose gradients nobody asks for, 6 for
 * each that is trained, and attention's 6 L T C. */
double lora_train_flops(const HParams *h, const LoraSetup *s, int64_t context);
double lora_learned_flops(const HParams *h, const LoraSetup *s); /* of these, as in hparams.h */

#endif
