/* For the tests of this folder: a vocabulary of single bytes. */
#ifndef CORPUS_SCRATCH_TEST_H
#define CORPUS_SCRATCH_TEST_H

#include "base/scratch_test.h"
#include "tokenizer/tokenizer.h"

/* Ids 0..255 are the bytes in the order of byte-level BPE's printable alphabet (GPT-2); 256 ends a text. */
static inline Tokenizer *scratch_vocabulary(void)
{
    static char text[257][16];
    Span pieces[257];
    int32_t kinds[257], n = 0, shifted = 0;
    for (int b = 0; b < 256; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        Str s = {0};
        str_add_utf8(&s, printable ? (uint32_t)b : (uint32_t)(256 + shifted++));
        memcpy(text[n], str_c(&s), s.n + 1);
        str_drop(&s);
        kinds[n++] = PIECE_NORMAL;
    }
    strcpy(text[n], "<|endoftext|>");
    kinds[n++] = PIECE_CONTROL;
    for (int i = 0; i < n; i++)
        pieces[i] = span(text[i]);
    VocabArrays v = {.kind = VOCAB_BBPE,
                     .n = n,
                     .pieces = pieces,
                     .kinds = kinds,
                     .pre = "gpt-2",
                     .bos = -1,
                     .eos = 256,
                     .unk = -1,
                     .pad = -1};
    Tokenizer *tok = NULL;
    if (tokenizer_from_arrays(&tok, &v) != ST_OK)
        fail_msg("%s", error_text());
    return tok;
}

#endif
