#include "eval/static/multipl_e.h"

#include <string.h>

#include "agent/prompt.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/static/code_splice.h"
#include "eval/static/code_task.h"
#include "eval/static/languages.h"

enum { LANGUAGES_MAX = 40, FENCES_MAX = 8 };
static const double published_seconds = 15;

typedef struct {
    Str form; /* multipl_e/prompt.txt */
    bool has_form;
} MultiPlE;

static const char *text_of(const Question *q, const char *key)
{
    return json_string_value(json_object_get(q->doc, key));
}

static bool take(Questions *q, int64_t number, json_t *object)
{
    static const char *const keys[] = {"name", "language", "prompt", "tests"};
    (void)number;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!json_is_string(json_object_get(object, keys[i])))
            return false;
    const Language *l = language_find(json_string_value(json_object_get(object, "language")));
    if (!l || !json_is_array(json_object_get(object, "stop_tokens")))
        return false;
    char *id = mem_format("%s.%s", json_string_value(json_object_get(object, "name")), l->name);
    questions_add(q, id, l->name, object);
    mem_free(id);
    return true;
}

/* The file of a language, of either format; NULL: there is none.  Caller frees. */
static char *file_of(const char *data, const char *set, const Language *l)
{
    static const char *const ends[] = {"jsonl", "json", "jsonl.gz"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *file = mem_format("multipl_e/%s-%s-reworded.%s", set, l->name, ends[i]);
        if (folder_holds(data, file))
            return file;
        mem_free(file);
    }
    return NULL;
}

/* Moves all of `from`, which is empty afterwards. */
static void move_all(Questions *to, Questions *from)
{
    for (size_t i = 0; i < from->all.n; i++)
        array_push(&to->all, from->all.at[i]);
    array_drop(&from->all);
}

/* The questions of a language that cannot be run here are counted and told. */
static Status read_language(Questions *out, const char *data, const char *file, const Language *l)
{
    Questions q = {0};
    Status st = questions_read(&q, data, file, take);
    if (st == ST_OK)
        st = language_probe(l);
    bool usable = st == ST_OK;
    if (st == ST_UNSUPPORTED && q.all.n) {
        log_warn("%zu questions of %s are left out.  %s", q.all.n, file, error_text());
        out->left_out += (int64_t)q.all.n;
        st = ST_OK;
    } else if (usable) {
        move_all(out, &q);
    }
    if (st == ST_OK)
        json_object_set_new(out->facts, l->name, json_boolean(usable));
    out->bad += q.bad;
    questions_drop(&q);
    return st;
}

static void close_state(void *state)
{
    MultiPlE *m = state;
    if (m)
        str_drop(&m->form);
    mem_free(m);
}

static Status open_set(const EvalRun *run, Questions *out, void **state, const char *set)
{
    MultiPlE *m = mem_new(MultiPlE);
    Status st;
    int found = 0;
    TRY_TO(undo, sandbox_probe(&m->form)); /* without one every language would seem to be missing */
    TRY_TO(undo, code_form_read(&m->form, &m->has_form, out, run->data, "multipl_e/prompt.txt"));
    for (const Language *l = languages; l->name; l++) {
        char *file = file_of(run->data, set, l);
        if (!file)
            continue;
        found++;
        st = read_language(out, run->data, file, l);
        mem_free(file);
        if (st != ST_OK)
            goto undo;
    }
    if (!found)
        TRY_TO(undo,
               fail(ST_IO,
                    "%s/multipl_e holds no %s-LANGUAGE-reworded.jsonl or .json; lemur eval --fetch gets "
                    "them",
                    run->data, set));
    if (out->all.n == 0)
        TRY_TO(undo,
               fail(ST_UNSUPPORTED, "no language of %s/multipl_e can be run in the sandbox", run->data));
    *state = m;
    return ST_OK;
undo:
    close_state(m);
    return st;
}

static Status open_humaneval(const EvalRun *run, Questions *out, void **state)
{
    return open_set(run, out, state, "humaneval");
}
static Status open_mbpp(const EvalRun *run, Questions *out, void **state)
{
    return open_set(run, out, state, "mbpp");
}

/* ------------------------------------------------------------------------------------------------------- */

/* The words of l->fences as a list; `words` keeps the text. */
static void fence_names(const char *names[FENCES_MAX + 1], char *words)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *w = strtok_r(words, " ", &rest); w && n < FENCES_MAX; w = strtok_r(NULL, " ", &rest))
        names[n++] = w;
    names[n] = NULL;
}

static Status mark(const EvalRun *run, void *state, const Question *q, Span answer, CodeMark *out)
{
    (void)state;
    const Language *l = language_find(text_of(q, "language"));
    const char *names[FENCES_MAX + 1];
    char *words = mem_str(l->fences);
    CodeStops stops = {0};
    Str all = {0}, left = {0};
    fence_names(names, words);
    code_stops(&stops, json_object_get(q->doc, "stop_tokens"));
    CodeSplice c = {.prompt = span(text_of(q, "prompt")),
                    .tests = span(text_of(q, "tests")),
                    .name = text_of(q, "name"),
                    .language = l->name,
                    .plain = run->models.plain,
                    .stops = stops.at,
                    .stops_n = stops.n};
    if (!c.plain)
        code_block(code_fences_left(&left, answer), names, &answer);
    out->rule = code_rule_names[code_splice(&out->program, &c, answer)];
    str_drop(&left);
    str_addf(&all, "%s\n%s", str_c(&out->program), text_of(q, "tests"));
    double seconds = run->settings->program_seconds > 0 ? run->settings->program_seconds : published_seconds;
    Status st = language_run(out, l, str_span(&all), seconds);
    str_drop(&all);
    array_drop(&stops);
    mem_free(words);
    return st;
}

