/* The arithmetic: every operation once, on any device.  The functions below check shapes and types and then
 * call the table of the device (select.h attaches one); a wrong shape is a bug and stops the program.  What
 * fails otherwise, as when working memory cannot be had, fails the device: device_sync says so.  Order of
 * arguments: device, outputs, inputs, options.  Tensors belong to the caller and are needed until the device
 * has come to them (device_sync waits); outputs overlap inputs only where it is said.
 *
 * Types: "act" is the activation type, f32 or bf16, the same in all act tensors of a call unless it is said.
 * The reference also takes f64 wherever f32 stands, for differences.  Sums, norms, softmax and losses are f32
 * or wider inside.  One machine, one thread count, the same inputs: the same bits.
 *
 * Letters: B sequences, T positions, N = B*T rows, C width, F feed-forward width, H query heads, Hk key/value
 * heads, D head width, V vocabulary, P positions that a rotary table has. */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "ops/packed.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

typedef struct {
    int64_t B, T, H, Hk, D; /* H is a multiple of Hk */
} AttentionShape;

typedef struct {
    float lr, beta1, beta2, eps, weight_decay;
    float bias1, bias2; /* 1 - beta1^t, 1 - beta2^t of update t = 1, 2, ... */
    float grad_scale;   /* what gradients are multiplied by first: clipping, and 1 / accumulation steps */
} AdamWStep;

typedef struct {
    float rate, scale; /* rate in [0, 1) */
    uint64_t key;      /* another one for every call whose choice is to be another */
} Dropout;

/* out[n,:] = table[ids[n],:]
 *   out [N, C] f32    table [V, C] f32 | bf16    ids [1, N] i32 in [0, V) */
void embed(Device *dev, Tensor *out, const Tensor *table, const Tensor *ids);
/* dtable[ids[n],:] += dout[n,:], rows of equal id in the order of n
 *   dtable [V, C] f32, added to    dout [N, C] f32    ids [1, N] i32 in [0, V) */
void embed_back(Device *dev, Tensor *dtable, const Tensor *dout, const Tensor *ids);

/* out[n,:] = x[n,:] * rstd[n] * w        rstd = 1 / sqrt(mean(x^2) + eps)
 *   x [N, C] f32    w [1, C] f32    out [N, C] act
 *   rstd [1, N] f32, kept for rmsnorm_back; NULL in inference
 * Zhang & Sennrich 2019, arXiv:1910.07467; eps under the root as in the Llama-2 release. */
void rmsnorm(Device *dev, Tensor *out, Tensor *rstd, const Tensor *x, const Tensor *w, float eps);
/* With g = dout*w and xh = x*rstd:   dx += rstd * (g - xh * mean(g * xh))      dw += sum_n dout * xh
 *   dx [N, C] f32, added to: it is the gradient of the residual stream
 *   dx_cast [N, C] bf16 gets a copy of the new dx; or NULL
 *   dw [1, C] f32, added to    dout [N, C] act    x, w, rstd as above */
void rmsnorm_back(Device *dev, Tensor *dx, Tensor *dx_cast, Tensor *dw, const Tensor *dout, const Tensor *x,
                  const Tensor *w, const Tensor *rstd);

/* In place, for each head of D columns, with c, s = table[positions[n]] and i < D/2:
 *   x[i]' = x[i] c[i] - x[i+D/2] s[i]        x[i+D/2]' = x[i+D/2] c[i] + x[i] s[i]
 *   x [N, heads*D] act, rows strided    head_dim D, even
 *   table [P, D] f32: D/2 cosines, then D/2 sines    positions [1, N] i32 in [0, P)
 * Su et al. 2021, arXiv:2104.09864, in Hugging Face's pairing of i with i + D/2. */
void rope(Device *dev, Tensor *x, const Tensor *table, const Tensor *positions, int64_t head_dim);
/* The gradient of rope, in place: the rotation by the opposite angle. */
void rope_back(Device *dev, Tensor *dx, const Tensor *table, const Tensor *positions, int64_t head_dim);

/* y = x w^T, or y += x w^T when add_to
 *   x [N, K] act    w [M, K] of x's type    y [N, M] f32 | bf16 */
void matmul(Device *dev, Tensor *y, const Tensor *x, const Tensor *w, bool add_to);
/* dx = dy w, or dx += dy w
 *   dy [N, M] act    w [M, K] of dy's type    dx [N, K] f32 | bf16 */
void matmul_back_x(Device *dev, Tensor *dx, const Tensor *dy, const Tensor *w, bool add_to);
/* dw = dy^T x, or dw += dy^T x
 *   dy [N, M] act    x [N, K] of dy's type    dw [M, K] f32 */
void matmul_back_w(Device *dev, Tensor *dw, const Tensor *dy, const Tensor *x, bool add_to);

/* Causal attention of B sequences of T rows each; row t sees rows starts[t] .. t of its own sequence:
 *   out = softmax(q k^T / sqrt(D)) v, head h of q reading head h / (H/Hk) of k and v
 *   q [N, H*D]  k, v [N, Hk*D] act, rows strided    out [N, H*D] act
 *   lse [N, H] f32: log of the softmax's denominator, with the maximum in it; kept for attention_back
 *   starts [1, N] i32, position within the sequence, non-decreasing within it, 0 <= starts[t] <= t;
 *     NULL: all 0
 * No T x T matrix is ever in memory.  Dao 2023, arXiv:2307.08691. */
void attention(Device *dev, Tensor *out, Tensor *lse, const Tensor *q, const Tensor *k, const Tensor *v,
               const Tensor *starts, const AttentionShape *s);
