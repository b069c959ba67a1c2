/* lemur pack: a corpus into shards of token rows. */
#include "base/cpu.h"
#include "cli/cmd.h"
#include "corpus/corpus_recipe.h"
#include "corpus/ledger.h"
#include "corpus/pack.h"
#include "corpus/stop.h"

static const Flag flags[] = {
    {"tokenizer", 0, "PATH", "the vocabulary: a folder, tokenizer.json or tokenizer.model"},
    {"output", 'o', "FOLDER", "where the shards go"},
    {"recipe", 'r', "FILE", "takes settings from its section `pack:`; flags win over it"},
    {"threads", 't', "N", "processors to use (all)"},
    {"show", 0, "FOLDER", "print the ledger of a packed corpus and do nothing else"},
    {"json", 0, NULL, "print the manifest instead of the ledger"},
};

static Status recipe_apply(PackConfig *config, const char *path)
{
    json_t *section;
    TRY(corpus_recipe_section(&section, path, "pack"));
    Status st = section ? config_from_json(&pack_table, config, section) : ST_OK;
    json_decref(section);
    return st == ST_OK ? ST_OK : fail_in(st, "%s: pack", path);
}

static Status show(const Args *args)
{
    json_t *manifest;
    TRY(pack_manifest(&manifest, args_value(args, "show")));
    cmd_print_manifest(manifest, args_has(args, "json"), ledger_pack_text);
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

int cmd_pack(int argc, char **argv)
{
    PackConfig config = {0};
    config_defaults(&pack_table, &config);
    ArgsTable tables[] = {{&pack_table, &config}};
    const Command c = {
        .usage = "CORPUS --tokenizer PATH -o FOLDER [flags]   |   --show FOLDER",
        .about =
            "Turns a corpus into rows of tokens: tokenises, mixes code and text at their ratio, shuffles,\n"
            "cuts into rows of one length, and writes shards with a ledger of what each source gave.",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
        .positional_max = 1};
    Args args;
    int code;
    if (!cmd_parse(&c, &args, argc, argv, &code)) {
        config_drop(&pack_table, &config);
        return code;
    }
    Status st = ST_OK;
    if (args_has(&args, "show")) {
        st = show(&args);
    } else if (args_has(&args, "recipe")) {
        /* The flags are set again behind the recipe, so that they win over it. */
        config_defaults(&pack_table, &config);
        st = recipe_apply(&config, args_value(&args, "recipe"));
        args_drop(&args);
        Status again = args_parse(&args, argc, argv, flags, sizeof flags / sizeof flags[0], tables, 1);
        st = st == ST_OK ? again : st;
    }
    if (st == ST_OK && !args_has(&args, "show"))
        st = pack_asked(&args, &config);
    args_drop(&args);
    config_drop(&pack_table, &config);
    return cmd_exit(st);
}
