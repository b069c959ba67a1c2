/* tokenizer.json from bytes. */
#include "fuzz_tokenizer.h"
#include "tokenizer/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Str copy = {0};
    Tokenizer *t = NULL;
    str_add(&copy, bytes, n);
    if (copy.n && tokenizer_open_bytes(&t, &copy, NULL, NULL) == ST_OK)
        check_vocabulary(t);
    else if (copy.n && !*error_text())
        abort();
    str_drop(&copy);
    return 0;
}
