#include "corpus/corpus_recipe.h"

#include <string.h>

#include "corpus/shard.h"

static const char *const dedup_names[] = {"exact", "none", NULL};
static const char *const kind_names[] = {"code", "text", NULL};
static const char *const format_choices[] = {"auto", "tree", "text", "jsonl", NULL};

static const Field recipe_fields[] = {
    F_INT(CorpusRecipe, seed, 1, 0, 1e18, "decides which documents are held out"),
    F_FLOAT(CorpusRecipe, held_out, 0.01, 0, 0.5, "share of documents kept for validation"),
    F_INT(CorpusRecipe, max_document_bytes, READ_MAX_DEFAULT, 1, 1000000000, "longer documents are not used"),
    F_CHOICE(CorpusRecipe, dedup, "exact", dedup_names, "which repeated documents are dropped"),
    F_BOOL(CorpusRecipe, keep_rejected, false, "write what the rules drop into rejected/"),
};
static const FieldTable recipe_table = FIELD_TABLE(recipe_fields);

static const Field source_fields[] = {
    F_STRING(CorpusSource, name, "", "letters, digits, '.', '_', '-'; names its files"),
    F_CHOICE(CorpusSource, kind, "text", kind_names,
             "which rules clean it, and which side of the ratio it is on"),
    F_STRING(CorpusSource, language, "", "a programming language, or en, de, ..."),
    F_CHOICE(CorpusSource, format, "auto", format_choices, "how documents lie in its files"),
    F_STRING(CorpusSource, text_key, "", "JSONL: where the text is; without it \"text\", then \"content\""),
    F_STRING(CorpusSource, separator, "", "text: cuts a file into documents"),
    F_INT(CorpusSource, limit, 0, 0, 1e18, "bytes of text to keep; 0: all"),
    F_FLOAT(CorpusSource, weight, 1, 0, 1e6, "how often it is packed, next to others of its kind"),
    F_FLOAT(CorpusSource, held_out, -1, -1, 0.5, "share of documents kept for validation; -1: the recipe's"),
    F_BOOL(CorpusSource, optional, false, "finding no file is no error"),
};
static const FieldTable source_table = FIELD_TABLE(source_fields);

void corpus_recipe_drop(CorpusRecipe *r)
{
    for (size_t i = 0; i < r->sources_n; i++) {
        recipe_words_drop(&r->sources[i].paths);
        recipe_words_drop(&r->sources[i].excludes);
        recipe_words_drop(&r->sources[i].members);
        config_drop(&source_table, &r->sources[i]);
    }
    mem_free(r->sources);
    config_drop(&recipe_table, r);
    *r = (CorpusRecipe){0};
}

/* `clean:` of the recipe: a map with a map for text and one for code. */
static Status clean_take(CleanText *text, CleanCode *code, json_t *object)
{
    json_t *clean = json_object_get(object, "clean");
    if (!clean)
        return ST_OK;
    const char *key;
    json_t *value;
    json_object_foreach(clean, key, value)
    {
        Status st = ST_OK;
        if (strcmp(key, "text") == 0)
            st = config_from_json(&clean_text_table, text, value);
        else if (strcmp(key, "code") == 0)
            st = config_from_json(&clean_code_table, code, value);
        else if (key[0] != '\001')
            st = fail(ST_ARG, "'%s' is neither text nor code", key);
        if (st != ST_OK)
            return fail_in(st, "clean");
    }
    json_object_del(object, "clean");
    return ST_OK;
}

/* `clean:` of one source: the thresholds of its kind, without a map between. */
static Status source_clean(CorpusSource *s, const json_t *clean)
{
    if (!clean)
        return ST_OK;
    bool is_code = strcmp(s->kind, "code") == 0;
    Status st = is_code ? config_from_json(&clean_code_table, &s->code, clean)
                        : config_from_json(&clean_text_table, &s->text, clean);
    return st == ST_OK ? ST_OK : fail_in(st, "clean");
}

static Status source_check(const CorpusRecipe *r, const CorpusSource *s)
{
    if (!recipe_name_is_plain(s->name))
        return fail(ST_ARG, "a source needs a name of letters, digits, '.', '_' and '-', and '%s' is none",
                    s->name);
    for (size_t i = 0; &r->sources[i] < s; i++)
        if (strcmp(r->sources[i].name, s->name) == 0)
            return fail(ST_ARG, "two sources are named %s", s->name);
    if (s->paths.n == 0)
        return fail(ST_ARG, "source %s has no path: give a file, a folder or a pattern, or a list of them",
                    s->name);
    return ST_OK;
}

/* `rest` loses the keys that are no fields. */
static Status source_take(CorpusSource *s, json_t *rest)
{
    TRY(recipe_words_take(&s->paths, rest, "path"));
    TRY(recipe_words_take(&s->excludes, rest, "exclude"));
    TRY(recipe_words_take(&s->members, rest, "members"));
    if (!json_object_get(rest, "kind"))
        return fail(ST_ARG, "it must say kind: code or kind: text");
    json_object_del(rest, "clean");
    return config_from_json(&source_table, s, rest);
}

