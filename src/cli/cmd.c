#include "cli/cmd.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static void print_help(const Command *c, const char *verb)
{
    printf("usage: lemur %s %s\n\n%s\n", verb, c->usage, c->about);
    puts("\nflags:");
    args_help(stdout, c->flags, c->flags_n);
    printf("  %-28s %s\n", "-h, --help", "this text");
    if (c->tables_n)
        puts("\nsettings (default; bounds):");
    for (size_t i = 0; i < c->tables_n; i++)
        config_help(c->tables[i].table, stdout);
}

static Status check_positional(const Command *c, const Args *a)
{
    if (a->positional_n < c->positional_min)
        return fail(ST_ARG, "something is missing: %zu of %zu words given", a->positional_n, c->positional_min);
    if (a->positional_n > c->positional_max)
        return fail(ST_ARG, "'%s' is one word too many", a->positional[c->positional_max]);
    return ST_OK;
}

bool cmd_parse(const Command *c, Args *out, int argc, char **argv, int *code)
{
    *code = EXIT_DONE;
    *out = (Args){0};
    if (wants_help(argc, argv)) {
        print_help(c, argv[0]);
        return false;
    }
    Status st = args_parse(out, argc, argv, c->flags, c->flags_n, c->tables, c->tables_n);
    if (st == ST_OK)
        st = check_positional(c, out);
    if (st == ST_OK)
        return true;
    args_drop(out);
    *code = cmd_exit(st);
    log_error("usage: lemur %s %s", argv[0], c->usage);
    return false;
}

int cmd_exit(Status st)
{
    if (st == ST_OK)
        return EXIT_DONE;
    const char *text = error_text();
    if (st == ST_CANCELLED) {
        log_info("%s", *text ? text : "stopped");
        return EXIT_INTERRUPTED;
    }
    log_error("%s", *text ? text : status_name(st));
    return st == ST_ARG ? EXIT_USAGE : EXIT_FAILED;
}

Status cmd_threads(int *out, const Args *a, int otherwise)
{
    const char *given = args_value(a, "threads");
    int64_t n = otherwise;
    if (given)
        TRY(parse_int(&n, given));
    if (n < 1 || n > 1024)
        return fail(ST_ARG, "--threads must be from 1 to 1024");
    *out = (int)n;
    return ST_OK;
}

void cmd_print_json(const json_t *value, int digits)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION((size_t)(digits ? digits : 17)));
    putchar('\n');
}

void cmd_print_manifest(const json_t *manifest, bool as_json, void (*ledger)(Str *out, const json_t *manifest))
{
    Str text = {0};
    if (as_json) {
        cmd_print_json(manifest, 0);
        return;
    }
    ledger(&text, manifest);
    fputs(str_c(&text), stdout);
    str_drop(&text);
}

static Status other_manifest(const char *folder, const char *format)
{
    char *path = path_join(folder, "manifest.json");
    json_t *manifest = path_exists(path) ? json_load_file(path, 0, NULL) : NULL;
    const char *held = json_string_value(json_object_get(manifest, "format"));
    Status st = ST_OK;
    if (held && strcmp(held, format) != 0)
        st = fail(ST_ARG, "%s holds something else (its manifest.json says \"%s\"); choose another folder", folder, held);
    json_decref(manifest);
    mem_free(path);
    return st;
}

Status cmd_output_folder(const char *folder, const char *format)
{
    char *log = path_join(folder, "log.jsonl");
    bool is_run = path_exists(log);
    mem_free(log);
    if (is_run)
        return fail(ST_ARG, "%s holds a training run (log.jsonl); choose another folder", folder);
    return other_manifest(folder, format);
}

void cmd_unknown_part(const char *verb, const char *word, const char *const *parts, size_t n)
{
    const char *near = nearest_name(word, parts, n);
    if (*word && near)
        log_error("%s has no part '%s'; did you mean '%s'?", verb, word, near);
    else if (*word)
        log_error("%s has no part '%s'", verb, word);
}
