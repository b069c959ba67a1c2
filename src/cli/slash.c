#include "cli/slash.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { NAMES = 64 };

Span slash_word(Span *words)
{
    size_t n = 0;
    while (n < words->n && !strchr(" \t\n=", words->at[n]))
        n++;
    Span word = {words->at, n};
    *words = span_trim((Span){words->at + n, words->n - n});
    if (words->n && words->at[0] == '=')
        *words = span_trim((Span){words->at + 1, words->n - 1});
    return word;
}

/* Commands ----------------------------------------------------------------------------------------------- */

void slash_names(const char **names, size_t most, const SlashCommand *table)
{
    size_t n = 0;
    for (; table->name && n < most; table++)
        names[n++] = table->name;
    names[n] = NULL;
}

void slash_help(FILE *out, const SlashCommand *table)
{
    for (; table->name; table++) {
        char *left = mem_format("%s %s", table->name, table->words);
        fprintf(out, "  %-22s %s\n", left, table->about);
        mem_free(left);
    }
    fputs("A line that ends with \\ goes on in the next; \"\"\" begins a message of many lines and \"\"\" "
          "ends it.\n"
          "Ctrl-C stops an answer, Ctrl-D leaves.  A message that begins with / is written with two: //.\n",
          out);
}

static size_t count(const char *const *names)
{
    size_t n = 0;
    while (names[n])
        n++;
    return n;
}

Status slash_run(const SlashCommand *table, void *self, Span line, bool *over)
{
    Span words = line, name = slash_word(&words);
    const char *names[NAMES + 1];
    for (const SlashCommand *c = table; c->name; c++)
        if (span_is(name, c->name))
            return !*c->words && words.n ? fail(ST_ARG, "%s takes no words", c->name)
                                         : c->run(self, words, over);
    slash_names(names, NAMES, table);
    char *given = mem_strn(name.at, name.n);
    const char *near = nearest_name(given, names, count(names));
    Status st =
        fail(ST_ARG,
             "there is no command %s; %s%s%s/help lists them, and a message that begins with / is written "
             "with two",
             given, near ? "do you mean " : "", near ? near : "", near ? "? " : "");
    mem_free(given);
    return st;
}

/* Settings ----------------------------------------------------------------------------------------------- */

void slash_setting_names(const char **names, size_t most, const ArgsTable *tables, size_t n)
{
    size_t at = 0;
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < tables[t].table->n && at < most; i++)
            names[at++] = tables[t].table->fields[i].name;
    names[at] = NULL;
}

static void show(FILE *out, const ArgsTable *t, const Field *field)
{
    json_t *all = config_to_json(t->table, t->config);
    char *value = json_dumps(json_object_get(all, field->name), JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    fprintf(out, "  %-20s %-8s %s\n", field->name, value ? value : "", field->help);
    free(value);
    json_decref(all);
}

static Status set(FILE *out, const ArgsTable *tables, size_t n, const char *name, const char *value)
{
    const char *names[NAMES + 1];
    for (size_t t = 0; t < n; t++) {
        const Field *field = config_find(tables[t].table, name);
        if (!field)
            continue;
        if (*value)
            TRY(config_set(tables[t].table, tables[t].config, name, value));
        show(out, &tables[t], field);
        return ST_OK;
    }
    slash_setting_names(names, NAMES, tables, n);
    const char *near = nearest_name(name, names, count(names));
    return fail(ST_ARG, "there is no setting '%s'; %s%s%s/settings lists them", name,
                near ? "do you mean " : "", near ? near : "", near ? "? " : "");
}

Status slash_set(FILE *out, const ArgsTable *tables, size_t n, Span words)
{
    if (!words.n) {
        for (size_t t = 0; t < n; t++)
            for (size_t i = 0; i < tables[t].table->n; i++)
                show(out, &tables[t], &tables[t].table->fields[i]);
        return ST_OK;
    }
    Span first = slash_word(&words);
    char *name = mem_strn(first.at, first.n), *value = mem_strn(words.at, words.n);
    Status st = set(out, tables, n, name, value);
    mem_free(name);
    mem_free(value);
    return st;
}
