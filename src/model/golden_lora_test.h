/* Adapters that PEFT made and what it computed with them: tests/golden/lora, by tools/make_golden_lora.py. */
#ifndef MODEL_GOLDEN_LORA_TEST_H
#define MODEL_GOLDEN_LORA_TEST_H

#include <string.h>

#include "model/adapter.h"
#include "model/tiny_test.h"

static const char base_folder[] = "tests/golden/llama/gqa";
enum { G_B = 2, G_T = 12, G_N = G_B * G_T, G_V = 31 };
static const double TOLERANCE = 1e-4;

typedef struct {
    char folder[64];
    Safetensors *expected;
    HParams h;
    Device *dev;
    Model *m;
} Golden;

static inline void golden_open(Golden *g, const char *name)
{
    char path[96];
    Adapter *a;
    ModelSetup setup = {.batch = G_B, .context = G_T, .compute = DTYPE_F32, .training = true, .loss_rows = 7};
    snprintf(g->folder, sizeof g->folder, "tests/golden/lora/%s", name);
    snprintf(path, sizeof path, "%s/expected.safetensors", g->folder);
    if (safetensors_open(&g->expected, path) != ST_OK)
        fail_msg("%s (tests run in the repository's root)", error_text());
    assert_int_equal(hparams_read(&g->h, base_folder), ST_OK);
    if (adapter_open(&a, g->folder, &g->h) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(adapter_setup(&setup.lora, a), ST_OK);
    assert_string_equal(adapter_base(a), base_folder);
    adapter_close(a);
    assert_int_equal(device_open_cpu(&g->dev, 2), ST_OK);
    assert_int_equal(ops_attach(g->dev, NULL), ST_OK);
    assert_int_equal(model_open(&g->m, g->dev, &g->h, &setup), ST_OK);
    assert_int_equal(model_load(g->m, base_folder), ST_OK);
    if (model_load_trained(g->m, g->folder) != ST_OK)
        fail_msg("%s", error_text());
}

static inline void golden_close(Golden *g)
{
    model_close(g->m);
    device_close(g->dev);
    safetensors_close(g->expected);
}

static inline const SafetensorsEntry *expected(const Golden *g, const char *prefix, const char *name)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const SafetensorsEntry *e = safetensors_find(g->expected, full);
    if (!e)
        fail_msg("no %s in %s", full, g->folder);
    return e;
}

static inline void expect_near(const Golden *g, const float *ours, const char *prefix, const char *name)
{
    const SafetensorsEntry *e = expected(g, prefix, name);
    float *theirs = mem_copy(e->data, (size_t)e->count * sizeof *theirs);
    double d = relative_difference(ours, theirs, e->count);
    mem_free(theirs);
    if (!(d < TOLERANCE))
        fail_msg("%s: %s%s is off by %.3g", g->folder, prefix, name, d);
}

static inline Batch golden_batch(const Golden *g, int32_t *ids, int32_t *targets)
{
    memcpy(ids, expected(g, "ids", "")->data, G_N * sizeof *ids);
    memcpy(targets, expected(g, "targets", "")->data, G_N * sizeof *targets);
    return (Batch){.ids = ids, .targets = targets};
}

#endif
