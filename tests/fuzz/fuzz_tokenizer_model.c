/* tokenizer.model from bytes, as the parser takes them whatever they begin with; what opens gives ids of its
 * vocabulary. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char text[] = "The lemur's 12 trees,\n\n  x = y; <s> \xC3\xA9\xFF \xE6\x9D\xB1";
    Str copy = {0};
    str_add(&copy, bytes, n);
    Tokenizer *t = NULL;
    if (copy.n && spm_model_read(&t, copy.at, copy.n) == ST_OK) {
        Ids ids = {0};
        Str back = {0};
        if (tokenizer_encode(t, &ids, text, sizeof text - 1, TOK_BOS | TOK_EOS | TOK_SPECIAL) == ST_OK &&
            tokenizer_decode(t, &back, ids.at, ids.n, true) != ST_OK)
            abort();
        for (size_t i = 0; i < ids.n; i++)
            if (ids.at[i] < 0 || ids.at[i] >= tokenizer_vocab_size(t))
                abort();
        array_drop(&ids);
        str_drop(&back);
        tokenizer_close(t);
    } else if (copy.n && !*error_text()) {
        abort();
    }
    str_drop(&copy);
    return 0;
}
