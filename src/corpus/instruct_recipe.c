#include "corpus/instruct_recipe.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

static const char *const kind_names[] = {"text", "code", NULL};
static const char *const paths_names[] = {"best", "all", NULL};
static const char *const packing_names[] = {"packed", "single", NULL};
static const char *const too_long_names[] = {"reject", "cut", NULL};
static const char *const mix_names[] = {"examples", "tokens", NULL};
static const char *const marker_names[] = {"add", "text", NULL};

static const Field config_fields[] = {
    F_INT(InstructConfig, context, 0, 0, SHARD_ROW_TOKENS_MAX - 1,
          "longest example, and context length; 0: the model's, at most 2048"),
    F_CHOICE(InstructConfig, packing, "packed", packing_names,
             "packed: whole examples share a row and do not see each other; single: one a row"),
    F_CHOICE(InstructConfig, too_long, "reject", too_long_names,
             "an example longer than the context: kept aside, or cut behind an answer"),
    F_CHOICE(InstructConfig, mix, "examples", mix_names, "what total and share count"),
    F_INT(InstructConfig, total, 0, 0, 1e15, "size of the mix; 0: every source as often as its weight says"),
    F_FLOAT(InstructConfig, max_repeats, 4, 0.001, 1e9, "how often a source may be repeated"),
    F_FLOAT(InstructConfig, held_out, 0.01, 0, 0.5, "share of examples kept for validation"),
    F_FLOAT(InstructConfig, max_rejected, 0.5, 0, 1,
            "refuse a source of which more than this share is broken"),
    F_BOOL(InstructConfig, dedup, true, "use an example that occurs twice once"),
    F_STRING(InstructConfig, template, "", "chat template; default: the model's own, else chatml"),
    F_STRING(InstructConfig, system, "",
             "system prompt of conversations without one; default: the template's"),
    F_CHOICE(InstructConfig, markers, "add", marker_names,
             "template marks that the vocabulary lacks: added to it as special tokens, or spelled out"),
    F_INT(InstructConfig, max_record_bytes, READ_MAX_DEFAULT, 1, 1000000000, "longer records are not read"),
    F_INT(InstructConfig, shard_rows, 65536, 1, 1e9, "rows of one shard file"),
};
const FieldTable instruct_table = FIELD_TABLE(config_fields);

static const Field source_fields[] = {
    F_STRING(InstructSource, name, "", "letters, digits, '.', '_', '-'"),
    F_CHOICE(InstructSource, kind, "text", kind_names, "how its losses and tokens are counted"),
    F_CHOICE(InstructSource, format, "auto", instruct_format_names, "how its records are written"),
    F_CHOICE(InstructSource, paths, "best", paths_names, "oasst: the best-ranked path of a tree, or all"),
    F_STRING(InstructSource, language, "", "oasst: messages in this language only, such as en"),
    F_INT(InstructSource, limit, 0, 0, 1e15, "examples to use at most, drawn from all; 0: no limit"),
    F_FLOAT(InstructSource, weight, 1, 0, 1e6, "how often each example is used"),
    F_FLOAT(InstructSource, share, 0, 0, 1e9, "parts of the mix; every source has one, or none has"),
    F_FLOAT(InstructSource, held_out, -1, -1, 0.5, "share of examples kept for validation; -1: the recipe's"),
    F_FLOAT(InstructSource, min_reward, -1e300, -1e300, 1e300, "transcripts below this are kept aside"),
    F_BOOL(InstructSource, trim, false,
           "drop answers before the first question, and what follows the last answer"),
    F_BOOL(InstructSource, optional, false, "finding no file is no error"),
};
static const FieldTable source_table = FIELD_TABLE(source_fields);

void instruct_recipe_defaults(InstructRecipe *out)
{
    config_defaults(&instruct_table, &out->config);
}

static void source_drop(InstructSource *s)
{
    recipe_words_drop(&s->path);
    recipe_words_drop(&s->excludes);
    recipe_words_drop(&s->members);
    config_drop(&source_table, s);
}

void instruct_recipe_drop(InstructRecipe *r)
{
    for (size_t i = 0; i < r->sources_n; i++)
        source_drop(&r->sources[i]);
    mem_free(r->sources);
    config_drop(&instruct_table, &r->config);
    *r = (InstructRecipe){0};
}

static InstructSource *source_new(InstructRecipe *r)
{
    r->sources = mem_resize(r->sources, r->sources_n + 1, sizeof *r->sources);
    InstructSource *s = &r->sources[r->sources_n++];
    memset(s, 0, sizeof *s);
    config_defaults(&source_table, s);
    return s;
}

static bool name_is_taken(const InstructRecipe *r, const char *name)
{
    for (size_t i = 0; i + 1 < r->sources_n; i++)
        if (strcmp(r->sources[i].name, name) == 0)
            return true;
    return false;
}

static Status source_check(const InstructRecipe *r, const InstructSource *s)
{
    if (r->sources_n > SHARD_SOURCES_MAX)
        return fail(ST_ARG, "there are more than %d sources", SHARD_SOURCES_MAX);
    if (!recipe_name_is_plain(s->name))
        return fail(ST_ARG, "a source needs a name of letters, digits, '.', '_' and '-', and '%s' is none",
                    s->name);
    if (name_is_taken(r, s->name))
        return fail(ST_ARG, "two sources are named %s", s->name);
    if (s->path.n == 0)
        return fail(ST_ARG, "source %s has no path: give a file, a folder or a pattern, or a list of them",
                    s->name);
    return ST_OK;
}

