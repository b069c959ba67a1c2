/* lemur generate: a prompt in, the text that goes on from it out. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/chat_template_find.h"
#include "cli/cmd.h"
#include "cli/generate_report.h"
#include "cli/model_folder.h"
#include "cli/sampling.h"
#include "cli/show.h"
#include "infer/constrain.h"
#include "infer/generate.h"

enum { PROMPT_LIMIT = 64 << 20, SCHEMA_LIMIT = 16 << 20 };

typedef struct {
    int64_t threads, context;
    char *dtype;
} GenerateConfig;

static const char *const dtype_names[] = {"auto", "bf16", "f32", NULL};
static const Field generate_fields[] = {
    F_INT(GenerateConfig, context, 0, 0, 1e7, "positions; 0: the model's own, at most 4096"),
    F_INT(GenerateConfig, threads, 0, 0, 4096, "0: all this process may use"),
    F_CHOICE(GenerateConfig, dtype, "auto", dtype_names,
             "of weights and products; auto: bf16 where it has kernels, else f32"),
};
static const FieldTable generate_table = FIELD_TABLE(generate_fields);

static const Flag flags[] = {
    {"model", 'm', "PATH", "model folder, training run's folder, or GGUF file"},
    {"adapter", 0, "PATH", "merge this LoRA adapter in: a PEFT folder, or a run of lemur tune --lora"},
    {"max-tokens", 'n', "N", "new tokens, at most (128)"},
    {"min-tokens", 0, "N", "no end of the text before so many"},
    {"stop", 0, "TEXT", "ends the text where this would appear; may be given more than once"},
    {"ignore-eos", 0, NULL, "go on past the token that ends a text"},
    {"chat", 0, NULL, "PROMPT is a user's message: put to the model as its template says"},
    {"system", 0, "TEXT", "the system prompt in front of it; with --chat"},
    {"template", 0, "NAME",
     "how messages are put to the model, where it does not say so itself; with --chat"},
    {"schema", 0, "FILE", "the text is JSON that this JSON Schema allows ('-': no file, any JSON)"},
    {"regex", 0, "R", "the whole text matches this regular expression"},
    {"logit-bias", 0, "ID=X", "adds X to the logit of a token; may be given more than once"},
    {"logprobs", 0, "N",
     "instead of text: each token, how likely it was, and the N most likely in its place"},
    {"prompt-logprobs", 0, NULL, "the prompt's tokens as well; with --logprobs"},
    {"raw", 0, NULL, "the prompt's bytes alone: no begin-of-text token and no space in front"},
    {"special", 0, NULL, "the prompt may spell special tokens, such as <|im_start|>"},
    {"echo", 0, NULL, "print the prompt before the text"},
    {"json", 0, NULL, "one JSON object instead of text as it arrives"},
};

/* What the words of the command line come to. */
typedef struct {
    GenerateConfig config;
    SamplingConfig sampling;
    const Args *args;
    Str prompt;
    Ids ids; /* of it */
    int64_t max_tokens, min_tokens, top;
    Array(const char *) stops;
    Array(LogitBias) bias;
    Ids ends;
    bool json, logprobs;
    bool guard; /* standard output is a terminal, which the text must not govern */
    const Tokenizer *tokenizer;
    Str text;                          /* for --json */
    json_t *tokens_json, *prompt_json; /* for --json with --logprobs */
} Job;

/* The command line. -------------------------------------------------------------------------------------- */

static Status read_prompt(Job *job)
{
    const char *word = job->args->positional_n ? job->args->positional[0] : "-";
    if (strcmp(word, "-") == 0)
        return cmd_read_input(&job->prompt, word, PROMPT_LIMIT);
    str_adds(&job->prompt, word);
    return ST_OK;
}

static Status add_bias(Job *job, const char *word)
{
    int64_t id;
    double add;
    const char *equals = strchr(word, '=');
    char *name = mem_strn(word, equals ? (size_t)(equals - word) : 0);
    Status st = equals ? parse_int(&id, name) : ST_ARG;
    mem_free(name);
    if (st == ST_OK)
        st = parse_double(&add, equals + 1);
    if (st != ST_OK || id < 0 || id > INT32_MAX)
        return fail(ST_ARG, "--logit-bias %s: write ID=X, as in 1234=-100; lemur tokenizer shows the ids",
                    word);
    array_push(&job->bias, ((LogitBias){(int32_t)id, (float)add}));
    return ST_OK;
}

static Status expect_with(const Args *a, const char *flag, const char *other)
{
    if (args_has(a, flag) && !args_has(a, other))
        return fail(ST_ARG, "--%s wants --%s as well", flag, other);
    return ST_OK;
}

