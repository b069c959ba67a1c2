#include "infer/chatmodel_script_turns.h"

#include "base/array.h"
#include "base/text_set.h"

struct ScriptTurns {
    Array(json_t *) objects;
    TextSet *texts; /* what each "contains" */
};

ScriptTurns *script_turns_new(void)
{
    ScriptTurns *t = mem_new(ScriptTurns);
    t->texts = text_set_new();
    return t;
}

void script_turns_free(ScriptTurns *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->objects.n; i++)
        json_decref(t->objects.at[i]);
    array_drop(&t->objects);
    text_set_free(t->texts);
    mem_free(t);
}

/* A turn's text; NULL: it is none. */
static const json_t *text_of(const json_t *turn)
{
    const json_t *text = json_is_object(turn) ? json_object_get(turn, "text") : turn;
    return json_is_string(text) ? text : NULL;
}

static Status check_turns(const json_t *turns)
{
    if (!json_is_array(turns) || !json_array_size(turns))
        return fail(ST_FORMAT, "it has \"contains\" and no array \"turns\" with an answer or more");
    for (size_t i = 0; i < json_array_size(turns); i++) {
        const json_t *turn = json_array_get(turns, i), *learn = json_object_get(turn, "learn");
        if (!text_of(turn) || (learn && !json_is_boolean(learn)))
            return fail(ST_FORMAT, "turn %zu is neither a text nor {\"text\": ..., \"learn\": true or false}",
                        i + 1);
    }
    return ST_OK;
}

Status script_turns_add(ScriptTurns *t, json_t *object)
{
    const json_t *text = json_object_get(object, "contains");
    size_t n = json_string_length(text);
    if (!json_is_string(text) || !n)
        return fail(ST_FORMAT, "\"contains\" is no text, or an empty one");
    TRY(check_turns(json_object_get(object, "turns")));
    if (!text_set_add(t->texts, (Span){json_string_value(text), n}))
        return fail(ST_FORMAT, "an earlier line \"contains\" the same text");
    array_push(&t->objects, json_incref(object));
    return ST_OK;
}

void script_turns_end(ScriptTurns *t)
{
    text_set_end(t->texts);
}

const json_t *script_turns_find(const ScriptTurns *t, const Conversation *asked)
{
    size_t first = 0;
    while (first < asked->messages.n && asked->messages.at[first].role != CHAT_USER)
        first++;
    if (first == asked->messages.n)
        return NULL;
    int64_t found = text_set_longest(t->texts, asked->messages.at[first].content);
    return found < 0 ? NULL : json_object_get(t->objects.at[found], "turns");
}

Status script_turns_give(const json_t *turns, const Conversation *asked, ChatAnswer *out)
{
    size_t said = 0;
    for (size_t i = 0; i < asked->messages.n; i++)
        said += asked->messages.at[i].role == CHAT_ASSISTANT;
    const json_t *turn = json_array_get(turns, said), *text = text_of(turn);
    if (!turn)
        return fail(ST_LIMIT, "the script has no answer after the %zu that it has to this task",
                    json_array_size(turns));
    str_add(&out->text, json_string_value(text), json_string_length(text));
    out->finish = CHAT_FINISH_STOP;
    out->mute = json_is_false(json_object_get(turn, "learn"));
    return ST_OK;
}
