#include "train/checkpoint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/safetensors.h"

static const char state_name[] = "state.json", optimizer_name[] = "optimizer.safetensors";
enum { STATE_BYTES_MAX = 16 << 20 };

/* Everything that a tokenizer may consist of in a Hugging Face folder. */
static const char *const tokenizer_files[] = {
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
};

typedef Array(char *) Names;

static void names_drop(Names *n)
{
    for (size_t i = 0; i < n->n; i++)
        mem_free(n->at[i]);
    array_drop(n);
}

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

/* Names in a folder but "." and "..", sorted; none where there is no such folder. */
static void folder_names(Names *out, const char *folder)
{
    *out = (Names){0};
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            array_push(out, mem_str(e->d_name));
    closedir(d);
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_step);
}

/* Sums ---------------------------------------------------------------------------------------- */

static Status sum_file(uint64_t *sum, size_t *bytes, const char *path)
{
    FileMap m;
    TRY(file_map(&m, path));
    *sum = XXH3_64bits(m.at, m.n);
    *bytes = m.n;
    file_unmap(&m);
    return ST_OK;
}

static json_t *sum_text(uint64_t sum)
{
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)sum);
    return json_string(text);
}

/* {"name": {"bytes": n, "xxh3": "..."}} of every file in the folder. */
static Status sum_folder(json_t **out, const char *folder)
{
    Status st = ST_OK;
    Names names;
    json_t *files = json_object();
    folder_names(&names, folder);
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        uint64_t sum = 0;
        size_t bytes = 0;
        char *path = path_join(folder, names.at[i]);
        st = sum_file(&sum, &bytes, path);
        if (st == ST_OK)
            json_object_set_new(files, names.at[i],
                                json_pack("{s:I, s:o}", "bytes", (json_int_t)bytes, "xxh3", sum_text(sum)));
        mem_free(path);
    }
    names_drop(&names);
    *out = files;
    return st;
}

/* Of the state without its seal, in one agreed spelling. */
static json_t *seal_of(const json_t *state)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)state);
    json_object_del(bare, "seal");
    char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_t *seal = sum_text(XXH3_64bits(text, text ? strlen(text) : 0));
    free(text);
    json_decref(bare);
    return seal;
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

static Status copy_tokenizer(const char *tokenizer, const char *folder)
{
    Status st = ST_OK;
    if (!tokenizer || !path_exists(tokenizer))
        return ST_OK;
    if (!path_is_folder(tokenizer))
        return copy_file(tokenizer, folder, path_base(tokenizer));
    for (size_t i = 0; i < sizeof tokenizer_files / sizeof tokenizer_files[0] && st == ST_OK; i++) {
        char *from = path_join(tokenizer, tokenizer_files[i]);
        if (path_exists(from))
            st = copy_file(from, folder, tokenizer_files[i]);
        mem_free(from);
    }
    return st;
}

/* Moments as named tensors in host memory. */
static void add_moments(SafetensorsItem *items, const Params *p, const char *prefix, const float *at)
{
    for (int64_t i = 0; i < p->n; i++) {
        const Param *param = &p->at[i];
        bool vector = param->offset >= p->matrices;
        items[i] = (SafetensorsItem){
            .name = mem_format("%s.%s", prefix, param->name),
            .dtype = DTYPE_F32,
            .ndim = vector ? 1 : 2,
            .shape = {vector ? param->cols : param->rows, vector ? 0 : param->cols},
            .source_dtype = DTYPE_F32,
            .source = at + param->offset,
        };
    }
}

static Status write_optimizer(const char *folder, const Params *p, const Optimizer *o)
{
    Status st;
    const void *m = NULL, *v = NULL;
    SafetensorsItem *items = mem_array(SafetensorsItem, 2 * p->n);
    char *path = path_join(folder, optimizer_name);
    TRY_TO(done, device_host_view(o->dev, &m, o->m.data, tensor_bytes(&o->m)));
    TRY_TO(done, device_host_view(o->dev, &v, o->v.data, tensor_bytes(&o->v)));
    add_moments(items, p, "exp_avg", m);
    add_moments(items + p->n, p, "exp_avg_sq", v);
    st = safetensors_write(path, items, 2 * p->n, NULL);
done:
    for (int64_t i = 0; i < 2 * p->n; i++)
        mem_free((char *)(uintptr_t)items[i].name);
    mem_free(items);
    if (m)
        device_host_drop(o->dev, m, o->m.data);
    if (v)
        device_host_drop(o->dev, v, o->v.data);
    mem_free(path);
    return st;
}

