#include "model/model_file.h"

#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "model/gguf_llama.h"
#include "model/weights.h"

struct ModelFile {
    char *path;
    Params params;
    ModelTensor *tensors; /* [params.n], in the order of the table */
    Safetensors *folder;  /* one of the two */
    Gguf *gguf;
};

/* Folders. -------------------------------------------------------------------------------------------- */

static Status take_entry(ModelTensor *t, const Param *p, const SafetensorsEntry *e)
{
    if (e->dtype == DTYPE_F64)
        return fail(ST_UNSUPPORTED,
                    "tensor %s has elements of type F64; inference reads F32, F16 and BF16: save the model "
                    "anew as one "
                    "of them",
                    e->name);
    *t = (ModelTensor){.type = quant_of_dtype(e->dtype), .rows = p->rows, .cols = p->cols, .data = e->data};
    return ST_OK;
}

static Status open_folder(ModelFile *f)
{
    HParams h;
    TRY(hparams_read(&h, f->path));
    params_init(&f->params, &h);
    TRY(safetensors_open_folder(&f->folder, f->path));
    Status st = weights_check(&f->params, f->folder);
    if (st != ST_OK)
        return fail_in(st, "weights of %s", f->path);
    f->tensors = mem_array(ModelTensor, f->params.n);
    for (int64_t i = 0; i < f->params.n; i++) {
        const Param *p = &f->params.at[i];
        TRY(take_entry(&f->tensors[i], p, safetensors_find(f->folder, p->name)));
    }
    return ST_OK;
}

/* GGUF. ----------------------------------------------------------------------------------------------- */

static Status check_shape(const Param *p, const GgufTensor *t)
{
    bool vector = p->kind >= PARAM_INPUT_NORM;
    int64_t rows = t->count / t->shape[0];
    if (t->shape[0] == p->cols && rows == p->rows && t->ndim <= (vector ? 1 : 2))
        return ST_OK;
    return fail(ST_FORMAT, "tensor %s has %lld columns and %lld rows where the keys ask for %lld and %lld",
                t->name, (long long)t->shape[0], (long long)rows, (long long)p->cols, (long long)p->rows);
}

static Status take_tensor(ModelFile *f, int64_t i, Map *known)
{
    const Param *p = &f->params.at[i];
    char name[GGUF_NAME_BYTES];
    gguf_param_name(name, p->kind, p->layer);
    const GgufTensor *t = gguf_tensor_find(f->gguf, name);
    if (!t)
        return fail(ST_FORMAT, "tensor %s is missing", name);
    TRY(check_shape(p, t));
    if (!t->known)
        return fail(ST_UNSUPPORTED,
                    "tensor %s has the type %s; read here are F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q4_K, Q5_1, "
                    "Q5_0, Q4_1 and "
                    "Q4_0: take another file of this model, or make one with `lemur convert` from the "
                    "original weights",
                    name, t->type_name);
    *map_put(known, name, strlen(name)) = 1;
    f->tensors[i] = (ModelTensor){.type = t->type, .rows = p->rows, .cols = p->cols, .data = t->data,
                                  .permuted_heads = gguf_permuted_heads(&f->params.h, p->kind)};
    return ST_OK;
}

static Status check_known(const ModelFile *f, const Map *known)
{
    for (int64_t i = 0; i < gguf_tensor_count(f->gguf); i++) {
        const GgufTensor *t = gguf_tensor_at(f->gguf, i);
        bool bias = span_ends(span(t->name), ".bias");
        if (map_find(known, t->name, strlen(t->name)) || strcmp(t->name, gguf_rope_name) == 0)
            continue;
        return fail(bias ? ST_UNSUPPORTED : ST_FORMAT,
                    "tensor %.200s is not part of a Llama of this configuration%s", t->name,
                    bias ? "; biases are not computed here" : "");
    }
    return ST_OK;
}

static Status take_gguf(ModelFile *f)
{
    HParams h;
    TRY(gguf_hparams(&h, f->gguf));
    /* Before the table is made: a hostile file may claim thousands of layers, but not more than it has
     * tensors for. */
    if (gguf_tensor_count(f->gguf) < 9 * h.num_hidden_layers)
        return fail(ST_FORMAT, "its %lld layers need %lld tensors, and it has %lld",
                    (long long)h.num_hidden_layers, (long long)(9 * h.num_hidden_layers),
                    (long long)gguf_tensor_count(f->gguf));
    params_init(&f->params, &h);
    f->tensors = mem_array(ModelTensor, f->params.n);
    Map *known = map_new();
    Status st = ST_OK;
    for (int64_t i = 0; i < f->params.n && st == ST_OK; i++)
        st = take_tensor(f, i, known);
    if (st == ST_OK)
        st = check_known(f, known);
    map_free(known);
    return st;
}

static Status open_gguf(ModelFile *f)
{
    TRY(gguf_open(&f->gguf, f->path));
    Status st = take_gguf(f);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", f->path);
}

/* ----------------------------------------------------------------------------------------------------- */

Status model_file_open(ModelFile **out, const char *path)
{
    ModelFile *f = mem_new(ModelFile);
    f->path = mem_str(path);
    Status st = path_is_folder(path) ? open_folder(f) : open_gguf(f);
    if (st == ST_OK) {
        *out = f;
        return ST_OK;
    }
    model_file_close(f);
    return st;
}

void model_file_close(ModelFile *f)
{
    if (!f)
        return;
    safetensors_close(f->folder);
    gguf_close(f->gguf);
    params_drop(&f->params);
    mem_free(f->tensors);
    mem_free(f->path);
    mem_free(f);
}

const HParams *model_file_hparams(const ModelFile *f)
{
    return &f->params.h;
}

const Params *model_file_params(const ModelFile *f)
{
    return &f->params;
}

const char *model_file_path(const ModelFile *f)
{
    return f->path;
}

const struct Gguf *model_file_gguf(const ModelFile *f)
{
    return f->gguf;
}

void model_file_tensor(const ModelFile *f, ModelTensor *out, ParamKind kind, int layer)
{
    *out = f->tensors[params_find(&f->params, kind, layer) - f->params.at];
}

const void *model_tensor_row(const ModelTensor *t, int64_t row)
{
    check(row >= 0 && row < t->rows);
    return t->data + (size_t)gguf_stored_row(row, t->rows, t->permuted_heads) * quant_bytes(t->type, t->cols);
}
