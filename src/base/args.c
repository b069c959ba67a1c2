/* Command lines: one pass over argv that sets the fields of tables and collects the rest. */
#include "base/config.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"

typedef struct {
    Args *out;
    char **argv;
    int argc, i; /* argv[i] is being read */
    const Flag *flags;
    size_t flags_n;
    const ArgsTable *tables;
    size_t tables_n;
} Parse;

static void give(Args *a, const Flag *flag, const char *value)
{
    a->given = mem_resize(a->given, a->given_n + 1, sizeof *a->given);
    a->given[a->given_n++] = (GivenFlag){flag, value};
}

static void add_positional(Args *a, const char *text)
{
    a->positional = mem_resize(a->positional, a->positional_n + 1, sizeof *a->positional);
    a->positional[a->positional_n++] = text;
}

/* The value after a flag: the next word, unless that is a long flag itself. */
static const char *next_value(Parse *p)
{
    const char *next = p->i + 1 < p->argc ? p->argv[p->i + 1] : NULL;
    if (!next || (next[0] == '-' && next[1] == '-' && next[2]))
        return NULL;
    p->i++;
    return next;
}

static Status unknown_flag(const Parse *p, const char *name)
{
    Array(const char *) names = {0};
    for (size_t i = 0; i < p->flags_n; i++)
        array_push(&names, p->flags[i].name);
    for (size_t t = 0; t < p->tables_n; t++)
        for (size_t i = 0; i < p->tables[t].table->n; i++)
            array_push(&names, p->tables[t].table->fields[i].name);
    const char *near = nearest_name(name, names.at, names.n);
    Str shown = {0};
    for (; near && *near; near++)
        str_addc(&shown, *near == '_' ? '-' : *near);
    array_drop(&names);
    Status st = shown.n ? fail(ST_ARG, "unknown flag --%s; did you mean --%s?", name, shown.at)
                        : fail(ST_ARG, "unknown flag --%s; --help lists those there are", name);
    str_drop(&shown);
    return st;
}

static Status set_field(Parse *p, const ArgsTable *t, const Field *f, const char *value)
{
    if (!value)
        value = f->kind == FIELD_BOOL ? "true" : next_value(p);
    if (!value)
        return fail(ST_ARG, "--%s needs a value: %s", f->name, f->help);
    return config_set(t->table, t->config, f->name, value);
}

static bool names_a_place(const char *value)
{
    return strcmp(value, "FOLDER") == 0 || strcmp(value, "DIR") == 0 || strcmp(value, "FILE") == 0 ||
           strcmp(value, "PATH") == 0;
}

static Status give_flag(Parse *p, const Flag *flag, const char *value)
{
    if (flag->value && !value)
        value = next_value(p);
    if (flag->value && !value)
        return fail(ST_ARG, "--%s needs a value: %s", flag->name, flag->help);
    if (!flag->value && value)
        return fail(ST_ARG, "--%s takes no value, and here is '%s'", flag->name, value);
    if (value && !*value && names_a_place(flag->value)) /* an unset variable? It would mean "/". */
        return fail(ST_ARG, "--%s is empty: %s", flag->name, flag->help);
    give(p->out, flag, value);
    return ST_OK;
}

/* `name` is what stands after "--", without any "=value". */
static Status long_flag(Parse *p, const char *name, const char *value)
{
    for (size_t i = 0; i < p->flags_n; i++)
        if (config_same_name(p->flags[i].name, name))
            return give_flag(p, &p->flags[i], value);
    for (size_t t = 0; t < p->tables_n; t++) {
        const Field *f = config_find(p->tables[t].table, name);
        if (f)
            return set_field(p, &p->tables[t], f, value);
    }
    bool is_no = strncmp(name, "no", 2) == 0 && (name[2] == '-' || name[2] == '_');
    for (size_t t = 0; is_no && t < p->tables_n; t++) {
        const Field *f = config_find(p->tables[t].table, name + 3);
        if (f && f->kind == FIELD_BOOL)
            return value ? fail(ST_ARG, "--%s takes no value, and here is '%s'", name, value)
                         : set_field(p, &p->tables[t], f, "false");
    }
    return unknown_flag(p, name);
}

/* "-o FILE", "-oFILE", "-vj": letters that take nothing may stand together; the first that takes a value ends
 * them. */
static Status short_flags(Parse *p, const char *letters)
{
    for (const char *c = letters; *c; c++) {
        const Flag *flag = NULL;
        for (size_t i = 0; i < p->flags_n; i++)
            if (p->flags[i].letter && p->flags[i].letter == *c)
                flag = &p->flags[i];
        if (!flag)
            return fail(ST_ARG, "unknown flag -%c in '-%s'; --help lists those there are", *c, letters);
        if (flag->value)
            return give_flag(p, flag, c[1] ? c + 1 : NULL);
        give(p->out, flag, NULL);
    }
    return ST_OK;
}

static Status one_word(Parse *p, const char *word)
{
    if (word[0] != '-' || !word[1]) {
        add_positional(p->out, word);
        return ST_OK;
    }
    if (word[1] != '-')
        return short_flags(p, word + 1);
    const char *equals = strchr(word, '=');
    char *name = equals ? mem_strn(word + 2, (size_t)(equals - word) - 2) : mem_str(word + 2);
    Status st = long_flag(p, name, equals ? equals + 1 : NULL);
    mem_free(name);
    return st;
}

Status args_parse(Args *out, int argc, char **argv, const Flag *flags, size_t flags_n,
                  const ArgsTable *tables, size_t tables_n)
{
    *out = (Args){0};
    Parse p = {out, argv, argc, 1, flags, flags_n, tables, tables_n};
    for (; p.i < argc && strcmp(argv[p.i], "--") != 0; p.i++)
        TRY(one_word(&p, argv[p.i]));
    for (p.i++; p.i < argc; p.i++)
        add_positional(out, argv[p.i]);
    return ST_OK;
}

static const GivenFlag *find_given(const Args *a, const char *name)
{
    for (size_t i = a->given_n; i-- > 0;)
        if (config_same_name(a->given[i].flag->name, name))
            return &a->given[i];
    return NULL;
}

const char *args_value(const Args *a, const char *name)
{
    const GivenFlag *g = find_given(a, name);
    return g ? g->value : NULL;
}

bool args_has(const Args *a, const char *name)
{
    return find_given(a, name) != NULL;
}

const char *args_next(const Args *a, const char *name, size_t *place)
{
    while (*place < a->given_n) {
        const GivenFlag *g = &a->given[(*place)++];
        if (config_same_name(g->flag->name, name))
            return g->value;
    }
    return NULL;
}

void args_help(FILE *out, const Flag *flags, size_t flags_n)
{
    for (size_t i = 0; i < flags_n; i++) {
        const Flag *f = &flags[i];
        char letter[8] = "", *left;
        if (f->letter)
            snprintf(letter, sizeof letter, "-%c, ", f->letter);
        left = mem_format("%s--%s%s%s", letter, f->name, f->value ? " " : "", f->value ? f->value : "");
        fprintf(out, "  %-28s %s\n", left, f->help);
        mem_free(left);
    }
}

void args_drop(Args *a)
{
    mem_free(a->given);
    mem_free(a->positional);
    *a = (Args){0};
}
