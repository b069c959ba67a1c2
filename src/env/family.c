#include "env/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/map.h"
#include "base/mem.h"
#include "env/family_draw.h"

enum { TRIES = 20000 }; /* in a row that give nothing new: the family has no more */

const Family *const families[] = {&family_words,     &family_sql,   &family_programs,
                                  &family_household, &family_shell, NULL};

const Family *family_find(const char *name)
{
    for (size_t i = 0; families[i]; i++)
        if (strcmp(families[i]->name, name) == 0)
            return families[i];
    return NULL;
}

/* For families. ------------------------------------------------------------------------------------------ */

/* The turn is a text; with `how`, which goes into it, an object. */
static void say(FamilyTask *t, json_t *how, const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        abort();
    json_t *turn = how ? json_pack("{s:s}", "text", text) : json_string(text);
    if (how)
        json_object_update(turn, how);
    json_array_append_new(t->turns, turn);
    json_decref(how);
    free(text);
}

void family_say(FamilyTask *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(t, NULL, fmt, args);
    va_end(args);
}

void family_slip(FamilyTask *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(t, json_pack("{s:b}", "learn", 0), fmt, args);
    va_end(args);
}

/* "unhinted" is ours: the files have it not. */
void family_slip_unhinted(FamilyTask *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(t, json_pack("{s:b, s:b}", "learn", 0, "unhinted", 1), fmt, args);
    va_end(args);
}

Status family_write(const char *data, const char *path, const char *text)
{
    char *whole = path_join(data, path), *slash = strrchr(whole, '/');
    *slash = 0;
    Status st = folder_make(whole);
    *slash = '/';
    if (st == ST_OK)
        st = file_replace(whole, text, strlen(text));
    mem_free(whole);
    return st;
}

/* Holes as of agent/feedback.h. */
static const char feedback[] = "{trajectory}\n{correct_solution}\nA hint, without the solution:";

Status family_write_feedback(const char *data)
{
    return family_write(data, "mint/prompt/templates/template_feedback_agent.txt", feedback);
}

void family_normal_text(Str *out, Span text)
{
    bool space = false;
    str_clear(out);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        if (memchr(".,;:!?'\"`", c, 10))
            continue;
        bool white = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!white && space && out->n)
            str_addc(out, ' ');
        if (!white)
            str_addc(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
        space = white || (space && !out->n);
    }
}

/* Making. ------------------------------------------------------------------------------------------------ */

typedef struct {
    const Family *family;
    FamilyCounts *counts;
    Map *test_texts, *test_keys; /* normalised questions, and keys, of the tasks for testing */
    Map *train_texts;
    Str normal;
    FamilyTask task;
} Making;

static void clear(FamilyTask *t)
{
    str_clear(&t->question);
    str_clear(&t->key);
    json_decref(t->record);
    json_decref(t->turns);
    json_decref(t->hints);
    t->record = t->hints = NULL;
    t->turns = json_array();
}

static void add_json(Str *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);
    str_adds(out, text);
    free(text);
}

static void add_expert(Str *out, const FamilyTask *t, bool hinted)
{
    json_t *turns = json_array();
    for (size_t i = 0; i < json_array_size(t->turns); i++) {
        json_t *turn = json_array_get(t->turns, i);
        if (!json_object_get(turn, "unhinted"))
            json_array_append(turns, turn);
        else if (!hinted)
            json_array_append_new(turns,
                                  json_pack("{s:O, s:b}", "text", json_object_get(turn, "text"), "learn", 0));
    }
    json_t *line = json_pack("{s:s, s:o}", "contains", str_c(&t->question), "turns", turns);
    add_json(out, line);
    str_addc(out, '\n');
    json_decref(line);
}

