/* A model as it lies on disk: a Hugging Face folder (safetensors) or a GGUF file, behind one set of names.
 *
 *     ModelFile *f;
 *     TRY(model_file_open(&f, "model.gguf"));
 *     const HParams *h = model_file_hparams(f);
 *     ModelTensor t;
 *     model_file_tensor(f, &t, PARAM_Q, 3);
 *     quant_decode(row, model_tensor_row(&t, 0), t.type, t.cols);
 *
 * Everything is mapped, nothing is read until it is used.  All tensors that the hparams ask for are checked
 * at the opening: there, of the right shape, of a type that tensor/quant.h knows, inside the file. */
#ifndef MODEL_MODEL_FILE_H
#define MODEL_MODEL_FILE_H

#include "model/params.h"
#include "tensor/quant.h"

typedef struct ModelFile ModelFile;
struct Gguf; /* model/gguf.h */

/* ST_IO  cannot read   ST_FORMAT  damaged, or a tensor is missing, of another shape, or not expected
 * ST_UNSUPPORTED  another architecture or element type: the sentence names it */
MUST_CHECK Status model_file_open(ModelFile **out, const char *path);
void model_file_close(ModelFile *f);

const HParams *model_file_hparams(const ModelFile *f);
const Params *model_file_params(const ModelFile *f); /* of those hparams */
const char *model_file_path(const ModelFile *f);
const struct Gguf *model_file_gguf(const ModelFile *f); /* for its vocabulary and template; NULL: a folder */

/* One parameter.  Rows are in Hugging Face's order: a GGUF file of a Llama stores those of q and k permuted
 * (RoPE on neighbours instead of halves), which model_tensor_row undoes. */
typedef struct {
    QuantType type;
    int64_t rows, cols;
    const unsigned char *data; /* mapped */
    int64_t permuted_heads;    /* 0: rows lie in order */
} ModelTensor;

/* A tied head finds the embedding.  A parameter that the model does not have is a bug. */
void model_file_tensor(const ModelFile *f, ModelTensor *out, ParamKind kind, int layer);
const void *model_tensor_row(const ModelTensor *t, int64_t row); /* its blocks, maybe unaligned */

#endif
