#include "infer/generate.h"


enum { SAMPLE_ROWS = 256 }; /* of a pass over a sample's prompt */

Status generate_ids(Engine *e, const int32_t *ids, int64_t n, const RequestSpec *spec, GenerateSink *sink,
                    void *context, RequestResult *result)
{
    RequestSpec whole = *spec;
    RequestEvent event;
    Request *r;
    whole.prompt = ids;
    whole.prompt_n = n;
    TRY(engine_submit(e, &whole, &r));
    bool wanted = true;
    while (request_next(r, &event, -1))
        if (wanted && !sink(context, &event)) {
            wanted = false;
            request_cancel(r);
        }
    Status st = request_result(r, result);
    if (!wanted && st == ST_OK)
        result->finish = FINISH_CANCELLED; /* also where it was over before it heard of it */
    request_close(r);
    return st;
}

Status generate_text(Engine *e, const Tokenizer *t, Span prompt, int flags, const RequestSpec *spec,
                     GenerateSink *sink, void *context, RequestResult *result)
{
    Ids ids = {0};
    Status st = tokenizer_encode(t, &ids, prompt.at, prompt.n, flags);
    if (st == ST_OK)
        st = generate_ids(e, ids.at, (int64_t)ids.n, spec, sink, context, result);
    array_drop(&ids);
    return st;
}

Status generate_sample(Model *m, const Tokenizer *t, Span prompt, int flags, const RequestSpec *spec,
                       GenerateSink *sink, void *context, RequestResult *result)
{
    const ModelSetup *model = model_setup(m);
    int64_t positions = model->context, rows = positions < SAMPLE_ROWS ? positions : SAMPLE_ROWS;
    DecoderSetup setup = {.max_rows = rows,
                          .max_logits = 1,
                          .pages = kv_pages_for(positions),
                          .context = positions,
                          .compute = model->compute};
    EngineSetup passes = {.inline_passes = true, .no_prefix_cache = true};
    Decoder *d;
    Engine *e;
    TRY(decoder_open_model(&d, m, &setup));
    Status st = engine_open(&e, d, t, &passes);
    if (st == ST_OK) {
        st = generate_text(e, t, prompt, flags, spec, sink, context, result);
        engine_close(e);
    }
    decoder_close(d);
    return st;
}
