/* Who answers a conversation: our engine, any server that speaks OpenAI's chat completions, or a recording.
 * Agents and benchmarks ask a ChatModel and cannot tell which they have.
 *
 *     ChatModel *m;
 *     ChatRemoteSetup setup = {.base_url = "https://api.openai.com/v1", .model = "gpt-4",
 *                              .key_variable = "OPENAI_API_KEY"};
 *     TRY(chatmodel_remote_open(&m, &setup));
 *     ChatCall call = chatmodel_call(&conversation);
 *     call.max_tokens = 512;
 *     ChatAnswer answer = {0};
 *     Status st = chatmodel_ask(m, &call, &answer);   // any number of threads at once
 *     ... answer.text, answer.finish, answer.completion_tokens ...
 *     chatmodel_answer_drop(&answer);
 *     chatmodel_close(m);
 *
 * A failed call is one item among many: the Status and its one-line sentence say what happened, where and
 * what to do, answer.finish says of what kind it was, the counts what it cost, and the next call may be made.
 * Nothing here counts budgets over calls: each answer carries what the caller adds up. */
#ifndef INFER_CHATMODEL_H
#define INFER_CHATMODEL_H

#include "infer/sampler.h"
#include "tokenizer/chat.h"
#include "tokenizer/conversation.h"

typedef struct ChatModel ChatModel;

/* All is borrowed for the call; {0} in a field is the plain choice, but for `sampler`. */
typedef struct {
    const Conversation *messages; /* at least one.  Without tools and tool calls: actions are text here */
    SamplerSettings sampler;      /* one seed gives one answer from an engine; a server may not honour it */
    int64_t max_tokens;       /* of the answer; 0: what the context has room for, or the server's default */
    const char *const *stops; /* text that ends the answer, itself not part of it; none empty */
    size_t stops_n;
    double deadline_s; /* after which the call fails, tries and waits included; 0: none */
    /* Asked by the calling thread some twenty times a second: true cancels the call; NULL: nobody asks. */
    bool (*stopped)(void *context);
    void *stopped_context;
    /* Given the answer's text as it is written, by the calling thread, where the model can (our engine);
     * NULL: nobody reads along. */
    void (*say)(void *context, const char *text, size_t n);
    void *say_context;
} ChatCall;
ChatCall chatmodel_call(const Conversation *messages); /* greedy, no limits */

/* The first three are of answers, the rest of failures. */
typedef enum {
    CHAT_FINISH_STOP,      /* the model came to its end, or to a stop string */
    CHAT_FINISH_LENGTH,    /* max_tokens, or no room left in the context */
    CHAT_FINISH_FILTER,    /* the server withheld the rest */
    CHAT_FINISH_CONTEXT,   /* ST_LIMIT: the messages alone fill the context */
    CHAT_FINISH_DEADLINE,  /* ST_LIMIT */
    CHAT_FINISH_CANCELLED, /* ST_CANCELLED */
    CHAT_FINISH_REFUSED,   /* ST_ARG: the server does not take these messages (400, 413, 422), perhaps others */
    CHAT_FINISH_FAILED,    /* all else */
} ChatFinish;
const char *chatmodel_finish_name(ChatFinish f); /* "stop", "length", "filter", "context", "deadline", ... */

typedef struct {
    Str text; /* as the model wrote it, whole UTF-8 or not */
    ChatFinish finish;
    bool counted; /* the counts are known; a server need not tell.  They are 0 otherwise */
    int64_t prompt_tokens, completion_tokens;
    double seconds; /* from the call to its return, tries and waits included; of a recording, what it says */
    int64_t retries;
    bool mute; /* a script's, which says that nobody is to learn it: a mistake that the next turn repairs */
} ChatAnswer;  /* {0} the first time; later calls keep the memory */
void chatmodel_answer_drop(ChatAnswer *a);

/* Fills *out in either case, its text in case of ST_OK only; text that a stop string should have ended is cut
 * there. ST_ARG          something in the call is out of bounds; the server wants another request or key
 * (400, 401, 403, 404 and their like); a script's next prompt is another one ST_UNSUPPORTED  the messages
 * have tools or tool calls ST_LIMIT        CHAT_FINISH_CONTEXT, CHAT_FINISH_DEADLINE; the answer is too
 * large; a script has run out ST_PEER         the server is absent, stalls, cuts off, or says 429 or 5xx, to
 * the last try ST_FORMAT       the server answers with something else than a chat completion ST_CANCELLED
 * CHAT_FINISH_CANCELLED others          of engine_submit and request_result */
MUST_CHECK Status chatmodel_ask(ChatModel *m, const ChatCall *call, ChatAnswer *out);
const char *
chatmodel_name(const ChatModel *m); /* for people and results: the model's name or path; no secret */
void chatmodel_close(ChatModel *m); /* no call runs any more; NULL is fine */

/* Our engine --------------------------------------------------------------------------------------------- */

struct Engine;

/* Borrowed until the model is closed, but for `ends` and `name`, which are copied.  Of a Bundle (bundle.h):
 * its tokenizer, its ends, and bundle_chat_template or one that the user named. */
