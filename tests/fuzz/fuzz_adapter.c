/* Any bytes as PEFT's folder, the adapter_config.json up to the first NUL and adapter_model.safetensors
 * behind it: factors that fit a small model, or a sentence. */
#include <math.h>
#include <string.h>

#include "fuzz_folder.h"
#include "model/adapter.h"

static const HParams base = {.vocab_size = 4,
                             .hidden_size = 4,
                             .intermediate_size = 6,
                             .num_hidden_layers = 2,
                             .num_attention_heads = 2,
                             .num_key_value_heads = 1,
                             .head_dim = 2,
                             .max_position_embeddings = 16,
                             .rms_norm_eps = 1e-5,
                             .rope_theta = 1e4,
                             .bos_token_id = -1,
                             .eos_token_id = -1};

static void see_whole(const Adapter *a, ParamKind kind)
{
    const SafetensorsEntry *e = adapter_whole(a, kind);
    const HParams *h = adapter_hparams(a);
    check(!e || (e->ndim == 2 && e->shape[0] == h->vocab_size && e->shape[1] == h->hidden_size));
}

static void see(const Adapter *a)
{
    int64_t found = 0;
    LoraSetup setup;
    check(adapter_hparams(a)->vocab_size >= base.vocab_size && adapter_base(a));
    for (ParamKind k = PARAM_Q; k <= PARAM_DOWN; k++)
        for (int layer = 0; layer < base.num_hidden_layers; layer++) {
            const AdapterMatrix *m = adapter_find(a, k, layer);
            if (!m)
                continue;
            check(m->rank > 0 && isfinite(m->alpha) && isfinite(m->scale));
            check(m->a->ndim == 2 && m->b->ndim == 2 && m->a->shape[0] == m->rank &&
                  m->b->shape[1] == m->rank);
            check(m->a->count == m->rank * m->a->shape[1] && m->b->count == m->rank * m->b->shape[0]);
            found++;
        }
    see_whole(a, PARAM_EMBED);
    see_whole(a, PARAM_HEAD);
    check(found || adapter_whole(a, PARAM_EMBED) || adapter_whole(a, PARAM_HEAD));
    if (adapter_setup(&setup, a) == ST_OK && lora_check(&setup, adapter_hparams(a)) == ST_OK) {
        Params p;
        lora_params(&p, adapter_hparams(a), &setup);
        check(p.total >= lora_param_count(adapter_hparams(a), &setup));
        params_drop(&p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span weights = {(const char *)bytes, n}, config = fuzz_part(&weights);
    Adapter *a = NULL;
    mem_free(fuzz_file(adapter_config_name, config.at, config.n));
    mem_free(fuzz_file(adapter_weights_name, weights.at, weights.n));
    Status st = adapter_open(&a, fuzz_folder, &base);
    check((st == ST_OK) == (a != NULL) && (st == ST_OK || *error_text()));
    if (st == ST_OK)
        see(a);
    adapter_close(a);
    return 0;
}
