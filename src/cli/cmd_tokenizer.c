/* lemur tokenizer encode | decode | eval | train | show */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "corpus/reader.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/tokenizer.h"

static const char vocab_help[] = "tokenizer.json, tokenizer.model, or a folder that holds one";

/* Opens the last --vocab. */
static Status open_vocab(Tokenizer **out, const Args *a)
{
    const char *path = args_value(a, "vocab");
    return path ? tokenizer_open(out, path) : fail(ST_ARG, "say which vocabulary: --vocab PATH");
}

static Status read_input(Str *out, const char *path)
{
    if (strcmp(path, "-") != 0)
        return file_read(out, path, 0);
    size_t n;
    do {
        str_reserve(out, 1 << 16);
        n = fread(out->at + out->n, 1, 1 << 16, stdin);
        out->n += n;
        out->at[out->n] = '\0';
    } while (n > 0);
    return ferror(stdin) ? fail_errno(ST_IO, "cannot read standard input") : ST_OK;
}

static Status write_output(const Str *text)
{
    if (fwrite(str_c(text), 1, text->n, stdout) != text->n)
        return fail_errno(ST_IO, "cannot write to standard output");
    return ST_OK;
}

/* \n \t \r \0 \\ \" \' \xHH, as in C. */
static Status unescape(Str *out, const char *s)
{
    static const char letters[] = "ntr0\\\"'abfv", values[] = "\n\t\r\0\\\"'\a\b\f\v";
    for (; *s; s++) {
        if (*s != '\\') {
            str_addc(out, *s);
            continue;
        }
        s++;
        const char *letter = *s ? strchr(letters, *s) : NULL;
        unsigned value;
        int taken = 0;
        if (letter) {
            str_addc(out, values[letter - letters]);
        } else if (*s == 'x' && sscanf(s + 1, "%2x%n", &value, &taken) == 1) {
            str_addc(out, (char)value);
            s += taken;
        } else {
            return fail(ST_ARG, "--separator: '\\%c' is not an escape; \\n \\t \\r \\0 \\\\ \\xHH are", *s ? *s : ' ');
        }
    }
    return ST_OK;
}

/* encode ------------------------------------------------------------------------------------------------------------- */

static Status encode_one(const Tokenizer *tok, TokenizerScratch *scratch, Span text, int flags, Ids *ids, Str *line)
{
    array_clear(ids);
    str_clear(line);
    TRY(tokenizer_encode_with(tok, scratch, ids, text.at, text.n, flags));
    for (size_t i = 0; i < ids->n; i++)
        str_addf(line, i ? " %" PRId32 : "%" PRId32, ids->at[i]);
    str_addc(line, '\n');
    return write_output(line);
}

/* What follows the last separator is a document only where it is not empty; a file without separator is one. */
static Status encode_documents(const Tokenizer *tok, const Str *text, const Str *separator, int flags)
{
    TokenizerScratch *scratch = tokenizer_scratch_take(tok);
    Ids ids = {0};
    Str line = {0};
    Status st = ST_OK;
    const char *at = str_c(text), *end = at + text->n;
    do {
        const char *stop = separator->n ? memmem(at, (size_t)(end - at), separator->at, separator->n) : NULL;
        st = encode_one(tok, scratch, (Span){at, (size_t)((stop ? stop : end) - at)}, flags, &ids, &line);
        at = stop ? stop + separator->n : end;
    } while (st == ST_OK && at < end);
    tokenizer_scratch_give(scratch);
    array_drop(&ids);
    str_drop(&line);
    return st;
}

