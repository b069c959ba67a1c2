#include "eval/static/ds1000.h"

#include <ctype.h>
#include <string.h>

#include "agent/python_text.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "eval/static/code_answer.h"
#include "eval/static/code_task.h"

static const char *const stops[] = {"</code>", "# SOLUTION END"};
static const char *const fences[] = {"python", "py", "python3", NULL};
static const double published_seconds = 120;

typedef struct {
    Str system; /* ds1000/system.txt */
    bool has_system;
} Ds1000;

static const char *text_of(const json_t *doc, const char *key)
{
    return json_string_value(json_object_get(doc, key));
}

static bool take(Questions *q, int64_t number, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    json_t *id = json_object_get(metadata, "problem_id");
    char name[32];
    if (!text_of(object, "prompt") || !text_of(object, "reference_code") ||
        !text_of(object, "code_context") || !text_of(metadata, "library"))
        return false;
    snprintf(name, sizeof name, "%lld", (long long)(json_is_integer(id) ? json_integer_value(id) : number));
    questions_add(q, name, text_of(metadata, "library"), object);
    return true;
}

/* Modules. ----------------------------------------------------------------------------------------------- */

static void want(Map *modules, Span name)
{
    size_t n = 0;
    while (n < name.n && (isalnum((unsigned char)name.at[n]) || name.at[n] == '_'))
        n++;
    if (n)
        map_put(modules, name.at, n);
}

/* "import a.b as c, d" and "from a.b import c", at any indentation. */
static void want_imports(Map *modules, Span text)
{
    size_t at = 0;
    Span line;
    while (code_line(text, &at, &line)) {
        line = span_trim(line);
        if (span_starts(line, "from ") && python_in(span(" import "), line))
            want(modules, span_trim((Span){line.at + 5, line.n - 5}));
        if (!span_starts(line, "import "))
            continue;
        for (size_t i = 6; i < line.n;) {
            want(modules, span_trim((Span){line.at + i + 1, line.n - i - 1}));
            const char *comma = memchr(line.at + i + 1, ',', line.n - i - 1);
            i = comma ? (size_t)(comma - line.at) : line.n;
        }
    }
}

/* The prompt's own lines of code are between <code> and </code>; its prose may speak of importing. */
static void want_of(Map *modules, const json_t *doc)
{
    Span prompt = span(text_of(doc, "prompt")), mark = span("<code>"), end = span("</code>");
    want_imports(modules, span(text_of(doc, "code_context")));
    for (size_t at = python_find(prompt, mark, 0); at < prompt.n;) {
        size_t to = python_find(prompt, end, at);
        to = to < prompt.n ? to : prompt.n;
        want_imports(modules, (Span){prompt.at + at, to - at});
        at = python_find(prompt, mark, to);
    }
}

/* Debian's Matplotlib has a link in /usr to its settings. */
static const char *const *shown(void)
{
    static const char *const settings[] = {"/etc/matplotlibrc", NULL};
    return path_exists(settings[0]) ? settings : NULL;
}

static ProgramSpec spec_of(Span text, double seconds)
{
    return (ProgramSpec){.text = text,
                         .seconds = seconds,
                         .memory_bytes = (int64_t)6 << 30,
                         .processes = 1024,
                         .whole = true,
                         .read_only = shown()};
}

/* Sets each module's value to 1 where it can be imported. */
static Status try_modules(Map *modules)
{
    for (int64_t i = 0; i < map_count(modules); i++) {
        CodeMark mark = {0};
        Str text = {0};
        Span name = map_key_at(modules, i);
        str_addf(&text, "import %.*s", (int)name.n, name.at);
        ProgramSpec spec = spec_of(str_span(&text), published_seconds);
        Status st = code_run_python(&mark, &spec);
        if (st == ST_OK && !(*map_put(modules, name.at, name.n) = mark.verdict == CODE_RIGHT))
            log_info("ds1000: the sandbox's Python cannot import %.*s: %s", (int)name.n, name.at,
                     str_c(&mark.says));
        str_drop(&mark.says);
        str_drop(&text);
        TRY(st);
    }
    return ST_OK;
}

/* The first module that the question lacks; empty: none. */
static Span lacks(const json_t *doc, const Map *here)
{
    Map *modules = map_new();
    Span missing = {0};
    want_of(modules, doc);
    for (int64_t i = 0; i < map_count(modules) && !missing.n; i++) {
        Span name = map_key_at(modules, i);
        int64_t *has = map_find(here, name.at, name.n);
        if (!has || !*has)
            missing = name;
    }
    if (missing.n) {
        int64_t at = 0; /* the name lives in `here`, which outlives `modules` */
        while (at < map_count(here) && !(map_key_at(here, at).n == missing.n &&
                                         memcmp(map_key_at(here, at).at, missing.at, missing.n) == 0))
            at++;
        missing = map_key_at(here, at);
    }
    map_free(modules);
    return missing;
}

