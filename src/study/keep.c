#include "study/keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/map.h"
#include "study/report_parts.h"
#include "study/transcripts.h"

/* One success. */
typedef struct {
    json_t *line;
    const char *environment, *task; /* of line */
    int64_t steps, wrong, run;
    char *actions;
} Success;

typedef struct {
    const KeepSpec *spec;
    int64_t run;
    Map *apart;          /* first messages */
    Map *tasks, *solved; /* "environment\ntask"                     */
    Map *names;          /* of environments -> place in `counts`    */
    Array(KeepCounts) counts;
    Array(Success) successes;
} Keeping;

/* One episode. ------------------------------------------------------------------------------------------- */

static bool is_wrong(const json_t *step)
{
    const char *action = report_text(step, "action");
    return json_is_true(json_object_get(step, "error")) || strcmp(action, "none") == 0 ||
           strcmp(action, "solution") == 0;
}

static bool is_answer(const json_t *message)
{
    return strcmp(report_text(message, "role"), "assistant") == 0;
}

int64_t keep_mark(json_t *transcript)
{
    const json_t *steps = json_object_get(transcript, "steps"),
                 *messages = json_object_get(transcript, "messages");
    size_t n = json_array_size(steps), answers = 0, i;
    int64_t wrong = 0;
    json_t *message;
    json_array_foreach((json_t *)(uintptr_t)messages, i, message) answers += is_answer(message);
    if (n == 0 || answers != n)
        return -1;
    answers = 0;
    json_array_foreach((json_t *)(uintptr_t)messages, i, message)
    {
        if (!is_answer(message) || ++answers == n || !is_wrong(json_array_get(steps, answers - 1)))
            continue;
        json_object_set_new(message, "weight", json_integer(0));
        wrong++;
    }
    return wrong;
}

static const char *first_question(const json_t *transcript)
{
    const json_t *messages = json_object_get(transcript, "messages");
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (strcmp(report_text(json_array_get(messages, i), "role"), "user") == 0)
            return report_text(json_array_get(messages, i), "content");
    return "";
}

/* The action in an answer: what begins with a mark, or the whole of it; blanks count as one. */
static void add_action(Str *out, const char *answer)
{
    static const char *const marks[] = {"<execute>", "<solution>", "```"};
    const char *from = NULL;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(answer, marks[i]);
        from = at && (!from || at < from) ? at : from;
    }
    bool blank = false;
    for (const char *at = from ? from : answer; *at; at++) {
        bool white = strchr(" \t\n\r", *at) != NULL;
        if (!white && blank)
            str_addc(out, ' ');
        if (!white)
            str_addc(out, *at);
        blank = white;
    }
    str_addc(out, '\n');
}

static char *actions_of(const json_t *transcript)
{
    Str out = {0};
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(transcript, "messages"), i, message) if (is_answer(message))
        add_action(&out, report_text(message, "content"));
    char *text = mem_strn(str_c(&out), out.n);
    str_drop(&out);
    return text;
}

/* Reading. ----------------------------------------------------------------------------------------------- */

static KeepCounts *counts_of(Keeping *k, const char *environment)
{
    int64_t *at = map_find(k->names, environment, strlen(environment));
    if (!at) {
        at = map_put(k->names, environment, strlen(environment));
        *at = (int64_t)k->counts.n;
        array_push(&k->counts, (KeepCounts){0});
    }
    return &k->counts.at[*at];
}

/* Whether it is the first of its task. */
static bool is_new(Map *tasks, const char *environment, const char *task)
{
    char *key = mem_format("%s\n%s", environment, task);
    int64_t *seen = map_put(tasks, key, strlen(key));
    mem_free(key);
    return (*seen)++ == 0;
}

static void take_apart(void *context, const char *benchmark, json_t *line)
{
    Keeping *k = context;
    const char *question = first_question(line);
    (void)benchmark;
    *map_put(k->apart, question, strlen(question)) = 1;
}

static void take_success(Keeping *k, KeepCounts *c, const char *benchmark, json_t *line)
{
    Success s = {.run = k->run, .steps = (int64_t)json_array_size(json_object_get(line, "steps"))};
    const char *question = first_question(line);
    if (map_find(k->apart, question, strlen(question))) {
        c->apart++;
        return;
    }
    s.wrong = keep_mark(line);
    if (s.wrong < 0) {
        c->unfit++;
        return;
    }
    s.line = json_pack("{s:i, s:s, s:s, s:O, s:b, s:f, s:I, s:b}", "transcript", 1, "environment", benchmark,
                       "task", report_text(line, "task"), "messages", json_object_get(line, "messages"),
                       "success", 1, "reward", 1.0, "run", (json_int_t)k->run, "repaired", s.wrong > 0);
    s.environment = report_text(s.line, "environment");
    s.task = report_text(s.line, "task");
    s.actions = actions_of(line);
    array_push(&k->successes, s);
}

static void take(void *context, const char *benchmark, json_t *line)
{
    Keeping *k = context;
    KeepCounts *c = counts_of(k, benchmark);
    c->episodes++;
    c->tasks += is_new(k->tasks, benchmark, report_text(line, "task"));
    if (!json_is_true(json_object_get(line, "success")))
        return;
    c->successes++;
    c->solved += is_new(k->solved, benchmark, report_text(line, "task"));
    take_success(k, c, benchmark, line);
}

static Status read_all(Keeping *k)
{
    for (size_t i = 0; i < k->spec->apart_n; i++)
        TRY(transcripts_read(k->spec->apart[i], take_apart, k));
    for (size_t i = 0; i < k->spec->runs_n; i++) {
        k->run = (int64_t)i + 1;
        TRY(transcripts_read(k->spec->runs[i], take, k));
    }
    return ST_OK;
}

