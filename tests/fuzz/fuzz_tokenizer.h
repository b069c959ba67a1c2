/* What fuzzers share that make vocabularies from bytes, or need one. */
#ifndef FUZZ_TOKENIZER_H
#define FUZZ_TOKENIZER_H

#include <stdint.h>
#include <stdlib.h>

#include "tokenizer/bpe_train.h"
#include "tokenizer/bpe_write.h"
#include "tokenizer/tokenizer.h"

/* ChatML's marks and the bytes; it lives as long as the process. */
static inline const Tokenizer *fuzz_vocabulary(void)
{
    static Tokenizer *t;
    if (!t) {
        BpeVocab *v = bpe_vocab_new();
        if (bpe_vocab_open(v, BPE_DIGITS_IN_THREES, &t) != ST_OK)
            abort();
        bpe_vocab_free(v);
    }
    return t;
}

/* It gives ids of its vocabulary, which decode; no special ones from plain text but the unknown id and bytes;
 * and as arrays and back it is the same.  Closes it. */
static inline void check_vocabulary(Tokenizer *t)
{
    static const char text[] = "The lemur's 12 trees,\n\n  x = y; <s> \xC3\xA9\xFF \xE6\x9D\xB1";
    Ids ids = {0};
    Str back = {0};
    if (tokenizer_encode(t, &ids, text, sizeof text - 1, TOK_BOS | TOK_EOS | TOK_SPECIAL) == ST_OK &&
        tokenizer_decode(t, &back, ids.at, ids.n, true) != ST_OK)
        abort();
    for (size_t i = 0; i < ids.n; i++)
        if (ids.at[i] < 0 || ids.at[i] >= tokenizer_vocab_size(t))
            abort();
    array_clear(&ids);
    if (tokenizer_encode(t, &ids, text, sizeof text - 1, 0) == ST_OK)
        for (size_t i = 0; i < ids.n; i++)
            if (tokenizer_is_special(t, ids.at[i]) && ids.at[i] != tokenizer_unk(t) &&
                tokenizer_text(t, ids.at[i]).n > 2)
                abort();
    Arena arena = {0};
    VocabArrays v;
    const char *lost;
    Tokenizer *again;
    if (tokenizer_to_arrays(t, &arena, &v, &lost) == ST_OK && !lost &&
        tokenizer_from_arrays(&again, &v) == ST_OK) {
        if (tokenizer_hash(again) != tokenizer_hash(t))
            abort();
        tokenizer_close(again);
    }
    arena_drop(&arena);
    array_drop(&ids);
    str_drop(&back);
    tokenizer_close(t);
}

#endif