/* Whether it may be a task of its part; then it is remembered. */
static bool is_new(Making *m, bool test)
{
    const FamilyTask *t = &m->task;
    family_normal_text(&m->normal, str_span(&t->question));
    Span text = str_span(&m->normal), key = str_span(&t->key);
    bool tested = map_find(m->test_texts, text.at, text.n) || map_find(m->test_keys, key.at, key.n);
    m->counts->refused += !test && tested;
    if (tested || map_find(m->train_texts, text.at, text.n))
        return false;
    if (test)
        *map_put(m->test_keys, key.at, key.n) = 1;
    *map_put(test ? m->test_texts : m->train_texts, text.at, text.n) = 1;
    return true;
}

static Status draw_new(Making *m, void *state, Rng *rng, bool test, int64_t found)
{
    for (int i = 0; i < TRIES; i++) {
        clear(&m->task);
        m->task.number = found;
        TRY(m->family->draw(state, rng, &m->task));
        if (is_new(m, test))
            return ST_OK;
    }
    return fail(ST_LIMIT, "the family %s has about %lld different tasks for %s, and no more: ask for fewer",
                m->family->name, (long long)found, test ? "testing" : "training");
}

static bool slips(const FamilyTask *t)
{
    for (size_t i = 0; i < json_array_size(t->turns); i++)
        if (json_is_object(json_array_get(t->turns, i)))
            return true;
    return false;
}

/* The files of a part, but for what the benchmark reads beside the questions. */
typedef struct {
    Str *questions; /* [files] */
    size_t files;
    Str expert, hinted, hints;
} Part;

static size_t files_of(const Family *f, int64_t tasks)
{
    int64_t files = f->files > 0 ? f->files : 1;
    int64_t more = f->tasks_a_file > 0 ? (tasks + f->tasks_a_file - 1) / f->tasks_a_file : 0;
    return (size_t)(more > files ? more : files);
}

/* File i's, from 0; the caller frees it. */
static char *name_of(const Family *f, size_t i)
{
    const char *hole = f->files > 0 ? strstr(f->questions, "%d") : NULL;
    return hole ? mem_format("%.*s%zu%s", (int)(hole - f->questions), f->questions, i + 1, hole + 2)
                : mem_str(f->questions);
}

static void add_record(Str *out, const Family *f, const json_t *record)
{
    str_adds(out, f->array ? out->n ? ",\n" : "[\n" : "");
    add_json(out, record);
    str_adds(out, f->array ? "" : "\n");
}

static Status write_questions(const Family *f, const char *data, Part *p)
{
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < p->files; i++) {
        char *name = name_of(f, i);
        str_adds(&p->questions[i], f->array ? "\n]\n" : "");
        st = family_write(data, name, str_c(&p->questions[i]));
        mem_free(name);
    }
    return st;
}

static Status draw_tasks(Making *m, void *state, Rng *rng, bool test, int64_t n, Part *out)
{
    for (int64_t i = 0; i < n; i++) {
        TRY(draw_new(m, state, rng, test, i));
        if (m->family->keep)
            TRY(m->family->keep(state, &m->task));
        if (m->family->questions)
            add_record(&out->questions[(size_t)i % out->files], m->family, m->task.record);
        add_expert(&out->expert, &m->task, false);
        if (m->task.hints) {
            add_expert(&out->hinted, &m->task, true);
            TRY(family_hints_line(&out->hints, &m->task));
        }
        m->counts->slips += !test && slips(&m->task);
    }
    return ST_OK;
}

static Status write_part(Part *p, const Family *family, const FamilySpec *spec, const char *data, bool test)
{
    if (family->questions)
        TRY(write_questions(family, data, p));
    TRY(family_write(spec->folder, test ? "expert_test.jsonl" : "expert.jsonl", str_c(&p->expert)));
    if (!p->hints.n)
        return ST_OK;
    TRY(family_write(spec->folder, test ? "expert_hinted_test.jsonl" : "expert_hinted.jsonl",
                     str_c(&p->hinted)));
    return family_write(spec->folder, test ? "hints_test.jsonl" : "hints.jsonl", str_c(&p->hints));
}