typedef struct {
    struct Engine *engine; /* with inline_passes, one thread at a time may ask */
    const Tokenizer *tokenizer;
    const ChatTemplate *tmpl;
    const int32_t *ends; /* [ends_n] ids that end a text, beside those of the template */
    size_t ends_n;
    const char *name; /* NULL: "local" */
} ChatLocalSetup;
void chatmodel_local_open(ChatModel **out, const ChatLocalSetup *setup);

/* A server ----------------------------------------------------------------------------------------------- */

/* All is copied; 0 is the number in brackets. */
typedef struct {
    /* Without a path /v1/chat/completions is asked, else PATH/chat/completions, as by OpenAI's own client. */
    const char *base_url;
    const char *model; /* the name that the server knows it by */
    /* Environment variable that holds the key; NULL: no key is sent.  It is read at the opening, and neither
     * printed nor logged, also where a server's error repeats it. */
    const char *key_variable;
    const char *max_tokens_key; /* NULL: "max_tokens"; newer ones of OpenAI want "max_completion_tokens" */
    double connect_s;           /* [10] */
    double idle_s;       /* [600] without a byte: an answer that is long in the making comes all at once */
    int64_t retries;     /* [5] at most; negative: none */
    double retry_wait_s; /* [1] before the first one; each further one waits twice as long, less up to half of
                          * it by chance, or as long as the server's Retry-After says */
    double retry_wait_max_s;  /* [60] of one wait; a server that asks for more has failed */
    int64_t max_answer_bytes; /* [16 MiB] of a reply */
    uint64_t seed;            /* of the chance in waits */
} ChatRemoteSetup;
/* Asks nothing of the server yet.
 *   ST_ARG  no usable address, no model, or the variable holds no key */
MUST_CHECK Status chatmodel_remote_open(ChatModel **out, const ChatRemoteSetup *setup);
/* The name of the one model that the server lists at /v1/models (PATH/models), whatever setup->model is; the
 * caller frees it.  Asked once, with connect_s for each silence.
 *   ST_ARG  as above; or it lists none or several, which are named, or has no such list
 *   others  of http_exchange; ST_FORMAT: a 200 that holds no list */
MUST_CHECK Status chatmodel_remote_only_model(char **out, const ChatRemoteSetup *setup);

/* A recording -------------------------------------------------------------------------------------------- */

/* One JSON object a line, blank lines passed over:
 *     {"text": "...",                       the answer; or "error": "..." for a call that failed
 *      "messages": [...], "messages_hash": "16 hex digits",   what was asked; either, both or none
 *      "finish": "stop", "prompt_tokens": n, "completion_tokens": n, "seconds": s, "retries": n}
 * A failure is ST_LIMIT, ST_CANCELLED, ST_ARG or ST_PEER as its finish says.  Further keys are passed over.
 * max_tokens and deadlines are not applied.
 *
 * Or what an expert says to a task, turn by turn (SCRIPT_BY_HASH only; both forms may stand in one file, and
 * the messages' hash is looked for first):
 *     {"contains": "the task", "turns": ["first answer", {"text": "second answer", "learn": false}, ...]}
 * answers where the first user message contains the text, and no longer one, any number of times, by the turn
 * that comes after as many assistant messages as are asked.  Where a benchmark sends but the latest messages
 * (ic_sql: from the fourth answer on), earlier turns are thus given again.  "learn": false: the answer is
 * muted in what is recorded of the episode, and `lemur tune` reads it without learning it. */
typedef enum {
    SCRIPT_IN_ORDER, /* the n-th call gets the n-th line, whoever makes it; messages or hash, where there,
                      * must be those of the call */
    SCRIPT_BY_HASH,  /* each call gets the first unused line with its messages: for many episodes at once */
} ScriptOrder;
/*   ST_IO      cannot be read
 *   ST_FORMAT  a line that is none of these, one without messages, hash and "contains" where the order is
 *              SCRIPT_BY_HASH, one with "contains" where it is SCRIPT_IN_ORDER: it is named */
MUST_CHECK Status chatmodel_script_open(ChatModel **out, const char *path, ScriptOrder order);
/* Appends the line, "\n" included, that gives this answer to this call again; `st` and this thread's error
 * are those of the call. */
void chatmodel_script_line(Str *out, const ChatCall *call, const ChatAnswer *answer, Status st);
/* Of roles, contents and names. */
uint64_t chatmodel_hash(const Conversation *messages);

/* Another ------------------------------------------------------------------------------------------------ */

typedef struct {
    /* As chatmodel_ask, which has checked the call and cleared *out, and sees to `seconds` where they are 0,
     * to stop strings, and to the finish of failures unless it is set: CHAT_FINISH_CANCELLED for
     * ST_CANCELLED, else CHAT_FINISH_FAILED. */
    Status (*ask)(void *self, const ChatCall *call, ChatAnswer *out);
    void (*close)(void *self);
} ChatModelKind;
/* Keeps `kind`, owns `self`. */
void chatmodel_open(ChatModel **out, const ChatModelKind *kind, void *self, const char *name);

#endif