/* With p = exp(q k^T / sqrt(D) - lse), dp = dout v^T, delta = rowsum(dout * out), and
 * ds = p (dp - delta) / sqrt(D):
 *   dq = ds k    dk = ds^T q    dv = p^T dout    (dk and dv summed over the query heads that share them)
 * Shapes as q, k, v and out; all three are overwritten. */
void attention_back(Device *dev, Tensor *dq, Tensor *dk, Tensor *dv, const Tensor *dout, const Tensor *out,
                    const Tensor *lse, const Tensor *q, const Tensor *k, const Tensor *v,
                    const Tensor *starts, const AttentionShape *s);

/* out = silu(gate) * up, silu(z) = z / (1 + exp(-z))
 *   gate_up [N, 2F] act: gate, then up    out [N, F] act
 * Shazeer 2020, arXiv:2002.05202. */
void swiglu(Device *dev, Tensor *out, const Tensor *gate_up);
/* dgate = dout * up * s * (1 + gate * (1 - s)), s = sigmoid(gate)        dup = dout * silu(gate)
 *   dout [N, F] act    dgate_up [N, 2F] act: dgate, then dup; may be gate_up */
void swiglu_back(Device *dev, Tensor *dgate_up, const Tensor *dout, const Tensor *gate_up);

/* loss[n] = logsumexp(logits[n,:]) - logits[n, targets[n]], in nats
 * dlogits = scale * (softmax(logits) - onehot(target))
 *   logits [N, V] f32 | bf16    targets [1, N] i32; negative: loss 0, gradient 0    loss [1, N] f32
 *   dlogits [N, V] act; may be logits where the types are equal; NULL: loss only */
void cross_entropy(Device *dev, Tensor *loss, Tensor *dlogits, const Tensor *logits, const Tensor *targets,
                   float scale);

/* g' = g * grad_scale    m = beta1 m + (1-beta1) g'    v = beta2 v + (1-beta2) g'^2
 * w -= lr * (m / bias1 / (sqrt(v / bias2) + eps) + weight_decay * w)
 *   all [1, n] or contiguous, f32    w_cast bf16 gets a copy of the new w; or NULL
 * Loshchilov & Hutter 2019, arXiv:1711.05101, in the form of PyTorch's AdamW. */
void adamw(Device *dev, Tensor *w, Tensor *w_cast, Tensor *m, Tensor *v, const Tensor *g,
           const AdamWStep *step);

/* out [1, 1] f64 = sum of x^2, in a fixed order        x f32, contiguous */
void sum_squares(Device *dev, Tensor *out, const Tensor *x);

/* out = x in out's type (f32, bf16, f64 in the reference); rows may be strided */
void cast(Device *dev, Tensor *out, const Tensor *x);

/* out = scale * keep * x, or out += when add_to; keep[n,c] is 0 with probability `rate`, else 1: a function
 * of the key, n and c alone (ops/dropout_mask.h), so that the backward pass and a layer that is computed
 * again choose the same.  With scale 1 / (1 - rate) it is Srivastava et al. 2014, arXiv:1207.0580 in its
 * usual form; with rate 0 it scales.
 *   x, out [N, C] act, rows strided; out may be x */
void dropout(Device *dev, Tensor *out, const Tensor *x, const Dropout *d, bool add_to);

/* out[n,:] = the numbers of row ids[n] of a matrix in blocks (tensor/quant.h), rounded to out's type;
 * ids NULL: of row n
 *   out [N, K] f32 | bf16, rows strided
 *   blocks: rows of K numbers one behind the other, on the device, maybe unaligned
 *   ids [1, N] i32, rows that are there */
void decode_rows(Device *dev, Tensor *out, const void *blocks, QuantType type, const Tensor *ids);

/* Inference: packed weights and a cache in pages (ops/packed.h) */

/* Rows [first, first + n) of w into its panels.  first is a multiple of PACKED_ROWS; n is too
 * unless it ends w.
 *   raw   host memory: the rows' numbers one behind the other, as in a GGUF file, maybe unaligned
 *   from  their type: w->type; or any type that tensor/quant.h decodes, where w's is F32 or BF16 */
void pack_weights(Device *dev, PackedMatrix *w, int64_t first, int64_t n, const void *raw, QuantType from);

/* y = x [w_0; w_1; ...]^T, or y += when add_to: matrices with the same K whose outputs lie side by side in
 * y's columns.  Each may be of another type.
 *   x [N, K] f32 | bf16     w[count]     y [N, sum of M] f32 | bf16 */
void matmul_packed(Device *dev, Tensor *y, const Tensor *x, const PackedMatrix *w, int count, bool add_to);

/* out[n,:] = row ids[n] of a packed table: the embedding.   out [N, C] f32    ids [1, N] i32 in [0, V) */
void embed_packed(Device *dev, Tensor *out, const PackedMatrix *table, const Tensor *ids);

/* Writes k and v rows [N, Hk*D] act into the pages: row first + i of a PagedRows at position past + i.  A
 * sequence's page that begins among them is cleared first. */
void kv_write(Device *dev, KvPages *kv, const Tensor *k, const Tensor *v, const PagedRows *rows,
              int64_t count);

/* Attention of all rows in `rows` to their pages (kv_write first).  q, out [N, H*D] act; s->H, Hk, D count, B
 * and T do not.  Rows of q that no PagedRows names are left alone.  A row's result depends on its q and on
 * positions 0 .. its own alone, bit for bit. */
void attention_paged(Device *dev, Tensor *out, const Tensor *q, const KvPages *kv, const PagedRows *rows,
                     int64_t count, const AttentionShape *s);

/* The table of a device: one kernel per operation, called with arguments that have been checked.  A kernel
 * given types it was not written for calls the one of ops_ref. */
typedef struct Ops {
#define OP(name, params, args) void(*name) params;
#include "ops/ops.def"
#undef OP
} Ops;

#endif
