/* Every parameter of a Llama, once: name, shape, place.  Allocation, loading, saving, AdamW and tests walk
 * this table.
 *
 * All parameters lie in one flat array: first the matrices, which are decayed and have a bf16 copy for
 * products, then the vectors (norm weights), which are not and have none.  q, k and v of a layer are
 * neighbours, and so are gate and up, so that one product computes them together:
 *
 *     embed [V, C]
 *     q [H*D, C]  k [Hk*D, C]  v [Hk*D, C]  o [C, H*D]  gate [F, C]  up [F, C]  down [C, F]    of each layer
 *     lm_head [V, C], unless tied
 *     norms [C], input's and post-attention's of each layer and the final one */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include "model/hparams.h"

typedef enum {
    /* matrices; lora.h wants those of a layer together and in this order */
    PARAM_EMBED, PARAM_Q, PARAM_K, PARAM_V, PARAM_O, PARAM_GATE, PARAM_UP, PARAM_DOWN, PARAM_HEAD,
    /* vectors */
    PARAM_INPUT_NORM, PARAM_POST_NORM, PARAM_FINAL_NORM,
} ParamKind;

/* A parameter itself, or one of the two factors of its adapter (lora.h). */
typedef enum { PART_WHOLE, PART_LORA_A, PART_LORA_B } ParamPart;

typedef struct {
    char name[80]; /* Hugging Face's, e.g. model.layers.3.self_attn.q_proj.weight; an adapter's: PEFT's */
    ParamKind kind;
    ParamPart part;
    int layer;          /* -1 outside the layers */
    int64_t rows, cols; /* a vector is [1, C] */
    int64_t offset;     /* elements into the flat array */
} Param;

typedef struct {
    HParams h;
    Param *at;
    int64_t n;        /* parameters: at[0 .. n-1], in the order of the flat array */
    int64_t matrices; /* elements of the flat array up to the first vector */
    int64_t total;    /* elements of the flat array, padding included */
} Params;

void params_init(Params *p, const HParams *h); /* h has passed hparams_check */
void params_drop(Params *p);
const Param *params_find(const Params *p, ParamKind kind, int layer); /* a tied head finds the embedding */

/* For tables that are made elsewhere.  Adds one behind what is there, and aligns the end of the flat array to
 * where a product's weights may start; `at` has room. */
void params_add(Params *p, const Param *one);
void params_align(Params *p);
/* Standard deviation of a parameter's first values (model_init); 0: ones. */
double params_deviation(const HParams *h, ParamKind kind);

#endif
