/* Adapters as PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors
 * (docs/formats/lora.md).
 *
 *     Adapter *a;
 *     TRY(adapter_open(&a, "adapter", &h));
 *     const AdapterMatrix *q = adapter_find(a, PARAM_Q, 3);        // NULL: this matrix has none
 *
 * Honoured: r and lora_alpha, rank_pattern and alpha_pattern, use_rslora, any choice of matrices and layers,
 * embed_tokens and lm_head among modules_to_save.  What changes the computation in another way (use_dora,
 * bias, fan_in_fan_out, initial values that were taken out of the base such as PiSSA's, ...) is refused by
 * name, and so is a setting that is not known here and not empty. */
#ifndef MODEL_ADAPTER_H
#define MODEL_ADAPTER_H

#include "model/lora.h"
#include "model/safetensors.h"

typedef struct Adapter Adapter;
typedef struct Model Model;

typedef struct {
    ParamKind kind;
    int layer;
    int64_t rank;
    double alpha, scale;           /* scale: alpha / r, or alpha / sqrt(r) */
    const SafetensorsEntry *a, *b; /* [r, in] and [out, r]; f32, f16, bf16 or f64 */
} AdapterMatrix;

/* ST_IO  cannot read    ST_UNSUPPORTED  as above: names the setting
 * ST_FORMAT  damaged, a factor without the other, or none of a Llama of this shape: names the tensor */
MUST_CHECK Status adapter_open(Adapter **out, const char *folder, const HParams *h);
void adapter_close(Adapter *a); /* NULL: nothing */
/* Whether a vocabulary lies in the folder: one trained here has its own, with new ids and the
 * chat template. */
bool adapter_has_vocabulary(const char *folder);
/* The folder itself, or RUN/adapter of a run that trained one.  Caller frees. */
char *adapter_path(const char *given);
/* The base's, with as many ids as the adapter has rows of the embedding and the head, where it
 * brings both whole. */
const HParams *adapter_hparams(const Adapter *a);
const char *adapter_base(const Adapter *a); /* base_model_name_or_path; "": it names none */
const AdapterMatrix *adapter_find(const Adapter *a, ParamKind kind, int layer);
/* PARAM_EMBED or PARAM_HEAD, [V, C]; NULL: not trained whole. */
const SafetensorsEntry *adapter_whole(const Adapter *a, ParamKind kind);
/* What would train it further.  ST_UNSUPPORTED: ranks or alphas of one target differ between layers. */
MUST_CHECK Status adapter_setup(LoraSetup *out, const Adapter *a);

extern const char adapter_config_name[], adapter_weights_name[]; /* of the folder's two files */

/* adapter_model.c: what a model with adapters has trained, as such a folder; elements of `dtype`:
 * f32, bf16 or f16.  ST_IO. */
MUST_CHECK Status adapter_save(Model *m, const char *folder, DType dtype);
/* ... and back, from one with the same ranks and scales.  ST_ARG: they differ; as adapter_open. */
MUST_CHECK Status adapter_load(Model *m, const char *folder);

#endif
