/* ic_bash: InterCode-Bash's 200 tasks, in four file systems, in the sandbox (env/nl2bash.h); or those of
 * `lemur env make shell`, in more of them. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/python_repr.h"
#include "env/nl2bash.h"
#include "eval/agents/intercode.h"

#define INTERCODE \
    "https://raw.githubusercontent.com/princeton-nlp/intercode/c3e46d827cfc9d4c704ec078f7abf9f41e3191d8/"

enum { WINDOW = 7, OBSERVATION_CHARACTERS = 1000 };

typedef struct {
    InterCodeTexts texts;
    Nl2BashImages images;
} IcBash;

static void close_bash(void *state)
{
    IcBash *s = state;
    if (!s)
        return;
    intercode_texts_drop(&s->texts);
    nl2bash_images_close(&s->images);
    mem_free(s);
}

/* Ids are the file system's number and those of InterCode's own result files. */
static bool take(Questions *q, int64_t number, json_t *object)
{
    char id[32], part[32];
    if (!doc_text(object, "query").n || !doc_text(object, "gold").n)
        return false;
    snprintf(id, sizeof id, "%d-%lld", q->files, (long long)number);
    snprintf(part, sizeof part, "fs_%d", q->files);
    questions_add(q, id, part, object);
    return true;
}

/* Tasks whose gold command needs what is not here: it fails, and so may the model's. */
static void note_lacking(Questions *q)
{
    static const char *const tools[][2] = {
        {"tree ", "tree"}, {"cpio ", "cpio"}, {"rename ", "rename"}, {"compress {}", "compress"},
        {"cal ", "cal"},   {"jq ", "jq"},     {"pstree ", "pstree"}};
    static const char *const network[] = {"curl ", "dig ", "ping "};
    for (size_t i = 0; i < q->all.n; i++) {
        const char *gold = doc_text(q->all.at[i].doc, "gold").at;
        for (size_t t = 0; t < sizeof tools / sizeof *tools; t++)
            if (strstr(gold, tools[t][0]) && !intercode_has_program(tools[t][1]))
                questions_lack(q, tools[t][1], q->all.at[i].id);
        for (size_t n = 0; n < sizeof network / sizeof *network; n++)
            if (strstr(gold, network[n]))
                questions_lack(q, "the network", q->all.at[i].id);
    }
}

static Status open_bash(const EvalRun *run, Questions *out, void **state)
{
    Status st;
    IcBash *s = mem_new(IcBash);
    char *name = NULL;
    int n = nl2bash_images_in(run->data);
    out->facts = json_pack("{s:i}", "max_steps", intercode_turns(run));
    for (int i = 1; i <= n; i++) {
        mem_free(name);
        name = mem_format(NL2BASH_TASKS, i);
        TRY_TO(undo, questions_read(out, run->data, name, take));
    }
    TRY_TO(undo, intercode_texts_read(&s->texts, run->data, "bash", out->facts));
    TRY_TO(undo, nl2bash_images_open(&s->images, run->data));
    note_lacking(out);
    *state = s;
    mem_free(name);
    return ST_OK;
undo:
    mem_free(name);
    close_bash(s);
    return fail_in(st, "ic_bash (docs/eval.md says how its prompt text is made)");
}

/* One task. ---------------------------------------------------------------------------------------------- */

typedef struct {
    Nl2Bash *world;
    Nl2BashTurn turn;
    Str action;
} Asked;

static Status act(void *self, Span answer, DialogueTurn *out)
{
    Asked *a = self;
    bash_action_read(&a->action, answer);
    out->understood = a->action.n > 0;
    TRY(nl2bash_act(a->world, &a->turn, str_span(&a->action)));
    Span text = intercode_cut(str_span(&a->turn.text), OBSERVATION_CHARACTERS);
    str_add(&out->action, a->action.at, a->action.n);
    str_add(&out->observation, text.at, text.n);
    out->score = a->turn.reward.total;
    python_repr_real(&out->reward, out->score);
    out->failed = !a->turn.done && !a->turn.gave_up;
    out->ends = a->turn.gave_up;
    return ST_OK;
}

