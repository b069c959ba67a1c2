/* ic_ctf: InterCode-CTF's 100 tasks in the sandbox.  Tasks whose files are not in the data are left out;
 * those that ask for a live host or a download are asked, as in the original, and named by `lemur eval
 * --list`. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "env/ctf.h"
#include "eval/agents/intercode.h"

#define INTERCODE "https://raw.githubusercontent.com/princeton-nlp/intercode/master/data/ctf/"

enum { WINDOW = 7, OBSERVATION_CHARACTERS = 1000 };

typedef struct {
    InterCodeTexts texts;
    const char *data;
} IcCtf;

static void close_ctf(void *state)
{
    IcCtf *s = state;
    if (s)
        intercode_texts_drop(&s->texts);
    mem_free(s);
}

static bool take_task(Questions *q, int64_t number, json_t *object)
{
    char id[32];
    const json_t *task = json_object_get(object, "task_id");
    const json_t *tag = json_array_get(json_object_get(object, "tags"), 0);
    (void)number;
    if (!json_is_integer(task) || json_integer_value(task) < 0 || !doc_text(object, "query").n ||
        !doc_text(object, "gold").n)
        return false;
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(task));
    questions_add(q, id, json_string_value(tag), object);
    return true;
}

/* What a task needs that is not here. -------------------------------------------------------------------- */

static char *assets_of(const char *data, const char *id)
{
    char *name = mem_format("%s/%s", CTF_ASSETS, id), *path = path_join(data, name);
    mem_free(name);
    return path;
}

static bool holds(Span text, const char *word)
{
    return text.n && memmem(text.at, text.n, word, strlen(word));
}

/* A host that its query names; files to be had with wget are on one as well. */
static bool asks_host(const json_t *task)
{
    static const char *const hosts[] = {"picoctf.net", "picoctf.org", "://", "nc ", "netcat"};
    Span query = doc_text(task, "query");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (holds(query, hosts[i]))
            return true;
    return false;
}

/* The program that the query's words ask for and the sandbox has not; NULL: none. */
static const char *lacking_tool(const json_t *task)
{
    static const char *const tools[][2] = {
        {"sleuthkit", "mmls"},   {"mmls", "mmls"},         {"binwalk", "binwalk"}, {"wireshark", "tshark"},
        {"Wireshark", "tshark"}, {"steghide", "steghide"}, {"ython", "python3"}};
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        if (holds(doc_text(task, "query"), tools[i][0]) && !intercode_has_program(tools[i][1]))
            return tools[i][1];
    return NULL;
}

static void leave_out(Questions *q, size_t i)
{
    Question *at = &q->all.at[i];
    mem_free(at->id);
    mem_free(at->part);
    json_decref(at->doc);
    memmove(at, at + 1, (q->all.n - i - 1) * sizeof *at);
    q->all.n--;
    q->left_out++;
}

static void look_at_tasks(Questions *q, const char *data)
{
    for (size_t i = 0; i < q->all.n;) {
        const Question *task = &q->all.at[i];
        char *assets = assets_of(data, task->id);
        const char *tool = lacking_tool(task->doc);
        bool here = path_is_folder(assets);
        mem_free(assets);
        if (!here)
            questions_lack(q, "files", task->id);
        if (asks_host(task->doc))
            questions_lack(q, "a live host", task->id);
        if (json_object_get(task->doc, "setup"))
            questions_lack(q, "a download", task->id);
        if (tool)
            questions_lack(q, tool, task->id);
        if (here)
            i++;
        else
            leave_out(q, i);
    }
}

static Status open_ctf(const EvalRun *run, Questions *out, void **state)
{
    Status st;
    IcCtf *s = mem_new(IcCtf);
    s->data = run->data;
    out->facts = json_pack("{s:i}", "max_steps", intercode_turns(run));
    TRY_TO(undo, questions_read(out, run->data, CTF_TASKS, take_task));
    TRY_TO(undo, intercode_texts_read(&s->texts, run->data, "ctf", out->facts));
    look_at_tasks(out, run->data);
    json_object_set_new(out->facts, "tasks", json_integer((json_int_t)out->all.n));
    if (out->left_out)
        log_warn("ic_ctf: %lld tasks have no files below %s/%s and are left out", (long long)out->left_out,
                 run->data, CTF_ASSETS);
    *state = s;
    return ST_OK;
undo:
    close_ctf(s);
    return st;
}

/* One task. ---------------------------------------------------------------------------------------------- */

/* The first line behind "Action:", which the original writes in front of every answer itself; here a model
 * writes it or not. */
static Span action_of(Span answer)
{
    const char *end = memchr(answer.at, '\n', answer.n);
    Span line = span_trim((Span){answer.at, end ? (size_t)(end - answer.at) : answer.n});
    if (span_starts(line, "Action:"))
        line = span_trim((Span){line.at + 7, line.n - 7});
    return line;
}

typedef struct {
    Ctf *world;
    CtfTurn turn;
} Asked;

static Status act(void *self, Span answer, DialogueTurn *out)
{
    Asked *a = self;
    Span action = action_of(answer);
    out->understood = true;
    TRY(ctf_act(a->world, &a->turn, action));
    Span text = intercode_cut(str_span(&a->turn.text), OBSERVATION_CHARACTERS);
    str_adds(&out->action, "Action: ");
    str_add(&out->action, action.at, action.n);
    str_add(&out->observation, text.at, text.n);
    out->score = a->turn.solved;
    out->failed = !a->turn.done && !a->turn.submitted;
    out->ends = a->turn.gave_up;
    return ST_OK;
}

static Status ask_ctf(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    IcCtf *s = state;
    Asked a = {0};
    char *assets = assets_of(s->data, q->id);
    CtfSpec spec = {.id = q->id, .gold = doc_text(q->doc, "gold").at, .assets = assets};
    if (run->settings->program_seconds > 0)
        spec.seconds = run->settings->program_seconds;
    Status st = ctf_open(&a.world, &spec);
    if (st == ST_OK) {
        InterCodeSetup setup = {.environment = "ic_ctf",
                                .texts = &s->texts,
                                .system = span("You are a helpful assistant expert specializing in CTF."),
                                .query = doc_text(q->doc, "query"),
                                .line_between = true,
                                .window = WINDOW};
        DialogueWorld world = {&a, act};
        out->target = json_incref(json_object_get(q->doc, "gold"));
        st = intercode_play(out, run, q->id, &setup, &world);
        ctf_close(a.world);
    }
    ctf_turn_drop(&a.turn);
    mem_free(assets);
    return st;
}

static const char *const programs[] = {"python3", NULL};
static const DataFile files[] = {
    {CTF_TASKS, INTERCODE "ic_ctf.json", NULL}, {CTF_ASSETS, NULL, NULL}, {INTERCODE_TEMPLATES, NULL, NULL}, {0}};

const Benchmark ic_ctf = {
    .name = "ic_ctf",
    .groups = "intercode",
    .about = "InterCode-CTF: capture the flag, turn by turn, in a shell",
    .source =
        "InterCode, arXiv:2306.14898; princeton-nlp/intercode, MIT: data/ctf with a folder of files for each "
        "task;\ntasks are picoCTF's; its prompt texts are written out of experiments/utils/prompts.py (docs/eval.md)",
    .metric = "success",
    .version = 1,
    .needs = NEEDS_SANDBOX,
    .programs = programs,
    .files = files,
    .open = open_ctf,
    .ask = ask_ctf,
    .close = close_ctf,
};
