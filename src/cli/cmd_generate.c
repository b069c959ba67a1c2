/* lemur generate: a prompt in, the text that goes on from it out. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "infer/bundle.h"
#include "infer/generate.h"

enum { PROMPT_LIMIT = 64 << 20 };

typedef struct {
    int64_t top_k, seed, threads, context;
    double temp, top_p, min_p, repetition_penalty;
    char *dtype;
} GenerateConfig;

static const char *const dtype_names[] = {"auto", "bf16", "f32", NULL};
static const Field generate_fields[] = {
    F_FLOAT(GenerateConfig, temp, 0.8, 0, 100, "temperature; 0: always the most likely token"),
    F_INT(GenerateConfig, top_k, 0, 0, 1e9, "sample among the k most likely tokens; 0: among all"),
    F_FLOAT(GenerateConfig, top_p, 1, 0, 1, "sample among the fewest tokens that reach this probability"),
    F_FLOAT(GenerateConfig, min_p, 0, 0, 1,
            "sample among tokens at least this likely relative to the most likely"),
    F_FLOAT(GenerateConfig, repetition_penalty, 1, 0.01, 100,
            "makes tokens that occurred less likely; 1: does not"),
    F_INT(GenerateConfig, seed, 0, 0, 9e18, "one seed, one text"),
    F_INT(GenerateConfig, context, 0, 0, 1e7, "positions; 0: the model's own, at most 4096"),
    F_INT(GenerateConfig, threads, 0, 0, 4096, "0: all this process may use"),
    F_CHOICE(GenerateConfig, dtype, "auto", dtype_names,
             "of weights and products; auto: bf16 where it is fast"),
};
static const FieldTable generate_table = FIELD_TABLE(generate_fields);

static const Flag flags[] = {
    {"model", 'm', "DIR", "model folder, or the folder of a training run"},
    {"max-tokens", 'n', "N", "new tokens, at most (128)"},
    {"stop", 0, "TEXT", "ends the text where this would appear; may be given more than once"},
    {"ignore-eos", 0, NULL, "go on past the token that ends a text"},
    {"raw", 0, NULL, "the prompt's bytes alone: no begin-of-text token and no space in front"},
    {"special", 0, NULL, "the prompt may spell special tokens, such as <|im_start|>"},
    {"echo", 0, NULL, "print the prompt before the text"},
    {"json", 0, NULL, "one JSON object instead of text as it arrives"},
};

/* What the words of the command line come to. */
typedef struct {
    GenerateConfig config;
    const Args *args;
    Str prompt;
    int64_t max_tokens;
    Array(const char *) stops;
    Str text; /* for --json */
    bool json;
} Job;

static Status read_prompt(Job *job)
{
    const char *word = job->args->positional_n ? job->args->positional[0] : "-";
    if (strcmp(word, "-") == 0)
        return cmd_read_input(&job->prompt, word, PROMPT_LIMIT);
    str_adds(&job->prompt, word);
    return ST_OK;
}

static Status read_job(Job *job)
{
    const Args *a = job->args;
    job->max_tokens = 128;
    job->json = args_has(a, "json");
    TRY(cmd_number(&job->max_tokens, a, "max-tokens", 0, INT64_MAX));
    for (size_t i = 0; i < a->given_n; i++)
        if (strcmp(a->given[i].flag->name, "stop") == 0)
            array_push(&job->stops, a->given[i].value);
    if (!args_value(a, "model"))
        return fail(ST_ARG, "which model? name its folder with -m DIR");
    return read_prompt(job);
}

static GenerateOptions options_of(const Job *job, const Bundle *b)
{
    const GenerateConfig *c = &job->config;
    bool raw = args_has(job->args, "raw"), special = args_has(job->args, "special");
    return (GenerateOptions){
        .max_tokens = job->max_tokens,
        .sampler = {.temperature = c->temp, .top_k = c->top_k, .top_p = c->top_p, .min_p = c->min_p,
                    .repetition_penalty = c->repetition_penalty, .seed = (uint64_t)c->seed},
        .stops = job->stops.at, .stops_n = job->stops.n,
        .ends = b->ends.at, .ends_n = args_has(job->args, "ignore-eos") ? 0 : b->ends.n,
        .prompt_flags = (raw ? TOK_RAW : TOK_BOS) | (special ? TOK_SPECIAL : 0),
    };
}

