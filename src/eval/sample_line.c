#include "eval/sample_line.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void text_hash(char hex[65], Span text)
{
    unsigned char sum[32];
    check(EVP_Digest(text.n ? text.at : "", text.n, sum, NULL, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

void json_hash(char hex[65], const json_t *value)
{
    if (json_is_string(value)) {
        text_hash(hex, (Span){json_string_value(value), json_string_length(value)});
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    text_hash(hex, span(text ? text : ""));
    free(text);
}

static void set_hash(json_t *line, const char *key, const json_t *value)
{
    char hex[65];
    json_hash(hex, value);
    json_object_set_new(line, key, json_string(hex));
}

static void set(json_t *line, const char *key, json_t *value)
{
    if (value)
        json_object_set(line, key, value);
    else
        json_object_set_new(line, key, json_null());
}

json_t *sample_line(const Question *q, int64_t doc_id, const Sample *s, double seconds)
{
    json_t *line = json_pack("{s:I, s:s, s:s?}", "doc_id", (json_int_t)doc_id, "id", q->id, "part", q->part);
    set(line, "doc", q->doc);
    set(line, "target", s->target);
    set(line, "arguments", s->prompts);
    set(line, "resps", s->answers);
    set(line, "filtered_resps", s->read);
    set(line, "metrics", s->metrics);
    const char *name;
    json_t *value;
    json_object_foreach(s->metrics, name, value) json_object_set(line, name, value);
    if (json_object_size(s->more))
        set(line, "more", s->more);
    json_object_set_new(line, "kind", json_string(sample_kind_names[s->kind]));
    set_hash(line, "doc_hash", q->doc);
    set_hash(line, "prompt_hash", json_array_get(s->prompts, 0));
    set_hash(line, "target_hash", s->target);
    json_object_set_new(line, "prompt_tokens", json_integer(s->prompt_tokens));
    json_object_set_new(line, "completion_tokens", json_integer(s->completion_tokens));
    json_object_set_new(line, "calls", json_integer(s->calls));
    json_object_set_new(line, "retries", json_integer(s->retries));
    json_object_set_new(line, "model_seconds", json_real(s->model_seconds));
    if (s->feedback_calls) {
        json_object_set_new(line, "feedback_prompt_tokens", json_integer(s->feedback_prompt_tokens));
        json_object_set_new(line, "feedback_completion_tokens", json_integer(s->feedback_completion_tokens));
        json_object_set_new(line, "feedback_calls", json_integer(s->feedback_calls));
        json_object_set_new(line, "feedback_seconds", json_real(s->feedback_seconds));
    }
    json_object_set_new(line, "seconds", json_real(seconds));
    return line;
}