static Status write_state(const char *folder, json_t *state)
{
    json_t *files;
    Status st = sum_folder(&files, folder);
    json_object_set_new(state, "files", files);
    json_object_set_new(state, "seal", seal_of(state));
    if (st != ST_OK)
        return st;
    char *text = json_dumps(state, JSON_INDENT(2) | JSON_REAL_PRECISION(17)),
         *path = path_join(folder, state_name);
    st = file_replace(path, text, strlen(text));
    free(text);
    mem_free(path);
    return st;
}

/* Puts `made` in the place of `final`, both in `parent`.  What was there is gone only after the new one is in
 * place. */
static Status swap_in(const char *parent, const char *made, const char *final)
{
    Status st = folder_sync(made);
    char *old = mem_format("%s/.old-%s", parent, path_base(final));
    if (st == ST_OK)
        st = folder_remove(old);
    if (st == ST_OK && path_exists(final) && rename(final, old) != 0)
        st = fail_errno(ST_IO, "cannot rename %s", final);
    if (st == ST_OK && rename(made, final) != 0)
        st = fail_errno(ST_IO, "cannot rename %s to %s", made, final);
    if (st == ST_OK)
        st = folder_sync(parent);
    if (st == ST_OK)
        st = folder_remove(old);
    mem_free(old);
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
    char *parent = path_join(run, "checkpoints"),
         *made = mem_format("%s/.tmp-step-%lld", parent, (long long)step);
    char *final = mem_format("%s/step-%08lld", parent, (long long)step);
    TRY_TO(done, folder_remove(made));
    TRY_TO(done, folder_make(made));
    TRY_TO(done, model_save(m, made, DTYPE_F32));
    TRY_TO(done, write_optimizer(made, model_params(m), o));
    TRY_TO(done, copy_tokenizer(tokenizer, made));
    TRY_TO(done, write_state(made, state));
    st = swap_in(parent, made, final);
done:
    if (st != ST_OK)
        st = clean_up(st, made);
    mem_free(parent);
    mem_free(made);
    mem_free(final);
    return st == ST_OK ? st : fail_in(st, "saving a checkpoint at step %lld", (long long)step);
}

Status checkpoint_export(const char *run, Model *m, DType dtype, const char *tokenizer)
{
    Status st;
    char *made = path_join(run, ".tmp-model"), *final = path_join(run, "model");
    TRY_TO(done, folder_remove(made));
    TRY_TO(done, folder_make(made));
    TRY_TO(done, model_save(m, made, dtype));
    TRY_TO(done, copy_tokenizer(tokenizer, made));
    st = swap_in(run, made, final);
done:
    if (st != ST_OK)
        st = clean_up(st, made);
    mem_free(made);
    mem_free(final);
    return st == ST_OK ? st : fail_in(st, "writing the model folder");
}

Status checkpoint_prune(const char *run, int64_t step, int64_t keep)
{
    Status st = ST_OK;
    Names names;
    int64_t newer = 0;
    char *parent = path_join(run, "checkpoints");
    folder_names(&names, parent);
    for (size_t i = names.n; i-- > 0 && st == ST_OK;) {
        bool is_step = step_of(names.at[i]) >= 0, is_left_over = strncmp(names.at[i], ".tmp-", 5) == 0;
        if (is_step && (keep <= 0 || step_of(names.at[i]) > step || newer++ < keep))
            continue;
        char *path = path_join(parent, names.at[i]);
        if (is_step || is_left_over || strncmp(names.at[i], ".old-", 5) == 0)
            st = folder_remove(path);
        mem_free(path);
    }
    names_drop(&names);
    mem_free(parent);
    return st;
}

int64_t checkpoint_count(const char *run)
{
    Names names;
    int64_t count = 0;
    char *parent = path_join(run, "checkpoints");
    folder_names(&names, parent);
    for (size_t i = 0; i < names.n; i++)
        count += step_of(names.at[i]) >= 0;
    names_drop(&names);
    mem_free(parent);
    return count;
}

/* Reading ------------------------------------------------------------------------------------- */