static int run_encode(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab", 'v', "PATH", vocab_help},
        {"separator", 's', "TEXT", "cut the file into documents here; C escapes such as \\n are understood"},
        {"no-bos", 0, NULL, "do not put the begin-of-text id in front, also where the vocabulary asks for it"},
        {"eos", 0, NULL, "put the end-of-text id behind each document"},
        {"special", 0, NULL, "text that spells a special token becomes that token"},
        {"raw", 0, NULL, "no dummy space in front (SentencePiece)"},
    };
    const Command c = {.usage = "--vocab PATH FILE [flags]",
                       .about = "Prints the ids of a file, one line a document.  FILE - is standard input.\n"
                                "example: lemur tokenizer encode --vocab tokenizer.model --separator '\\n' --no-bos lines.txt",
                       COMMAND_FLAGS(flags),
                       .positional_min = 1,
                       .positional_max = 1};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    Tokenizer *tok = NULL;
    Str text = {0}, separator = {0};
    int how = (args_has(&args, "no-bos") ? 0 : TOK_BOS) | (args_has(&args, "eos") ? TOK_EOS : 0) |
              (args_has(&args, "special") ? TOK_SPECIAL : 0) | (args_has(&args, "raw") ? TOK_RAW : 0);
    Status st = args_has(&args, "separator") ? unescape(&separator, args_value(&args, "separator")) : ST_OK;
    if (st == ST_OK)
        st = open_vocab(&tok, &args);
    if (st == ST_OK)
        st = read_input(&text, args.positional[0]);
    if (st == ST_OK)
        st = encode_documents(tok, &text, &separator, how);
    str_drop(&text);
    str_drop(&separator);
    tokenizer_close(tok);
    args_drop(&args);
    return cmd_exit(st);
}

/* decode ------------------------------------------------------------------------------------------------------------- */

static Status parse_ids(Ids *out, Span line, int64_t number)
{
    for (size_t i = 0; i < line.n;) {
        if (line.at[i] == ' ' || line.at[i] == '\t' || line.at[i] == '\r' || line.at[i] == ',') {
            i++;
            continue;
        }
        int64_t v = 0;
        size_t start = i;
        for (; i < line.n && line.at[i] >= '0' && line.at[i] <= '9' && v < INT32_MAX; i++)
            v = v * 10 + (line.at[i] - '0');
        if (i == start || v > INT32_MAX)
            return fail(ST_ARG, "line %" PRId64 ", column %zu: an id is a whole number", number, start + 1);
        array_push(out, (int32_t)v);
    }
    return ST_OK;
}

static Status decode_lines(const Tokenizer *tok, const Str *lines, const Str *separator, bool special, bool raw)
{
    Detok d = {0};
    Ids ids = {0};
    Str text = {0};
    Status st = ST_OK;
    const char *at = str_c(lines), *end = at + lines->n;
    for (int64_t number = 1; at < end && st == ST_OK; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        array_clear(&ids);
        str_clear(&text);
        if (number > 1)
            str_add(&text, separator->at, separator->n);
        detok_start(&d, tok, special);
        d.started = raw;
        st = parse_ids(&ids, (Span){at, (size_t)((stop ? stop : end) - at)}, number);
        for (size_t i = 0; i < ids.n && st == ST_OK; i++)
            st = detok_push(&d, &text, ids.at[i]);
        detok_flush(&d, &text);
        st = st == ST_OK ? write_output(&text) : st;
        at = stop ? stop + 1 : end;
    }
    detok_drop(&d);
    array_drop(&ids);
    str_drop(&text);
    return st;
}

static int run_decode(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab", 'v', "PATH", vocab_help},
        {"separator", 's', "TEXT", "what to write between the texts of two lines (\\n)"},
        {"special", 0, NULL, "show special tokens"},
        {"raw", 0, NULL, "keep the space in front of the first piece: the ids go on from other text"},
    };
    const Command c = {.usage = "--vocab PATH [FILE] [flags]",
                       .about = "Prints the text that ids stand for, byte for byte; a line of ids is a document.  Without FILE, or\n"
                                "with -, ids come from standard input.\n"
                                "example: echo 15043 3186 | lemur tokenizer decode --vocab tokenizer.model",
                       COMMAND_FLAGS(flags),
                       .positional_max = 1};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    Tokenizer *tok = NULL;
    Str lines = {0}, separator = {0};
    Status st = unescape(&separator, args_has(&args, "separator") ? args_value(&args, "separator") : "\\n");
    if (st == ST_OK)
        st = open_vocab(&tok, &args);
    if (st == ST_OK)
        st = read_input(&lines, args.positional_n ? args.positional[0] : "-");
    if (st == ST_OK)
        st = decode_lines(tok, &lines, &separator, args_has(&args, "special"), args_has(&args, "raw"));
    str_drop(&lines);
    str_drop(&separator);
    tokenizer_close(tok);
    args_drop(&args);
    return cmd_exit(st);
}

