/* tokenizer.model from bytes, as the parser takes them whatever they begin with. */
#include "fuzz_tokenizer.h"
#include "tokenizer/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Tokenizer *t = NULL;
    if (n && spm_model_read(&t, bytes, n) == ST_OK) {
        vocab_set_hash(t);
        check_vocabulary(t);
    } else if (n && !*error_text()) {
        abort();
    }
    return 0;
}
