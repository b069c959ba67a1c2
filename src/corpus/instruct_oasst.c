/* OpenAssistant's trees of messages (github.com/LAION-AI/Open-Assistant, docs/docs/data/schemas.md): a prompt
 * and its replies, theirs, and so on; people ranked the replies to one message, 0 being the best. */
#include <string.h>

#include "corpus/instruct_formats.h"

enum { DEPTH_MAX = 512 };

typedef struct {
    const InstructOptions *o;
    FormatFailure *f;
    InstructTake *take;
    void *context;
    json_t *path[DEPTH_MAX]; /* messages from the prompt to where the walk is; borrowed */
    bool learned[DEPTH_MAX]; /* the answer was in an earlier path */
    size_t depth;
    bool given;
} Walk;

static bool is_answer(const json_t *node)
{
    const char *role = json_string_value(json_object_get(node, "role"));
    return role && strcmp(role, "assistant") == 0;
}

static bool is_usable(const Walk *w, const json_t *node)
{
    const char *lang = json_string_value(json_object_get(node, "lang"));
    const char *role = json_string_value(json_object_get(node, "role"));
    if (!role || (strcmp(role, "prompter") != 0 && strcmp(role, "assistant") != 0)) {
        (void)instruct_formats_fail(w->f, REJECT_UNKNOWN_ROLE, "a message has %s%.40s%s",
                                    role ? "the role \"" : "no role", role ? role : "", role ? "\"" : "");
        return false;
    }
    if (!json_is_string(json_object_get(node, "text"))) {
        (void)instruct_formats_fail(w->f, REJECT_BAD_MESSAGE, "a message has no text");
        return false;
    }
    if (*w->o->language && lang && strcmp(lang, w->o->language) != 0) {
        (void)instruct_formats_fail(w->f, REJECT_LANGUAGE, "a message is in \"%.20s\"", lang);
        return false;
    }
    return !json_is_true(json_object_get(node, "deleted"));
}

/* Smaller is better; a message without a rank comes behind all that have one. */
static json_int_t rank_of(const json_t *node)
{
    const json_t *rank = json_object_get(node, "rank");
    return json_is_integer(rank) ? json_integer_value(rank) : INT32_MAX;
}

static json_t *best_reply(const Walk *w, const json_t *replies)
{
    json_t *best = NULL;
    for (size_t i = 0; i < json_array_size(replies); i++) {
        json_t *one = json_array_get(replies, i);
        if (is_usable(w, one) && (!best || rank_of(one) < rank_of(best)))
            best = one;
    }
    return best;
}

/* The path up to its last answer, where it holds an answer that was in no earlier one. */
static void path_give(Walk *w)
{
    size_t n = w->depth;
    bool fresh = false;
    while (n > 0 && !is_answer(w->path[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++)
        fresh |= is_answer(w->path[i]) && !w->learned[i];
    if (!fresh)
        return;
    json_t *messages = json_array();
    for (size_t i = 0; i < n; i++) {
        instruct_formats_say(messages, is_answer(w->path[i]) ? "assistant" : "user",
                             json_object_get(w->path[i], "text"));
        if (w->learned[i])
            json_object_set_new(json_array_get(messages, i), "weight", json_integer(0));
        w->learned[i] |= is_answer(w->path[i]);
    }
    w->take(w->context, messages);
    w->given = true;
    json_decref(messages);
}

/* The path goes on with `node`, and from there to every leaf (or the best one).  Recursion is bounded by
 * DEPTH_MAX. */
static void walk(Walk *w, json_t *node)
{
    const json_t *replies = json_object_get(node, "replies");
    bool leaf = true;
    if (w->depth == DEPTH_MAX)
        return;
    w->learned[w->depth] = false;
    w->path[w->depth++] = node;
    if (w->o->all_paths) {
        for (size_t i = 0; i < json_array_size(replies); i++) {
            json_t *reply = json_array_get(replies, i);
            if (!is_usable(w, reply))
                continue;
            walk(w, reply);
            leaf = false;
        }
    } else {
        json_t *reply = best_reply(w, replies);
        if (reply)
            walk(w, reply);
        leaf = !reply;
    }
    if (leaf)
        path_give(w);
    w->depth--;
}

bool instruct_oasst(const json_t *record, const InstructOptions *o, FormatFailure *f, InstructTake *take,
                    void *context)
{
    Walk *w = mem_new(Walk);
    *w = (Walk){.o = o, .f = f, .take = take, .context = context};
    json_t *prompt = json_object_get(record, "prompt");
    if (!json_is_object(prompt))
        (void)instruct_formats_fail(f, REJECT_BAD_MESSAGE, "\"prompt\" is no message");
    else if (is_usable(w, prompt))
        walk(w, prompt);
    bool given = w->given;
    mem_free(w);
    if (!given && f->reason == REJECT_NONE)
        (void)instruct_formats_fail(f, REJECT_NOTHING_TO_LEARN, "no message of the tree is an answer");
    return given;
}
