/* What a benchmark is: where its questions come from, how one is put to a model, how the answer is marked.
 * Each is one constant in a file of its own (eval/static, eval/agents); benchmarks.c is the list of them, from
 * which `lemur eval --list`, --fetch and --tasks read.  docs/add-a-benchmark.md walks through one.
 *
 * The runner (runner.h) calls `open` once, then `ask` for every question from many threads, then `close`.
 * Benchmarks know nothing of resuming, of progress or of files of results. */
#ifndef EVAL_BENCHMARK_H
#define EVAL_BENCHMARK_H

#include <jansson.h>

#include "agent/action.h"
#include "base/array.h"
#include "eval/mark.h"
#include "infer/chatmodel.h"
#include "infer/engine.h"

struct Hints;     /* agent/hints.h */
struct Wikipedia; /* env/wikipedia.h */

/* Who answers.  Borrowed while the run lasts. */
typedef struct {
    ChatModel *chat;
    ChatModel *feedback; /* gives feedback in MINT's episodes, as its GPT-4; NULL: nobody does */
    struct Hints *hints; /* gives it instead, in all episodes; NULL: nobody does */
    /* For likelihoods: the engine behind `chat`; both NULL where `chat` is a server or a recording. */
    Engine *engine;
    const Tokenizer *tokenizer;
    bool plain; /* `chat` continues a text, as base models do, instead of answering a message */
} EvalModels;

/* What the user chose; the same for all benchmarks of a run, and kept in its results.json.  A number of -1 is
 * the benchmark's own default. */
typedef struct {
    int64_t shots;       /* examples in front of each question                                     */
    int64_t samples;     /* answers to each question, for pass@k                                   */
    int64_t max_tokens;  /* of an answer                                                           */
    int64_t steps;       /* of an episode                                                          */
    int64_t proposals;   /* solutions in an episode                                                */
    double temperature;
    double top_p;        /* 1 by default                                                           */
    int64_t seed;        /* of sampling and of drawing questions                                   */
    double program_seconds; /* a graded program's wall time                                        */
    int64_t episode_tokens; /* completion tokens of an episode; 0: no limit                        */
    double episode_seconds; /* wall time of an episode; 0: no limit                                */
    MarkRule rule;       /* of MINT's marks                                                        */
    ActionRule actions;  /* how code is marked in MINT's episodes                                  */
    bool feedback_gold;  /* the feedback's prompt holds the right solution                         */
    bool feedback_binary; /* feedback is "This is GOOD." or "This is BAD."                         */
    bool empty_system;   /* episodes begin with an empty system message, as in Lemur's runs        */
    bool no_observations; /* episodes are told turns_withheld instead of what came of an action    */
    bool admissible;     /* alfworld tells which commands do something                            */
    bool likelihood;     /* multiple choice by likelihood, where a benchmark has both ways         */
    const char *sql_server; /* ic_sql's databases: SqlSource.server of env/sql.h; NULL: SQLite     */
    int sql_from;        /* and its SqlFrom                                                        */
} EvalSettings;
EvalSettings eval_settings(void); /* all defaults */

/* One question.  `id` is unique in its benchmark and stays the same from run to run. */
typedef struct {
    char *id;   /* owned */
    char *part; /* "abstract_algebra": results are told by part as well; NULL: the benchmark has none; owned */
    json_t *doc; /* as the data file has it; owned */
} Question;
typedef struct {
    Array(Question) all; /* in the order of the data */
    int files;     /* of the data, that were read: while one is read, its number, from 1 */
    int64_t bad;   /* lines of the data that were no questions: counted, and told */
    json_t *facts; /* object or NULL: what else decides the scores, such as hashes of prompt texts; kept in
                    * run.json and results.json, and must be the same when a run goes on; owned */
    json_t *lacking; /* object or NULL: what some questions need and this machine may not have -> their ids;
                      * told by `lemur eval --list NAME`; owned */
    int64_t left_out; /* questions that cannot be asked here, for want of a tool: told by `open` */
} Questions;
/* Adds one; keeps a new reference to `doc`; part may be NULL. */
void questions_add(Questions *q, const char *id, const char *part, json_t *doc);
/* Notes in q->lacking that question `id` needs `what` ("a live host"), which is not here or may not be. */
void questions_lack(Questions *q, const char *what, const char *id);
void questions_drop(Questions *q);
Span doc_text(const json_t *doc, const char *key); /* a view; empty where there is no text */
/* The objects of a JSON Lines file below `data` (also .gz, .zst, .xz; or one JSON array), each given to
 * `take`, which adds questions or returns false for an object that is none: it is counted in q->bad, as are
 * lines that are no JSON, and the first is told with file and line.  ST_IO: no file; ST_FORMAT: no line of it
 * is a question. */
MUST_CHECK Status questions_read(Questions *q, const char *data, const char *file,
                                 bool (*take)(Questions *q, int64_t number, json_t *object));

/* Why an answer scored nothing.  SAMPLE_FINE: it was marked, right or wrong. */
typedef enum {
    SAMPLE_FINE,
    SAMPLE_UNREADABLE, /* no answer, action or program could be found in the text     */
    SAMPLE_TOOL_ERROR, /* its program raised, or did not compile                      */
    SAMPLE_TIME,       /* its program or episode ran out of time                      */
    SAMPLE_BUDGET,     /* steps, proposals or tokens were used up                     */
    SAMPLE_CONTEXT,    /* the messages filled the model's context                     */
    SAMPLE_REFUSED,    /* the server did not take the messages; more.refused: its words */
    SAMPLE_KINDS
} SampleKind;
extern const char *const sample_kind_names[SAMPLE_KINDS]; /* "", "unreadable", "tool error", ... */

