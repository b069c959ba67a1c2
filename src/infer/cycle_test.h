/* A model whose next token is known, and its vocabulary: after "a" comes "b", after "t" the two bytes of
 * "é", then the end.
 *
 * The embedding is the identity, the layers add nothing, and row next(i) of the head points at column i. */
#ifndef INFER_CYCLE_TEST_H
#define INFER_CYCLE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/model.h"
#include "ops/select.h"
#include "tokenizer/tokenizer.h"

/* <unk> <s> </s> and the space, twenty letters, 256 bytes; then rows without a token. */
enum { CYCLE_END = 2, CYCLE_SPACE = 3, CYCLE_A = 4, CYCLE_T = 23, CYCLE_BYTES = 24, CYCLE_TOKENS = 280,
       CYCLE_V = 288 };

typedef struct {
    char text[8];
    int32_t kind;
} CyclePiece;

static inline CyclePiece cycle_piece(int id)
{
    static const CyclePiece first[] = {{"<unk>", PIECE_UNKNOWN}, {"<s>", PIECE_CONTROL},
                                       {"</s>", PIECE_CONTROL}, {"\xE2\x96\x81", PIECE_NORMAL}};
    CyclePiece p = {.text = {(char)('a' + id - CYCLE_A)}, .kind = PIECE_NORMAL};
    if (id < CYCLE_A)
        return first[id];
    if (id >= CYCLE_BYTES) {
        snprintf(p.text, sizeof p.text, "<0x%02X>", (unsigned)(id - CYCLE_BYTES) & 255u);
        p.kind = PIECE_BYTE;
    }
    return p;
}

static inline Tokenizer *cycle_tokenizer(void)
{
    CyclePiece made[CYCLE_TOKENS];
    Span pieces[CYCLE_TOKENS];
    int32_t kinds[CYCLE_TOKENS];
    float scores[CYCLE_TOKENS] = {0};
    for (int i = 0; i < CYCLE_TOKENS; i++) {
        made[i] = cycle_piece(i);
        pieces[i] = span(made[i].text);
        kinds[i] = made[i].kind;
    }
    VocabArrays v = {.kind = VOCAB_SPM, .n = CYCLE_TOKENS, .pieces = pieces, .scores = scores, .kinds = kinds,
                     .bos = 1, .eos = CYCLE_END, .unk = 0, .pad = -1, .add_bos = true,
                     .add_space_prefix = true};
    Tokenizer *t = NULL;
    if (tokenizer_from_arrays(&t, &v) != ST_OK)
        fail_msg("%s", error_text());
    return t;
}

/* The same vocabulary as a SentencePiece file: pieces {text, score, kind}, then a trainer that made BPE
 * with bytes. */
static inline void cycle_write_tokenizer(const char *folder)
{
    Str model = {0};
    for (int i = 0; i < CYCLE_TOKENS; i++) {
        CyclePiece p = cycle_piece(i);
        size_t n = strlen(p.text);
        str_addf(&model, "\n%c\n%c%s\x15", (char)(n + 9), (char)n, p.text);
        str_add(&model, "\0\0\0\0\x18", 5);
        str_addc(&model, (char)p.kind);
    }
    str_add(&model, "\x12\x05\x18\x02\x98\x02\x01", 7); /* model_type BPE, byte_fallback */
    char *path = path_join(folder, "tokenizer.model");
    assert_int_equal(file_replace(path, model.at, model.n), ST_OK);
    mem_free(path);
    str_drop(&model);
}

static inline HParams cycle_hparams(int64_t vocab)
{
    return (HParams){
        .vocab_size = vocab, .hidden_size = CYCLE_V, .intermediate_size = 8, .num_hidden_layers = 1,
        .num_attention_heads = 2, .num_key_value_heads = 1, .head_dim = 16, .max_position_embeddings = 64,
        .rms_norm_eps = 1e-5, .rope_theta = 10000, .bos_token_id = 1, .eos_token_id = CYCLE_END,
    };
}

static inline int cycle_next(int id)
{
    if (id == CYCLE_T)
        return CYCLE_BYTES + 0xC3;
    if (id == CYCLE_BYTES + 0xC3)
        return CYCLE_BYTES + 0xA9;
    return id > CYCLE_T ? CYCLE_END : id + 1;
}

static inline float *cycle_weight(Model *m, ParamKind kind, int layer)
{
    return (float *)model_weights(m).data + params_find(model_params(m), kind, layer)->offset;
}

static inline Model *cycle_model(Device *dev, int64_t vocab, int64_t context)
{
    Model *m;
    HParams h = cycle_hparams(vocab);
    ModelSetup setup = {.batch = 1, .context = context, .compute = DTYPE_F32};
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_OK);
    Tensor w = model_weights(m);
    memset(w.data, 0, tensor_bytes(&w));
    for (int i = 0; i < CYCLE_TOKENS && i < vocab; i++) {
        cycle_weight(m, PARAM_EMBED, -1)[i * CYCLE_V + i] = 1;
        if (cycle_next(i) < vocab)
            cycle_weight(m, PARAM_HEAD, -1)[cycle_next(i) * CYCLE_V + i] = 20;
    }
    for (int i = 0; i < CYCLE_V; i++)
        cycle_weight(m, PARAM_FINAL_NORM, -1)[i] = 1;
    model_weights_changed(m);
    return m;
}

#endif
