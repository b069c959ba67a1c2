/* For the tests of lemur tune: a base model of a few thousand weights with a vocabulary of bytes, as a
 * folder. */
#ifndef CLI_TUNE_FIXTURE_TEST_H
#define CLI_TUNE_FIXTURE_TEST_H

#include "base/log.h"
#include "base/scratch_test.h"
#include "model/model.h"
#include "ops/select.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/bpe_write.h"

enum { TUNE_IDS = 260 }; /* of a vocabulary that learned nothing: 4 special tokens and the bytes */

/* `ids` rows of the embedding; `bare`: the vocabulary's special tokens are not ChatML's. */
static inline void tune_base(const char *name, int64_t ids, bool bare)
{
    Tokenizer *tok;
    BpeVocab *vocab = bpe_vocab_new();
    assert_int_equal(bpe_vocab_open(vocab, BPE_DIGITS_IN_THREES, &tok), ST_OK);
    assert_int_equal(tokenizer_vocab_size(tok), TUNE_IDS);
    HParams h = {.vocab_size = ids,
                 .hidden_size = 16,
                 .intermediate_size = 24,
                 .num_hidden_layers = 1,
                 .num_attention_heads = 2,
                 .num_key_value_heads = 1,
                 .head_dim = 8,
                 .max_position_embeddings = 96,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 10000,
                 .bos_token_id = -1,
                 .eos_token_id = 0};
    ModelSetup setup = {.batch = 1, .context = 8, .compute = DTYPE_F32, .training = true};
    Device *dev;
    Model *m;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, NULL), ST_OK);
    assert_int_equal(model_open(&m, dev, &h, &setup), ST_OK);
    model_init(m, 3);
    assert_int_equal(model_save(m, in_scratch(name), DTYPE_F32), ST_OK);
    assert_int_equal(tokenizer_save(tok, in_scratch(name)), ST_OK);
    model_close(m);
    device_close(dev);
    tokenizer_close(tok);
    bpe_vocab_free(vocab);
    if (bare) {
        char *line = mem_format(
            "sed -i 's/<|im_start|>/<|a|>/g; s/<|im_end|>/<|b|>/g; /chat_template/d' %s/*token*.json",
            in_scratch(name));
        assert_int_equal(system(line), 0);
        mem_free(line);
    }
    log_level_set(LOG_ERROR);
}

static inline void tune_examples(const char *name, int n)
{
    Str text = {0};
    for (int i = 0; i < n; i++)
        str_addf(&text, "{\"instruction\":\"say %d\",\"output\":\"%d\"}\n", i, i);
    scratch_write(name, text.at, text.n);
    str_drop(&text);
}

#endif
