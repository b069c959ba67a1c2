#include "cli/chatmodel_open.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/http.h"
#include "base/mem.h"
#include "cli/chat_template_find.h"
#include "cli/model_folder.h"
#include "cli/model_hash.h"
#include "infer/chatmodel_record.h"
#include "model/adapter.h"

static const char *const dtype_names[] = {"auto", "bf16", "f32", NULL};
static const Field fields[] = {
    F_STRING(ChatModelConfig, server_model, "", "a server's name of the model; empty: the only one it lists"),
    F_STRING(ChatModelConfig, key_variable, "",
             "environment variable with a server's key; empty: OPENAI_API_KEY, for https:// and where set"),
    F_STRING(ChatModelConfig, max_tokens_key, "",
             "what a server calls the limit of an answer: max_tokens, or max_completion_tokens"),
    F_INT(ChatModelConfig, retries, 5, 0, 1000, "of a call that a server failed"),
    F_FLOAT(ChatModelConfig, timeout, 600, 1, 1e6, "seconds without a byte of a server's answer"),
    F_INT(ChatModelConfig, context, 0, 0, 1e7, "positions; 0: the model's own, at most 4096"),
    F_INT(ChatModelConfig, threads, 0, 0, 4096, "0: all this process may use"),
    F_CHOICE(ChatModelConfig, dtype, "auto", dtype_names,
             "of weights and products; auto: bf16 where it has kernels, else f32"),
    F_STRING(ChatModelConfig, template, "", "how messages are put to the model; empty: as it says itself"),
    F_STRING(ChatModelConfig, adapter, "",
             "merge this LoRA adapter in: a PEFT folder, or a run of lemur tune --lora"),
    F_STRING(ChatModelConfig, record, "",
             "append every call and its answer to this file, which -m script:FILE gives again"),
};
const FieldTable chatmodel_table = FIELD_TABLE(fields);
enum { FIELDS = sizeof fields / sizeof fields[0] };

void chatmodel_table_prefixed(ChatModelTable *out, const char *prefix)
{
    out->fields = mem_array(Field, FIELDS);
    for (size_t i = 0; i < FIELDS; i++) {
        out->fields[i] = fields[i];
        out->fields[i].name = mem_format("%s_%s", prefix, fields[i].name);
    }
    out->table = (FieldTable){out->fields, FIELDS};
}

void chatmodel_table_drop(ChatModelTable *t)
{
    for (size_t i = 0; t->fields && i < FIELDS; i++)
        mem_free((char *)(uintptr_t)t->fields[i].name);
    mem_free(t->fields);
    *t = (ChatModelTable){0};
}

static const char *or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

/* Settings that are not of this kind of model would be silently without effect. */
static Status refuse(const char *const *texts, const char *const *names, size_t n, const char *model,
                     const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (or_null(texts[i]))
            return fail(ST_ARG, "%s is %s, for which %s '%s' means nothing", model, what, names[i], texts[i]);
    return ST_OK;
}

static Status refuse_server(const ChatModelConfig *c, const char *model, const char *what)
{
    const char *texts[] = {c->server_model, c->key_variable, c->max_tokens_key};
    const char *const names[] = {"server_model", "key_variable", "max_tokens_key"};
    return refuse(texts, names, 3, model, what);
}

static Status refuse_local(const ChatModelConfig *c, const char *model, const char *what)
{
    const char *texts[] = {c->template, c->adapter};
    const char *const names[] = {"template", "adapter"};
    return refuse(texts, names, 2, model, what);
}

/* Identity ----------------------------------------------------------------------------------------------- */

static Status put_hash(json_t *identity, const char *key, const char *path)
{
    char text[17];
    TRY(model_hash_text(text, path));
    json_object_set_new(identity, key, json_string(text));
    return ST_OK;
}

/* A path of any bytes. */
static void put_text(json_t *identity, const char *key, const char *text)
{
    Str valid = {0};
    str_add_valid(&valid, text, strlen(text));
    json_object_set_new(identity, key, json_string(str_c(&valid)));
    str_drop(&valid);
}

/* Here --------------------------------------------------------------------------------------------------- */

static Status describe_local(ChatModelOpened *o, const char *path, const ChatModelConfig *c)
{
    const DecoderSetup *d = decoder_setup(o->bundle.decoder);
    put_text(o->identity, "model", path);
    put_text(o->identity, "name", path_base(path));
    put_text(o->identity, "template", chat_template_name(o->tmpl));
    json_object_set_new(o->identity, "context", json_integer(engine_context(o->engine)));
    json_object_set_new(o->identity, "dtype", json_string(dtype_name(d->compute)));
    TRY(put_hash(o->identity, "hash", path));
    if (!or_null(c->adapter))
        return ST_OK;
    char *folder = adapter_path(c->adapter);
    put_text(o->identity, "adapter", c->adapter);
    Status st = put_hash(o->identity, "adapter_hash", folder);
    mem_free(folder);
    return st;
}