/* A reader that has left (head, less) ends the generation. */
static bool print_text(void *context, const char *text, size_t n)
{
    Job *job = context;
    str_add(&job->text, text, n);
    return job->json || (fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0);
}

static double rate(int64_t n, double seconds)
{
    return seconds > 0 ? (double)n / seconds : 0;
}

/* JSON holds text only: bytes that are none, as a model may write, become U+FFFD. */
static json_t *json_text(const Str *s)
{
    Str clean = {0};
    for (size_t i = 0; i < s->n;) {
        uint32_t c;
        int n = utf8_decode(&c, s->at + i, s->n - i);
        str_add_utf8(&clean, n ? c : 0xFFFD);
        i += n ? (size_t)n : 1;
    }
    json_t *text = json_stringn(str_c(&clean), clean.n);
    str_drop(&clean);
    return text;
}

static void print_json(const Job *job, const GenerateResult *r)
{
    json_t *o = json_pack("{s:o s:o s:I s:I s:s s:f s:f s:f s:f}", "prompt", json_text(&job->prompt), "text",
                          json_text(&job->text), "prompt_tokens", (json_int_t)r->prompt_tokens, "tokens",
                          (json_int_t)r->tokens, "end", generate_end_name(r->end), "prompt_s", r->prompt_s,
                          "tokens_s", r->tokens_s, "prompt_tokens_per_s", rate(r->prompt_tokens, r->prompt_s),
                          "tokens_per_s", rate(r->tokens, r->tokens_s));
    if (r->stop >= 0)
        json_object_set_new(o, "stop", json_string(job->stops.at[r->stop]));
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(o);
}

static void print_end(const Job *job, const GenerateResult *r)
{
    if (job->json)
        print_json(job, r);
    else if (job->text.n == 0 || job->text.at[job->text.n - 1] != '\n')
        putchar('\n');
    fflush(stdout); /* the text ends before words about it begin */
    log_info("prompt: %lld tokens, %.1f tok/s; text: %lld tokens, %.1f tok/s; ended by %s",
             (long long)r->prompt_tokens, rate(r->prompt_tokens, r->prompt_s), (long long)r->tokens,
             rate(r->tokens, r->tokens_s), generate_end_name(r->end));
}

static Status generate_with(Job *job, const Bundle *b)
{
    Generator *g;
    GenerateResult result;
    GenerateOptions o = options_of(job, b);
    TRY(generate_open(&g, b->model, b->tokenizer));
    if (args_has(job->args, "echo") && !job->json)
        fwrite(str_c(&job->prompt), 1, job->prompt.n, stdout);
    Status st = generate_text(g, str_c(&job->prompt), job->prompt.n, &o, print_text, job, &result);
    if (st == ST_OK)
        print_end(job, &result);
    generate_close(g);
    return st;
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    char *folder;
    Bundle b;
    job->args = args;
    TRY(read_job(job));
    BundleSetup setup = {.threads = (int)job->config.threads, .context = job->config.context,
                         .compute = DTYPE_COUNT};
    if (strcmp(job->config.dtype, "auto") != 0)
        setup.compute = strcmp(job->config.dtype, "bf16") == 0 ? DTYPE_BF16 : DTYPE_F32;
    TRY(model_folder_find(&folder, args_value(job->args, "model")));
    Status st = bundle_open(&b, folder, &setup);
    mem_free(folder);
    TRY(st);
    st = generate_with(job, &b);
    bundle_close(&b);
    return st;
}

int cmd_generate(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&generate_table, &job.config}};
    const Command c = {
        .usage = "-m DIR [PROMPT] [flags]",
        .words = "[PROMPT]",
        .empty_words = true,
        .about = "Writes the text that goes on from PROMPT to standard output as it arrives.  Without\n"
                 "PROMPT, or where it is '-', the prompt is standard input, byte for byte.  DIR is a model\n"
                 "folder (config.json, model.safetensors, tokenizer.json or tokenizer.model) or a training\n"
                 "run's.",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    int code = cmd_run(&c, argc, argv, run, &job);
    array_drop(&job.stops);
    str_drop(&job.prompt);
    str_drop(&job.text);
    return code;
}
