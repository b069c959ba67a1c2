/* Any bytes as a config.json: a shape that passes its check and comes back from what is written of it, or
 * a sentence. */
#include "base/check.h"
#include "model/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    HParams h, again;
    json_t *object = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (!object)
        return 0;
    Status st = hparams_from_json(&h, object);
    json_decref(object);
    if (st != ST_OK) {
        check(*error_text());
        return 0;
    }
    check(hparams_check(&h) == ST_OK && hparams_param_count(&h) > 0);
    object = hparams_to_json(&h);
    check(hparams_from_json(&again, object) == ST_OK);
    json_t *copy = hparams_to_json(&again);
    check(json_equal(object, copy));
    json_decref(copy);
    json_decref(object);
    Params p;
    params_init(&p, &h);
    check(p.total >= hparams_param_count(&h));
    params_drop(&p);
    return 0;
}
