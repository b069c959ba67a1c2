/* A model written anew in other types: which tensor gets which, how large the file will be, and the work
 * itself.
 *
 *     WeightSource source = weight_source_file(file);
 *     QuantPlan plan;
 *     quantize_plan(&plan, source.params, quantize_mix_find("Q4_K_M"), false);
 *     GgufWriter *w = gguf_writer_new();                     // the caller adds a vocabulary
 *     quantize_declare(w, source.params, &plan);
 *     TRY(quantize_write_gguf(&source, &plan, w, "model.gguf", threads));
 *
 * A type's name alone means: all matrices of that type, but the head at least Q6_K (and with it an
 * embedding that is also the head), as llama.cpp has it; `pure` leaves that out.  _S and _M give some
 * matrices more: value projections and ffn_down of the first layers (_S), or of the first and last eighth
 * of the layers and every third between (_M), by the rule of llama.cpp's llama-quant.cpp.  Vectors (norms)
 * stay F32.  Where a row is not whole blocks of 256 the matrix is Q8_0 instead, and where it is not whole
 * blocks of 32 either, BF16. */
#ifndef MODEL_QUANTIZE_MODEL_H
#define MODEL_QUANTIZE_MODEL_H

#include "model/gguf_write.h"
#include "model/weight_source.h"

typedef struct {
    const char *name;
    QuantType type;      /* of most matrices */
    char mix;            /* 0, 'S' or 'M' */
    uint32_t file_type;  /* GGUF's general.file_type */
} QuantMix;

const QuantMix *quantize_mix_find(const char *name); /* either case; NULL: there is none */
const char *quantize_mix_names(void);                /* "F32 F16 BF16 ...", for sentences */

typedef struct {
    const QuantMix *mix;
    QuantType *types;  /* of each parameter, in the order of Params */
    int64_t replaced;  /* matrices whose rows did not fit their type ... */
    int64_t first_replaced; /* ... the first of them */
    uint64_t bytes;    /* of all weights */
} QuantPlan;

void quantize_plan(QuantPlan *plan, const Params *p, const QuantMix *mix, bool pure);
void quantize_plan_drop(QuantPlan *plan);
/* "Q4_K 154  Q6_K 23  F32 45": how many tensors of each type. */
void quantize_plan_text(Str *out, const QuantPlan *plan, const Params *p);

/* Adds the keys of the shape ("llama.*", general.architecture, general.file_type; those that are there
 * already stay) and all tensors. */
void quantize_declare(GgufWriter *w, const Params *p, const QuantPlan *plan);
/* Begins, writes and commits what quantize_declare declared.  Rows that lie ready in their type are copied.
 *   ST_IO    ST_LIMIT  a number is not finite or too large for its type: the sentence names the tensor
 *   ST_CANCELLED  the source's `stop` */
MUST_CHECK Status quantize_write_gguf(const WeightSource *s, const QuantPlan *plan, GgufWriter *w,
                                      const char *path, int threads);
/* A Hugging Face folder: safetensors of f32, bf16 or f16, and config.json.  ST_IO, ST_LIMIT, ST_CANCELLED. */
MUST_CHECK Status quantize_write_folder(const WeightSource *s, const char *folder, DType dtype);

#endif
