#include "cli/convert_model.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/filler_vocab.h"
#include "cli/model_folder.h"
#include "cli/model_replace.h"
#include "infer/bundle.h"
#include "infer/vocab_gguf.h"
#include "model/lora_merge.h"
#include "model/quantize_model.h"
#include "tokenizer/chat.h"
#include "train/checkpoint.h"

/* The state of one conversion. */
typedef struct {
    const ConvertJob *job;
    char *in;        /* as found; NULL: random */
    ModelFile *file; /* NULL: random */
    char *adapter;   /* to be merged in, as found; NULL: none */
    LoraMerge *merge;
    char *words;   /* the folder whose vocabulary, template and ends are taken; NULL: a GGUF's keys, or a
                      tokenizer alone */
    Params params; /* of a random model */
    WeightSource source;
    Tokenizer *tokenizer; /* NULL: the keys of a GGUF are copied, or the files of a folder */
    bool to_gguf;
    const QuantMix *mix;
    QuantPlan plan;
    GgufWriter *writer;
    uint64_t bytes; /* of the weights' file or files */
} Convert;

/* What comes in. -------------------------------------------------------------------------------------- */

static Status open_random(Convert *c)
{
    const ConvertJob *job = c->job;
    HParams h;
    TRY(hparams_preset(&h, job->preset));
    char *end;
    long n = job->vocab ? strtol(job->vocab, &end, 10) : (long)h.vocab_size;
    if (!job->vocab || (*end == 0 && n > 0))
        TRY(filler_vocab(&c->tokenizer, n));
    else
        TRY(tokenizer_open(&c->tokenizer, job->vocab));
    h.vocab_size = tokenizer_vocab_size(c->tokenizer);
    h.bos_token_id = tokenizer_bos(c->tokenizer);
    h.eos_token_id = tokenizer_eos(c->tokenizer);
    TRY(hparams_check(&h));
    params_init(&c->params, &h);
    c->source = weight_source_random(&c->params, (uint64_t)job->seed);
    return ST_OK;
}

/* The vocabulary is needed as such where the form changes or another one is named. */
static Status open_vocabulary(Convert *c)
{
    const Gguf *g = c->words ? NULL : model_file_gguf(c->file);
    if (c->job->vocab)
        return tokenizer_open(&c->tokenizer, c->job->vocab);
    if (g && c->to_gguf)
        return ST_OK;
    if (!g && !c->to_gguf)
        return ST_OK;
    Status st = g ? vocab_gguf_read(&c->tokenizer, g) : tokenizer_open(&c->tokenizer, c->words);
    return st == ST_OK
               ? ST_OK
               : fail_in(st, "the vocabulary of %s (--vocab PATH gives another)", g ? c->in : c->words);
}

static Status open_merge(Convert *c)
{
    c->adapter = adapter_path(c->job->merge);
    TRY(lora_merge_open(&c->merge, c->file, c->adapter));
    c->source = lora_merge_source(c->merge);
    const char *base = lora_merge_base(c->merge);
    log_info("merging  %s%s%s", c->adapter, *base ? ", trained over " : "", base);
    return ST_OK;
}

static Status open_input(Convert *c)
{
    if (!c->job->in)
        return open_random(c);
    TRY(model_path_find(&c->in, c->job->in));
    TRY(model_file_open(&c->file, c->in));
    c->source = weight_source_file(c->file);
    if (c->job->merge)
        TRY(open_merge(c));
    if (c->adapter && adapter_has_vocabulary(c->adapter))
        c->words = mem_str(c->adapter);
    else if (!model_file_gguf(c->file))
        c->words = mem_str(c->in);
    TRY(open_vocabulary(c));
    int64_t rows = c->source.params->h.vocab_size;
    if (c->tokenizer && tokenizer_vocab_size(c->tokenizer) > rows)
        return fail(ST_ARG, "the vocabulary has %d tokens and the model %lld: they do not belong together",
                    tokenizer_vocab_size(c->tokenizer), (long long)rows);
    return ST_OK;
}

/* What goes out. -------------------------------------------------------------------------------------- */

/* The name of a file for the folder that it is in: "." where it has none in front. */
static char *parent_of(const char *path)
{
    const char *base = path_base(path);
    return base == path ? mem_str(".") : mem_strn(path, (size_t)(base - path));
}

