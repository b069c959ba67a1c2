/* logits_of FOLDER OUT.safetensors [COPY f32|bf16|f16]
 *
 * Loads a model folder, writes ids and the logits of each position ([T], [T, V], computed in f32) to
 * OUT.safetensors, and where COPY is given saves the model there in that type.  transformers_check.py
 * compares both with what transformers says; docs/checks.md has the command that builds it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "ops/select.h"

enum { POSITIONS = 48 };

static Status write_logits(Model *m, const char *path)
{
    int64_t V = model_hparams(m)->vocab_size;
    int32_t ids[POSITIONS];
    for (int32_t i = 0; i < POSITIONS; i++)
        ids[i] = (int32_t)((31 * i * i + 7 * i + 3) % V);
    float *logits = mem_array(float, POSITIONS * V);
    Batch batch = {.ids = ids, .targets = ids};
    Status st = model_logits(m, &batch, logits);
    SafetensorsItem items[] = {
        {.name = "ids", .dtype = DTYPE_I32, .ndim = 1, .shape = {POSITIONS}, .source_dtype = DTYPE_I32,
         .source = ids},
        {.name = "logits", .dtype = DTYPE_F32, .ndim = 2, .shape = {POSITIONS, V}, .source_dtype = DTYPE_F32,
         .source = logits},
    };
    if (st == ST_OK)
        st = safetensors_write(path, items, 2, NULL);
    mem_free(logits);
    return st;
}

static Status run(Device *dev, const char *folder, const char *out, const char *copy, DType dtype)
{
    HParams h;
    Model *m;
    ModelSetup setup = {.batch = 1, .context = POSITIONS, .compute = DTYPE_F32};
    TRY(hparams_read(&h, folder));
    TRY(model_open(&m, dev, &h, &setup));
    Status st = model_load(m, folder);
    if (st == ST_OK)
        st = write_logits(m, out);
    if (st == ST_OK && copy)
        st = model_save(m, copy, dtype);
    model_close(m);
    return st;
}

int main(int argc, char **argv)
{
    Device *dev;
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: logits_of FOLDER OUT.safetensors [COPY f32|bf16|f16]\n");
        return 2;
    }
    DType dtype = DTYPE_F32;
    while (argc == 5 && dtype < DTYPE_COUNT && strcmp(dtype_name(dtype), argv[4]) != 0)
        dtype++;
    Status st = device_open_cpu(&dev, 0);
    if (st == ST_OK) {
        st = ops_attach(dev, NULL);
        if (st == ST_OK)
            st = run(dev, argv[1], argv[2], argc == 5 ? argv[3] : NULL, dtype);
        device_close(dev);
    }
    if (st != ST_OK)
        fprintf(stderr, "logits_of: %s\n", error_text());
    return st == ST_OK ? 0 : 1;
}