static Status source_read(CorpusRecipe *r, CorpusSource *s, const json_t *entry)
{
    if (!json_is_object(entry))
        return fail(ST_ARG, "a source must be a map with name, kind and path");
    s->text = r->text;
    s->code = r->code;
    json_t *rest = json_copy((json_t *)(uintptr_t)entry);
    Status st = source_take(s, rest);
    json_decref(rest);
    TRY(st);
    TRY(source_clean(s, json_object_get(entry, "clean")));
    if (s->held_out < 0)
        s->held_out = r->held_out;
    return source_check(r, s);
}

static Status sources_read(CorpusRecipe *r, const json_t *list)
{
    size_t n = json_array_size(list);
    if (n < 1 || n > SHARD_SOURCES_MAX)
        return fail(ST_ARG, "sources must be a list of 1 to %d sources", SHARD_SOURCES_MAX);
    r->sources = mem_array(CorpusSource, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_array_get(list, i);
        CorpusSource *s = &r->sources[r->sources_n++];
        config_defaults(&source_table, s);
        Status st = source_read(r, s, entry);
        if (st != ST_OK)
            return fail_in(st, "source %zu (line %d)", i + 1, config_line(entry));
    }
    return ST_OK;
}

static Status recipe_from_json(CorpusRecipe *r, const json_t *file)
{
    json_t *section = json_object_get(file, "corpus");
    if (!json_is_object(section))
        return fail(ST_ARG, "it has no section `corpus:` with a list of sources");
    json_t *rest = json_copy(section);
    json_t *sources = json_incref(json_object_get(rest, "sources"));
    json_object_del(rest, "sources");
    Status st = clean_take(&r->text, &r->code, rest);
    if (st == ST_OK)
        st = config_from_json(&recipe_table, r, rest);
    if (st == ST_OK)
        st = sources_read(r, sources);
    json_decref(sources);
    json_decref(rest);
    return st;
}

static void recipe_defaults(CorpusRecipe *r)
{
    *r = (CorpusRecipe){0};
    config_defaults(&recipe_table, r);
    config_defaults(&clean_text_table, &r->text);
    config_defaults(&clean_code_table, &r->code);
}

Status corpus_recipe_take(CorpusRecipe *out, const json_t *file)
{
    recipe_defaults(out);
    return recipe_from_json(out, file);
}

Status corpus_recipe_read(CorpusRecipe *out, const char *path)
{
    json_t *file;
    recipe_defaults(out); /* to be dropped, whatever comes */
    TRY(config_read_yaml(&file, path));
    Status st = recipe_from_json(out, file);
    json_decref(file);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}

Status corpus_recipe_parse(CorpusRecipe *out, const char *text, size_t n, const char *name)
{
    json_t *file;
    recipe_defaults(out); /* to be dropped, whatever comes */
    TRY(config_parse_yaml(&file, text, n, name));
    Status st = recipe_from_json(out, file);
    json_decref(file);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", name);
}

Status corpus_recipe_section(json_t **out, const char *path, const char *name)
{
    json_t *file;
    *out = NULL;
    TRY(config_read_yaml(&file, path));
    *out = json_incref(json_object_get(file, name));
    json_decref(file);
    return ST_OK;
}

json_t *corpus_recipe_to_json(const CorpusRecipe *r)
{
    json_t *all = config_to_json(&recipe_table, r), *sources = json_array();
    for (size_t i = 0; i < r->sources_n; i++) {
        const CorpusSource *s = &r->sources[i];
        json_t *one = config_to_json(&source_table, s);
        json_object_set_new(one, "path", recipe_words_to_json(&s->paths));
        json_object_set_new(one, "exclude", recipe_words_to_json(&s->excludes));
        json_object_set_new(one, "members", recipe_words_to_json(&s->members));
        json_object_set_new(one, "clean",
                            strcmp(s->kind, "code") == 0 ? config_to_json(&clean_code_table, &s->code)
                                                         : config_to_json(&clean_text_table, &s->text));
        json_array_append_new(sources, one);
    }
    json_object_set_new(all, "sources", sources);
    return all;
}

ReaderSpec corpus_recipe_spec(const CorpusRecipe *r, size_t source)
{
    const CorpusSource *s = &r->sources[source];
    ReadFormat format = FORMAT_AUTO;
    while (strcmp(read_format_names[format], s->format) != 0)
        format++;
    return (ReaderSpec){
        .patterns = (const char *const *)s->paths.at,
        .patterns_n = s->paths.n,
        .excludes = (const char *const *)s->excludes.at,
        .excludes_n = s->excludes.n,
        .members = (const char *const *)s->members.at,
        .members_n = s->members.n,
        .format = format,
        .text_key = *s->text_key ? s->text_key : NULL,
        .separator = *s->separator ? s->separator : NULL,
        .max_document_bytes = r->max_document_bytes,
    };
}
