#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/safetensors.h"
#include "train/checkpoint_seal.h"
#include "train/swap.h"

static const char optimizer_name[] = "optimizer.safetensors";

const char *const checkpoint_tokenizer_files[] = {
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "generation_config.json",
    NULL,
};

/* Step of "step-00001000", -1 for any other name. */
static int64_t step_of(const char *name)
{
    char *end;
    if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9')
        return -1;
    long long step = strtoll(name + 5, &end, 10);
    return *end ? -1 : (int64_t)step;
}

/* By step, so that one of nine digits comes behind those of eight; names that are none come first. */
static int by_step(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int64_t p = step_of(x), q = step_of(y);
    return p < q ? -1 : p > q ? 1 : strcmp(x, y);
}

/* Names in RUN/checkpoints, ordered; none where there is no such folder. */
static FolderList checkpoints_in(const char *parent)
{
    FolderList names = {0};
    if (folder_list(&names, parent) == ST_OK && names.n)
        qsort(names.at, names.n, sizeof *names.at, by_step);
    return names;
}

/* Writing ------------------------------------------------------------------------------------- */

static Status copy_file(const char *from, const char *folder, const char *name)
{
    FileMap m;
    TRY(file_map(&m, from));
    char *to = path_join(folder, name);
    Status st = file_replace(to, m.at, m.n);
    mem_free(to);
    file_unmap(&m);
    return st;
}

Status checkpoint_copy_tokenizer(const char *tokenizer, const char *folder)
{
    Status st = ST_OK;
    if (!tokenizer || !path_exists(tokenizer))
        return ST_OK;
    if (!path_is_folder(tokenizer))
        return copy_file(tokenizer, folder, path_base(tokenizer));
    for (const char *const *name = checkpoint_tokenizer_files; *name && st == ST_OK; name++) {
        char *from = path_join(tokenizer, *name);
        if (path_exists(from))
            st = copy_file(from, folder, *name);
        mem_free(from);
    }
    return st;
}

/* The moments of an optimizer's file: all first ones, and the second ones that there are. */
static const struct Moments {
    const char *prefix;
    bool squares;
} all_moments[] = {{"exp_avg", false}, {"exp_avg_sq", true}};
enum { MOMENTS = 2 };

/* Where they begin in m or v; -1: there are none. */
static int64_t moments_at(const struct Moments *k, const Optimizer *o, const Param *p)
{
    return k->squares ? optimizer_square_at(o, p) : p->offset;
}

/* As named tensors in host memory; result: how many. */
static int64_t add_moments(SafetensorsItem *items, const struct Moments *k, const Params *p,
                           const Optimizer *o, const float *values)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->n; i++) {
        const Param *param = &p->at[i];
        bool vector = param->offset >= p->matrices;
        int64_t at = moments_at(k, o, param);
        if (at < 0)
            continue;
        items[n++] = (SafetensorsItem){
            .name = mem_format("%s.%s", k->prefix, param->name),
            .dtype = DTYPE_F32,
            .ndim = vector ? 1 : 2,
            .shape = {vector ? param->cols : param->rows, vector ? 0 : param->cols},
            .source_dtype = DTYPE_F32,
            .source = values + at,
        };
    }
    return n;
}

static Status write_optimizer(const char *folder, const Params *p, const Optimizer *o)
{
    Status st;
    const void *m = NULL, *v = NULL;
    int64_t n = 0;
    SafetensorsItem *items = mem_array(SafetensorsItem, MOMENTS * p->n);
    char *path = path_join(folder, optimizer_name);
    TRY_TO(done, device_host_view(o->dev, &m, o->m.data, tensor_bytes(&o->m)));
    TRY_TO(done, device_host_view(o->dev, &v, o->v.data, tensor_bytes(&o->v)));
    for (int k = 0; k < MOMENTS; k++)
        n += add_moments(items + n, &all_moments[k], p, o, all_moments[k].squares ? v : m);
    st = safetensors_write(path, items, n, NULL);
done:
    for (int64_t i = 0; i < n; i++)
        mem_free((char *)(uintptr_t)items[i].name);
    mem_free(items);
    if (m)
        device_host_drop(o->dev, m, o->m.data);
    if (v)
        device_host_drop(o->dev, v, o->v.data);
    mem_free(path);
    return st;
}

/* Leaves no half-written folder behind, and keeps the sentence of what went wrong first. */
static Status clean_up(Status st, const char *folder)
{
    Error first = error_take();
    if (folder_remove(folder) != ST_OK)
        log_warn("%s", error_text());
    first.status = st;
    return error_put(&first);
}

Status checkpoint_write(const char *run, int64_t step, Model *m, const Optimizer *o, json_t *state,
                        const char *tokenizer)
{
    Status st;
    char *parent = path_join(run, "checkpoints"), *final = mem_format("step-%08lld", (long long)step);
    char *temporary = mem_format(".tmp-%s", final), *made = path_join(parent, temporary);
    TRY_TO(done, folder_remove(made));
    TRY_TO(done, folder_make(made));
    TRY_TO(done, model_save_trained(m, made, DTYPE_F32));
    TRY_TO(done, write_optimizer(made, model_trainable(m), o));
    TRY_TO(done, checkpoint_copy_tokenizer(tokenizer, made));
    TRY_TO(done, checkpoint_seal(made, state));
    st = swap_in(parent, temporary, final);
done:
    if (st != ST_OK)
        st = clean_up(st, made);
    mem_free(parent);
    mem_free(made);
    mem_free(temporary);
    mem_free(final);
    return st == ST_OK ? st : fail_in(st, "saving a checkpoint at step %lld", (long long)step);
}

const char *checkpoint_result(bool adapters)
{
    return adapters ? "adapter" : "model";
}