static Status source_take(InstructRecipe *r, const json_t *entry)
{
    if (!json_is_object(entry))
        return fail(ST_ARG, "a source must be a map with name, kind and path");
    InstructSource *s = source_new(r);
    json_t *rest = json_copy((json_t *)(uintptr_t)entry);
    Status st = recipe_words_take(&s->path, rest, "path");
    if (st == ST_OK)
        st = recipe_words_take(&s->excludes, rest, "exclude");
    if (st == ST_OK)
        st = recipe_words_take(&s->members, rest, "members");
    if (st == ST_OK && !json_object_get(rest, "kind"))
        st = fail(ST_ARG, "it must say kind: code or kind: text");
    if (st == ST_OK)
        st = config_from_json(&source_table, s, rest);
    json_decref(rest);
    TRY(st);
    if (s->held_out < 0)
        s->held_out = r->config.held_out;
    return source_check(r, s);
}

static Status sources_take(InstructRecipe *r, const json_t *list)
{
    if (!json_is_array(list) || json_array_size(list) == 0)
        return fail(ST_ARG, "sources must be a list of sources");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        Status st = source_take(r, entry);
        if (st != ST_OK)
            return fail_in(st, "source %zu (line %d)", i + 1, config_line(entry));
    }
    return ST_OK;
}

Status instruct_recipe_take(InstructRecipe *r, json_t *section)
{
    Status st = ST_OK;
    json_t *mine = json_object();
    for (size_t i = 0; i < instruct_table.n; i++) {
        const char *name = instruct_table.fields[i].name, *key;
        json_t *value;
        void *next;
        json_object_foreach_safe(section, next, key, value)
        {
            if (!config_same_name(key, name))
                continue;
            json_object_set(mine, name, value);
            json_object_del(section, key);
        }
    }
    st = config_from_json(&instruct_table, &r->config, mine);
    json_decref(mine);
    json_t *sources = json_object_get(section, "sources");
    if (st == ST_OK && sources)
        st = sources_take(r, sources);
    json_object_del(section, "sources");
    return st;
}

/* "data/evol-code.jsonl.gz" -> "evol-code", made plain and different from the others. */
static char *name_from(const InstructRecipe *r, const char *path)
{
    char *base = mem_str(path);
    for (size_t n = strlen(base); n > 1 && base[n - 1] == '/'; n--)
        base[n - 1] = 0;
    char *name = mem_str(path_base(base)), *dot = strchr(name + (*name == '.'), '.');
    mem_free(base);
    if (dot)
        *dot = 0;
    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *c))
            *c = '_';
    if (name[0] == '.' || !*name)
        name[0] = '_';
    if (strlen(name) > 80)
        name[80] = 0;
    for (int k = 2; name_is_taken(r, name); k++) {
        char *other = mem_format("%.80s-%d", name, k);
        bool taken = name_is_taken(r, other);
        if (!taken) {
            mem_free(name);
            return other;
        }
        mem_free(other);
    }
    return name;
}

Status instruct_recipe_add_file(InstructRecipe *r, const char *path, const char *format)
{
    if (!*path)
        return fail(ST_ARG, "the name of a file of examples is empty");
    InstructSource *s = source_new(r);
    char *name = name_from(r, path);
    Status st = config_set(&source_table, s, "name", name);
    if (st == ST_OK && format)
        st = config_set(&source_table, s, "format", format);
    mem_free(name);
    TRY(st);
    s->held_out = r->config.held_out;
    recipe_words_add(&s->path, path);
    return source_check(r, s);
}

json_t *instruct_recipe_to_json(const InstructRecipe *r)
{
    json_t *all = config_to_json(&instruct_table, &r->config), *list = json_array();
    for (size_t i = 0; i < r->sources_n; i++) {
        const InstructSource *s = &r->sources[i];
        json_t *one = config_to_json(&source_table, s);
        json_object_set_new(one, "path", recipe_words_to_json(&s->path));
        json_object_set_new(one, "exclude", recipe_words_to_json(&s->excludes));
        json_object_set_new(one, "members", recipe_words_to_json(&s->members));
        json_array_append_new(list, one);
    }
    json_object_set_new(all, "sources", list);
    return all;
}

ReaderSpec instruct_recipe_spec(const InstructRecipe *r, size_t source)
{
    const InstructSource *s = &r->sources[source];
    return (ReaderSpec){
        .patterns = (const char *const *)s->path.at,
        .patterns_n = s->path.n,
        .excludes = (const char *const *)s->excludes.at,
        .excludes_n = s->excludes.n,
        .members = (const char *const *)s->members.at,
        .members_n = s->members.n,
        .format = FORMAT_JSON,
        .max_document_bytes = r->config.max_record_bytes,
    };
}

InstructOptions instruct_recipe_options(const InstructSource *s)
{
    return (InstructOptions){.all_paths = strcmp(s->paths, "all") == 0,
                             .language = s->language,
                             .min_reward = s->min_reward,
                             .trim = s->trim};
}