static Status read_state(json_t **out, const char *folder)
{
    Str text = {0};
    json_error_t why;
    char *path = path_join(folder, state_name);
    Status st = file_read(&text, path, STATE_BYTES_MAX);
    json_t *state = NULL;
    if (st == ST_OK) {
        state = json_loadb(str_c(&text), text.n, JSON_REJECT_DUPLICATES, &why);
        json_t *seal = json_is_object(state) ? seal_of(state) : NULL;
        if (!state)
            st = fail(ST_FORMAT, "%s is no JSON: %s (line %d)", path, why.text, why.line);
        else if (!seal || !json_equal(seal, json_object_get(state, "seal")))
            st = fail(ST_FORMAT, "%s does not match its own seal", path);
        json_decref(seal);
    }
    if (st == ST_OK)
        *out = state;
    else
        json_decref(state);
    str_drop(&text);
    mem_free(path);
    return st;
}

static Status verify_file(const char *folder, const char *name, const json_t *said)
{
    uint64_t sum;
    size_t bytes;
    if (strchr(name, '/'))
        return fail(ST_FORMAT, "a file '%s' outside the folder is listed", name);
    char *path = path_join(folder, name);
    Status st = sum_file(&sum, &bytes, path);
    json_t *now = st == ST_OK ? sum_text(sum) : NULL;
    json_int_t want = json_integer_value(json_object_get(said, "bytes"));
    if (st == ST_OK && (json_int_t)bytes != want)
        st = fail(ST_FORMAT, "%s has %zu bytes and should have %lld", path, bytes, (long long)want);
    else if (st == ST_OK && !json_equal(now, json_object_get(said, "xxh3")))
        st = fail(ST_FORMAT, "%s does not match its checksum", path);
    json_decref(now);
    mem_free(path);
    return st;
}

Status checkpoint_verify(json_t **out, const char *folder)
{
    json_t *state, *said;
    const char *name;
    Status st = ST_OK;
    TRY(read_state(&state, folder));
    json_t *files = json_object_get(state, "files");
    if (!json_object_get(files, optimizer_name) || !json_object_get(files, "config.json"))
        st = fail(ST_FORMAT, "%s/%s does not list the files of a checkpoint", folder, state_name);
    json_object_foreach(files, name, said)
    {
        if (st == ST_OK)
            st = verify_file(folder, name, said);
    }
    if (st == ST_OK)
        *out = state;
    else
        json_decref(state);
    return st;
}

Status checkpoint_find(char **folder, json_t **state, const char *run)
{
    Names names;
    int damaged = 0;
    char *parent = path_join(run, "checkpoints");
    *folder = NULL;
    *state = NULL;
    folder_names(&names, parent);
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
    names_drop(&names);
    Status st = ST_OK;
    if (damaged && !*folder)
        st =
            fail(ST_FORMAT,
                 "every checkpoint in %s is damaged; restore one from a copy, or start anew with --overwrite",
                 parent);
    mem_free(parent);
    return st;
}

static Status load_moments(const Safetensors *file, const Params *p, const char *prefix, Device *dev,
                           float *to)
{
    for (int64_t i = 0; i < p->n; i++) {
        const Param *param = &p->at[i];
        char *name = mem_format("%s.%s", prefix, param->name);
        const SafetensorsEntry *e = safetensors_find(file, name);
        Status st = ST_OK;
        if (!e || e->dtype != DTYPE_F32 || e->count != param->rows * param->cols)
            st = fail(ST_FORMAT, "%s is %s", name, e ? "of another shape or type" : "missing");
        else
            device_upload(dev, to + param->offset, e->data, (size_t)e->count * sizeof(float));
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
    TRY_TO(done, model_load(m, folder));
    TRY_TO(done, safetensors_open(&file, path));
    optimizer_reset(o);
    TRY_TO(done, load_moments(file, model_params(m), "exp_avg", o->dev, o->m.data));
    TRY_TO(done, load_moments(file, model_params(m), "exp_avg_sq", o->dev, o->v.data));
    st = device_sync(o->dev);
done:
    safetensors_close(file);
    mem_free(path);
    return st == ST_OK ? st : fail_in(st, "loading checkpoint %s", folder);
}

size_t checkpoint_bytes(const HParams *h)
{
    return (size_t)hparams_param_count(h) * 12 +
           (1 << 20); /* weights and two moments in f32; names and JSON */
}
