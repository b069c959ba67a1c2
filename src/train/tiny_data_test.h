/* For the tests of this folder: packed rows of a small vocabulary, in a folder of their own, and a Llama that
 * fits them. */
#ifndef TRAIN_TINY_DATA_TEST_H
#define TRAIN_TINY_DATA_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "corpus/shard.h"
#include "model/hparams.h"

enum { TINY_V = 48, TINY_T = 16, TINY_ROWS = 37, TINY_HELD_OUT = 10, TINY_PADDING = 3 };

/* Counting in steps of 1 to 4: something to learn.  Row i is of source i % 2; a second document begins at 5 +
 * i % 7; the last held-out row is padded. */
static inline void tiny_row(int64_t i, int32_t *ids, uint32_t starts[2], ShardRow *row)
{
    starts[0] = 0;
    starts[1] = (uint32_t)(5 + i % 7);
    for (int64_t t = 0; t <= TINY_T; t++)
        ids[t] = (int32_t)((i * 11 + t * (1 + i % 4)) % TINY_V);
    *row = (ShardRow){.starts = starts, .starts_n = 2, .source = (int32_t)(i % 2), .bytes = 3 * TINY_T};
}

static inline void tiny_data(const char *folder, int32_t vocab, bool isolated, uint64_t tokenizer_hash)
{
    static const ShardSource sources[] = {{"python", SHARD_CODE}, {"prose", SHARD_TEXT}};
    ShardSpec spec = {.row_tokens = TINY_T + 1,
                      .vocab_size = vocab,
                      .tokenizer_hash = tokenizer_hash,
                      .isolated = isolated,
                      .has_bytes = true,
                      .sources = sources,
                      .sources_n = 2};
    ShardSetWriter *w;
    int32_t ids[TINY_T + 1];
    uint32_t starts[2];
    ShardRow row;
    assert_int_equal(shards_create(&w, folder, &spec, 16), ST_OK);
    for (int64_t i = 0; i < TINY_ROWS; i++) {
        tiny_row(i, ids, starts, &row);
        assert_int_equal(shards_add(w, "train", ids, &row), ST_OK);
    }
    for (int64_t i = 0; i < TINY_HELD_OUT; i++) {
        tiny_row(i + 1000, ids, starts, &row);
        row.padding = i == TINY_HELD_OUT - 1 ? TINY_PADDING : 0;
        assert_int_equal(shards_add(w, "held_out", ids, &row), ST_OK);
    }
    assert_int_equal(shards_finish(w, NULL, NULL), ST_OK);
}

static inline HParams tiny_shape(void)
{
    return (HParams){
        .vocab_size = TINY_V,
        .hidden_size = 16,
        .intermediate_size = 24,
        .num_hidden_layers = 2,
        .num_attention_heads = 2,
        .num_key_value_heads = 1,
        .head_dim = 8,
        .max_position_embeddings = TINY_T,
        .rms_norm_eps = 1e-5,
        .rope_theta = 10000,
        .bos_token_id = -1,
        .eos_token_id = 0,
    };
}

/* A folder in /tmp and in it "data"; the caller frees neither, tiny_close removes both. */
typedef struct {
    char root[64];
    char data[80], run[80], other[80];
} Tiny;

static inline void tiny_open(Tiny *t)
{
    snprintf(t->root, sizeof t->root, "/tmp/lemur-train-XXXXXX");
    assert_non_null(mkdtemp(t->root));
    snprintf(t->data, sizeof t->data, "%s/data", t->root);
    snprintf(t->run, sizeof t->run, "%s/run", t->root);
    snprintf(t->other, sizeof t->other, "%s/other", t->root);
    tiny_data(t->data, TINY_V, false, 7);
    log_level_set(LOG_ERROR);
}

static inline void tiny_close(Tiny *t)
{
    assert_int_equal(folder_remove(t->root), ST_OK);
}

#endif
