#include "study/errors.h"

#include <string.h>

#include "base/map.h"
#include "eval/stats.h"
#include "study/report_parts.h"
#include "study/transcripts.h"

const char *const error_class_names[ERROR_CLASSES] = {"solved",       "refused", "context",    "budget",
                                                      "format",       "gave up", "tool error", "repetition",
                                                      "wrong belief", "steps"};

/* One episode. ------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t steps, none, acted, answers;
    bool last_failed; /* the last action that ran */
} Steps;

static Steps count_steps(const json_t *transcript)
{
    Steps s = {0};
    const json_t *steps = json_object_get(transcript, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        const char *action = report_text(step, "action");
        s.steps++;
        if (strcmp(action, "none") == 0) {
            s.none++;
        } else if (strcmp(action, "solution") == 0) {
            s.answers++;
        } else {
            s.acted++;
            s.last_failed = json_is_true(json_object_get(step, "error"));
        }
    }
    return s;
}

static bool repeats(const json_t *transcript)
{
    enum { SAME = 3 };
    const json_t *messages = json_object_get(transcript, "messages");
    const char *last = NULL;
    int same = 0;
    for (size_t i = json_array_size(messages); i-- > 0 && same < SAME;) {
        const json_t *m = json_array_get(messages, i);
        if (strcmp(report_text(m, "role"), "assistant") != 0)
            continue;
        if (last && strcmp(last, report_text(m, "content")) != 0)
            return false;
        last = report_text(m, "content");
        same++;
    }
    return same == SAME;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

ErrorClass error_class(const json_t *transcript)
{
    static const char *const context[] = {"error", "context", NULL}, *const budget[] = {"max_tokens",
                                                                                        "max_seconds", NULL};
    const char *end = report_text(transcript, "end");
    Steps s = count_steps(transcript);
    if (json_is_true(json_object_get(transcript, "success")))
        return ERROR_SOLVED;
    if (strcmp(end, "refused") == 0)
        return ERROR_REFUSED;
    if (is_one_of(end, context))
        return ERROR_CONTEXT;
    if (is_one_of(end, budget))
        return ERROR_BUDGET;
    if (s.steps && s.none == s.steps)
        return ERROR_FORMAT;
    if (strcmp(end, "gave_up") == 0 || s.acted == 0)
        return ERROR_GAVE_UP;
    if (s.last_failed)
        return ERROR_TOOL;
    if (repeats(transcript))
        return ERROR_REPETITION;
    return s.answers ? ERROR_BELIEF : ERROR_STEPS;
}

/* A run. ------------------------------------------------------------------------------------------------- */

static void take(void *context, const char *benchmark, json_t *line)
{
    ErrorRun *run = context;
    ErrorEpisode e = {mem_str(benchmark), mem_str(report_text(line, "task")), error_class(line)};
    array_push(&run->episodes, e);
    run->counts[e.kind]++;
}

Status errors_read(ErrorRun *out, const char *folder)
{
    *out = (ErrorRun){.folder = mem_str(folder)};
    return transcripts_read(folder, take, out);
}

void errors_drop(ErrorRun *run)
{
    for (size_t i = 0; i < run->episodes.n; i++) {
        mem_free(run->episodes.at[i].benchmark);
        mem_free(run->episodes.at[i].task);
    }
    array_drop(&run->episodes);
    mem_free(run->folder);
    *run = (ErrorRun){0};
}

ErrorPair errors_compare(const ErrorRun *a, const ErrorRun *b, ErrorClass kind)
{
    ErrorPair pair = {0};
    Map *of_b = map_new();
    Str key = {0};
    for (size_t i = 0; i < b->episodes.n; i++) {
        const ErrorEpisode *e = &b->episodes.at[i];
        str_clear(&key);
        str_addf(&key, "%s\n%s", e->benchmark, e->task);
        *map_put(of_b, key.at, key.n) = e->kind;
    }
    for (size_t i = 0; i < a->episodes.n; i++) {
        const ErrorEpisode *e = &a->episodes.at[i];
        str_clear(&key);
        str_addf(&key, "%s\n%s", e->benchmark, e->task);
        const int64_t *other = map_find(of_b, key.at, key.n);
        if (!other)
            continue;
        pair.common++;
        pair.first += e->kind == kind && *other != (int64_t)kind;
        pair.second += e->kind != kind && *other == (int64_t)kind;
    }
    pair.p = stats_mcnemar(pair.first, pair.second);
    map_free(of_b);
    str_drop(&key);
    return pair;
}