static Status open_here(ChatModelOpened *o, const char *path, const ChatModelConfig *c, int parallel)
{
    BundleSetup setup = {.threads = (int)c->threads,
                         .context = c->context,
                         .compute = DTYPE_COUNT,
                         .sequences = parallel,
                         .max_logits = parallel > BUNDLE_LOGITS ? parallel : 0,
                         .max_rows = parallel > BUNDLE_ROWS / 2 ? 2 * parallel : 0,
                         .adapter = or_null(c->adapter)};
    EngineSetup engine = {.threads = (int)c->threads};
    if (c->dtype && c->dtype[0] && strcmp(c->dtype, "auto") != 0)
        setup.compute = strcmp(c->dtype, "bf16") == 0 ? DTYPE_BF16 : DTYPE_F32;
    TRY(bundle_open(&o->bundle, path, &setup));
    TRY(chat_template_find(&o->tmpl, &o->bundle, or_null(c->template)));
    TRY(engine_open(&o->engine, o->bundle.decoder, o->bundle.tokenizer, &engine));
    o->tokenizer = o->bundle.tokenizer;
    ChatLocalSetup local = {.engine = o->engine,
                            .tokenizer = o->tokenizer,
                            .tmpl = o->tmpl,
                            .ends = o->bundle.ends.at,
                            .ends_n = o->bundle.ends.n,
                            .name = path};
    chatmodel_local_open(&o->chat, &local);
    return describe_local(o, path, c);
}

static Status open_local(ChatModelOpened *o, const char *model, const ChatModelConfig *c, int parallel)
{
    char *path;
    json_object_set_new(o->identity, "kind", json_string("local"));
    TRY(refuse_server(c, model, "a model that runs here"));
    if (or_null(c->template)) { /* before the model is read */
        ChatTemplate *named;
        TRY(chat_template_open(&named, c->template));
        chat_template_free(named);
    }
    if (!path_exists(model))
        return fail(ST_IO,
                    "there is no such file or folder: %s (of a server, -m takes its http:// address and "
                    "--server-model the model's name)",
                    model);
    TRY(model_path_find(&path, model));
    Status st = open_here(o, path, c, parallel);
    mem_free(path);
    return st;
}

/* Elsewhere ---------------------------------------------------------------------------------------------- */

static const char *key_variable(const char *url, const ChatModelConfig *c)
{
    static const char usual[] = "OPENAI_API_KEY";
    if (or_null(c->key_variable))
        return c->key_variable;
    return span_starts(span(url), "https://") && !http_is_local(url) && or_null(getenv(usual)) ? usual : NULL;
}

static Status open_server(ChatModelOpened *o, const char *url, const ChatModelConfig *c)
{
    char *only = NULL;
    json_object_set_new(o->identity, "kind", json_string("server"));
    TRY(refuse_local(c, url, "a server"));
    ChatRemoteSetup setup = {.base_url = url,
                             .model = or_null(c->server_model),
                             .key_variable = key_variable(url, c),
                             .max_tokens_key = or_null(c->max_tokens_key),
                             .idle_s = c->timeout,
                             .retries = c->retries > 0 ? c->retries : -1};
    if (!setup.model) {
        Status st = chatmodel_remote_only_model(&only, &setup);
        if (st != ST_OK)
            return fail_in(st, "no --server-model NAME is given, and the server was asked");
        setup.model = only;
    }
    Status st = chatmodel_remote_open(&o->chat, &setup);
    put_text(o->identity, "url", url);
    put_text(o->identity, "model", setup.model);
    mem_free(only);
    return st;
}

static Status open_script(ChatModelOpened *o, const char *path, const ChatModelConfig *c)
{
    ScriptOrder order = SCRIPT_BY_HASH;
    json_object_set_new(o->identity, "kind", json_string("script"));
    TRY(refuse_server(c, path, "a script"));
    TRY(refuse_local(c, path, "a script"));
    Status st = chatmodel_script_open(&o->chat, path, order);
    if (st == ST_FORMAT) {
        order = SCRIPT_IN_ORDER;
        st = chatmodel_script_open(&o->chat, path, order);
    }
    TRY(st);
    put_text(o->identity, "path", path);
    json_object_set_new(o->identity, "order", json_string(order == SCRIPT_BY_HASH ? "by_hash" : "in_order"));
    return put_hash(o->identity, "hash", path);
}

/* All ---------------------------------------------------------------------------------------------------- */

static Status open_kind(ChatModelOpened *o, const char *model, const ChatModelConfig *c, int parallel)
{
    static const char script[] = "script:";
    Span word = span(model);
    if (span_starts(word, script))
        return open_script(o, model + strlen(script), c);
    if (span_starts(word, "http://") || span_starts(word, "https://"))
        return open_server(o, model, c);
    return open_local(o, model, c, parallel);
}

Status chatmodel_open_named(ChatModelOpened *out, const char *model, const ChatModelConfig *c, int parallel)
{
    ChatModelOpened o = {.identity = json_object()};
    check(parallel >= 1);
    Status st = model && model[0] ? open_kind(&o, model, c, parallel)
                                  : fail(ST_ARG, "which model? name a folder or GGUF file, a server's "
                                                 "http:// address, or script:FILE");
    if (st == ST_OK && or_null(c->record)) {
        o.inner = o.chat;
        o.chat = NULL;
        st = chatmodel_record_open(&o.chat, o.inner, c->record);
    }
    if (st != ST_OK)
        chatmodel_close_opened(&o);
    *out = o;
    return st;
}

void chatmodel_close_opened(ChatModelOpened *o)
{
    chatmodel_close(o->chat);
    chatmodel_close(o->inner);
    engine_close(o->engine);
    chat_template_free(o->tmpl);
    bundle_close(&o->bundle);
    json_decref(o->identity);
    *o = (ChatModelOpened){0};
}