/* eval --------------------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t documents, skipped, bytes, tokens;
} Count;

static Status count_source(const Tokenizer *tok, const char *path, Count *count)
{
    Reader *r = NULL;
    Document d;
    Ids ids = {0};
    TokenizerScratch *scratch = tokenizer_scratch_take(tok);
    Status st = reader_open(&r, &(ReaderSpec){.patterns = &path, .patterns_n = 1});
    while (st == ST_OK && (st = reader_next(r, &d)) == ST_OK && d.id.at) {
        if (d.reason != READ_GOOD) {
            count->skipped++;
            continue;
        }
        array_clear(&ids);
        st = tokenizer_encode_with(tok, scratch, &ids, d.text.at, d.text.n, 0);
        count->documents++;
        count->bytes += (int64_t)d.text.n;
        count->tokens += (int64_t)ids.n;
    }
    reader_close(r);
    tokenizer_scratch_give(scratch);
    array_drop(&ids);
    if (st == ST_OK && count->documents == 0)
        st = fail(ST_ARG, "%s holds no text that can be read (%" PRId64 " documents passed over)", path, count->skipped);
    return st;
}

static double ratio(const Count *c)
{
    return c->tokens ? (double)c->bytes / (double)c->tokens : 0;
}

static void add_to_json(json_t *list, const char *vocab, const Tokenizer *tok, const Args *a, const Count *counts)
{
    json_t *sources = json_array();
    for (size_t i = 0; i < a->positional_n; i++)
        json_array_append_new(sources, json_pack("{s:s, s:I, s:I, s:I, s:I, s:f}", "source", a->positional[i], "documents",
                                                 (json_int_t)counts[i].documents, "skipped", (json_int_t)counts[i].skipped,
                                                 "bytes", (json_int_t)counts[i].bytes, "tokens", (json_int_t)counts[i].tokens,
                                                 "bytes_per_token", ratio(&counts[i])));
    json_array_append_new(list, json_pack("{s:s, s:i, s:o}", "vocab", vocab, "vocab_size", tokenizer_vocab_size(tok), "sources",
                                          sources));
}

static void print_table(const char *vocab, const Tokenizer *tok, const Args *a, const Count *counts)
{
    printf("%s (%d ids)\n  %12s %12s %12s %12s  source\n", vocab, tokenizer_vocab_size(tok), "documents", "bytes", "tokens",
           "bytes/token");
    Count all = {0};
    for (size_t i = 0; i < a->positional_n; i++) {
        const Count *c = &counts[i];
        printf("  %12" PRId64 " %12" PRId64 " %12" PRId64 " %12.3f  %s\n", c->documents, c->bytes, c->tokens, ratio(c), a->positional[i]);
        all = (Count){all.documents + c->documents, 0, all.bytes + c->bytes, all.tokens + c->tokens};
    }
    if (a->positional_n > 1)
        printf("  %12" PRId64 " %12" PRId64 " %12" PRId64 " %12.3f  all\n", all.documents, all.bytes, all.tokens, ratio(&all));
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

static int run_eval(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab", 'v', "PATH", "tokenizer.json, tokenizer.model, or a folder that holds one; may be given again"},
        {"json", 0, NULL, "print the result as JSON"},
    };
    const Command c = {.usage = "--vocab PATH [--vocab PATH ...] FILE_OR_FOLDER... [--json]",
                       .about = "Prints how many bytes a token stands for, by source: more is a better fit, and a shorter sequence.\n"
                                "Reads what `lemur corpus` reads (source trees, text, JSONL, archives).\n"
                                "example: lemur tokenizer eval --vocab mine/ --vocab tokenizer.model /usr/include book.txt",
                       COMMAND_FLAGS(flags),
                       .positional_min = 1,
                       .positional_max = COMMAND_MANY};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    json_t *list = args_has(&args, "json") ? json_array() : NULL;
    Status st = args_has(&args, "vocab") ? ST_OK : fail(ST_ARG, "say which vocabulary: --vocab PATH");
    for (size_t i = 0; i < args.given_n && st == ST_OK; i++)
        if (strcmp(args.given[i].flag->name, "vocab") == 0)
            st = eval_vocab(&args, args.given[i].value, list);
    if (st == ST_OK && list) {
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
    }
    json_decref(list);
    args_drop(&args);
    return cmd_exit(st);
}

/* train -------------------------------------------------------------------------------------------------------------- */

