/* lemur pack: a corpus into shards of token rows. */
#include "base/cpu.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "corpus/corpus_recipe.h"
#include "corpus/instruct_ledger.h"
#include "corpus/ledger.h"
#include "corpus/pack.h"
#include "corpus/stop.h"

static const Flag flags[] = {
    {"tokenizer", 0, "PATH", "the vocabulary: a folder, tokenizer.json or tokenizer.model"},
    {"output", 'o', "FOLDER", "where the shards go"},
    {"recipe", 'r', "FILE", "takes settings from its section `pack:`; flags win over it"},
    {"threads", 't', "N", "processors to use (0: all)"},
    {"show", 0, "FOLDER", "print the ledger of a packed corpus and do nothing else"},
    {"json", 0, NULL, "print the manifest instead of the ledger"},
};

typedef struct {
    PackConfig config;
    int argc;
    char **argv;
} PackWords;

/* The settings of a recipe; the flags are set again behind it, so that they win over it. */
static Status recipe_apply(PackWords *w, const char *path)
{
    const ArgsTable tables[] = {{&pack_table, &w->config}};
    json_t *section;
    Args again;
    TRY(corpus_recipe_section(&section, path, "pack"));
    config_defaults(&pack_table, &w->config);
    if (!section)
        log_warn("%s has no section `pack:`; settings that no flag gives have their defaults", path);
    Status st = section ? config_from_json(&pack_table, &w->config, section) : ST_OK;
    json_decref(section);
    if (st != ST_OK)
        return fail_in(st, "%s: pack", path);
    st = args_parse(&again, w->argc, w->argv, flags, sizeof flags / sizeof flags[0], tables, 1);
    args_drop(&again);
    return st;
}

static Status show(const Args *args)
{
    json_t *manifest;
    TRY(pack_manifest(&manifest, args_value(args, "show")));
    bool tuned = json_object_get(manifest, "tune");
    cmd_print_manifest(manifest, args_has(args, "json"), tuned ? instruct_ledger_text : ledger_pack_text);
    json_decref(manifest);
    return ST_OK;
}

static Status pack_asked(const Args *args, const PackConfig *config)
{
    const char *vocabulary = args_value(args, "tokenizer"), *folder = args_value(args, "output");
    int threads;
    if (args->positional_n == 0)
        return fail(ST_ARG, "say which corpus: the folder that `lemur corpus build` wrote");
    if (!vocabulary)
        return fail(ST_ARG, "say which vocabulary: --tokenizer PATH");
    if (!folder)
        return fail(ST_ARG, "say where the shards go: -o FOLDER");
    TRY(cmd_threads(&threads, args, cpu_count()));
    TRY(cmd_output_folder(folder, "lemur-shards"));
    Tokenizer *tok;
    json_t *manifest = NULL;
    TRY(tokenizer_open(&tok, vocabulary));
    stop_on_signals();
    Status st = pack(args->positional[0], tok, config, folder, threads, &manifest);
    if (st == ST_OK)
        cmd_print_manifest(manifest, args_has(args, "json"), ledger_pack_text);
    json_decref(manifest);
    tokenizer_close(tok);
    return st;
}

static Status run(const Args *args, void *context)
{
    PackWords *w = context;
    if (args_has(args, "show"))
        return show(args);
    if (args_has(args, "recipe"))
        TRY(recipe_apply(w, args_value(args, "recipe")));
    return pack_asked(args, &w->config);
}

int cmd_pack(int argc, char **argv)
{
    PackWords words = {.argc = argc, .argv = argv};
    const ArgsTable tables[] = {{&pack_table, &words.config}};
    const Command c = {
        .usage = "CORPUS --tokenizer PATH -o FOLDER [flags]   |   --show FOLDER",
        .words = "[CORPUS]",
        .about = "Turns a corpus into rows of tokens: tokenises, mixes code and text at their ratio,\n"
                 "shuffles, cuts into rows of one length, and writes shards with a ledger of what each\n"
                 "source gave.\n"
                 "example: lemur pack corpus --tokenizer vocab --context 1024 -o packed",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    return cmd_run(&c, argc, argv, run, &words);
}
