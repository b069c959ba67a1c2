#include "cli/cmd.h"

#include <inttypes.h>
#include <string.h>

#include "base/cpu.h"
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

/* The words that are no flags against c->words: "IN [OUT]", "FILE...". */
static Status check_positional(const Command *c, const Args *a)
{
    size_t i = 0, n;
    for (const char *word = c->words ? c->words : ""; *word; word += n + (word[n] == ' '), i++) {
        n = strcspn(word, " ");
        bool optional = *word == '[', many = n > 4 && memcmp(word + n - 3 - optional, "...", 3) == 0;
        int shown = (int)(many ? n - 3 : n);
        if (i >= a->positional_n && !optional)
            return fail(ST_ARG, "%.*s is missing", shown, word);
        if (i < a->positional_n && !*a->positional[i] && !c->empty_words) /* often an unset variable */
            return fail(ST_ARG, "%.*s is empty", shown - optional * 2, word + optional);
        if (many)
            return ST_OK;
    }
    if (a->positional_n > i)
        return fail(ST_ARG, "'%s' is one word too many", a->positional[i]);
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

int cmd_run(const Command *c, int argc, char **argv, Status (*work)(const Args *args, void *context),
            void *context)
{
    Args args;
    int code;
    for (size_t i = 0; i < c->tables_n; i++)
        config_defaults(c->tables[i].table, c->tables[i].config);
    if (cmd_parse(c, &args, argc, argv, &code)) {
        code = cmd_exit(work(&args, context));
        args_drop(&args);
    }
    for (size_t i = 0; i < c->tables_n; i++)
        config_drop(c->tables[i].table, c->tables[i].config);
    return code;
}

int cmd_exit_code(Status st)
{
    return st == ST_OK          ? EXIT_DONE
           : st == ST_CANCELLED ? EXIT_INTERRUPTED
           : st == ST_ARG       ? EXIT_USAGE
                                : EXIT_FAILED;
}

int cmd_exit(Status st)
{
    const char *text = error_text();
    if (st == ST_CANCELLED)
        log_info("%s", *text ? text : "stopped");
    else if (st != ST_OK)
        log_error("%s", *text ? text : status_name(st));
    return cmd_exit_code(st);
}

Status cmd_number(int64_t *out, const Args *a, const char *flag, int64_t min, int64_t max)
{
    const char *given = args_value(a, flag);
    int64_t n;
    if (!given)
        return ST_OK;
    if (parse_int(&n, given) != ST_OK)
        return fail_in(ST_ARG, "--%s", flag);
    if (n < min || n > max)
        return fail(ST_ARG, "--%s is %s and must be from %" PRId64 " to %" PRId64, flag, given, min, max);
    *out = n;
    return ST_OK;
}

Status cmd_threads(int *out, const Args *a, int otherwise)
{
    int64_t n = otherwise;
    TRY(cmd_number(&n, a, "threads", 0, 1024));
    *out = n ? (int)n : cpu_count();
    return ST_OK;
}

Status cmd_read_input(Str *out, const char *path, size_t limit)
{
    enum { PIECE = 1 << 16 };
    if (strcmp(path, "-") != 0)
        return file_read(out, path, limit);
    size_t n, before = out->n;
    do {
        str_reserve(out, PIECE);
        n = fread(out->at + out->n, 1, PIECE, stdin);
        out->n += n;
        out->at[out->n] = '\0';
        if (limit && out->n - before > limit)
            return fail(ST_LIMIT, "standard input holds more than %zu bytes", limit);
    } while (n > 0);
    return ferror(stdin) ? fail_errno(ST_IO, "cannot read standard input") : ST_OK;
}

void cmd_print_json(const json_t *value, int digits)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION((size_t)(digits ? digits : 17)));
    putchar('\n');
}

void cmd_print_manifest(const json_t *manifest, bool as_json,
                        void (*ledger)(Str *out, const json_t *manifest))
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
        st = fail(ST_ARG, "%s holds something else (its manifest.json says \"%s\"); choose another folder",
                  folder, held);
    json_decref(manifest);
    mem_free(path);
    return st;
}

Status cmd_folder_possible(const char *folder)
{
    char *at = mem_str(folder);
    while (*at && !path_exists(at)) { /* what is there already: the folder, or the nearest one above it */
        char *slash = strrchr(at, '/');
        *(slash ? slash : at) = 0;
    }
    Status st = ST_OK;
    if (*at && !path_is_folder(at))
        st = fail(ST_ARG, "%s is a file and not a folder; remove it or choose another place to write to", at);
    mem_free(at);
    return st;
}

Status cmd_output_folder(const char *folder, const char *format)
{
    TRY(cmd_folder_possible(folder));
    char *log = path_join(folder, "log.jsonl");
    bool is_run = path_exists(log);
    mem_free(log);
    if (is_run)
        return fail(ST_ARG, "%s holds a training run (log.jsonl); choose another folder", folder);
    return other_manifest(folder, format);
}