/* A model is replaced on demand only.  A dry run writes nothing, and goes on with a warning. */
static Status check_taken(const Convert *c)
{
    const char *out = c->job->out;
    char *file = c->to_gguf ? NULL : model_replace_file(out);
    Status st = ST_OK;
    if (c->job->overwrite)
        st = ST_OK;
    else if (file)
        st =
            fail(ST_ARG, "%s holds a model's %s already; replace it by --overwrite, or choose another folder",
                 out, file);
    else if (c->to_gguf && path_exists(out))
        st = fail(ST_ARG, "%s is there already; replace it by --overwrite, or choose another name", out);
    mem_free(file);
    if (st == ST_OK || !c->job->dry_run)
        return st;
    log_warn("%s", error_text());
    return ST_OK;
}

static Status check_output(const Convert *c)
{
    const char *out = c->job->out;
    if (c->adapter && path_same(c->adapter, out))
        return fail(ST_ARG, "%s is the adapter itself; name another output", out);
    if (c->in && path_same(c->in, out))
        return fail(ST_ARG, "%s is the input itself; name another output", out);
    if (!c->to_gguf) {
        TRY(cmd_output_folder(out, "a model"));
        return check_taken(c);
    }
    if (path_is_folder(out))
        return fail(ST_ARG, "%s is a folder, and a GGUF model is a file; remove it or choose another name",
                    out);
    char *parent = parent_of(out);
    Status st =
        path_is_folder(parent) ? ST_OK : fail(ST_ARG, "there is no folder %s to write %s into", parent, out);
    mem_free(parent);
    return st == ST_OK ? check_taken(c) : st;
}

/* The type that most of the input's numbers have. */
static QuantType main_type(const ModelFile *f)
{
    int64_t count[QUANT_TYPES] = {0};
    int best = QUANT_BF16;
    const Params *p = model_file_params(f);
    for (int64_t i = 0; i < p->n; i++) {
        ModelTensor t;
        model_file_tensor(f, &t, p->at[i].kind, p->at[i].layer);
        count[t.type] += t.rows * t.cols;
    }
    for (int t = 0; t < QUANT_TYPES; t++)
        best = count[t] > count[best] ? t : best;
    return (QuantType)best;
}

static Status choose_type(Convert *c)
{
    const char *name = c->job->type;
    QuantType own = c->file ? main_type(c->file) : QUANT_BF16;
    if (!name)
        name = quant_writes(own) && (c->to_gguf || quant_block(own) == 1) ? quant_name(own) : "BF16";
    c->mix = quantize_mix_find(name);
    if (!c->mix)
        return fail(ST_ARG, "there is no type %s; known are %s", name, quantize_mix_names());
    if (!c->to_gguf && quant_block(c->mix->type) > 1)
        return fail(
            ST_ARG,
            "a folder of safetensors holds F32, F16 or BF16 and not %s; an output that ends in .gguf holds "
            "all types",
            c->mix->name);
    return ST_OK;
}

static DType folder_dtype(QuantType t)
{
    return t == QUANT_F32 ? DTYPE_F32 : t == QUANT_F16 ? DTYPE_F16 : DTYPE_BF16;
}

/* Metadata. ------------------------------------------------------------------------------------------- */

/* Whether a key's number of ids is not that of the rows: merged adapters may have brought more. */
static bool is_outgrown(const Gguf *g, const GgufValue *v, int64_t rows)
{
    int64_t ids;
    static const char key[] = "llama.vocab_size";
    return span_is(v->key, key) && (gguf_int(g, key, rows, &ids) != ST_OK || ids != rows);
}

/* All that a GGUF file says but what is decided anew here; without its vocabulary not its template either. */
static void copy_keys(GgufWriter *w, const Gguf *g, bool vocabulary, int64_t rows)
{
    for (int64_t i = 0; i < gguf_count(g); i++) {
        const GgufValue *v = gguf_at(g, i);
        if (span_is(v->key, "general.file_type") || span_is(v->key, "general.quantization_version") ||
            span_is(v->key, "general.alignment") || span_starts(v->key, "split.") ||
            span_starts(v->key, "quantize.imatrix.") || is_outgrown(g, v, rows))
            continue;
        bool of_vocabulary =
            span_starts(v->key, "tokenizer.ggml.") || span_starts(v->key, "lemur.tokenizer.") ||
            span_starts(v->key, "tokenizer.huggingface.") || span_is(v->key, "tokenizer.chat_template");
        if (vocabulary || !of_vocabulary)
            gguf_put_value(w, v);
    }
}

/* How messages are put to the input's model, and all that ends a turn, which a vocabulary of its own does not
 * say. */
static Status chat_of_input(const Convert *c, Str *jinja, Ids *ends)
{
    Span template;
    if (c->words) {
        bundle_ends_of_folder(ends, c->words, c->source.params->h.vocab_size);
        return chat_template_text(jinja, c->words);
    }
    if (!c->file)
        return ST_OK;
    TRY(vocab_gguf_template(model_file_gguf(c->file), &template));
    str_add(jinja, template.at, template.n);
    return vocab_gguf_ends(model_file_gguf(c->file), ends);
}

