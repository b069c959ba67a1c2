/* A model's adapters to PEFT's folder and back. */
#include <jansson.h>
#include <math.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "model/adapter.h"
#include "model/convert.h"
#include "model/state.h"

/* Writing ------------------------------------------------------------------------------------------------ */

/* Targets with another value than the first one's are named in a pattern, as PEFT does. */
static json_t *number_of(double v)
{
    return v >= -1e15 && v <= 1e15 && floor(v) >= v ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *settings_of(const Model *m)
{
    const LoraSetup *s = &m->setup.lora;
    json_t *targets = json_array(), *ranks = json_object(), *alphas = json_object(), *whole = json_null();
    int first = -1;
    for (int t = 0; t < LORA_TARGETS; t++) {
        if (s->rank[t] == 0)
            continue;
        const char *name = lora_target_name(PARAM_Q + (ParamKind)t);
        first = first < 0 ? t : first;
        json_array_append_new(targets, json_string(name));
        if (s->rank[t] != s->rank[first])
            json_object_set_new(ranks, name, json_integer(s->rank[t]));
        if (fabs(s->alpha[t] - s->alpha[first]) > 0)
            json_object_set_new(alphas, name, number_of(s->alpha[t]));
    }
    if (s->embed || s->head)
        whole = json_array();
    if (s->embed)
        json_array_append_new(whole, json_string("embed_tokens"));
    if (s->head)
        json_array_append_new(whole, json_string("lm_head"));
    return json_pack(
        "{s:s, s:s, s:s?, s:I, s:o, s:o, s:o, s:s, s:b, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:n, s:n, s:n}",
        "peft_type", "LORA", "task_type", "CAUSAL_LM", "base_model_name_or_path", m->base_path, "r",
        (json_int_t)s->rank[first], "lora_alpha", number_of(s->alpha[first]), "lora_dropout",
        number_of(s->dropout), "target_modules", targets, "bias", "none", "fan_in_fan_out", 0,
        "inference_mode", 1, "init_lora_weights", 1, "use_dora", 0, "use_rslora", s->rslora,
        "modules_to_save", whole, "rank_pattern", ranks, "alpha_pattern", alphas, "layers_to_transform",
        "layers_pattern", "revision");
}

static Status write_weights(Model *m, const char *folder, const float *flat, DType dtype)
{
    const Params *p = m->trainable;
    SafetensorsItem *items = mem_array(SafetensorsItem, p->n);
    for (int64_t i = 0; i < p->n; i++)
        items[i] = (SafetensorsItem){
            .name = p->at[i].name, .dtype = dtype, .ndim = 2, .shape = {p->at[i].rows, p->at[i].cols},
            .source_dtype = DTYPE_F32, .source = flat + p->at[i].offset,
        };
    char *path = path_join(folder, adapter_weights_name);
    Status st = safetensors_write(path, items, p->n, NULL);
    mem_free(path);
    mem_free(items);
    return st;
}

Status adapter_save(Model *m, const char *folder, DType dtype)
{
    const void *flat = NULL;
    size_t bytes = (size_t)m->trainable->total * sizeof(float);
    TRY(folder_make(folder));
    TRY(device_host_view(m->dev, &flat, m->master, bytes));
    Status st = write_weights(m, folder, flat, dtype);
    device_host_drop(m->dev, flat, m->master);
    if (st == ST_OK) { /* last: a folder that has it is whole */
        json_t *config = settings_of(m);
        char *path = path_join(folder, adapter_config_name);
        check(config);
        st = json_file_write(path, config);
        mem_free(path);
        json_decref(config);
    }
    return st == ST_OK ? ST_OK : fail_in(st, "writing an adapter to %s", folder);
}

/* Back into a model -------------------------------------------------------------------------------------- */

static Status check_same(const Model *m, const Adapter *a)
{
    LoraSetup have;
    const LoraSetup *want = &m->setup.lora;
    TRY(adapter_setup(&have, a));
    for (ParamKind k = PARAM_Q; k <= PARAM_DOWN; k++) {
        int t = (int)(k - PARAM_Q);
        if (have.rank[t] != want->rank[t] || fabs(lora_scale(&have, k) - lora_scale(want, k)) > 1e-9)
            return fail(ST_ARG,
                        "the adapter of %s has rank %lld and scale %g, and the one to train rank %lld and "
                        "scale %g",
                        lora_target_name(k), (long long)have.rank[t], lora_scale(&have, k),
                        (long long)want->rank[t], lora_scale(want, k));
    }
    if (have.embed != want->embed || have.head != want->head)
        return fail(ST_ARG, "the adapter %s the embedding or the head whole, and the one to train does%s",
                    have.embed || have.head ? "has trained" : "has not trained",
                    want->embed || want->head ? "" : " not");
    return ST_OK;
}

static const SafetensorsEntry *entry_of(const Adapter *a, const Param *p)
{
    if (p->part == PART_WHOLE)
        return adapter_whole(a, p->kind);
    const AdapterMatrix *x = adapter_find(a, p->kind, p->layer);
    return p->part == PART_LORA_A ? x->a : x->b;
}

Status adapter_load(Model *m, const char *folder)
{
    Adapter *a;
    TRY(adapter_open(&a, folder, &m->h));
    Status st = check_same(m, a);
    for (int64_t i = 0; i < m->trainable->n && st == ST_OK; i++) {
        const Param *p = &m->trainable->at[i];
        const SafetensorsEntry *e = entry_of(a, p);
        float *values = mem_array(float, e->count);
        convert_floats(values, DTYPE_F32, e->data, e->dtype, e->count);
        device_upload(m->dev, m->master + p->offset, values, (size_t)e->count * sizeof(float));
        mem_free(values);
    }
    adapter_close(a);
    if (st != ST_OK)
        return fail_in(st, "loading the adapter %s", folder);
    model_weights_changed(m);
    return device_sync(m->dev);
}
