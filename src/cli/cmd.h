/* What the commands share.  A command is `int cmd_NAME(int argc, char **argv)` in cmd_NAME.c and an entry in main.c's table;
 * argv[0] is the verb.  It parses, calls the library, turns a Status into an exit code, and holds no logic:
 *
 *     static const Flag flags[] = {{"output", 'o', "FILE", "where the result goes"}};
 *
 *     int cmd_pack(int argc, char **argv)
 *     {
 *         ArgsTable tables[] = {{&pack_table, &config}};
 *         const Command c = {.usage = "RECIPE [flags]", .about = "...", COMMAND_FLAGS(flags), COMMAND_TABLES(tables)};
 *         Args args;
 *         int code;
 *         if (!cmd_parse(&c, &args, argc, argv, &code))
 *             return code;
 *         Status st = ...;
 *         args_drop(&args);
 *         return cmd_exit(st);
 *     }
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "base/config.h"
#include "base/str.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

#define LEMUR_VERSION "0.1.0"

typedef struct {
    const char *usage; /* what follows "lemur VERB " */
    const char *about; /* a few lines: what it reads, what it writes */
    const Flag *flags;
    size_t flags_n;
    const ArgsTable *tables; /* fields that flags set, with their defaults in place */
    size_t tables_n;
    size_t positional_min, positional_max; /* max 0: no positional words; COMMAND_MANY: any number */
} Command;

enum { COMMAND_MANY = 1 << 30 };
#define COMMAND_FLAGS(array) .flags = (array), .flags_n = sizeof(array) / sizeof(array)[0]
#define COMMAND_TABLES(array) .tables = (array), .tables_n = sizeof(array) / sizeof(array)[0]

/* Parses argv.  False: the command is over (help was asked for, or the usage is wrong and was explained): return *code;
 * there is nothing to drop.  -h and --help need no entry among the flags. */
bool cmd_parse(const Command *c, Args *out, int argc, char **argv, int *code);

/* The exit code for `st`; prints this thread's error first where there is one. */
int cmd_exit(Status st);

/* Says that `verb` has no part `word`, and which one is near; says nothing about an empty word. */
void cmd_unknown_part(const char *verb, const char *word, const char *const *parts, size_t n);

/* The value of --threads, or `otherwise` where it is not given.  ST_ARG: no number from 1 to 1024. */
MUST_CHECK Status cmd_threads(int *out, const Args *a, int otherwise);

/* Whether a command that writes a folder of manifest format `format` may write into this one.  ST_ARG: it holds something
 * else of ours (a corpus, shards, a run), which would be spoilt; the sentence says what. */
MUST_CHECK Status cmd_output_folder(const char *folder, const char *format);

/* One JSON value and a line end, on stdout.  Reals have that many digits; 0: all that tell them apart. */
void cmd_print_json(const json_t *value, int digits);

/* A manifest as it is, or the table that `ledger` makes of it. */
void cmd_print_manifest(const json_t *manifest, bool as_json, void (*ledger)(Str *out, const json_t *manifest));

int cmd_bench(int argc, char **argv);
int cmd_corpus(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_pack(int argc, char **argv);
int cmd_tokenizer(int argc, char **argv);
int cmd_train(int argc, char **argv);

#endif