static Status put_vocabulary(Convert *c)
{
    Str jinja = {0};
    Ids ends = {0};
    const char *lost = NULL;
    Status st = chat_of_input(c, &jinja, &ends);
    if (st == ST_OK)
        st = vocab_gguf_write(c->writer, c->tokenizer, c->source.params->h.vocab_size, &ends, &lost);
    if (st == ST_OK && lost)
        log_warn("GGUF has no words for %s; ids beside such tokens may differ", lost);
    if (st == ST_OK && jinja.n)
        gguf_put_text(c->writer, "tokenizer.chat_template", str_span(&jinja));
    array_drop(&ends);
    str_drop(&jinja);
    return st;
}

/* The folder's name, without the slash at its end. */
static Span name_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t start = n;
    while (start && path[start - 1] != '/')
        start--;
    return (Span){path + start, n - start};
}

static Status plan_gguf(Convert *c)
{
    const Gguf *g = c->file ? model_file_gguf(c->file) : NULL;
    c->writer = gguf_writer_new();
    if (g)
        copy_keys(c->writer, g, !c->tokenizer, c->source.params->h.vocab_size);
    gguf_put_once(c->writer, "general.architecture", span("llama"));
    gguf_put_once(c->writer, "general.name", c->job->in ? name_of(c->job->in) : span("random weights"));
    quantize_plan(&c->plan, c->source.params, c->mix, c->job->pure);
    quantize_declare(c->writer, c->source.params, &c->plan);
    if (c->tokenizer)
        TRY(put_vocabulary(c));
    c->bytes = gguf_file_bytes(c->writer);
    return ST_OK;
}

/* The plan. ------------------------------------------------------------------------------------------- */

static int64_t bytes_at(const char *path)
{
    FolderList names;
    int64_t sum = 0;
    if (!path_is_folder(path))
        return file_size(path);
    if (folder_list(&names, path) != ST_OK)
        return 0;
    for (size_t i = 0; i < names.n; i++) {
        char *one = path_join(path, names.at[i]);
        sum += span_ends(span(one), ".safetensors") ? file_size(one) : 0;
        mem_free(one);
    }
    folder_list_drop(&names);
    return sum;
}

static void say_plan(const Convert *c)
{
    char before[32], after[32], count[32];
    const Params *p = c->source.params;
    Str types = {0};
    human_count(count, (double)hparams_param_count(&p->h));
    human_bytes(after, (double)c->bytes);
    if (c->to_gguf)
        quantize_plan_text(&types, &c->plan, p);
    if (c->in)
        log_info("%s: %s weights, %s", c->in, count, human_bytes(before, (double)bytes_at(c->in)));
    else
        log_info("random weights (%s, seed %lld): %s", c->job->preset, (long long)c->job->seed, count);
    log_info("%s: %s, %s%s%s%s", c->job->out, c->mix->name, after, types.n ? " (" : "", str_c(&types),
             types.n ? ")" : "");
    if (c->plan.replaced) {
        const Param *first = &p->at[c->plan.first_replaced];
        log_warn("%lld matrices, %s the first, have rows of other lengths (%lld) than whole blocks; they "
                 "become %s",
                 (long long)c->plan.replaced, first->name, (long long)first->cols,
                 quant_name(c->plan.types[c->plan.first_replaced]));
    }
    str_drop(&types);
}

/* What is written stands beside what it replaces until it is whole. */
static Status check_room(const Convert *c)
{
    char *at = c->to_gguf ? parent_of(c->job->out) : mem_str(c->job->out), need[32], have[32];
    while (!path_exists(at) && strchr(at, '/')) { /* a folder that is to be made */
        char *slash = strrchr(at, '/');
        slash[slash == at] = 0;
    }
    int64_t room = disk_free(path_exists(at) ? at : ".");
    mem_free(at);
    if (room >= 0 && (uint64_t)room < c->bytes)
        return fail(ST_LIMIT, "%s needs %s, and the disk has %s left", c->job->out,
                    human_bytes(need, (double)c->bytes), human_bytes(have, (double)room));
    return ST_OK;
}

/* The work. ------------------------------------------------------------------------------------------- */

/* In tokenizer_config.json, alone; beside a vocabulary that came without one, whose absence means something,
 * too, in a file of its own. */
