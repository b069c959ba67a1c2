/* A Llama's weights between a Hugging Face model folder and the flat arrays that Params describes.
 *
 * Reading takes f32, f16, bf16 and f64 tensors and hands every parameter over as f32, which holds each of
 * the first three exactly.  Buffers of rotary embeddings that old checkpoints carry are passed over; a
 * tied model's lm_head.weight may be absent or equal to the embedding. */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/params.h"
#include "model/safetensors.h"
#include "tensor/dtype.h"

/* Receives elements [first, first + n) of one parameter, row-major; `values` lives until it returns.  The
 * chunks of a parameter come in order, parameters in the order of the table. */
typedef void WeightSink(void *context, const Param *p, int64_t first, const float *values, int64_t n);

/* Reads folder/config.json, which must describe p->h's shape, and all tensors.  Everything is checked
 * before the first call of `put`.
 *   ST_IO  cannot read    ST_UNSUPPORTED  an element type that is none of the four
 *   ST_FORMAT  damaged, or a tensor is missing, of another shape, or not expected: the sentence names it */
MUST_CHECK Status weights_read(const Params *p, const char *folder, WeightSink *put, void *context);

/* Whether an opened folder holds exactly the tensors of `p`, each of its shape and of one of the four
 * types, so that safetensors_find gives every parameter by its name.  ST_FORMAT, ST_UNSUPPORTED as above. */
MUST_CHECK Status weights_check(const Params *p, const Safetensors *s);

/* Writes config.json and model.safetensors (or shards of 5 GB and their index) with elements of type f32,
 * bf16 or f16; makes the folder where it is missing.  Host memory: `matrices` is the flat array up to
 * p->matrices, of type `matrices_dtype` (f32 or bf16), and `vectors` is what lies behind; for f32 master
 * weights these are master, DTYPE_F32 and master + p->matrices.  config.json comes last, so that a folder
 * that has one is whole. */
MUST_CHECK Status weights_write(const Params *p, const char *folder, const void *matrices,
                                DType matrices_dtype, const float *vectors, DType dtype);

/* The same from items[p->n] whose sources alone are set (source_dtype and source, or read and context), one
 * for each parameter in the order of the table. */
MUST_CHECK Status weights_write_items(const Params *p, const char *folder, SafetensorsItem *items,
                                      DType dtype);

#endif
