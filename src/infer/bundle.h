/* A model opened for use: device, decoder and tokenizer that belong together, from a folder or a GGUF file.
 *
 *     BundleSetup setup = {.compute = DTYPE_COUNT};
 *     Bundle b;
 *     TRY(bundle_open(&b, "model/", &setup));
 *
 * The tokenizer's vocabulary must be the model's.  A model may have more rows than there are tokens, as those
 * have whose vocabulary was rounded up; ids without a token are never sampled. */
#ifndef INFER_BUNDLE_H
#define INFER_BUNDLE_H

#include "model/decoder.h"
#include "tokenizer/chat.h"
#include "tokenizer/tokenizer.h"

typedef struct {
    int threads; /* 0: all this process may use */
    /* DTYPE_BF16, DTYPE_F32, or DTYPE_COUNT: bf16 where this machine is fast in it, else f32 */
    DType compute;
    int64_t
        context; /* positions of a sequence; 0: the model's max_position_embeddings, at most BUNDLE_CONTEXT */
    /* Of the decoder (model/decoder.h). */
    int64_t pages;       /* of the cache; 0: as many as `sequences` of the whole context take */
    int64_t sequences;   /* that are to have room at once; 0: one */
    int64_t max_rows;    /* 0: BUNDLE_ROWS */
    int64_t max_logits;  /* 0: BUNDLE_LOGITS */
    const char *adapter; /* a PEFT folder, or a run that trained one: merged in at the opening; its vocabulary
                          * and template, where it has them, are taken instead of the model's.  NULL: none */
} BundleSetup;
enum {
    BUNDLE_CONTEXT = 4096, /* memory grows with the context, and few texts need 128 k */
    BUNDLE_ROWS = 512,
    BUNDLE_LOGITS = 64,
};

typedef struct {
    Device *dev;
    Decoder *decoder;
    Tokenizer *tokenizer;
    Ids ends;            /* ids that end a text: the tokenizer's, config.json's, generation_config.json's; a
                          * GGUF file's */
    char *path;          /* as it was given */
    char *words;         /* the adapter's folder, where the vocabulary is its; NULL: the model's */
    char *gguf_template; /* tokenizer.chat_template of a GGUF file; NULL: it has none, or it is a folder */
} Bundle;

/* Errors as of model_file_open, decoder_open, tokenizer_open and vocab_gguf_read; ST_FORMAT: the tokenizer
 * has more tokens than the model has rows. {0} after a failure. */
MUST_CHECK Status bundle_open(Bundle *b, const char *path, const BundleSetup *setup);
void bundle_close(Bundle *b);
/* How the model wants a chat to be rendered, as it says itself; *out, the caller's to free, is NULL where
 * it says nothing. Errors as of chat_template_of_folder and chat_template_recognise. */
MUST_CHECK Status bundle_chat_template(const Bundle *b, ChatTemplate **out);

/* Appends the ids below `vocab` that end a text, as a folder's config.json and generation_config.json say,
 * each once. */
void bundle_ends_of_folder(Ids *ends, const char *folder, int64_t vocab);

#endif
