/* Any bytes as a recipe: a value or a sentence, never a crash, and a value can be written out. */
#include <stdlib.h>

#include "base/check.h"
#include "base/config.h"
#include "fuzz_libfyaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    json_t *value;
    Status st = config_parse_yaml(&value, (const char *)bytes, n, "fuzz");
    check((st == ST_OK) == (value != NULL));
    if (st != ST_OK)
        check(*error_text());
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    check(!value || text);
    free(text);
    json_decref(value);
    return 0;
}
