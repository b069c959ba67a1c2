/* lemur tokenizer eval | train: what a vocabulary makes of texts, and a vocabulary out of texts. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/cmd_tokenizer.h"
#include "corpus/instruct.h"
#include "corpus/reader.h"
#include "tokenizer/bpe_train.h"

/* Reading texts ----------------------------------------------------------------------------------------- */

enum { DOCUMENT_MAX = 1 << 30 }; /* one is held in memory at a time; a corpus build is stricter */

/* Counts a document by its reason, and says what is the matter with the first that cannot be read. */
static void count_document(int64_t *reasons, const Document *d)
{
    if (reasons[d->reason]++ == 0 && d->reason == READ_UNREADABLE)
        log_warn("%.*s", (int)d->why.n, d->why.at);
}

static int64_t skipped_in(const int64_t *reasons)
{
    int64_t sum = 0;
    for (int r = READ_GOOD + 1; r < READ_REASONS; r++)
        sum += reasons[r];
    return sum;
}

static void log_skipped(const int64_t *reasons)
{
    for (int r = READ_GOOD + 1; r < READ_REASONS; r++)
        if (reasons[r])
            log_info("%" PRId64 " document%s passed over: %s", reasons[r], reasons[r] == 1 ? "" : "s",
                     read_reason_names[r]);
}

/* eval -------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t documents, skipped, bytes, tokens;
} Count;

/* Names the first plain path (one without wildcards) that is not there. */
static Status check_paths(const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strpbrk(paths[i], "*?[") && !path_exists(paths[i]))
            return fail(ST_IO, "there is no file or folder %s", paths[i]);
    return ST_OK;
}

static Status count_source(const Tokenizer *tok, const char *path, Count *count)
{
    Reader *r = NULL;
    Document d;
    Ids ids = {0};
    int64_t reasons[READ_REASONS] = {0};
    TokenizerScratch *scratch = tokenizer_scratch_take(tok);
    Status st = reader_open(
        &r, &(ReaderSpec){.patterns = &path, .patterns_n = 1, .max_document_bytes = DOCUMENT_MAX});
    while (st == ST_OK && (st = reader_next(r, &d)) == ST_OK && d.id.at) {
        count_document(reasons, &d);
        if (d.reason != READ_GOOD)
            continue;
        array_clear(&ids);
        st = tokenizer_encode_with(tok, scratch, &ids, d.text.at, d.text.n, 0);
        count->bytes += (int64_t)d.text.n;
        count->tokens += (int64_t)ids.n;
    }
    reader_close(r);
    tokenizer_scratch_give(scratch);
    array_drop(&ids);
    log_skipped(reasons);
    count->documents = reasons[READ_GOOD];
    count->skipped = skipped_in(reasons);
    if (st == ST_OK && count->documents == 0)
        st = fail(ST_FORMAT, "%s holds no text that can be read", path);
    return st;
}

static double ratio(const Count *c)
{
    return c->tokens ? (double)c->bytes / (double)c->tokens : 0;
}

static void add_to_json(json_t *list, const char *vocab, const Tokenizer *tok, const Args *a,
                        const Count *counts)
{
    json_t *sources = json_array();
    for (size_t i = 0; i < a->positional_n; i++)
        json_array_append_new(
            sources, json_pack("{s:s, s:I, s:I, s:I, s:I, s:f}", "source", a->positional[i], "documents",
                               (json_int_t)counts[i].documents, "skipped", (json_int_t)counts[i].skipped,
                               "bytes", (json_int_t)counts[i].bytes, "tokens", (json_int_t)counts[i].tokens,
                               "bytes_per_token", ratio(&counts[i])));
    json_array_append_new(list, json_pack("{s:s, s:i, s:o}", "vocab", vocab, "vocab_size",
                                          tokenizer_vocab_size(tok), "sources", sources));
}

static void print_table(const char *vocab, const Tokenizer *tok, const Args *a, const Count *counts)
{
    printf("%s (%d ids)\n  %12s %12s %12s %12s  source\n", vocab, tokenizer_vocab_size(tok), "documents",
           "bytes", "tokens", "bytes/token");
    Count all = {0};
    for (size_t i = 0; i < a->positional_n; i++) {
        const Count *c = &counts[i];
        printf("  %12" PRId64 " %12" PRId64 " %12" PRId64 " %12.3f  %s\n", c->documents, c->bytes, c->tokens,
               ratio(c), a->positional[i]);
        all = (Count){all.documents + c->documents, 0, all.bytes + c->bytes, all.tokens + c->tokens};
    }
    if (a->positional_n > 1)
        printf("  %12" PRId64 " %12" PRId64 " %12" PRId64 " %12.3f  all\n", all.documents, all.bytes,
               all.tokens, ratio(&all));
}