Status checkpoint_export(const char *run, Model *m, DType dtype, const char *tokenizer)
{
    Status st;
    bool adapters = lora_on(&model_setup(m)->lora);
    const char *final = checkpoint_result(adapters);
    char *temporary = mem_format(".tmp-%s", final), *made = path_join(run, temporary);
    TRY_TO(done, folder_remove(made));
    TRY_TO(done, folder_make(made));
    /* Adapters are small, and f32 is what PEFT has them in. */
    TRY_TO(done, model_save_trained(m, made, adapters ? DTYPE_F32 : dtype));
    TRY_TO(done, checkpoint_copy_tokenizer(tokenizer, made));
    st = swap_in(run, temporary, final);
done:
    if (st != ST_OK)
        st = clean_up(st, made);
    mem_free(made);
    mem_free(temporary);
    return st == ST_OK ? st : fail_in(st, "writing the model folder");
}

Status checkpoint_prune(const char *run, int64_t step, int64_t keep, int64_t before)
{
    int64_t newer = 0;
    char *parent = path_join(run, "checkpoints");
    Status st = swap_recover(parent, "step-");
    FolderList names = checkpoints_in(parent);
    for (size_t i = names.n; i-- > 0 && st == ST_OK;) {
        int64_t at = step_of(names.at[i]);
        if (at < 0 || at > step || keep <= 0)
            continue;
        bool is_new = newer++ < keep, is_last_before = at < before;
        if (is_last_before)
            before = 0;
        if (is_new || is_last_before)
            continue;
        char *path = path_join(parent, names.at[i]);
        st = folder_remove(path);
        mem_free(path);
    }
    folder_list_drop(&names);
    mem_free(parent);
    return st;
}

int64_t checkpoint_count(const char *run)
{
    int64_t count = 0;
    char *parent = path_join(run, "checkpoints");
    FolderList names = checkpoints_in(parent);
    for (size_t i = 0; i < names.n; i++)
        count += step_of(names.at[i]) >= 0;
    folder_list_drop(&names);
    mem_free(parent);
    return count;
}

int64_t checkpoint_newest_before(const char *run, int64_t before)
{
    int64_t newest = -1;
    char *parent = path_join(run, "checkpoints");
    FolderList names = checkpoints_in(parent);
    for (size_t i = 0; i < names.n; i++)
        if (step_of(names.at[i]) < before && step_of(names.at[i]) > newest)
            newest = step_of(names.at[i]);
    folder_list_drop(&names);
    mem_free(parent);
    return newest;
}

/* Reading ------------------------------------------------------------------------------------- */

Status checkpoint_verify(json_t **state, const char *folder)
{
    static const char *const model[] = {optimizer_name, "config.json", NULL};
    static const char *const adapter[] = {optimizer_name, "adapter_config.json", "adapter_model.safetensors",
                                          NULL};
    char *config = path_join(folder, adapter[1]);
    Status st = checkpoint_seal_verify(state, folder, path_exists(config) ? adapter : model);
    mem_free(config);
    return st;
}

Status checkpoint_find(char **folder, json_t **state, const char *run)
{
    int damaged = 0;
    char *parent = path_join(run, "checkpoints");
    FolderList names = checkpoints_in(parent);
    *folder = NULL;
    *state = NULL;
    for (size_t i = names.n; i-- > 0 && !*folder;) {
        if (step_of(names.at[i]) < 0)
            continue;
        char *path = path_join(parent, names.at[i]);
        if (checkpoint_verify(state, path) == ST_OK) {
            *folder = path;
            continue;
        }
        damaged++;
        log_warn("checkpoint %s is damaged and passed over: %s", path, error_text());
        mem_free(path);
    }
    folder_list_drop(&names);
    Status st = ST_OK;
    if (damaged && !*folder)
        st =
            fail(ST_FORMAT,
                 "every checkpoint in %s is damaged; restore one from a copy, or start anew with --overwrite",
                 parent);
    mem_free(parent);
    return st;
}

static Status load_moments(const Safetensors *file, const struct Moments *k, const Params *p,
                           const Optimizer *o)
{
    float *to = k->squares ? o->v.data : o->m.data;
    for (int64_t i = 0; i < p->n; i++) {
        const Param *param = &p->at[i];
        int64_t at = moments_at(k, o, param);
        if (at < 0)
            continue;
        char *name = mem_format("%s.%s", k->prefix, param->name);
        const SafetensorsEntry *e = safetensors_find(file, name);
        Status st = ST_OK;
        if (!e || e->dtype != DTYPE_F32 || e->count != param->rows * param->cols)
            st = fail(ST_FORMAT, "%s is %s", name, e ? "of another shape or type" : "missing");
        else
            device_upload(o->dev, to + at, e->data, (size_t)e->count * sizeof(float));
        mem_free(name);
        TRY(st);
    }
    return ST_OK;
}

Status checkpoint_load(const char *folder, Model *m, Optimizer *o)
{
    Status st;
    Safetensors *file = NULL;
    char *path = path_join(folder, optimizer_name);
    TRY_TO(done, model_load_trained(m, folder));
    TRY_TO(done, safetensors_open(&file, path));
    optimizer_reset(o);
    for (int k = 0; k < MOMENTS; k++)
        TRY_TO(done, load_moments(file, &all_moments[k], model_trainable(m), o));
    st = device_sync(o->dev);
done:
    safetensors_close(file);
    mem_free(path);
    return st == ST_OK ? st : fail_in(st, "loading checkpoint %s", folder);
}

size_t checkpoint_bytes(int64_t trained)
{
    return (size_t)trained * 12 + (1 << 20); /* weights and two moments in f32; names and JSON */
}
