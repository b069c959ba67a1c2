/* A model that costs nothing, for tests of the engine: a row's logits are a hash of all ids in front of it,
 * which it finds in the pages, and nowhere else.  So a page handed to the wrong sequence, or written by two,
 * gives other tokens. */
#ifndef INFER_FAKE_MODEL_TEST_H
#define INFER_FAKE_MODEL_TEST_H

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "infer/engine.h"
#include "infer/scheduler.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last; (fail) is ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { FAKE_V = 120, FAKE_END = 2 };

typedef struct {
    uint64_t (*chain)[KV_PAGE]; /* [pages] hash of the ids up to each position */
    PassModel model;
    int64_t passes, rows, most_rows, copies;
    int64_t fails_at; /* pass number; 0: never */
    bool no_numbers;
    unsigned pause_us; /* a pass takes that long, for others to come between */
    float sharpness; /* of the logits */
} FakeModel;

static inline uint64_t fake_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
    return h * 0xBF58476D1CE4E5B9u ^ h >> 32;
}

static inline void fake_logits(const FakeModel *f, float *out, uint64_t h)
{
    for (uint64_t i = 0; i < FAKE_V; i++)
        out[i] = f->no_numbers ? NAN : f->sharpness * (float)(fake_mix(h, i + 1) >> 40) / (float)(1 << 24);
}

static inline uint64_t *fake_at(FakeModel *f, const DecoderRun *run, int64_t position)
{
    int32_t page = run->pages[position / KV_PAGE];
    check(page >= 0 && page < f->model.pages);
    return &f->chain[page][position % KV_PAGE];
}

static inline Status fake_pass(void *context, const DecoderRun *runs, int64_t count, float *logits)
{
    FakeModel *f = context;
    int64_t rows = 0, wanted = 0;
    f->passes++;
    if (f->pause_us)
        usleep(f->pause_us);
    if (f->passes == f->fails_at)
        return (fail)(ST_DEVICE, "the device went away");
    for (int64_t i = 0; i < count; i++) {
        const DecoderRun *r = &runs[i];
        check(r->n >= 1 && r->logits >= 0 && r->logits <= r->n && r->past + r->n <= f->model.positions);
        for (int64_t j = 0; j < r->n; j++) {
            int64_t at = r->past + j;
            check(r->ids[j] >= 0 && r->ids[j] < FAKE_V);
            *fake_at(f, r, at) = fake_mix(at ? *fake_at(f, r, at - 1) : 7, (uint64_t)r->ids[j] + 1000);
        }
        rows += r->n;
    }
    for (int64_t i = 0; i < count; i++) /* after all were written: what two have written to shows */
        for (int64_t j = runs[i].n - runs[i].logits; j < runs[i].n; j++)
            fake_logits(f, logits + FAKE_V * wanted++, *fake_at(f, &runs[i], runs[i].past + j));
    check(rows <= f->model.max_rows && wanted <= f->model.max_logits);
    f->rows += rows;
    f->most_rows = rows > f->most_rows ? rows : f->most_rows;
    return ST_OK;
}

static inline void fake_copy_page(void *context, int32_t to, int32_t from)
{
    FakeModel *f = context;
    f->copies++;
    memcpy(f->chain[to], f->chain[from], sizeof f->chain[to]);
}

static inline FakeModel fake_model(int64_t pages, int64_t max_rows, int64_t max_logits)
{
    FakeModel f = {.chain = mem_zeroed((size_t)pages, sizeof *f.chain), .sharpness = 8};
    f.model = (PassModel){.pass = fake_pass,
                          .copy_page = fake_copy_page,
                          .vocab = FAKE_V,
                          .max_rows = max_rows,
                          .max_logits = max_logits,
                          .pages = pages,
                          .positions = 2000};
    return f;
}

/* `f` stays where it is. */
static inline Engine *fake_engine(FakeModel *f, const EngineSetup *setup)
{
    Engine *e = NULL;
    f->model.context = f;
    if (engine_open_model(&e, &f->model, NULL, setup) != ST_OK)
        fail_msg("%s", error_text());
    return e;
}

#endif
