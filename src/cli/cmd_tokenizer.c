/* lemur tokenizer encode | decode | eval | train | show */
#include <inttypes.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/cmd_tokenizer.h"
#include "cli/parts.h"
#include "tokenizer/tokenizer.h"

static const char vocab_help[] = "tokenizer.json, tokenizer.model, or a folder that holds one";

/* Opens the last --vocab. */
static Status open_vocab(Tokenizer **out, const Args *a)
{
    const char *path = args_value(a, "vocab");
    return path ? tokenizer_open(out, path) : fail(ST_ARG, "say which vocabulary: --vocab PATH");
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
            return fail(ST_ARG, "--separator: '\\%c' is not an escape; \\n \\t \\r \\0 \\\\ \\xHH are",
                        *s ? *s : ' ');
        }
    }
    return ST_OK;
}

/* encode ------------------------------------------------------------------------------------------------ */

static Status encode_one(const Tokenizer *tok, TokenizerScratch *scratch, Span text, int flags, Ids *ids,
                         Str *line)
{
    array_clear(ids);
    str_clear(line);
    TRY(tokenizer_encode_with(tok, scratch, ids, text.at, text.n, flags));
    for (size_t i = 0; i < ids->n; i++)
        str_addf(line, i ? " %" PRId32 : "%" PRId32, ids->at[i]);
    str_addc(line, '\n');
    return write_output(line);
}

/* What follows the last separator is a document only where it is not empty; a file without separator is one.
 */
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

static Status encode(const Args *args, void *context)
{
    (void)context;
    Status st;
    Tokenizer *tok = NULL;
    Str text = {0}, separator = {0};
    int how = (args_has(args, "no-bos") ? 0 : TOK_BOS) | (args_has(args, "eos") ? TOK_EOS : 0) |
              (args_has(args, "special") ? TOK_SPECIAL : 0) | (args_has(args, "raw") ? TOK_RAW : 0);
    if (args_has(args, "separator"))
        TRY_TO(done, unescape(&separator, args_value(args, "separator")));
    TRY_TO(done, open_vocab(&tok, args));
    TRY_TO(done, cmd_read_input(&text, args->positional[0], 0));
    st = encode_documents(tok, &text, &separator, how);
done:
    str_drop(&text);
    str_drop(&separator);
    tokenizer_close(tok);
    return st;
}

static int run_encode(int argc, char **argv)
{
    static const Flag flags[] = {
        {"vocab", 'v', "PATH", vocab_help},
        {"separator", 's', "TEXT", "cut the file into documents here; C escapes such as \\n are understood"},
        {"no-bos", 0, NULL,
         "do not put the begin-of-text id in front, also where the vocabulary asks for it"},
        {"eos", 0, NULL, "put the end-of-text id behind each document"},
        {"special", 0, NULL, "text that spells a special token becomes that token"},
        {"raw", 0, NULL, "no dummy space in front (SentencePiece)"},
    };
    const Command c = {
        .usage = "--vocab PATH FILE [flags]",
        .words = "FILE",
        .about =
            "Prints the ids of a file, one line a document.  FILE - is standard input.\n"
            "example: lemur tokenizer encode --vocab tokenizer.model --separator '\\n' --no-bos lines.txt",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, encode, NULL);
}

/* decode ------------------------------------------------------------------------------------------------ */

/* One id; `column` counts from 1. */
static Status parse_id(int32_t *out, Span word, int32_t vocab, int64_t line, size_t column)
{
    enum { SHOWN = 32 };
    int64_t v = 0;
    size_t sign = word.n > 1 && word.at[0] == '-', i = sign;
    for (; i < word.n && word.at[i] >= '0' && word.at[i] <= '9'; i++)
        v = v < vocab ? v * 10 + (word.at[i] - '0') : v;
    int n = 0; /* bytes that can be shown */
    while (n < SHOWN && (size_t)n < word.n && word.at[n] > ' ' && word.at[n] <= '~')
        n++;
    const char *dots = (size_t)n < word.n ? "..." : "";
    if (i < word.n)
        return fail(ST_ARG, "line %" PRId64 ", column %zu: '%.*s%s' is no id; ids are whole numbers, 0 to %d",
                    line, column, n, word.at, dots, vocab - 1);
    if (sign || v >= vocab)
        return fail(ST_ARG,
                    "line %" PRId64 ", column %zu: the vocabulary has no id %.*s%s; its ids are 0 to %d",
                    line, column, n, word.at, dots, vocab - 1);
    *out = (int32_t)v;
    return ST_OK;
}

