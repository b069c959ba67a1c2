#include "cli/sampling.h"

static const Field sampling_fields[] = {
    F_FLOAT(SamplingConfig, temp, 0.8, 0, 100, "temperature; 0: always the most likely token"),
    F_INT(SamplingConfig, top_k, 0, 0, 1e9, "sample among the k most likely tokens; 0: among all"),
    F_FLOAT(SamplingConfig, top_p, 1, 0, 1, "sample among the fewest tokens that reach this probability"),
    F_FLOAT(SamplingConfig, min_p, 0, 0, 1,
            "sample among tokens at least this likely relative to the most likely"),
    F_FLOAT(SamplingConfig, repetition_penalty, 1, 0.01, 100,
            "makes tokens that occurred less likely; 1: does not"),
    F_FLOAT(SamplingConfig, frequency_penalty, 0, -2, 2,
            "the same by how often they were written, as OpenAI's"),
    F_FLOAT(SamplingConfig, presence_penalty, 0, -2, 2, "the same whether they were written, as OpenAI's"),
    F_INT(SamplingConfig, seed, 0, 0, 9e18, "one seed, one text"),
};
const FieldTable sampling_table = FIELD_TABLE(sampling_fields);

SamplerSettings sampling_settings(const SamplingConfig *c)
{
    return (SamplerSettings){
        .temperature = c->temp,
        .top_k = c->top_k,
        .top_p = c->top_p,
        .min_p = c->min_p,
        .repetition_penalty = c->repetition_penalty,
        .frequency_penalty = c->frequency_penalty,
        .presence_penalty = c->presence_penalty,
        .seed = (uint64_t)c->seed,
    };
}