static Status ask_bash(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    IcBash *s = state;
    Asked a = {0};
    Nl2BashSpec spec = {.query = doc_text(q->doc, "query").at, .gold = doc_text(q->doc, "gold").at};
    if (run->settings->program_seconds > 0)
        spec.seconds = run->settings->program_seconds;
    TRY(nl2bash_open(&a.world, nl2bash_image_of(&s->images, q->id), &spec));
    InterCodeSetup setup = {.environment = "ic_bash",
                            .texts = &s->texts,
                            .system = span("You are an expert in Bash."),
                            .query = doc_text(q->doc, "query"),
                            .window = WINDOW};
    DialogueWorld world = {&a, act};
    out->target = json_incref(json_object_get(q->doc, "gold"));
    Status st = intercode_play(out, run, q->id, &setup, &world);
    nl2bash_close(a.world);
    nl2bash_turn_drop(&a.turn);
    str_drop(&a.action);
    return st;
}

static const DataFile files[] = {
    {"intercode/bash/nl2bash_fs_1.json", INTERCODE "data/nl2bash/nl2bash_fs_1.json",
     "60f88e1aacc7ebba535093f9890c5c33203f4e5f32958e0e94fbe90ec4f01c82"},
    {"intercode/bash/nl2bash_fs_2.json", INTERCODE "data/nl2bash/nl2bash_fs_2.json",
     "8f4ce24e535fab782fda607e37db2ae1d6c5f99993c638d1ac0a7e0b542f633e"},
    {"intercode/bash/nl2bash_fs_3.json", INTERCODE "data/nl2bash/nl2bash_fs_3.json",
     "a2d4ec8bc7ad69a4e2fb3eb84033994cf65ee9cfb355e3e63099df67a339b2e1"},
    {"intercode/bash/nl2bash_fs_4.json", INTERCODE "data/nl2bash/nl2bash_fs_4.json",
     "ce41b89450f87765a02a51df259ca0c1762e8249185c022adb089147e2c16200"},
    {"intercode/bash/setup_nl2b_fs_1.sh", INTERCODE "docker/bash_scripts/setup_nl2b_fs_1.sh",
     "02b9a2206d809a9fca03b755e61b94618248a400fd3132ac61d32b6f3009dd3f"},
    {"intercode/bash/setup_nl2b_fs_2.sh", INTERCODE "docker/bash_scripts/setup_nl2b_fs_2.sh",
     "05c3109c4e9999e661d66c6d74137f0238b88017ec9cf884abdda0499e94ff1d"},
    {"intercode/bash/setup_nl2b_fs_3.sh", INTERCODE "docker/bash_scripts/setup_nl2b_fs_3.sh",
     "5e8d9f832f272c31dfb73567e75d33efb970d4e4bf9a8e691582d4fa09422d09"},
    {"intercode/bash/setup_nl2b_fs_4.sh", INTERCODE "docker/bash_scripts/setup_nl2b_fs_4.sh",
     "c5fb550aa1578fe2454e8ab06221165df90311231cb71d3d9b0ce036a8235274"},
    {NL2BASH_IGNORE, INTERCODE "docker/docker.gitignore",
     "5479a1cafa260c77e836e8601ba9a345d39df777dc9cb07d6a93f0ac29b69166"},
    {INTERCODE_TEMPLATES, NULL, NULL},
    {0}};

const Benchmark ic_bash = {
    .name = "ic_bash",
    .groups = "intercode",
    .about = "InterCode-Bash: ask or change a small file system, turn by turn, by commands and their rewards",
    .source = "InterCode, arXiv:2306.14898; princeton-nlp/intercode, MIT; queries are NL2Bash's;\nits prompt "
              "texts, "
              "template \"bash\", are written out of experiments/utils/prompts.py (docs/eval.md)",
    .metric = "success",
    .version = 1,
    .needs = NEEDS_SANDBOX,
    .files = files,
    .open = open_bash,
    .ask = ask_bash,
    .close = close_bash,
};