static Status eval_vocab(const Args *a, const char *vocab, json_t *list)
{
    Tokenizer *tok;
    TRY(tokenizer_open(&tok, vocab));
    Count *counts = mem_array(Count, a->positional_n);
    Status st = ST_OK;
    for (size_t i = 0; i < a->positional_n && st == ST_OK; i++)
        st = count_source(tok, a->positional[i], &counts[i]);
    if (st == ST_OK && list)
        add_to_json(list, vocab, tok, a, counts);
    else if (st == ST_OK)
        print_table(vocab, tok, a, counts);
    mem_free(counts);
    tokenizer_close(tok);
    return st;
}

static Status eval(const Args *args, void *context)
{
    (void)context;
    if (!args_has(args, "vocab"))
        return fail(ST_ARG, "say which vocabulary: --vocab PATH");
    TRY(check_paths(args->positional, args->positional_n));
    json_t *list = args_has(args, "json") ? json_array() : NULL;
    Status st = ST_OK;
    for (size_t i = 0; i < args->given_n && st == ST_OK; i++)
        if (strcmp(args->given[i].flag->name, "vocab") == 0)
            st = eval_vocab(args, args->given[i].value, list);
    if (st == ST_OK && list)
        cmd_print_json(list, 6);
    json_decref(list);
    return st;
}

int cmd_tokenizer_eval(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab", 'v', "PATH",
         "tokenizer.json, tokenizer.model, or a folder that holds one; may be given again"},
        {"json", 0, NULL, "print the result as JSON"},
    };
    const Command c = {
        .usage = "--vocab PATH [--vocab PATH ...] FILE_OR_FOLDER... [--json]",
        .words = "FILE_OR_FOLDER...",
        .about = "Prints how many bytes a token stands for, by source: more is a better fit, and a shorter\n"
                 "sequence.  Reads what `lemur corpus` reads (source trees, text, JSONL, archives).\n"
                 "example: lemur tokenizer eval --vocab mine/ --vocab tokenizer.model /usr/include book.txt",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, eval, NULL);
}

/* train ------------------------------------------------------------------------------------------------- */

typedef Array(const char *) Paths;

static Paths examples_given(const Args *a)
{
    Paths paths = {0};
    size_t place = 0;
    for (const char *path; (path = args_next(a, "examples", &place));)
        array_push(&paths, path);
    return paths;
}

typedef struct {
    BpeTrainer *trainer;
    int64_t weight;            /* of a conversation           */
    InstructExamples examples; /* of a record, memory is kept */
    int64_t conversations;
} Learning;

static void text_take(Learning *l, const Document *d)
{
    bpe_train_add(l->trainer, d->text.at, d->text.n, 1);
}

/* What is said in the conversations of a record, by whomever. */
static void record_take(Learning *l, const Document *d)
{
    json_t *record = json_loadb(d->text.at, d->text.n, JSON_DECODE_ANY, NULL);
    InstructFormat format = record ? instruct_recognise(record) : INSTRUCT_AUTO;
    if (format != INSTRUCT_AUTO)
        instruct_convert(&l->examples, &(InstructOptions){.min_reward = -INFINITY, .language = ""}, format,
                         record);
    for (size_t i = 0; format != INSTRUCT_AUTO && i < l->examples.n; i++) {
        const InstructExample *e = &l->examples.at[i];
        if (e->reason != REJECT_NONE)
            continue;
        for (size_t m = 0; m < e->conversation.messages.n; m++) {
            Span said = e->conversation.messages.at[m].content;
            bpe_train_add(l->trainer, said.at, said.n, l->weight);
        }
        l->conversations++;
    }
    json_decref(record);
}

static Status read_all(Learning *l, Paths paths, bool records)
{
    ReaderSpec spec = {.patterns = paths.at,
                       .patterns_n = paths.n,
                       .format = records ? FORMAT_JSON : FORMAT_AUTO,
                       .max_document_bytes = DOCUMENT_MAX};
    int64_t files, bytes, reasons[READ_REASONS] = {0};
    Reader *r = NULL;
    Document d;
    reader_measure(&spec, &files, &bytes);
    Progress p = progress_start(records ? "reading examples" : "reading", (double)bytes * 1e-6, "MB");
    Status st = reader_open(&r, &spec);
    while (st == ST_OK && (st = records ? reader_next_raw(r, &d) : reader_next(r, &d)) == ST_OK && d.id.at) {
        count_document(reasons, &d);
        if (d.reason == READ_GOOD)
            (records ? record_take : text_take)(l, &d);
        progress_at(&p, (double)reader_consumed(r) * 1e-6);
    }
    progress_end(&p);
    reader_close(r);
    log_skipped(reasons);
    return st;
}

