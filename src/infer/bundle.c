#include "infer/bundle.h"

#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/vocab_gguf.h"
#include "model/lora_merge.h"
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
    json_array_foreach(eos, i, one) if (json_is_integer(one)) add_end(ends, json_integer_value(one), vocab);
    json_decref(object);
    mem_free(path);
}

void bundle_ends_of_folder(Ids *ends, const char *folder, int64_t vocab)
{
    add_ends_of(ends, folder, "config.json", vocab);
    add_ends_of(ends, folder, "generation_config.json", vocab);
}

/* Setup -------------------------------------------------------------------------------------------------- */

static int64_t or_else(int64_t given, int64_t otherwise)
{
    return given > 0 ? given : otherwise;
}

static DType compute_of(const BundleSetup *setup)
{
    return setup->compute != DTYPE_COUNT ? setup->compute : ops_compute_packed("auto");
}

static int64_t context_of(const BundleSetup *setup, const HParams *h)
{
    int64_t most = h->max_position_embeddings < BUNDLE_CONTEXT ? h->max_position_embeddings : BUNDLE_CONTEXT;
    return or_else(setup->context, most);
}

static DecoderSetup decoder_setup_of(const BundleSetup *setup, const HParams *h)
{
    int64_t context = context_of(setup, h);
    if (context > h->max_position_embeddings)
        log_warn(
            "a context of %lld positions, and the model was made for %lld: what it writes beyond them means "
            "little",
            (long long)context, (long long)h->max_position_embeddings);
    return (DecoderSetup){
        .max_rows = or_else(setup->max_rows, BUNDLE_ROWS),
        .max_logits = or_else(setup->max_logits, BUNDLE_LOGITS),
        .pages = or_else(setup->pages, kv_pages_for(context) * or_else(setup->sequences, 1)),
        .context = context,
        .compute = compute_of(setup),
    };
}

/* Opening ------------------------------------------------------------------------------------------------ */

static Status open_gguf_vocabulary(Bundle *b, const Gguf *g, int64_t rows)
{
    Span template;
    Ids ends = {0};
    TRY(vocab_gguf_read(&b->tokenizer, g));
    TRY(vocab_gguf_template(g, &template));
    if (template.n)
        b->gguf_template = mem_strn(template.at, template.n);
    Status st = vocab_gguf_ends(g, &ends);
    for (size_t i = 0; i < ends.n; i++)
        add_end(&b->ends, ends.at[i], rows);
    array_drop(&ends);
    return st;
}

static Status open_vocabulary(Bundle *b, const ModelFile *f, int64_t rows)
{
    if (b->words) {
        TRY(tokenizer_open(&b->tokenizer, b->words));
        bundle_ends_of_folder(&b->ends, b->words, rows);
    } else if (model_file_gguf(f)) {
        Status st = open_gguf_vocabulary(b, model_file_gguf(f), rows);
        if (st != ST_OK)
            return fail_in(st, "the vocabulary of %s", b->path);
    } else {
        TRY(tokenizer_open(&b->tokenizer, b->path));
        bundle_ends_of_folder(&b->ends, b->path, rows);
    }
    add_end(&b->ends, tokenizer_eos(b->tokenizer), rows);
    return ST_OK;
}

static Status open_file(Bundle *b, const ModelFile *f, const BundleSetup *setup)
{
    const HParams *h = model_file_hparams(f);
    DecoderSetup decoder = decoder_setup_of(setup, h);
    TRY(open_vocabulary(b, f, h->vocab_size));
    TRY(check_vocabulary(b->tokenizer, h, b->path));
    TRY(ops_open(&b->dev, NULL, setup->threads));
    return decoder_open(&b->decoder, b->dev, f, &decoder);
}

static Status open_merged(Bundle *b, const ModelFile *f, const LoraMerge *merge, const BundleSetup *setup)
{
    const HParams *h = lora_merge_hparams(merge);
    DecoderSetup decoder = decoder_setup_of(setup, h);
    TRY(open_vocabulary(b, f, h->vocab_size));
    TRY(check_vocabulary(b->tokenizer, h, b->words ? b->words : b->path));
    TRY(ops_open(&b->dev, NULL, setup->threads));
    return lora_merge_decoder(&b->decoder, b->dev, merge, &decoder);
}

static Status open_adapted(Bundle *b, const ModelFile *f, const BundleSetup *setup)
{
    LoraMerge *merge;
    char *folder = adapter_path(setup->adapter);
    Status st = lora_merge_open(&merge, f, folder);
    if (st == ST_OK) {
        b->words = adapter_has_vocabulary(folder) ? mem_str(folder) : NULL;
        st = open_merged(b, f, merge, setup);
        lora_merge_close(merge);
    }
    mem_free(folder);
    return st;
}

Status bundle_open(Bundle *b, const char *path, const BundleSetup *setup)
{
    ModelFile *f;
    *b = (Bundle){.path = mem_str(path)};
    Status st = model_file_open(&f, path);
    if (st == ST_OK) {
        st = setup->adapter ? open_adapted(b, f, setup) : open_file(b, f, setup);
        model_file_close(f);
    }
    if (st != ST_OK)
        bundle_close(b);
    return st;
}

Status bundle_chat_template(const Bundle *b, ChatTemplate **out)
{
    *out = NULL;
    if (b->words)
        return chat_template_of_folder(out, b->words);
    if (b->gguf_template)
        return chat_template_recognise(out, span(b->gguf_template));
    return path_is_folder(b->path) ? chat_template_of_folder(out, b->path) : ST_OK;
}

void bundle_close(Bundle *b)
{
    decoder_close(b->decoder);
    device_close(b->dev);
    tokenizer_close(b->tokenizer);
    mem_free(b->words);
    array_drop(&b->ends);
    mem_free(b->path);
    mem_free(b->gguf_template);
    *b = (Bundle){0};
}
