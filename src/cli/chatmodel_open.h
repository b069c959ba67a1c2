/* Who answers, from the words of a command line: for every verb that asks a ChatModel.
 *
 *     ChatModelConfig config = {0};                        // with {&chatmodel_table, &config} in its tables
 *     ChatModelOpened opened;
 *     TRY(chatmodel_open_named(&opened, "model.gguf", &config, 4));
 *     ... opened.chat, any number of threads at once ...
 *     chatmodel_close_opened(&opened);
 *
 * A second model of the same command (who gives feedback, who grades) has the same flags with a prefix, from
 * the same table: --feedback-server-model, --feedback-threads ... (chatmodel_table_prefixed). */
#ifndef CLI_CHATMODEL_OPEN_H
#define CLI_CHATMODEL_OPEN_H

#include <jansson.h>

#include "base/config.h"
#include "infer/bundle.h"
#include "infer/chatmodel.h"
#include "infer/engine.h"

/* Empty texts and 0: as the help of the table says. */
typedef struct {
    char *server_model, *key_variable, *max_tokens_key; /* of servers */
    int64_t retries;
    double timeout;
    int64_t context, threads; /* of models that run here */
    char *dtype, *template, *adapter;
    char *record; /* of all */
} ChatModelConfig;
extern const FieldTable chatmodel_table;

/* The same fields, named PREFIX_server_model and so on. */
typedef struct {
    FieldTable table;
    Field *fields; /* owned, with their names */
} ChatModelTable;
void chatmodel_table_prefixed(ChatModelTable *out, const char *prefix);
void chatmodel_table_drop(ChatModelTable *t);

typedef struct {
    ChatModel *chat;
    /* Of a model that runs here; else NULL. */
    Engine *engine;
    const Tokenizer *tokenizer;
    /* What answers, so that results are not mixed with another's:
     *     {"kind": "local", "model": PATH, "name": its last part, "template": NAME, "hash": "16 hex digits",
     *      "adapter": PATH, "adapter_hash", "context": n, "dtype": what products are in}
     *     {"kind": "server", "url": URL, "model": NAME}
     *     {"kind": "script", "path": PATH, "hash": of its bytes, "order": "by_hash" or "in_order"}
     * The hashes are those of model_hash.h: of what the files hold, not of their place or age. */
    json_t *identity;
    /* Its own. */
    ChatModel *inner; /* what `chat` records; NULL: `chat` is not a recorder */
    Bundle bundle;
    ChatTemplate *tmpl;
} ChatModelOpened;

/* `model` is
 *     a model folder, a training run's folder, or a GGUF file
 *     http://HOST:PORT or https://HOST/v1: a server of OpenAI's chat completions.  Its model is server_model,
 *         else the only one that it lists; its key is in the environment variable key_variable, else, for
 *         https:// that is not on this machine, in OPENAI_API_KEY if that is set
 *     script:FILE: a recording; by messages where all its lines have them or their hash, else in order
 * `parallel`: calls that will run at once, at least 1; a local model's cache has room for that many whole
 * contexts.
 *   ST_ARG   unknown template or dtype; a setting of servers for a local model, or the reverse; a server's
 *            address, key or model is not to be had as above
 *   others   of bundle_open, engine_open, chatmodel_script_open, chatmodel_record_open
 * *out is {0} after a failure. */
MUST_CHECK Status chatmodel_open_named(ChatModelOpened *out, const char *model, const ChatModelConfig *c,
                                       int parallel);
void chatmodel_close_opened(ChatModelOpened *o); /* {0} is fine */

#endif