static Status ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    MultiPlE *m = state;
    Conversation c = {0};
    Str prompt = {0};
    CodeStops stops = {0};
    const Language *l = language_find(text_of(q, "language"));
    PromptHole holes[] = {{"prompt", span(text_of(q, "prompt"))}, {"language", span(l->title)}};
    Status st = ST_OK;
    if (m->has_form)
        st = prompt_fill(&prompt, str_span(&m->form), holes, 2);
    else
        str_adds(&prompt, text_of(q, "prompt"));
    if (st == ST_OK) {
        CodeTask task = {.mark = mark, .state = m, .how = {.max_tokens = 1024}, .sampled = 0.2};
        if (run->models.plain) {
            code_stops(&stops, json_object_get(q->doc, "stop_tokens"));
            task.how.stops = stops.at;
            task.how.stops_n = stops.n;
        }
        out->target = json_string(text_of(q, "tests"));
        conversation_add(&c, CHAT_USER, str_span(&prompt));
        st = code_task_ask(run, out, q, &c, &task);
    } else {
        st = fail_in(st, "multipl_e/prompt.txt");
    }
    conversation_drop(&c);
    str_drop(&prompt);
    array_drop(&stops);
    return st;
}

/* One of each language is enough; the list is for people. */
static const char *const programs[] = {
    "python3", "bash", "perl",  "lua",    "node", "tsc",   "php", "ruby",  "Rscript", "ocaml",  "runghc",
    "racket",  "g++",  "javac", "scalac", "mcs",  "rustc", "go",  "ldmd2", "julia",   "swiftc", NULL};

/* The array of the last commit whose comments are all comments; later files in JSON Lines leave lines of a
 * docstring bare in several languages, and hold OCaml and Haskell, which the others do not. */
#define OLD \
    "https://raw.githubusercontent.com/nuprl/MultiPL-E/0d48676976a5fbf9c5d1bde1da0ed8a031184e32/prompts/"
#define ML \
    "https://raw.githubusercontent.com/nuprl/MultiPL-E/3c9a62a1a8f854b75a90a2fabc829e3d34b8d17b/prompts/"
#define HS \
    "https://raw.githubusercontent.com/nuprl/MultiPL-E/feaa7c755385bb37c3de2e7dc65965f4a72a6031/prompts/"
#define FILE_OF(set, name, from, end)                                                        \
    {                                                                                        \
        "multipl_e/" set "-" name "-reworded." end, from set "-" name "-reworded." end, NULL \
    }
#define OLD_FILES(set)                                                                                       \
    FILE_OF(set, "py", OLD, "json"), FILE_OF(set, "sh", OLD, "json"), FILE_OF(set, "pl", OLD, "json"),       \
        FILE_OF(set, "lua", OLD, "json"), FILE_OF(set, "js", OLD, "json"), FILE_OF(set, "ts", OLD, "json"),  \
        FILE_OF(set, "php", OLD, "json"), FILE_OF(set, "rb", OLD, "json"), FILE_OF(set, "r", OLD, "json"),   \
        FILE_OF(set, "rkt", OLD, "json"), FILE_OF(set, "cpp", OLD, "json"),                                  \
        FILE_OF(set, "java", OLD, "json"), FILE_OF(set, "scala", OLD, "json"),                               \
        FILE_OF(set, "cs", OLD, "json"), FILE_OF(set, "rs", OLD, "json"), FILE_OF(set, "go", OLD, "json"),   \
        FILE_OF(set, "d", OLD, "json"), FILE_OF(set, "jl", OLD, "json"), FILE_OF(set, "swift", OLD, "json"), \
        FILE_OF(set, "hs", HS, "jsonl")

#define SOURCE \
    "Cassano et al. 2022, arXiv:2208.08227; github.com/nuprl/MultiPL-E, BSD-3-Clause with ML restriction"

const Benchmark multipl_e = {
    .name = "multipl_e",
    .groups = "static code",
    .about = "HumanEval in other languages, those whose tools are in the sandbox's /usr; pass@k",
    .source = SOURCE,
    .metric = "pass@1",
    .version = 2,
    .needs = NEEDS_SANDBOX | NEEDS_ANY_PROGRAM,
    .takes = TAKES_SAMPLES,
    .programs = programs,
    .files = (const DataFile[]){OLD_FILES("humaneval"), FILE_OF("humaneval", "ml", ML, "jsonl"), {0}},
    .open = open_humaneval,
    .ask = ask,
    .close = close_state,
};

const Benchmark multipl_e_mbpp = {
    .name = "multipl_e_mbpp",
    .groups = "static code",
    .about = "MBPP in other languages, those whose tools are in the sandbox's /usr; pass@k",
    .source = SOURCE,
    .metric = "pass@1",
    .version = 2,
    .needs = NEEDS_SANDBOX | NEEDS_ANY_PROGRAM,
    .takes = TAKES_SAMPLES,
    .programs = programs,
    .files = (const DataFile[]){OLD_FILES("mbpp"), {0}},
    .open = open_mbpp,
    .ask = ask,
    .close = close_state,
};
