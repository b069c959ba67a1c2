/* Any bytes through the small vocabularies of tests/golden/tokenizer: they come back as they were, whole or
 * in a stream, and an encoder that has seen other text gives the same ids as a fresh one.  The first byte
 * chooses vocabulary and flags. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tokenizer/tokenizer.h"

enum { VOCABULARIES = 9, LOSSLESS = 6 };
static Tokenizer *vocabularies[VOCABULARIES];

static void open_all(void)
{
    static const char *const names[VOCABULARIES] = {
        "llama.model",    "llama_legacy.json", "gpt2.json",
        "starcoder.json", "llama3.json",       "split_isolated.json", /* lossless */
        "unused.model",   "plain.model",       "added.json"};
    for (int i = 0; i < VOCABULARIES; i++) {
        char *path = path_join("tests/golden/tokenizer", names[i]);
        if (tokenizer_open(&vocabularies[i], path) != ST_OK)
            abort();
        mem_free(path);
    }
}

static void check_stream(const Tokenizer *t, const Ids *ids, const Str *whole)
{
    Detok d = {0};
    Str out = {0};
    detok_start(&d, t, false);
    for (size_t i = 0; i < ids->n; i++)
        if (detok_push(&d, &out, ids->at[i]) != ST_OK)
            abort();
    detok_flush(&d, &out);
    if (out.n != whole->n || (out.n && memcmp(out.at, whole->at, out.n) != 0))
        abort();
    detok_drop(&d);
    str_drop(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (!vocabularies[0])
        open_all();
    if (n == 0)
        return 0;
    int v = bytes[0] % VOCABULARIES, flags = bytes[0] / VOCABULARIES % 2 ? TOK_SPECIAL : 0;
    const Tokenizer *t = vocabularies[v];
    const char *text = (const char *)bytes + 1;
    Ids ids = {0}, again = {0};
    Str back = {0};
    n--;
    if (tokenizer_encode(t, &ids, text, n, flags) != ST_OK ||
        tokenizer_encode(t, &again, text, n, flags) != ST_OK ||
        tokenizer_decode(t, &back, ids.at, ids.n, false) != ST_OK)
        abort();
    if (ids.n != again.n || (ids.n && memcmp(ids.at, again.at, ids.n * sizeof *ids.at) != 0))
        abort();
    check_stream(t, &ids, &back);
    /* SentencePiece reads U+2581 as a space. */
    bool lossless = v < LOSSLESS && !flags && !memmem(text, n, "\xE2\x96\x81", 3);
    if (lossless && (back.n != n || (n && memcmp(back.at, text, n) != 0)))
        abort();
    array_drop(&ids);
    array_drop(&again);
    str_drop(&back);
    return 0;
}
