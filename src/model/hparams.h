/* The shape of a Llama: the fields of Hugging Face's config.json, by the same names.
 *
 * hparams_read accepts model_type "llama" and the architecturally identical "mistral" without a sliding
 * window; what the file asks for and this program does not compute (other rope_scaling types, attention_bias,
 * mlp_bias, a hidden_act other than silu, quantization_config) is refused by name. */
#ifndef MODEL_HPARAMS_H
#define MODEL_HPARAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Llama-3's stretching of low frequencies; factor 0: none. */
typedef struct {
    double factor, low_freq_factor, high_freq_factor;
    int64_t original_max_position_embeddings;
} RopeScaling;

typedef struct {
    int64_t vocab_size;              /* V  */
    int64_t hidden_size;             /* C  */
    int64_t intermediate_size;       /* F  */
    int64_t num_hidden_layers;       /* L  */
    int64_t num_attention_heads;     /* H  */
    int64_t num_key_value_heads;     /* Hk */
    int64_t head_dim;                /* D  */
    int64_t max_position_embeddings; /* longest context the model is meant for */
    double rms_norm_eps, rope_theta;
    RopeScaling rope_scaling;
    bool tie_word_embeddings;
    int64_t bos_token_id, eos_token_id; /* -1: none */
} HParams;

/* Named shapes for experiments: "5m", "15m", "60m", "110m", "1b" (TinyLlama), "7b", "70b" (Llama-2).
 * ST_ARG names the known ones. */
MUST_CHECK Status hparams_preset(HParams *out, const char *name);

/* Positive, consistent (H a multiple of Hk, D even, ...) and small enough that no count overflows; ST_ARG
 * says which is not. */
MUST_CHECK Status hparams_check(const HParams *h);

/* folder/config.json; what is read has passed hparams_check.
 *   ST_IO  cannot read    ST_FORMAT  not JSON, or a key of the wrong kind    ST_UNSUPPORTED  named above */
MUST_CHECK Status hparams_read(HParams *out, const char *folder);
/* dtype_name: of the weights beside it, in Hugging Face's words: "float32", "bfloat16", "float16".  ST_IO. */
MUST_CHECK Status hparams_write(const HParams *h, const char *folder, const char *dtype_name);
MUST_CHECK Status hparams_from_json(HParams *out, const json_t *object); /* Hugging Face's keys, defaults */
json_t *hparams_to_json(const HParams *h);                               /* new reference */

int64_t hparams_param_count(const HParams *h); /* a tied head counts once */
/* Training FLOPs a token, forward and backward, causal: 6 (parameters - input embedding) + 6 L T C, where a
 * tied head counts as the head. */
double hparams_train_flops(const HParams *h, int64_t context);
/* Of these, what only a learned token takes: the head's products, and those behind the last layer's attention. */
double hparams_learned_flops(const HParams *h);

#endif