static Status make_part(Making *m, const FamilySpec *spec, bool test)
{
    char *data = path_join(spec->folder, test ? "test" : "train");
    void *state = NULL;
    size_t files = files_of(m->family, test ? spec->n_test : spec->n_train);
    Part part = {.questions = mem_array(Str, files), .files = files};
    Rng rng;
    rng_seed_pair(&rng, spec->seed, test ? 1 : 2 * spec->draw);
    Status st = m->family->open(&state, &rng, data, files);
    if (st == ST_OK)
        st = draw_tasks(m, state, &rng, test, test ? spec->n_test : spec->n_train, &part);
    if (st == ST_OK)
        st = write_part(&part, m->family, spec, data, test);
    if (m->family->close)
        m->family->close(state);
    Str *const texts[] = {&part.expert, &part.hinted, &part.hints};
    for (size_t i = 0; i < files; i++)
        str_drop(&part.questions[i]);
    mem_free(part.questions);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
    mem_free(data);
    return st;
}

/* Looked at once more when all is made, by the texts alone. */
static void count_shared(Making *m)
{
    for (int64_t i = 0; i < map_count(m->test_texts); i++) {
        Span text = map_key_at(m->test_texts, i);
        m->counts->shared += map_find(m->train_texts, text.at, text.n) != NULL;
    }
}

static Status write_facts(const Making *m, const FamilySpec *spec)
{
    char *path = path_join(spec->folder, "family.json");
    json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "family", m->family->name,
                          "benchmark", m->family->benchmark, "seed", (json_int_t)spec->seed, "draw",
                          (json_int_t)spec->draw, "train", (json_int_t)m->counts->train, "test",
                          (json_int_t)m->counts->test, "slips", (json_int_t)m->counts->slips, "refused",
                          (json_int_t)m->counts->refused, "shared", (json_int_t)m->counts->shared);
    Status st = json_file_write(path, o);
    json_decref(o);
    mem_free(path);
    return st;
}

/* Files of another draw would be among this one's tasks. */
static Status check_folder(const Family *family, const FamilySpec *spec)
{
    char *path = path_join(spec->folder, "family.json");
    json_t *was = NULL;
    Status st = path_exists(path) ? json_file_read(&was, path) : ST_OK;
    const char *name = json_string_value(json_object_get(was, "family"));
    const struct {
        const char *key;
        uint64_t value;
    } wanted[] = {{"seed", spec->seed},
                  {"draw", spec->draw},
                  {"train", (uint64_t)spec->n_train},
                  {"test", (uint64_t)spec->n_test}};
    bool same = name && strcmp(name, family->name) == 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        same = same && (uint64_t)json_integer_value(json_object_get(was, wanted[i].key)) == wanted[i].value;
    if (st == ST_OK && was && !same)
        st = fail(ST_ARG,
                  "%s holds another draw already (its family.json says which): name another folder with -o",
                  spec->folder);
    json_decref(was);
    mem_free(path);
    return st;
}

Status family_make(FamilyCounts *out, const Family *family, const FamilySpec *spec)
{
    if (spec->n_train < 1 || spec->n_test < 1)
        return fail(ST_ARG, "a family needs a task for training and one for testing, or more");
    if (spec->n_train < family->files || spec->n_test < family->files)
        return fail(ST_ARG, "the family %s needs a task for each of its %d files of tasks, of either part",
                    family->name, family->files);
    TRY(check_folder(family, spec));
    *out = (FamilyCounts){.train = spec->n_train, .test = spec->n_test};
    Making m = {.family = family, .counts = out};
    Map **const maps[] = {&m.test_texts, &m.test_keys, &m.train_texts};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        *maps[i] = map_new();
    Status st = make_part(&m, spec, true);
    if (st == ST_OK)
        st = make_part(&m, spec, false);
    if (st == ST_OK) {
        count_shared(&m);
        st = write_facts(&m, spec);
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        map_free(*maps[i]);
    clear(&m.task);
    json_decref(m.task.turns);
    str_drop(&m.task.question);
    str_drop(&m.task.key);
    str_drop(&m.normal);
    return st == ST_OK ? ST_OK : fail_in(st, "making %s", family->name);
}