static Status write_template(const char *folder, Span jinja)
{
    json_t *config = NULL, *text = json_stringn(jinja.at, jinja.n);
    char *path = path_join(folder, "tokenizer_config.json"), *own = path_join(folder, "chat_template.jinja");
    Status st = text ? ST_OK : fail(ST_FORMAT, "the chat template is no text in UTF-8");
    if (st == ST_OK && !path_exists(path)) {
        st = file_replace(own, jinja.at, jinja.n);
    } else if (st == ST_OK) {
        st = json_file_read(&config, path);
        if (st == ST_OK && json_object_set(config, "chat_template", text) != 0)
            st = fail(ST_FORMAT, "%s is no object", path);
        if (st == ST_OK)
            st = json_file_write(path, config);
        if (st == ST_OK)
            st = folder_remove(own); /* of the vocabulary: it would go first */
    }
    mem_free(path);
    mem_free(own);
    json_decref(config);
    json_decref(text);
    return st;
}

/* generation_config.json with all ids that end a turn. */
static Status write_ends(const char *folder, const Ids *ends)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ends->n; i++)
        json_array_append_new(list, json_integer(ends->at[i]));
    json_t *generation = json_pack("{s:o}", "eos_token_id", list);
    char *path = path_join(folder, "generation_config.json");
    Status st = json_file_write(path, generation);
    mem_free(path);
    json_decref(generation);
    return st;
}

static Status write_chat(const Convert *c, const char *out)
{
    Str jinja = {0};
    Ids ends = {0};
    Status st = chat_of_input(c, &jinja, &ends);
    if (st == ST_OK && jinja.n)
        st = write_template(out, str_span(&jinja));
    if (st == ST_OK && ends.n)
        st = write_ends(out, &ends);
    array_drop(&ends);
    str_drop(&jinja);
    return st;
}

static Status write_folder_words(const Convert *c, const char *out)
{
    if (!c->tokenizer)
        return checkpoint_copy_tokenizer(c->words, out);
    TRY(tokenizer_save(c->tokenizer, out));
    return write_chat(c, out);
}

static Status write_folder(const Convert *c)
{
    const char *out = c->job->out;
    char *made = NULL;
    int lock;
    bool new = !path_exists(out);
    TRY(folder_make(out));
    TRY(folder_lock(&lock, out));
    Status st = model_replace_begin(&made, out);
    if (st == ST_OK)
        st = write_folder_words(c, made);
    if (st == ST_OK)
        st = quantize_write_folder(&c->source, made, folder_dtype(c->mix->type));
    if (st == ST_OK)
        st = model_replace_commit(out);
    if (st != ST_OK && made)
        model_replace_abandon(out);
    if (st != ST_OK && new)
        rmdir(out);
    mem_free(made);
    close(lock);
    return st;
}

static Status write_output(Convert *c)
{
    return c->to_gguf ? quantize_write_gguf(&c->source, &c->plan, c->writer, c->job->out, c->job->threads)
                      : write_folder(c);
}

static json_t *result_of(const Convert *c, double seconds)
{
    json_t *types = json_object();
    for (int64_t i = 0; c->to_gguf && i < c->source.params->n; i++) {
        const char *name = quant_name(c->plan.types[i]);
        json_object_set_new(types, name, json_integer(json_integer_value(json_object_get(types, name)) + 1));
    }
    json_t *o =
        json_pack("{s:s?, s:s, s:s, s:I, s:I, s:o, s:b}", "input", c->in, "output", c->job->out, "type",
                  c->mix->name, "parameters", (json_int_t)hparams_param_count(&c->source.params->h), "bytes",
                  (json_int_t)c->bytes, "tensors", types, "written", !c->job->dry_run);
    json_object_set_new(o, "seconds", json_real(seconds));
    return o;
}

static Status plan_all(Convert *c)
{
    TRY(open_input(c));
    c->source.stop = c->job->stop;
    TRY(check_output(c));
    TRY(choose_type(c));
    if (c->to_gguf)
        TRY(plan_gguf(c));
    else
        c->bytes =
            (uint64_t)hparams_param_count(&c->source.params->h) * dtype_size(folder_dtype(c->mix->type));
    say_plan(c);
    return check_room(c);
}

Status convert_model(const ConvertJob *job, json_t **result)
{
    Convert c = {.job = job,
                 .to_gguf =
                     strlen(job->out) > 5 && strcasecmp(job->out + strlen(job->out) - 5, ".gguf") == 0};
    double start = clock_now();
    Status st = plan_all(&c);
    if (st == ST_OK && !job->dry_run)
        st = write_output(&c);
    if (st == ST_OK)
        *result = result_of(&c, clock_now() - start);
    gguf_writer_free(c.writer);
    quantize_plan_drop(&c.plan);
    params_drop(&c.params);
    tokenizer_close(c.tokenizer);
    lora_merge_close(c.merge);
    model_file_close(c.file);
    mem_free(c.adapter);
    mem_free(c.words);
    mem_free(c.in);
    return st;
}
