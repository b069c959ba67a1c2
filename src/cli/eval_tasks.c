#include "cli/eval_tasks.h"

#include <string.h>

#include "base/mem.h"

bool task_in_group(const char *groups, Span word)
{
    for (Span w; (w = words_next(&groups)).n;)
        if (w.n == word.n && memcmp(w.at, word.at, w.n) == 0)
            return true;
    return false;
}

static bool means(const Benchmark *b, Span word)
{
    return span_is(word, "all") || span_is(word, b->name) || task_in_group(b->groups, word);
}

static Status unknown(Span word)
{
    Array(const char *) names = {0};
    char *w = mem_strn(word.at, word.n);
    for (size_t i = 0; benchmarks[i]; i++)
        array_push(&names, benchmarks[i]->name);
    const char *near = nearest_name(w, names.at, names.n);
    Status st = fail(ST_ARG, "there is no benchmark and no group '%s'%s%s%s; lemur eval --list shows all", w,
                     near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    array_drop(&names);
    mem_free(w);
    return st;
}

static Status mark(bool *wanted, Span word)
{
    bool any = false;
    for (size_t i = 0; benchmarks[i]; i++)
        if (means(benchmarks[i], word))
            any = wanted[i] = true;
    return any ? ST_OK : unknown(word);
}

Status task_list_read(TaskList *out, const char *names)
{
    size_t n = 0;
    while (benchmarks[n])
        n++;
    bool *wanted = mem_array(bool, n + 1);
    Status st = ST_OK;
    for (const char *at = names; st == ST_OK;) {
        size_t length = strcspn(at, ",");
        Span word = span_trim((Span){at, length});
        st = word.n ? mark(wanted, word) : fail(ST_ARG, "--tasks '%s': a name is missing", names);
        if (!at[length])
            break;
        at += length + 1;
    }
    for (size_t i = 0; i < n && st == ST_OK; i++)
        if (wanted[i])
            array_push(out, benchmarks[i]);
    mem_free(wanted);
    return st;
}

Status task_list_words(TaskList *out, const Args *args)
{
    Str names = {0};
    for (size_t i = 0; i < args->positional_n; i++)
        str_addf(&names, "%s%s", i ? "," : "", args->positional[i]);
    Status st = task_list_read(out, args->positional_n ? str_c(&names) : "all");
    str_drop(&names);
    return st;
}

void task_list_drop(TaskList *l)
{
    array_drop(l);
}
