#include "infer/bundle.h"

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "ops/select.h"

/* Rows without a token are no fault: vocabularies are rounded up, and data of a smaller one may be trained
 * on with --padded-vocab. */
static Status check_vocabulary(const Tokenizer *t, const HParams *h, const char *folder)
{
    int64_t tokens = tokenizer_vocab_size(t), rows = h->vocab_size;
    if (tokens <= rows)
        return ST_OK;
    return fail(ST_FORMAT,
                "%s: the tokenizer has %lld tokens and the model only %lld: they do not belong together; put "
                "the tokenizer files that the model was trained with into the folder",
                folder, (long long)tokens, (long long)rows);
}

static void add_end(Ids *ends, int64_t id, int64_t vocab)
{
    if (id < 0 || id >= vocab)
        return;
    for (size_t i = 0; i < ends->n; i++)
        if (ends->at[i] == id)
            return;
    array_push(ends, (int32_t)id);
}

/* eos_token_id of a JSON file, one or a list.  The files are optional here: what must be right has been
 * read before. */
static void add_ends_of(Ids *ends, const char *folder, const char *file, int64_t vocab)
{
    char *path = path_join(folder, file);
    json_t *object = json_load_file(path, 0, NULL), *eos = json_object_get(object, "eos_token_id"), *one;
    size_t i;
    if (json_is_integer(eos))
        add_end(ends, json_integer_value(eos), vocab);
    json_array_foreach(eos, i, one)
        if (json_is_integer(one))
            add_end(ends, json_integer_value(one), vocab);
    json_decref(object);
    mem_free(path);
}

static Status open_all(Bundle *b, const char *folder, const BundleSetup *setup)
{
    HParams h;
    TRY(hparams_read(&h, folder));
    TRY(tokenizer_open(&b->tokenizer, folder));
    TRY(check_vocabulary(b->tokenizer, &h, folder));
    int64_t most = h.max_position_embeddings < BUNDLE_CONTEXT ? h.max_position_embeddings : BUNDLE_CONTEXT;
    ModelSetup model_setup = {
        .batch = 1, .context = setup->context > 0 ? setup->context : most,
        .compute = setup->compute != DTYPE_COUNT ? setup->compute : ops_compute("auto"),
    };
    TRY(ops_open(&b->dev, NULL, setup->threads));
    TRY(model_open(&b->model, b->dev, &h, &model_setup));
    TRY(model_load(b->model, folder));
    add_end(&b->ends, tokenizer_eos(b->tokenizer), h.vocab_size);
    add_ends_of(&b->ends, folder, "config.json", h.vocab_size);
    add_ends_of(&b->ends, folder, "generation_config.json", h.vocab_size);
    return ST_OK;
}

Status bundle_open(Bundle *b, const char *folder, const BundleSetup *setup)
{
    *b = (Bundle){0};
    Status st = open_all(b, folder, setup);
    if (st != ST_OK)
        bundle_close(b);
    return st;
}

void bundle_close(Bundle *b)
{
    model_close(b->model);
    if (b->dev)
        device_close(b->dev);
    tokenizer_close(b->tokenizer);
    array_drop(&b->ends);
    *b = (Bundle){0};
}
