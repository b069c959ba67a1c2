/* GGUF files, versions 2 and 3, little-endian: mapped, checked as a whole when opened, then looked up.
 *
 *     "GGUF" | u32 version | u64 tensors | u64 keys
 *     keys:     text key | u32 type | value       text: u64 length, bytes    array: u32 type, u64 n, values
 *     tensors:  text name | u32 dimensions | u64 each, innermost first | u32 type | u64 offset into the data
 *     padding to the alignment (general.alignment, else 32) | data, each tensor at a multiple of it
 *
 * https://github.com/ggml-org/ggml, docs/gguf.md; what is read of it and what is written:
 * docs/formats/gguf.md.
 *
 * A model in pieces, NAME-00001-of-00003.gguf, is opened by the name of its first; keys are the first
 * piece's.  Refused with a sentence: other versions, big-endian files, counts and lengths that the file has
 * no room for, arrays of arrays, keys and names that come twice, tensors that overlap, stand unaligned or
 * reach beyond the file, types without a size. */
#ifndef MODEL_GGUF_H
#define MODEL_GGUF_H

#include <stdbool.h>

#include "base/str.h"
#include "tensor/quant.h"

typedef struct Gguf Gguf;

/* The numbers are those of the format. */
typedef enum {
    GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_TEXT, GGUF_ARRAY,
    GGUF_U64, GGUF_I64, GGUF_F64, GGUF_TYPES
} GgufType;

typedef struct {
    Span key;
    GgufType type; /* of each element where it is an array; never GGUF_ARRAY */
    bool array;
    int64_t n;               /* elements; 1 where it is no array */
    const unsigned char *at; /* the elements as they lie in the file, maybe unaligned */
    size_t bytes;
} GgufValue;

typedef struct {
    const char *name;
    int ndim;         /* 1 .. 4 */
    int64_t shape[4]; /* the innermost first: of a matrix, columns and then rows; 1 from ndim on */
    int64_t count;
    const char *type_name; /* as GGUF's tools write it: "Q2_K" */
    bool known;            /* whether `type` is set: tensor/quant.h has it */
    QuantType type;
    const unsigned char *data; /* mapped, read-only */
    size_t bytes;
} GgufTensor;

enum { GGUF_ALIGNMENT = 32 };

/* ST_IO           cannot read
 * ST_FORMAT       damaged
 * ST_UNSUPPORTED  another version, byte order or type: the sentence names it */
MUST_CHECK Status gguf_open(Gguf **out, const char *path);
void gguf_close(Gguf *g);

int64_t gguf_count(const Gguf *g); /* keys, in the order of the file */
const GgufValue *gguf_at(const Gguf *g, int64_t i);
const GgufValue *gguf_find(const Gguf *g, const char *key); /* NULL when absent */

/* The value of a key that has one, of any whole or floating type.  Where it is absent *out becomes
 * `standard`, and the answer is ST_OK.  An f32 is taken as the shortest decimal number that rounds to it,
 * 1e-05 and not 9.99999975e-06.  ST_FORMAT: of another kind, or out of range. */
MUST_CHECK Status gguf_int(const Gguf *g, const char *key, int64_t standard, int64_t *out);
MUST_CHECK Status gguf_double(const Gguf *g, const char *key, double standard, double *out);
MUST_CHECK Status gguf_bool(const Gguf *g, const char *key, bool standard, bool *out);
MUST_CHECK Status gguf_text(const Gguf *g, const char *key, Span *out); /* absent: {NULL, 0} */
/* Arrays; absent: *out NULL and *n 0.  The caller frees *out; texts are views into the file. */
MUST_CHECK Status gguf_texts(const Gguf *g, const char *key, Span **out, int64_t *n);
MUST_CHECK Status gguf_ints(const Gguf *g, const char *key, int32_t **out, int64_t *n);
MUST_CHECK Status gguf_floats(const Gguf *g, const char *key, float **out, int64_t *n);

int64_t gguf_tensor_count(const Gguf *g);
const GgufTensor *gguf_tensor_at(const Gguf *g, int64_t i);
const GgufTensor *gguf_tensor_find(const Gguf *g, const char *name); /* NULL when absent */

uint32_t gguf_type_id(QuantType t); /* the format's number of a type */

#endif