static Status read_texts_and_examples(BpeTrainer *b, const Args *a, Paths examples, int64_t weight)
{
    Learning l = {.trainer = b, .weight = weight};
    Status st = ST_OK;
    if (a->positional_n)
        st = read_all(&l, (Paths){a->positional, a->positional_n, 0}, false);
    if (st == ST_OK && examples.n) {
        st = read_all(&l, examples, true);
        if (st == ST_OK && l.conversations == 0)
            st = fail(ST_FORMAT,
                      "%s holds no conversation that can be read; docs/formats/instruct.md shows the formats",
                      examples.at[0]);
    }
    instruct_examples_drop(&l.examples);
    return st;
}

static void show_merges(void *context, int64_t done, int64_t total)
{
    (void)total;
    progress_at(context, (double)done);
}

static Status learn(const Args *a, Paths examples, int64_t size, int64_t weight, const char *folder)
{
    BpeTrainer *b = bpe_train_new(args_has(a, "single-digits") ? BPE_DIGITS_SINGLE : BPE_DIGITS_IN_THREES);
    Tokenizer *tok = NULL;
    if (args_has(a, "numbers"))
        bpe_train_numbers(b);
    Status st = read_texts_and_examples(b, a, examples, weight);
    if (st == ST_OK) {
        Progress p =
            progress_start("merging", (double)(size > BPE_VOCAB_MIN ? size - BPE_VOCAB_MIN : 0), "pairs");
        st = bpe_train_finish(b, &tok, size, show_merges, &p);
        progress_end(&p);
    }
    if (st == ST_OK)
        st = tokenizer_save(tok, folder);
    if (st == ST_OK) {
        char bytes[32];
        if (tokenizer_vocab_size(tok) < size)
            log_warn("the text has no more pairs that come twice: %d ids instead of %" PRId64,
                     tokenizer_vocab_size(tok), size);
        printf("%s: %d ids learnt from %s, %" PRId64 " distinct words\n", folder, tokenizer_vocab_size(tok),
               human_bytes(bytes, (double)bpe_train_bytes(b)), bpe_train_words(b));
    }
    tokenizer_close(tok);
    bpe_train_free(b);
    return st;
}

static Status train(const Args *args, void *context)
{
    (void)context;
    int64_t size = 32000, weight = 1;
    const char *folder = args_value(args, "output");
    TRY(cmd_number(&size, args, "vocab-size", BPE_VOCAB_MIN, 1 << 24));
    TRY(cmd_number(&weight, args, "weight", 1, 1000000));
    if (!folder)
        return fail(ST_ARG, "say where the vocabulary goes: -o FOLDER");
    if (args_has(args, "numbers") && args_has(args, "single-digits"))
        return fail(ST_ARG, "--single-digits and --numbers exclude each other");
    if (args_has(args, "weight") && !args_has(args, "examples"))
        return fail(ST_ARG, "--weight is the weight of --examples, and there are none");
    TRY(cmd_output_folder(folder, "a vocabulary"));
    if (folder_holds(folder, "config.json")) /* whose ids would mean other words */
        return fail(ST_ARG, "%s holds a model (config.json) that has its vocabulary; choose another folder",
                    folder);
    TRY(check_paths(args->positional, args->positional_n));
    Paths examples = examples_given(args);
    Status st = check_paths(examples.at, examples.n);
    int lock = -1;
    if (st == ST_OK)
        st = folder_make(folder); /* before the work, not behind it */
    if (st == ST_OK)
        st = folder_lock(&lock, folder); /* its files tell of one another */
    if (st == ST_OK)
        st = learn(args, examples, size, weight, folder);
    if (lock >= 0)
        close(lock);
    array_drop(&examples);
    return st;
}

int cmd_tokenizer_train(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab-size", 'n', "N", "ids, special tokens and the 256 bytes included (32000)"},
        {"single-digits", 0, NULL, "each digit is a token, as in Llama 2; else up to three are cut together"},
        {"numbers", 0, NULL, "every number up to 99 is a token, and longer ones are put together of these"},
        {"examples", 0, "FILE",
         "also what is said in these conversations, in any format that lemur tune reads; may be given again"},
        {"weight", 0, "N",
         "count what is said there so many times (1): for words that a small model is to know whole"},
        {"output", 'o', "FOLDER",
         "where tokenizer.json, tokenizer_config.json and special_tokens_map.json go"},
    };
    const Command c = {
        .usage = "--vocab-size N -o FOLDER FILE_OR_FOLDER... [--examples FILE...]",
        .words = "FILE_OR_FOLDER...",
        .about = "Learns a byte-level BPE vocabulary with the ChatML markers, which Hugging Face's\n"
                 "libraries load as well.  Reads what `lemur corpus` reads (source trees, text, JSONL,\n"
                 "archives).\n"
                 "example: lemur tokenizer train --vocab-size 8000 -o vocab/ /usr/lib/python3 book.txt",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, train, NULL);
}