static Status read_job(Job *job)
{
    const Args *a = job->args;
    job->max_tokens = 128;
    job->json = args_has(a, "json");
    job->logprobs = args_has(a, "logprobs");
    job->guard = isatty(STDOUT_FILENO) == 1;
    TRY(cmd_number(&job->max_tokens, a, "max-tokens", 0, INT64_MAX));
    TRY(cmd_number(&job->min_tokens, a, "min-tokens", 0, job->max_tokens));
    TRY(cmd_number(&job->top, a, "logprobs", 0, TOP_LOGPROBS_MAX));
    size_t stops = 0, biases = 0;
    for (const char *stop; (stop = args_next(a, "stop", &stops));)
        array_push(&job->stops, stop);
    for (const char *bias; (bias = args_next(a, "logit-bias", &biases));)
        TRY(add_bias(job, bias));
    TRY(expect_with(a, "system", "chat"));
    TRY(expect_with(a, "template", "chat"));
    TRY(expect_with(a, "prompt-logprobs", "logprobs"));
    if (args_has(a, "chat") && (args_has(a, "raw") || args_has(a, "special")))
        return fail(ST_ARG,
                    "with --chat the template puts the prompt to the model: leave --raw and --special away");
    if (args_has(a, "schema") && args_has(a, "regex"))
        return fail(ST_ARG, "--schema and --regex cannot both say what the text looks like");
    if (!args_value(a, "model"))
        return fail(ST_ARG, "which model? name its folder or GGUF file with -m PATH");
    return read_prompt(job);
}

/* The request. ------------------------------------------------------------------------------------------- */

static Status render_chat(Job *job, const Bundle *b)
{
    ChatTemplate *tmpl;
    Conversation c = {0};
    const char *system = args_value(job->args, "system");
    TRY(chat_template_find(&tmpl, b, args_value(job->args, "template")));
    if (system)
        conversation_add(&c, CHAT_SYSTEM, span(system));
    conversation_add(&c, CHAT_USER, str_span(&job->prompt));
    Status st = chat_render(b->tokenizer, tmpl, &c, CHAT_GENERATE, &job->ids, NULL);
    const char *const *texts = chat_stop_texts(b->tokenizer, tmpl);
    chat_stop_ids(b->tokenizer, tmpl, &job->ends);
    for (size_t i = 0; texts[i]; i++)
        array_push(&job->stops, texts[i]);
    conversation_drop(&c);
    chat_template_free(tmpl);
    return st;
}

static Status make_ids(Job *job, const Bundle *b)
{
    bool raw = args_has(job->args, "raw"), special = args_has(job->args, "special");
    for (size_t i = 0; i < b->ends.n; i++)
        array_push(&job->ends, b->ends.at[i]);
    if (args_has(job->args, "chat"))
        return render_chat(job, b);
    return tokenizer_encode(b->tokenizer, &job->ids, str_c(&job->prompt), job->prompt.n,
                            (raw ? TOK_RAW : TOK_BOS) | (special ? TOK_SPECIAL : 0));
}

static RequestSpec spec_of(const Job *job)
{
    RequestSpec s = request_spec(NULL, 0);
    s.max_tokens = job->max_tokens;
    s.min_tokens = job->min_tokens;
    s.sampler = sampling_settings(&job->sampling);
    s.stops = job->stops.at;
    s.stops_n = job->stops.n;
    s.ends = job->ends.at;
    s.ends_n = args_has(job->args, "ignore-eos") ? 0 : job->ends.n;
    s.bias = job->bias.at;
    s.bias_n = job->bias.n;
    s.logprobs = job->logprobs;
    s.top_logprobs = job->top;
    s.prompt_logprobs = args_has(job->args, "prompt-logprobs");
    return s;
}

/* What holds the text to a form; *constraint is NULL where nothing does. */
static Status make_constraint(const Job *job, Constraint **constraint, ConstrainVocab **vocab)
{
    const char *file = args_value(job->args, "schema"), *regex = args_value(job->args, "regex");
    ConstrainOptions options = {.leading_space = tokenizer_kind(job->tokenizer) == VOCAB_SPM && !regex};
    Str schema = {0};
    if (!file && !regex)
        return ST_OK;
    *vocab = constrain_vocab_new(job->tokenizer, job->ends.at, job->ends.n);
    if (regex)
        return constrain_regex(constraint, *vocab, span(regex), NULL);
    if (strcmp(file, "-") == 0)
        return constrain_json_schema(constraint, *vocab, span("{}"), &options);
    TRY(file_read(&schema, file, SCHEMA_LIMIT));
    Status st = constrain_json_schema(constraint, *vocab, str_span(&schema), &options);
    str_drop(&schema);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", file);
}

/* What comes. -------------------------------------------------------------------------------------------- */

static bool take_event(void *context, const RequestEvent *event)
{
    Job *job = context;
    bool token = event->kind != EVENT_END;
    if (event->kind != EVENT_PROMPT)
        str_add(&job->text, event->text.at, event->text.n);
    if (job->logprobs && job->json && token)
        json_array_append_new(event->kind == EVENT_PROMPT ? job->prompt_json : job->tokens_json,
                              generate_report_token_json(job->tokenizer, event));
    else if (job->logprobs && !job->json && token)
        generate_report_token(stdout, job->tokenizer, event);
    else if (!job->json && !job->logprobs && event->kind != EVENT_PROMPT)
        show_text(stdout, event->text, job->guard);
    /* a reader that has left (head, less) ends it */
    return job->json || (fflush(stdout) == 0 && !ferror(stdout));
}