/* What came of a question; filled by `ask` and written by the runner. */
typedef struct {
    json_t *target;  /* what was right; owned                                                     */
    json_t *prompts; /* array: what was asked, text or messages; owned                            */
    json_t *answers; /* array: what the model wrote, in order ("resps"); owned                    */
    json_t *read;    /* array: what was understood of it ("filtered_resps"); owned                */
    json_t *metrics; /* object: name -> number; the benchmark's main metric must be there; owned  */
    json_t *more;    /* object: whatever else is worth keeping beside; owned; may stay empty      */
    json_t *transcript; /* an episode's, for transcripts_*.jsonl (agent/transcript.h); NULL: none; owned */
    SampleKind kind;
    bool mute; /* the last answer is a script's that nobody is to learn (chatmodel.h) */
    int64_t prompt_tokens, completion_tokens, calls, retries;
    double model_seconds;
    /* What the model that gives feedback cost; calls 0: it was not asked. */
    int64_t feedback_prompt_tokens, feedback_completion_tokens, feedback_calls;
    double feedback_seconds;
} Sample;

/* The run as a benchmark sees it. */
typedef struct {
    const char *data; /* the folder of --data */
    const EvalSettings *settings;
    EvalModels models;
    struct Wikipedia *wikipedia; /* for wikipedia_search; NULL: episodes are without that function */
    bool (*stopped)(void *context); /* true: give up soon, with ST_CANCELLED */
    void *stopped_context;
} EvalRun;

enum {
    NEEDS_SANDBOX = 1,     /* runs programs of the model's */
    NEEDS_LIKELIHOOD = 2,  /* can be run with an engine of ours only */
    NEEDS_ANY_PROGRAM = 4, /* one of `programs` is enough: questions of the others are left out */
};

/* Settings that not every benchmark has a use for. */
enum {
    TAKES_SHOTS = 1,
    TAKES_SAMPLES = 2,
};

/* A file of the data, and where it is published; for --fetch (fetch.h).  A url that ends in "#into=FOLDER"
 * gives an archive (tar or zip), whose files go below FOLDER of the data folder; `path` is one of them, or a
 * folder of them. */
typedef struct {
    const char *path;   /* below the data folder */
    const char *url;    /* NULL: must be got by hand, `Benchmark.source` says how */
    const char *sha256; /* of what the url gives; NULL: its publisher changes it */
} DataFile;

typedef struct Benchmark {
    const char *name;   /* "mint_gsm8k" */
    const char *groups; /* words: "mint mint_reasoning"; each is a name for --tasks and a micro average */
    const char *about;  /* a line */
    const char *source; /* paper, repository and licence of the data; a line or two */
    const char *metric; /* the main one: "exact_match", "success", "pass@1" */
    int version;        /* raised when the same answers would score otherwise */
    int shots;          /* by default */
    unsigned needs, takes;
    const char *const *programs; /* in the sandbox: "python3", "node"; NULL at the end; NULL: none */
    const DataFile *files;       /* [.path NULL at the end] */
    /* Reads the questions; *state is the benchmark's own, shared by all threads afterwards.  Errors name the
     * missing file and say how to get it. */
    Status (*open)(const EvalRun *run, Questions *out, void **state);
    /* Puts one question to the model and marks the answer.  Any number of threads.
     *   ST_OK  *out is what came of it: wrong answers, programs that crash, full contexts and refusals included
     *   other  the question was not answered (server, cancel, sandbox): nothing is recorded, and it will be
     *          asked again when the run goes on */
    Status (*ask)(const EvalRun *run, void *state, const Question *q, Sample *out);
    void (*close)(void *state); /* NULL is fine */
} Benchmark;

extern const Benchmark *const benchmarks[]; /* NULL at the end; benchmarks.c */
const Benchmark *benchmark_find(const char *name); /* NULL: none of that name */

/* A sample with its containers empty; drop frees them. */
void sample_init(Sample *s);
void sample_drop(Sample *s);

/* How an ask calls the model: run->models.chat with these messages; adds what it cost to *s, the prompt to
 * s->prompts and the text to s->answers.  max_tokens of the settings wins over the one given here.  A context
 * that is full is ST_OK with *text empty and s->kind SAMPLE_CONTEXT; messages that the server refuses are so with
 * SAMPLE_REFUSED.  `nth`: which of several answers to the
 * same question, so that each has a seed of its own. */
typedef struct {
    int64_t max_tokens;
    double temperature, top_p; /* where the user gave none; top_p 0: 1 */
    const char *const *stops;
    size_t stops_n;
    int64_t nth;
    int64_t at_most; /* tokens, also where the user gave more; 0: no such bound                           */
    double seconds;  /* that it may take; 0: no bound.  Over, it is ST_OK, *text empty, kind SAMPLE_TIME */
} AskText;
/* What is left of an episode's budgets bounds its next answer; it began at `start` of base/clock.h. */
void ask_within_episode(AskText *how, const EvalRun *run, const Sample *s, double start);
const char *sample_end(const Sample *s); /* of an episode whose last ask had no answer: "context", ... */
void sample_refuse(Sample *s, Span why); /* it is SAMPLE_REFUSED, by the server's words */
MUST_CHECK Status ask_messages(const EvalRun *run, Sample *s, const Conversation *messages, const AskText *how,
                               Str *text);
/* The same with one user's message. */
MUST_CHECK Status ask_text(const EvalRun *run, Sample *s, Span prompt, const AskText *how, Str *text);
void sample_metric(Sample *s, const char *name, double value);
void sample_read(Sample *s, Span text); /* adds to s->read */
/* Who gave feedback, into the transcript, and in how many steps of the episode, as the metric "feedback". */
void sample_feedback(Sample *s, const EvalRun *run, int64_t steps);

#endif
