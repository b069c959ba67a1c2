/* Inside pack: the first pass.  Text of a corpus into token stores. */
#ifndef CORPUS_PACK_TOKENISE_H
#define CORPUS_PACK_TOKENISE_H

#include "base/log.h"
#include "corpus/batch.h"
#include "corpus/token_store.h"
#include "tokenizer/tokenizer.h"

typedef struct {
    const Tokenizer *tok;
    int32_t eos;
    bool bos;
    int threads;
    uint16_t *id_bytes; /* [vocab] bytes of text that a token stands for */
    Batches batches;
    Progress *progress;
    double done_bytes;
} Tokenising;

/* ST_ARG: the vocabulary has no end-of-text token. */
MUST_CHECK Status pack_tokenise_start(Tokenising *t, const Tokenizer *tok, bool bos, int threads,
                                      Progress *progress);
void pack_tokenise_drop(Tokenising *t);

/* Every document of one .jsonl.zst, each with the end token behind it.  The number kept with a document is
 * its bytes less the sum of its tokens' bytes: 0 but where the tokeniser adds or folds some, such as
 * SentencePiece's space in front. */
MUST_CHECK Status pack_tokenise(Tokenising *t, TokenStore *store, const char *path, int64_t *bytes);

#endif
