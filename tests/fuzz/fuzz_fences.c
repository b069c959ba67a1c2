/* Any bytes as a model's answer: each block found is a part of it, behind the one before, of whole lines. */
#include "agent/fences.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Fences f = {0};
    const char *from = (const char *)bytes, *end = from + n;
    fences_find(&f, (Span){from, n});
    for (size_t i = 0; i < f.blocks.n; i++) {
        const Fence *b = &f.blocks.at[i];
        check(b->tool < TOOLS);
        check(b->code.at > from && b->code.at + b->code.n < end); /* fences around it */
        check(b->code.at[-1] == '\n' && (!b->code.n || b->code.at[b->code.n - 1] == '\n'));
        from = b->code.at + b->code.n;
    }
    fences_drop(&f);
    return 0;
}