static void print_json(const Job *job, const RequestResult *r)
{
    json_t *o = json_pack("{s:o s:o}", "prompt", generate_report_text(str_span(&job->prompt)), "text",
                          generate_report_text(str_span(&job->text)));
    json_t *rest = generate_report_result(r, job->stops.at);
    json_object_update(o, rest);
    json_decref(rest);
    if (job->logprobs)
        json_object_set(o, "logprobs", job->tokens_json);
    if (job->logprobs && args_has(job->args, "prompt-logprobs"))
        json_object_set(o, "prompt_logprobs", job->prompt_json);
    cmd_print_json(o, 6);
    json_decref(o);
}

static void print_end(const Job *job, const RequestResult *r)
{
    if (job->json)
        print_json(job, r);
    else if (!job->logprobs && (job->text.n == 0 || job->text.at[job->text.n - 1] != '\n'))
        putchar('\n');
    fflush(stdout); /* the text ends before words about it begin */
    log_info("prompt: %lld tokens, %.1f tok/s; text: %lld tokens, %.1f tok/s; ended by %s",
             (long long)r->prompt_tokens, generate_report_rate(r->prompt_tokens, r->prompt_s),
             (long long)r->tokens, generate_report_rate(r->tokens, r->tokens_s), finish_name(r->finish));
}

/* Scripts must not take the beginning of a text that a schema allows for one. */
static Status check_whole(const RequestResult *r)
{
    if (!r->cut)
        return ST_OK;
    return fail(ST_FORMAT,
                "the text is only the beginning of one that --schema or --regex allows: it was ended by %s "
                "behind %lld "
                "tokens%s",
                finish_name(r->finish), (long long)r->tokens,
                r->finish == FINISH_LENGTH ? "; give it more with -n" : "");
}

static Status generate_with(Job *job, Engine *e)
{
    Constraint *constraint = NULL;
    ConstrainVocab *vocab = NULL;
    RequestResult result;
    RequestSpec spec = spec_of(job);
    Status st = make_constraint(job, &constraint, &vocab);
    if (st == ST_OK) {
        if (constraint)
            spec.constraint = request_constraint(constraint);
        if (args_has(job->args, "echo") && !job->json)
            fwrite(str_c(&job->prompt), 1, job->prompt.n, stdout);
        st = generate_ids(e, job->ids.at, (int64_t)job->ids.n, &spec, take_event, job, &result);
        if (st == ST_OK) {
            print_end(job, &result);
            st = check_whole(&result);
        }
    }
    constraint_free(constraint);
    constrain_vocab_free(vocab);
    return st;
}

static Status open_and_generate(Job *job, const char *path)
{
    Bundle b;
    Engine *e;
    EngineSetup passes = {.inline_passes = true};
    BundleSetup setup = {
        .threads = (int)job->config.threads, .context = job->config.context, .compute = DTYPE_COUNT};
    if (strcmp(job->config.dtype, "auto") != 0)
        setup.compute = strcmp(job->config.dtype, "bf16") == 0 ? DTYPE_BF16 : DTYPE_F32;
    setup.adapter = args_value(job->args, "adapter");
    TRY(bundle_open(&b, path, &setup));
    job->tokenizer = b.tokenizer;
    Status st = make_ids(job, &b);
    if (st == ST_OK)
        st = engine_open(&e, b.decoder, b.tokenizer, &passes);
    if (st == ST_OK) {
        st = generate_with(job, e);
        engine_close(e);
    }
    bundle_close(&b);
    return st;
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    char *path;
    job->args = args;
    TRY(read_job(job));
    TRY(model_path_find(&path, args_value(job->args, "model")));
    job->tokens_json = json_array();
    job->prompt_json = json_array();
    Status st = open_and_generate(job, path);
    mem_free(path);
    return st;
}

int cmd_generate(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&sampling_table, &job.sampling}, {&generate_table, &job.config}};
    const Command c = {
        .usage = "-m PATH [PROMPT] [flags]",
        .words = "[PROMPT]",
        .empty_words = true,
        .about = "Writes the text that goes on from PROMPT to standard output as it arrives.  Without\n"
                 "PROMPT, or where it is '-', the prompt is standard input, byte for byte.  PATH is a model\n"
                 "folder (config.json, model.safetensors, tokenizer.json or tokenizer.model), a training\n"
                 "run's, or a GGUF file.  A text that --schema or --regex would not take, since it was\n"
                 "cut off, makes the exit status 1.\n"
                 "example: lemur generate -m model.gguf --chat --schema person.json 'Who wrote Faust?'",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    int code = cmd_run(&c, argc, argv, run, &job);
    array_drop(&job.stops);
    array_drop(&job.bias);
    array_drop(&job.ends);
    array_drop(&job.ids);
    json_decref(job.tokens_json);
    json_decref(job.prompt_json);
    str_drop(&job.prompt);
    str_drop(&job.text);
    return code;
}