static void leave_out(Questions *q, const Map *here)
{
    size_t kept = 0;
    Map *missing = map_new();
    for (size_t i = 0; i < q->all.n; i++) {
        Question *one = &q->all.at[i];
        Span module = lacks(one->doc, here);
        if (!module.n) {
            q->all.at[kept++] = *one;
            continue;
        }
        ++*map_put(missing, module.at, module.n);
        q->left_out++;
        mem_free(one->id);
        mem_free(one->part);
        json_decref(one->doc);
    }
    q->all.n = kept;
    for (int64_t i = 0; i < map_count(missing); i++)
        log_warn("ds1000: %lld questions are left out, the sandbox's Python has no %.*s",
                 (long long)map_value_at(missing, i), (int)map_key_at(missing, i).n,
                 map_key_at(missing, i).at);
    map_free(missing);
}

/* ------------------------------------------------------------------------------------------------------- */

static void close_state(void *state)
{
    Ds1000 *d = state;
    if (d)
        str_drop(&d->system);
    mem_free(d);
}

static Status open_state(const EvalRun *run, Questions *out, void **state)
{
    Ds1000 *d = mem_new(Ds1000);
    Map *modules = map_new();
    Status st;
    TRY_TO(undo, code_questions_read(out, run->data, "ds1000/ds1000.jsonl", take));
    TRY_TO(undo, code_form_read(&d->system, &d->has_system, out, run->data, "ds1000/system.txt"));
    for (size_t i = 0; i < out->all.n; i++)
        want_of(modules, out->all.at[i].doc);
    TRY_TO(undo, try_modules(modules));
    leave_out(out, modules);
    if (out->all.n == 0)
        TRY_TO(undo,
               fail(ST_UNSUPPORTED, "ds1000: none of its libraries is in the sandbox's Python; Debian has "
                                    "python3-numpy, -pandas, -scipy, -sklearn, -matplotlib, -torch"));
    map_free(modules);
    *state = d;
    return ST_OK;
undo:
    map_free(modules);
    close_state(d);
    return st;
}

static void add_without(Str *out, Span text, const char *mark)
{
    Span m = span(mark);
    size_t from = 0;
    for (size_t at; (at = python_find(text, m, from)) < text.n; from = at + m.n)
        str_add(out, text.at + from, at - from);
    str_add(out, text.at + from, text.n - from);
}

/* postprocess() of test_ds1000.py. */
static void published(Str *out, Span answer)
{
    static const char *const code_end[] = {"</code>"}, *const bare[] = {"```", "\nEND SOLUTION"};
    Str text = {0};
    add_without(&text, code_cut(answer, code_end, 1), "```python");
    add_without(out, code_cut(str_span(&text), bare, 2), "<code>");
    str_drop(&text);
}

/* Words, and then a fence. */
static bool has_preface(Span answer, Span block)
{
    Span before = span_trim((Span){answer.at, (size_t)(block.at - answer.at)});
    size_t line = before.n;
    while (line && before.at[line - 1] != '\n')
        line--;
    before = span_trim((Span){before.at, line});
    return before.n && !span_is(before, "<code>");
}

static Status mark(const EvalRun *run, void *state, const Question *q, Span answer, CodeMark *out)
{
    (void)state;
    Str left = {0};
    Span block;
    if (!run->models.plain)
        answer = code_fences_left(&left, answer);
    bool fenced = code_block(answer, fences, &block) && has_preface(answer, block);
    out->rule = fenced ? "fence" : "published";
    published(&out->program, fenced ? block : answer);
    str_drop(&left);
    const char *context = text_of(q->doc, "code_context");
    Str all = {0};
    str_addf(&all, "%s\ncode = ", context);
    code_python_literal(&all, str_span(&out->program));
    str_addf(&all, "\ntest_execution(code)\n%s\n",
             strstr(context, "test_string(") ? "test_string(code)" : "");
    ProgramSpec spec =
        spec_of(str_span(&all),
                run->settings->program_seconds > 0 ? run->settings->program_seconds : published_seconds);
    Status st = code_run_python(out, &spec);
    str_drop(&all);
    return st;
}

static Status ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    Ds1000 *d = state;
    Conversation c = {0};
    CodeTask task = {.mark = mark,
                     .state = d,
                     .sampled = 0.2,
                     .how = {.max_tokens = 1024, .stops = stops, .stops_n = sizeof stops / sizeof stops[0]}};
    if (d->has_system && !run->models.plain)
        conversation_add(&c, CHAT_SYSTEM, span_trim(str_span(&d->system)));
    conversation_add(&c, CHAT_USER, span(text_of(q->doc, "prompt")));
    out->target = json_string(text_of(q->doc, "reference_code"));
    Status st = code_task_ask(run, out, q, &c, &task);
    conversation_drop(&c);
    return st;
}

const Benchmark ds1000 = {
    .name = "ds1000",
    .groups = "static code",
    .about = "1000 questions of data science in Python, by library; pass@1.  Those whose libraries are "
             "missing are not asked",
    .source = "Lai et al. 2022, arXiv:2211.11501; github.com/xlang-ai/DS-1000, CC BY-SA 4.0",
    .metric = "pass@1",
    .version = 2,
    .needs = NEEDS_SANDBOX,
    .takes = TAKES_SAMPLES,
    .programs = (const char *const[]){"python3", NULL},
    .files =
        (const DataFile[]){{"ds1000/ds1000.jsonl.gz",
                            "https://raw.githubusercontent.com/xlang-ai/DS-1000/main/data/ds1000.jsonl.gz",
                            NULL},
                           {0}},
    .open = open_state,
    .ask = ask,
    .close = close_state,
};
