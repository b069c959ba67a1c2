#include "cli/tune_data.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/vocab_gguf.h"
#include "model/model_file.h"
#include "tokenizer/extend.h"


/* The base, a folder or a GGUF file, as far as it is looked at here. */
typedef struct {
    const char *path;
    ModelFile *file; /* NULL: a folder */
    HParams h;
} Base;

static Status base_open(Base *b, const char *path)
{
    *b = (Base){.path = path};
    if (path_is_folder(path))
        return hparams_read(&b->h, path);
    TRY(model_file_open(&b->file, path));
    b->h = *model_file_hparams(b->file);
    return ST_OK;
}

/* *out stays NULL where the base says nothing. */
static Status base_template(ChatTemplate **out, const Base *b)
{
    Span jinja;
    if (!b->file)
        return chat_template_of_folder(out, b->path);
    TRY(vocab_gguf_template(model_file_gguf(b->file), &jinja));
    return jinja.at ? chat_template_recognise(out, jinja) : ST_OK;
}

static Status base_vocabulary(Tokenizer **out, const Base *b)
{
    return b->file ? vocab_gguf_read(out, model_file_gguf(b->file)) : tokenizer_open(out, b->path);
}

static Status open_template(TuneData *d, const Base *b, const InstructConfig *c)
{
    if (*c->template)
        TRY(chat_template_open(&d->tmpl, c->template));
    else
        TRY(base_template(&d->tmpl, b));
    if (!d->tmpl)
        TRY(chat_template_open(&d->tmpl, "chatml"));
    if (*c->system)
        chat_template_set_system(d->tmpl, c->system);
    return ST_OK;
}

/* The template and the ends of texts go with the vocabulary into the model's folder. */
static Status carry_template(TuneData *d)
{
    Str jinja = {0};
    Ids ends = {0};
    chat_template_jinja(d->tmpl, d->tokenizer, &jinja);
    chat_stop_ids(d->tokenizer, d->tmpl, &ends);
    Status st = tokenizer_set_chat(d->tokenizer, str_span(&jinja), ends.at, ends.n);
    str_drop(&jinja);
    array_drop(&ends);
    return st;
}

static void tell_added(TuneData *d, const Tokenizer *base, const char *const *marks)
{
    for (size_t i = 0; marks[i]; i++)
        if (tokenizer_find(base, marks[i]) < 0)
            str_addf(&d->added, "%s%s", d->added.n ? " " : "", marks[i]);
}

static Status open_vocabulary(TuneData *d, const Base *b, const InstructConfig *c)
{
    static const char *const none[] = {NULL};
    bool adds = strcmp(c->markers, "add") == 0;
    const char *const *marks = adds ? chat_template_markers(d->tmpl) : none;
    Tokenizer *base;
    TRY(base_vocabulary(&base, b));
    Status st = tokenizer_extend(&d->tokenizer, base, marks);
    if (st == ST_OK)
        tell_added(d, base, marks);
    tokenizer_close(base);
    if (st == ST_OK && adds)
        st = chat_template_check(d->tmpl, d->tokenizer);
    return st == ST_OK ? carry_template(d) : st;
}

static Status open_all(TuneData *d, const Base *b, InstructRecipe *recipe)
{
    TRY(open_template(d, b, &recipe->config));
    TRY(open_vocabulary(d, b, &recipe->config));
    int64_t ids = tokenizer_vocab_size(d->tokenizer), longest = b->h.max_position_embeddings;
    d->model_ids = b->h.vocab_size;
    d->grows = ids > b->h.vocab_size;
    d->padded = ids < b->h.vocab_size;
    if (recipe->config.context == 0)
        recipe->config.context = longest < TUNE_CONTEXT_MOST ? longest : TUNE_CONTEXT_MOST;
    return ST_OK;
}

Status tune_data_open(TuneData *d, const char *path, InstructRecipe *recipe)
{
    Base base;
    *d = (TuneData){0};
    Status st = base_open(&base, path);
    if (st == ST_OK)
        st = open_all(d, &base, recipe);
    model_file_close(base.file);
    return st;
}

void tune_data_close(TuneData *d)
{
    tokenizer_close(d->tokenizer);
    chat_template_free(d->tmpl);
    str_drop(&d->added);
    *d = (TuneData){0};
}

void tune_data_print(const TuneData *d)
{
    const char *system = chat_template_system(d->tmpl);
    log_info("template %s%s%s", chat_template_name(d->tmpl),
             system ? "; system prompt where there is none: " : "", system ? system : "");
    if (d->added.n)
        log_info("marks    added to the vocabulary: %s (%d ids now, the model has %lld)", str_c(&d->added),
                 tokenizer_vocab_size(d->tokenizer), (long long)d->model_ids);
}
