/* What the commands share.  A command is `int cmd_NAME(int argc, char **argv)` in cmd_NAME.c and an entry in
 * main.c's table; argv[0] is the verb.  It parses, calls the library, turns a Status into an exit code, and
 * holds no logic:
 *
 *     static const Flag flags[] = {{"output", 'o', "FILE", "where the result goes"}};
 *
 *     static Status run(const Args *args, void *context)
 *     {
 *         const PackConfig *config = context;
 *         return pack(config, args->positional[0], args_value(args, "output"));
 *     }
 *
 *     int cmd_pack(int argc, char **argv)
 *     {
 *         PackConfig config = {0};
 *         const ArgsTable tables[] = {{&pack_table, &config}};
 *         const Command c = {.usage = "RECIPE [flags]", .words = "RECIPE", .about = "...",
 *                            COMMAND_FLAGS(flags), COMMAND_TABLES(tables)};
 *         return cmd_run(&c, argc, argv, run, &config);
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
    const char *words; /* those of it that are no flags: "IN [OUT]", "FILE..." one or more, "[FILE...]"; NULL:
                          none */
    bool empty_words;  /* a word may be the empty text */
    const char *about; /* a few lines: what it reads, what it writes */
    const Flag *flags;
    size_t flags_n;
    const ArgsTable *tables; /* fields that flags set */
    size_t tables_n;
} Command;

#define COMMAND_FLAGS(array) .flags = (array), .flags_n = sizeof(array) / sizeof(array)[0]
#define COMMAND_TABLES(array) .tables = (array), .tables_n = sizeof(array) / sizeof(array)[0]

/* A whole command: fills its tables, which start as zeroed memory, with their defaults, parses argv, calls
 * `work` if that went well, drops all of it, and returns the exit code.  -h and --help need no entry among
 * the flags. */
int cmd_run(const Command *c, int argc, char **argv, Status (*work)(const Args *args, void *context),
            void *context);

/* The parsing alone; defaults are in place already.  False: the command is over (help was asked for, or the
 * usage is wrong and was explained): return *code; there is nothing to drop. */
bool cmd_parse(const Command *c, Args *out, int argc, char **argv, int *code);

/* The exit code for `st`; prints this thread's error first where there is one. */
int cmd_exit(Status st);
int cmd_exit_code(Status st); /* the same without a word */

/* The value of a flag that takes a whole number; *out stays where the flag is not given.  ST_ARG: out of
 * bounds, or no number; the sentence names the flag. */
MUST_CHECK Status cmd_number(int64_t *out, const Args *a, const char *flag, int64_t min, int64_t max);

/* The value of --threads, or `otherwise` where it is not given; 0 is all that this process may use.  ST_ARG: no
 * number up to 1024. */
MUST_CHECK Status cmd_threads(int *out, const Args *a, int otherwise);

/* Whether a folder can be made there, as far as can be told without making it.  ST_ARG: it, or what it would
 * lie in, is a file. */
MUST_CHECK Status cmd_folder_possible(const char *folder);

/* Whether a command that writes a folder of manifest format `format` may write into this one.  ST_ARG: no
 * folder is possible there, or it holds something else of ours (a corpus, shards, a run), which would be
 * spoilt; the sentence says what. */
MUST_CHECK Status cmd_output_folder(const char *folder, const char *format);

/* Appends all of a file, or of standard input where `path` is "-".  limit 0: none.  ST_IO, ST_LIMIT. */
MUST_CHECK Status cmd_read_input(Str *out, const char *path, size_t limit);

/* One JSON value and a line end, on stdout.  Reals have that many digits; 0: all that tell them apart. */
void cmd_print_json(const json_t *value, int digits);

/* A manifest as it is, or the table that `ledger` makes of it. */
void cmd_print_manifest(const json_t *manifest, bool as_json,
                        void (*ledger)(Str *out, const json_t *manifest));

int cmd_agent(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_chat(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_corpus(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_env(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_pack(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_run_recipe(int argc, char **argv);
int cmd_study(int argc, char **argv);
int cmd_tokenizer(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_tune(int argc, char **argv);

#endif