static Status read_all(BpeTrainer *b, const Args *a)
{
    ReaderSpec spec = {.patterns = a->positional, .patterns_n = a->positional_n};
    int64_t files, bytes, skipped = 0;
    Reader *r = NULL;
    Document d;
    reader_measure(&spec, &files, &bytes);
    Progress p = progress_start("reading", (double)bytes * 1e-6, "MB");
    Status st = reader_open(&r, &spec);
    while (st == ST_OK && (st = reader_next(r, &d)) == ST_OK && d.id.at) {
        if (d.reason == READ_GOOD)
            bpe_train_add(b, d.text.at, d.text.n);
        skipped += d.reason != READ_GOOD;
        progress_at(&p, (double)reader_consumed(r) * 1e-6);
    }
    progress_end(&p);
    reader_close(r);
    if (skipped)
        log_info("%" PRId64 " documents passed over: binary, empty, too long or not UTF-8", skipped);
    return st;
}

static void show_merges(void *context, int64_t done, int64_t total)
{
    (void)total;
    progress_at(context, (double)done);
}

static Status learn(const Args *a, int64_t size, const char *folder)
{
    BpeTrainer *b = bpe_train_new();
    Tokenizer *tok = NULL;
    Status st = read_all(b, a);
    if (st == ST_OK) {
        Progress p = progress_start("merging", (double)(size > BPE_VOCAB_MIN ? size - BPE_VOCAB_MIN : 0), "pairs");
        st = bpe_train_finish(b, &tok, size, show_merges, &p);
        progress_end(&p);
    }
    if (st == ST_OK)
        st = tokenizer_save(tok, folder);
    if (st == ST_OK) {
        char bytes[32];
        if (tokenizer_vocab_size(tok) < size)
            log_warn("the text has no more pairs that come twice: %d ids instead of %" PRId64, tokenizer_vocab_size(tok), size);
        printf("%s: %d ids learnt from %s, %" PRId64 " distinct words\n", folder, tokenizer_vocab_size(tok),
               human_bytes(bytes, (double)bpe_train_bytes(b)), bpe_train_words(b));
    }
    tokenizer_close(tok);
    bpe_train_free(b);
    return st;
}

static int run_train(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab-size", 'n', "N", "ids, special tokens and the 256 bytes included (32000)"},
        {"output", 'o', "FOLDER", "where tokenizer.json, tokenizer_config.json and special_tokens_map.json go"},
    };
    const Command c = {.usage = "--vocab-size N -o FOLDER FILE_OR_FOLDER...",
                       .about = "Learns a byte-level BPE vocabulary with the ChatML markers, which Hugging Face's libraries load as well.\n"
                                "Reads what `lemur corpus` reads (source trees, text, JSONL, archives).\n"
                                "example: lemur tokenizer train --vocab-size 8000 -o vocab/ /usr/lib/python3 book.txt",
                       COMMAND_FLAGS(flags),
                       .positional_min = 1,
                       .positional_max = COMMAND_MANY};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    int64_t size = 32000;
    const char *folder = args_value(&args, "output"), *given = args_value(&args, "vocab-size");
    Status st = given ? parse_int(&size, given) : ST_OK;
    if (st == ST_OK && !folder)
        st = fail(ST_ARG, "say where the vocabulary goes: -o FOLDER");
    if (st == ST_OK && size < BPE_VOCAB_MIN)
        st = fail(ST_ARG, "--vocab-size must be at least %d: the bytes and the special tokens", (int)BPE_VOCAB_MIN);
    if (st == ST_OK)
        st = learn(&args, size, folder);
    args_drop(&args);
    return cmd_exit(st);
}

/* show --------------------------------------------------------------------------------------------------------------- */

