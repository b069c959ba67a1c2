#include "eval/agents/intercode.h"

#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "eval/sample_line.h"

enum { ANSWER_TOKENS = 512, TEMPLATES_BYTES = 1 << 20 };
static const double temperature = 0.01;
static const char *const stops[] = {"<|im_start|>", "<|im_end|>", "Observation:", "Task:", "Output:"};

/* Texts. ------------------------------------------------------------------------------------------------- */

static Status read_texts(InterCodeTexts *out, const json_t *all, const char *name, const char *path)
{
    const struct {
        const char *key;
        Str *to;
    } texts[] = {{"init", &out->init},
                 {"query", &out->query},
                 {"observation", &out->observation},
                 {"empty_observation", &out->empty_observation},
                 {"retry", &out->retry}};
    const json_t *template = json_object_get(all, name);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *text = json_object_get(template, texts[i].key);
        if (!json_is_string(text))
            return fail(ST_FORMAT, "%s: template \"%s\" has no text \"%s\"", path, name, texts[i].key);
        str_add(texts[i].to, json_string_value(text), json_string_length(text));
    }
    return ST_OK;
}

Status intercode_texts_read(InterCodeTexts *out, const char *data, const char *name, json_t *facts)
{
    char *path = path_join(data, INTERCODE_TEMPLATES), sum[65];
    json_t *all = NULL;
    Str bytes = {0};
    Status st = file_read(&bytes, path, TEMPLATES_BYTES);
    if (st == ST_OK)
        st = json_file_read(&all, path);
    if (st == ST_OK)
        st = read_texts(out, all, name, path);
    else
        st = fail_in(st, "a prompt text is missing (lemur eval --list says where it comes from)");
    if (st == ST_OK) {
        text_hash(sum, str_span(&bytes));
        json_object_set_new(facts, INTERCODE_TEMPLATES, json_string(sum));
    }
    json_decref(all);
    str_drop(&bytes);
    mem_free(path);
    return st;
}

void intercode_texts_drop(InterCodeTexts *t)
{
    Str *const texts[] = {&t->init, &t->query, &t->observation, &t->empty_observation, &t->retry};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        str_drop(texts[i]);
}

bool intercode_has_program(const char *name)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (folder_holds(folders[i], name))
            return true;
    return false;
}

Span intercode_cut(Span text, size_t n)
{
    size_t at = 0;
    uint32_t codepoint;
    for (; n > 0 && at < text.n; n--) {
        int length = utf8_decode(&codepoint, text.at + at, text.n - at);
        at += length ? (size_t)length : 1;
    }
    return (Span){text.at, at < text.n ? at : text.n};
}

typedef struct {
    const char *hole;
    Span with;
} Fill;

/* Fills the holes of a template; what is filled in is not looked at again. */
static void add_filled(Str *out, Span text, const Fill *fills, size_t n)
{
    for (size_t at = 0; at < text.n;) {
        const Fill *here = NULL;
        for (size_t i = 0; i < n && text.at[at] == '{'; i++)
            if (span_starts((Span){text.at + at, text.n - at}, fills[i].hole))
                here = &fills[i];
        if (here)
            str_add(out, here->with.at, here->with.n);
        else
            str_addc(out, text.at[at]);
        at += here ? strlen(here->hole) : 1;
    }
}

/* An episode. -------------------------------------------------------------------------------------------- */

int intercode_turns(const EvalRun *run)
{
    return run->settings->steps > 0 ? (int)run->settings->steps : INTERCODE_TURNS;
}

static void tell(const void *context, Str *out, const DialogueTurn *turn)
{
    const InterCodeSetup *setup = context;
    const InterCodeTexts *t = setup->texts;
    const Fill fills[] = {{"{query}", setup->query},
                          {"{observation}", str_span(&turn->observation)},
                          {"{reward}", str_span(&turn->reward)}};
    const Str *form = turn->observation.n ? &t->observation : &t->empty_observation;
    add_filled(out, str_span(form), fills, sizeof fills / sizeof *fills);
}

Status intercode_play(Sample *out, const EvalRun *run, const char *task, const InterCodeSetup *setup,
                      const DialogueWorld *world)
{
    const Fill fill = {"{query}", setup->query};
    Str opening = {0};
    str_add(&opening, setup->texts->init.at, setup->texts->init.n);
    str_adds(&opening, setup->line_between ? "\n" : "");
    add_filled(&opening, str_span(&setup->texts->query), &fill, 1);
    DialogueSetup dialogue = {.environment = setup->environment,
                              .system = setup->system,
                              .opening = str_span(&opening),
                              .tell = tell,
                              .tell_context = setup,
                              .turns = intercode_turns(run),
                              .window = setup->window,
                              .how = {.max_tokens = ANSWER_TOKENS,
                                      .temperature = temperature,
                                      .stops = stops,
                                      .stops_n = sizeof stops / sizeof *stops}};
    Status st = dialogue_play(out, run, task, &dialogue, world);
    str_drop(&opening);
    return st;
}
