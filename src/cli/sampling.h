/* The flags that choose among tokens, for every command that writes text: generate, chat. */
#ifndef CLI_SAMPLING_H
#define CLI_SAMPLING_H

#include "base/config.h"
#include "infer/sampler.h"

typedef struct {
    int64_t top_k, seed;
    double temp, top_p, min_p, repetition_penalty, frequency_penalty, presence_penalty;
} SamplingConfig;
extern const FieldTable sampling_table;

SamplerSettings sampling_settings(const SamplingConfig *c);

#endif