static Status parse_ids(Ids *out, Span line, int32_t vocab, int64_t number)
{
    static const char blanks[] = " \t\r,";
    for (size_t i = 0, start; i < line.n; i++) {
        for (start = i; i < line.n && !memchr(blanks, line.at[i], sizeof blanks - 1); i++)
            ;
        if (i == start)
            continue;
        int32_t id = 0;
        TRY(parse_id(&id, (Span){line.at + start, i - start}, vocab, number, start + 1));
        array_push(out, id);
    }
    return ST_OK;
}

static Status decode_lines(const Tokenizer *tok, const Str *lines, const Str *separator, bool special,
                           bool raw)
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
        Span line = {at, (size_t)((stop ? stop : end) - at)};
        st = parse_ids(&ids, line, tokenizer_vocab_size(tok), number);
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

static Status decode(const Args *args, void *context)
{
    (void)context;
    Status st;
    Tokenizer *tok = NULL;
    Str lines = {0}, separator = {0};
    TRY_TO(done, unescape(&separator, args_has(args, "separator") ? args_value(args, "separator") : "\\n"));
    TRY_TO(done, open_vocab(&tok, args));
    TRY_TO(done, cmd_read_input(&lines, args->positional_n ? args->positional[0] : "-", 0));
    st = decode_lines(tok, &lines, &separator, args_has(args, "special"), args_has(args, "raw"));
done:
    str_drop(&lines);
    str_drop(&separator);
    tokenizer_close(tok);
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
    const Command c = {
        .usage = "--vocab PATH [FILE] [flags]",
        .words = "[FILE]",
        .about = "Prints the text that ids stand for, byte for byte; a line of ids is a document.  Without\n"
                 "FILE, or with -, ids come from standard input.\n"
                 "example: echo 15043 3186 | lemur tokenizer decode --vocab tokenizer.model",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, decode, NULL);
}

/* show -------------------------------------------------------------------------------------------------- */

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
    printf("kind      %s, from a %s\n",
           tokenizer_kind(tok) == VOCAB_SPM ? "SentencePiece BPE" : "byte-level BPE", tokenizer_format(tok));
    printf("ids       %d, %d of them special, %d without a piece\n", n, specials, unused);
    printf("begin     %d%s\nend       %d\n", tokenizer_bos(tok),
           tokenizer_adds_bos(tok) ? ", put in front of a text" : "", tokenizer_eos(tok));
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
            json_object_setn_new(specials, tokenizer_piece(tok, id).at, tokenizer_piece(tok, id).n,
                                 json_integer(id));
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, tokenizer_hash(tok));
    json_t *o = json_pack(
        "{s:s, s:s, s:i, s:i, s:i, s:b, s:s, s:o}", "kind", tokenizer_kind(tok) == VOCAB_SPM ? "spm" : "bbpe",
        "format", tokenizer_format(tok), "vocab_size", tokenizer_vocab_size(tok), "bos", tokenizer_bos(tok),
        "eos", tokenizer_eos(tok), "adds_bos", tokenizer_adds_bos(tok), "hash", hash, "special", specials);
    cmd_print_json(o, 0);
    json_decref(o);
}

static Status show(const Args *args, void *context)
{
    (void)context;
    Tokenizer *tok;
    TRY(open_vocab(&tok, args));
    if (args_has(args, "json"))
        show_json(tok);
    else
        show_text(tok);
    tokenizer_close(tok);
    return ST_OK;
}

static int run_show(int argc, char **argv)
{
    static const Flag flags[] = {{"vocab", 'v', "PATH", vocab_help},
                                 {"json", 0, NULL, "print the result as JSON"}};
    const Command c = {.usage = "--vocab PATH [--json]",
                       .about = "Prints what a vocabulary is: kind, size, special tokens, hash.\n"
                                "example: lemur tokenizer show --vocab tokenizer.model",
                       COMMAND_FLAGS(flags)};
    return cmd_run(&c, argc, argv, show, NULL);
}

int cmd_tokenizer(int argc, char **argv)
{
    static const Part parts[] = {
        {"encode", "--vocab PATH FILE", "text to ids", run_encode, false},
        {"decode", "--vocab PATH [FILE]", "ids to text", run_decode, false},
        {"eval", "--vocab PATH FILE_OR_FOLDER...", "bytes a token stands for, by source", cmd_tokenizer_eval,
         false},
        {"train", "-n N -o FOLDER FILE_OR_FOLDER...", "texts to a vocabulary of N ids", cmd_tokenizer_train,
         false},
        {"show", "--vocab PATH", "what a vocabulary is", run_show, false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
