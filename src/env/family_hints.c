/* The hints of a family's task, gathered while it is drawn. */
#include <stdlib.h>
#include <string.h>

#include "env/family_draw.h"

static json_t *entries(FamilyTask *t)
{
    if (!t->hints)
        t->hints = json_pack("{s:[]}", "hints");
    return json_object_get(t->hints, "hints");
}

/* One text, or an array of its lines. */
static json_t *texts_of(const char *lines)
{
    json_t *all = json_array();
    for (const char *at = lines;; at++) {
        size_t n = strcspn(at, "\n");
        json_array_append_new(all, json_stringn(at, n));
        at += n;
        if (!*at)
            break;
    }
    json_t *only = json_array_size(all) == 1 ? json_incref(json_array_get(all, 0)) : NULL;
    if (!only)
        return all;
    json_decref(all);
    return only;
}

void family_hint_on(FamilyTask *t, HintOver over, const char *has, const char *lacks, const char *hint)
{
    json_t *entry = json_object();
    if (over != HINT_LAST)
        json_object_set_new(entry, "over", json_string(hint_over_names[over]));
    if (has)
        json_object_set_new(entry, "has", texts_of(has));
    if (lacks)
        json_object_set_new(entry, "lacks", texts_of(lacks));
    json_object_set_new(entry, "hint", json_string(hint));
    json_array_append_new(entries(t), entry);
}

void family_hint(FamilyTask *t, const char *lacks, const char *hint)
{
    family_hint_on(t, HINT_LAST, NULL, lacks, hint);
}

void family_hint_otherwise(FamilyTask *t, const char *hint)
{
    entries(t);
    json_object_set_new(t->hints, "otherwise", json_string(hint));
}

/* What an answer does, without the marks around it: tags or a fence. */
static Span inside(Span answer)
{
    bool fence = span_starts(answer, "```");
    const char *from = memchr(answer.at, fence ? '\n' : '>', answer.n);
    size_t to = answer.n;
    if ((!fence && !span_starts(answer, "<")) || !from)
        return answer;
    while (to > 0 && answer.at[to - 1] != (fence ? '\n' : '<'))
        to--;
    const char *end = answer.at + (to ? to - 1 : answer.n);
    return end > from ? (Span){from + 1, (size_t)(end - from - 1)} : answer;
}

static Status check_hint(const FamilyTask *t, const json_t *hint)
{
    Span words = {json_string_value(hint), json_string_length(hint)};
    for (size_t i = 0; i < json_array_size(t->turns); i++) {
        const json_t *turn = json_array_get(t->turns, i);
        Span solution = {json_string_value(turn), json_string_length(turn)};
        if (hint && json_is_string(turn) && hint_discloses(words, inside(solution)))
            return fail(ST_FORMAT, "the hint \"%s\" to \"%.60s\" gives away \"%.60s\"", words.at,
                        str_c(&t->question), solution.at);
    }
    return ST_OK;
}

static Status check_line(const FamilyTask *t, const json_t *line)
{
    const json_t *hints = json_object_get(line, "hints");
    TRY(hint_check(line));
    TRY(check_hint(t, json_object_get(line, "otherwise")));
    for (size_t i = 0; i < json_array_size(hints); i++)
        TRY(check_hint(t, json_object_get(json_array_get(hints, i), "hint")));
    return ST_OK;
}

Status family_hints_line(Str *out, const FamilyTask *t)
{
    json_t *line = json_pack("{s:s}", "contains", str_c(&t->question));
    json_object_update_missing(line, t->hints);
    Status st = check_line(t, line);
    if (st == ST_OK) {
        char *text = json_dumps(line, JSON_COMPACT);
        str_addf(out, "%s\n", text);
        free(text);
    }
    json_decref(line);
    return st;
}
