/* Writes a GGUF file of version 3: keys and tensors are declared, then the data comes in the same order.
 *
 *     GgufWriter *w = gguf_writer_new();
 *     gguf_put_text(w, "general.architecture", span("llama"));
 *     gguf_declare(w, "token_embd.weight", QUANT_Q4_K, V, C);
 *     TRY(gguf_begin(w, "model.gguf"));
 *     TRY(gguf_write(w, blocks, quant_bytes(QUANT_Q4_K, V * C)));   // in as many pieces as one likes
 *     TRY(gguf_commit(w));                                          // synced, renamed: whole or not there
 *     gguf_writer_free(w);
 *
 * The layout is drawn in gguf.h; data is aligned to GGUF_ALIGNMENT.  One owner, one thread. */
#ifndef MODEL_GGUF_WRITE_H
#define MODEL_GGUF_WRITE_H

#include "model/gguf.h"

typedef struct GgufWriter GgufWriter;

GgufWriter *gguf_writer_new(void);
void gguf_writer_free(GgufWriter *w); /* NULL: nothing; removes what was begun and not committed */

/* Keys, copied at once.  One that is there already is a bug. */
void gguf_put_u32(GgufWriter *w, const char *key, uint32_t value);
void gguf_put_f32(GgufWriter *w, const char *key, float value);
void gguf_put_bool(GgufWriter *w, const char *key, bool value);
void gguf_put_text(GgufWriter *w, const char *key, Span value);
void gguf_put_texts(GgufWriter *w, const char *key, const Span *values, int64_t n);
void gguf_put_ints(GgufWriter *w, const char *key, const int32_t *values, int64_t n);
void gguf_put_floats(GgufWriter *w, const char *key, const float *values, int64_t n);
void gguf_put_value(GgufWriter *w, const GgufValue *value); /* as another file has it */
bool gguf_has(const GgufWriter *w, const char *key);
void gguf_put_once(GgufWriter *w, const char *key, Span value); /* text, where the key is not there yet */

/* The next tensor, [rows, cols]; rows 0: a vector.  cols are whole blocks. */
void gguf_declare(GgufWriter *w, const char *name, QuantType type, int64_t rows, int64_t cols);

uint64_t gguf_file_bytes(const GgufWriter *w); /* of the file that comes of what was declared so far */

MUST_CHECK Status gguf_begin(GgufWriter *w, const char *path);          /* ST_IO */
MUST_CHECK Status gguf_write(GgufWriter *w, const void *bytes, size_t n); /* ST_IO */
MUST_CHECK Status gguf_commit(GgufWriter *w);                           /* ST_IO; data missing is a bug */

#endif