static void show_text(const Tokenizer *tok)
{
    enum { SHOWN = 24 };
    int32_t n = tokenizer_vocab_size(tok), longest = 0, specials = 0, unused = 0;
    for (int32_t id = 0; id < n; id++) {
        specials += tokenizer_is_special(tok, id);
        unused += tokenizer_piece(tok, id).n == 0;
        if (!tokenizer_is_special(tok, id) && tokenizer_text(tok, id).n > tokenizer_text(tok, longest).n)
            longest = id;
    }
    printf("kind      %s, from a %s\n", tokenizer_kind(tok) == VOCAB_SPM ? "SentencePiece BPE" : "byte-level BPE", tokenizer_format(tok));
    printf("ids       %d, %d of them special, %d without a piece\n", n, specials, unused);
    printf("begin     %d%s\nend       %d\n", tokenizer_bos(tok), tokenizer_adds_bos(tok) ? ", put in front of a text" : "", tokenizer_eos(tok));
    printf("longest   id %d, %zu bytes\n", longest, tokenizer_text(tok, longest).n);
    printf("hash      %016" PRIx64 "\nspecial\n", tokenizer_hash(tok));
    int32_t shown = 0;
    for (int32_t id = 0; id < n && shown < SHOWN; id++)
        if (tokenizer_is_special(tok, id)) {
            Span p = tokenizer_piece(tok, id);
            printf("  %7d  %.*s\n", id, (int)p.n, p.at);
            shown++;
        }
    if (specials > shown)
        printf("  and %d more\n", specials - shown);
}

static void show_json(const Tokenizer *tok)
{
    json_t *specials = json_object();
    for (int32_t id = 0; id < tokenizer_vocab_size(tok); id++)
        if (tokenizer_is_special(tok, id))
            json_object_setn_new(specials, tokenizer_piece(tok, id).at, tokenizer_piece(tok, id).n, json_integer(id));
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, tokenizer_hash(tok));
    json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:b, s:s, s:o}", "kind", tokenizer_kind(tok) == VOCAB_SPM ? "spm" : "bbpe",
                          "format", tokenizer_format(tok), "vocab_size", tokenizer_vocab_size(tok), "bos", tokenizer_bos(tok), "eos",
                          tokenizer_eos(tok), "adds_bos", tokenizer_adds_bos(tok), "hash", hash, "special", specials);
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}

static int run_show(int argc, char **argv)
{
    static const Flag flags[] = {{"vocab", 'v', "PATH", vocab_help}, {"json", 0, NULL, "print the result as JSON"}};
    const Command c = {.usage = "--vocab PATH [--json]",
                       .about = "Prints what a vocabulary is: kind, size, special tokens, hash.\n"
                                "example: lemur tokenizer show --vocab tokenizer.model",
                       COMMAND_FLAGS(flags)};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code))
        return code;
    Tokenizer *tok = NULL;
    Status st = open_vocab(&tok, &args);
    if (st == ST_OK && args_has(&args, "json"))
        show_json(tok);
    else if (st == ST_OK)
        show_text(tok);
    tokenizer_close(tok);
    args_drop(&args);
    return cmd_exit(st);
}

int cmd_tokenizer(int argc, char **argv)
{
    static const struct {
        const char *word;
        char name[24];
        int (*run)(int argc, char **argv);
    } parts[] = {{"encode", "tokenizer encode", run_encode}, {"decode", "tokenizer decode", run_decode},
                 {"eval", "tokenizer eval", run_eval},       {"train", "tokenizer train", run_train},
                 {"show", "tokenizer show", run_show}};
    static char name[24];
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(word, parts[i].word) == 0) {
            snprintf(name, sizeof name, "%s", parts[i].name);
            argv[1] = name;
            return parts[i].run(argc - 1, argv + 1);
        }
    bool help = strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
    fputs("usage: lemur tokenizer encode --vocab PATH FILE          text to ids\n"
          "       lemur tokenizer decode --vocab PATH [FILE]        ids to text\n"
          "       lemur tokenizer eval --vocab PATH FILES...        bytes a token stands for, by source\n"
          "       lemur tokenizer train --vocab-size N -o FOLDER FILES...\n"
          "       lemur tokenizer show --vocab PATH                 what a vocabulary is\n"
          "lemur tokenizer WORD --help says more about one.\n",
          help ? stdout : stderr);
    return help ? EXIT_DONE : EXIT_USAGE;
}