/* Choosing. ---------------------------------------------------------------------------------------------- */

static int by_task(const Success *a, const Success *b)
{
    int order = strcmp(a->environment, b->environment);
    return order ? order : strcmp(a->task, b->task);
}

static int by_rank(const void *x, const void *y)
{
    const Success *a = x, *b = y;
    int order = by_task(a, b);
    if (order)
        return order;
    if (!a->wrong != !b->wrong)
        return a->wrong ? -1 : 1;
    if (a->wrong != b->wrong)
        return a->wrong < b->wrong ? -1 : 1;
    if (a->steps != b->steps)
        return a->steps < b->steps ? -1 : 1;
    return (a->run > b->run) - (a->run < b->run);
}

static Status write_line(FileWriter *w, const json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    Status st = file_write(w, text, strlen(text));
    free(text);
    return st == ST_OK ? file_write(w, "\n", 1) : st;
}

/* Goes through the successes, task by task, in their order. */
static Status choose(Keeping *k, FileWriter *w)
{
    Map *seen = map_new();
    int64_t of_task = 0;
    Status st = ST_OK;
    if (k->successes.n)
        qsort(k->successes.at, k->successes.n, sizeof *k->successes.at, by_rank);
    for (size_t i = 0; st == ST_OK && i < k->successes.n; i++) {
        const Success *s = &k->successes.at[i];
        KeepCounts *c = counts_of(k, s->environment);
        if (i == 0 || by_task(s, s - 1) != 0) {
            map_free(seen);
            seen = map_new();
            of_task = 0;
        }
        int64_t *times = map_put(seen, s->actions, strlen(s->actions));
        if ((*times)++ > 0) {
            c->doubles++;
        } else if (of_task >= k->spec->most) {
            c->surplus++;
        } else {
            of_task++;
            c->kept++;
            c->repaired += s->wrong > 0;
            c->muted += s->wrong;
            st = write_line(w, s->line);
        }
    }
    map_free(seen);
    return st;
}

/* Writing. ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
#define COUNT(f)                    \
    {                               \
#f, offsetof(KeepCounts, f) \
    }
    COUNT(episodes), COUNT(successes), COUNT(tasks), COUNT(solved),   COUNT(unfit), COUNT(apart),
    COUNT(doubles),  COUNT(surplus),   COUNT(kept),  COUNT(repaired), COUNT(muted),
#undef COUNT
};
enum { FIELDS = sizeof fields / sizeof *fields };

static int64_t *count_at(KeepCounts *c, size_t field)
{
    return (int64_t *)(void *)((char *)c + fields[field].offset);
}

json_t *keep_json(const KeepCounts *c)
{
    KeepCounts copy = *c;
    json_t *o = json_object();
    for (size_t i = 0; i < FIELDS; i++)
        json_object_set_new(o, fields[i].name, json_integer(*count_at(&copy, i)));
    return o;
}

Status keep_read(KeepCounts *out, const char *folder)
{
    char *path = path_join(folder, "keep.json");
    json_t *o = NULL;
    Status st = json_file_read(&o, path);
    const json_t *total = json_object_get(o, "total");
    *out = (KeepCounts){0};
    for (size_t i = 0; st == ST_OK && i < FIELDS; i++) {
        const json_t *n = json_object_get(total, fields[i].name);
        *count_at(out, i) = json_integer_value(n);
        if (!json_is_integer(n))
            st = fail(ST_FORMAT, "%s has no \"%s\"", path, fields[i].name);
    }
    json_decref(o);
    mem_free(path);
    return st;
}

static Status write_counts(KeepCounts *total, Keeping *k)
{
    json_t *by = json_object();
    *total = (KeepCounts){0};
    for (int64_t i = 0; i < map_count(k->names); i++) {
        Span name = map_key_at(k->names, i);
        KeepCounts *c = &k->counts.at[i];
        for (size_t f = 0; f < FIELDS; f++)
            *count_at(total, f) += *count_at(c, f);
        json_object_setn_new(by, name.at, name.n, keep_json(c));
    }
    json_t *o = json_pack("{s:i, s:I, s:o, s:o}", "keep", 1, "most", (json_int_t)k->spec->most, "total",
                          keep_json(total), "environments", by);
    char *path = path_join(k->spec->folder, "keep.json");
    Status st = json_file_write(path, o);
    mem_free(path);
    json_decref(o);
    return st;
}

static Status write_kept(Keeping *k)
{
    FileWriter w;
    char *path = path_join(k->spec->folder, "kept.jsonl");
    Status st = folder_make(k->spec->folder);
    if (st == ST_OK)
        st = file_begin(&w, path);
    mem_free(path);
    TRY(st);
    st = choose(k, &w);
    if (st == ST_OK)
        st = file_commit(&w);
    file_abandon(&w);
    return st;
}

Status keep_successes(KeepCounts *out, const KeepSpec *spec)
{
    Keeping k = {
        .spec = spec, .apart = map_new(), .tasks = map_new(), .solved = map_new(), .names = map_new()};
    Status st = read_all(&k);
    if (st == ST_OK)
        st = write_kept(&k);
    if (st == ST_OK)
        st = write_counts(out, &k);
    for (size_t i = 0; i < k.successes.n; i++) {
        json_decref(k.successes.at[i].line);
        mem_free(k.successes.at[i].actions);
    }
    array_drop(&k.successes);
    array_drop(&k.counts);
    Map *const maps[] = {k.apart, k.tasks, k.solved, k.names};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        map_free(maps[i]);
    return st;
}
