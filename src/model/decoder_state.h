/* The inside of a Decoder: for the files of this folder only. */
#ifndef MODEL_DECODER_STATE_H
#define MODEL_DECODER_STATE_H

#include "model/decoder.h"
#include "ops/ops.h"

/* Matrices whose outputs one product computes side by side are neighbours. */
typedef struct {
    PackedMatrix qkv[3], o, gate_up[2], down;
    Tensor input_norm, post_norm; /* [1, C] f32 */
    KvPages kv;
} DecoderLayer;

/* Activations of one pass; act is the compute type, N max_rows, R max_logits. */
typedef struct {
    Tensor ids, positions; /* [1, N] i32 */
    Tensor x;              /* [N, C] f32: residual stream */
    Tensor norm;           /* [N, C] act */
    Tensor qkv;            /* [N, (H+2Hk) D] act */
    Tensor att;            /* [N, H D] act */
    Tensor gate_up, ff;    /* [N, 2F], [N, F] act */
    Tensor last_x,
        last_q;    /* [R, C] f32, [R, H D] act: the rows whose logits are wanted, behind the last attention */
    Tensor logits; /* [R, V] f32 */
} DecoderActivations;

struct Decoder {
    Device *dev;
    HParams h;
    DecoderSetup setup;
    DecoderLayer *layers;
    PackedMatrix embed, head; /* head is embed where they are tied */
    Tensor final_norm;        /* [1, C] f32 */
    Tensor rotations;         /* [context, D] f32 */
    DecoderActivations a;
    void *weights, *cache, *activations; /* what all of the above lies in */
    DecoderPlan plan;

    /* Host memory of one pass, sized for max_rows sequences. */
    PagedRows *rows, *last_rows;
    int32_t *ids, *positions;
    int32_t *own_pages; /* 0, 1, 2, ...: tables of sequences without a cache */
    int64_t own_pages_n;
};

/* Where weights come from: a file, a model in memory, or whatever else has rows to pack.  What `tensor` fills
 * in need last only until its next call. */
typedef struct {
    const HParams *h;
    const void *owner;
    void (*tensor)(const void *owner, ModelTensor *out, ParamKind kind, int layer);
    void (*shape)(const void *owner, ModelTensor *out, ParamKind kind,
                  int layer); /* the same without data; may be NULL */
} DecoderSource;

/* decoder_open from anything. */
MUST_CHECK Status decoder_open_from(Decoder **out, Device *dev, const DecoderSource *from,
                                    const DecoderSetup *setup);

#endif
