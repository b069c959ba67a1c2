/* Texts are found as Rabin and Karp do (1987, IBM J. Res. Dev. 31, 249-260): for each length a hash rolls
 * over the message, and where a text may have it the bytes are looked up. */
#include "infer/chatmodel_script_turns.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/map.h"
#include "base/mem.h"

enum { MARKS = 1 << 16 };
static const uint64_t base = 0x9E3779B97F4A7C15;

struct ScriptTurns {
    Array(json_t *) objects;
    Map *texts;                     /* "contains" -> its object */
    Array(size_t) lengths;          /* the longest first, each once */
    unsigned char marks[MARKS / 8]; /* which hashes there are */
};

ScriptTurns *script_turns_new(void)
{
    ScriptTurns *t = mem_new(ScriptTurns);
    t->texts = map_new();
    return t;
}

void script_turns_free(ScriptTurns *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->objects.n; i++)
        json_decref(t->objects.at[i]);
    array_drop(&t->objects);
    array_drop(&t->lengths);
    map_free(t->texts);
    mem_free(t);
}

static uint64_t hash_of(const char *text, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = h * base + (unsigned char)text[i];
    return h;
}

static size_t mark_of(uint64_t hash)
{
    return (size_t)((hash * base) >> 48) % MARKS;
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
    if (map_find(t->texts, json_string_value(text), n))
        return fail(ST_FORMAT, "an earlier line \"contains\" the same text");
    *map_put(t->texts, json_string_value(text), n) = (int64_t)t->objects.n;
    array_push(&t->objects, json_incref(object));
    array_push(&t->lengths, n);
    size_t mark = mark_of(hash_of(json_string_value(text), n));
    t->marks[mark / 8] |= (unsigned char)(1u << mark % 8);
    return ST_OK;
}

static int longer_first(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

void script_turns_end(ScriptTurns *t)
{
    size_t n = 0;
    if (!t->lengths.n)
        return;
    qsort(t->lengths.at, t->lengths.n, sizeof *t->lengths.at, longer_first);
    for (size_t i = 0; i < t->lengths.n; i++)
        if (!n || t->lengths.at[i] != t->lengths.at[n - 1])
            t->lengths.at[n++] = t->lengths.at[i];
    t->lengths.n = n;
}

/* The number of a text of n bytes within the message; -1: none. */
static int64_t find_length(const ScriptTurns *t, Span message, size_t n)
{
    uint64_t power = 1, h = hash_of(message.at, n);
    for (size_t i = 1; i < n; i++)
        power *= base;
    for (size_t at = 0;; at++) {
        size_t mark = mark_of(h);
        const int64_t *found =
            t->marks[mark / 8] >> mark % 8 & 1 ? map_find(t->texts, message.at + at, n) : NULL;
        if (found)
            return *found;
        if (at + n == message.n)
            return -1;
        h = (h - power * (unsigned char)message.at[at]) * base + (unsigned char)message.at[at + n];
    }
}

const json_t *script_turns_find(const ScriptTurns *t, const Conversation *asked)
{
    size_t first = 0;
    while (first < asked->messages.n && asked->messages.at[first].role != CHAT_USER)
        first++;
    if (first == asked->messages.n)
        return NULL;
    Span message = asked->messages.at[first].content;
    for (size_t i = 0; i < t->lengths.n; i++) {
        int64_t found = t->lengths.at[i] <= message.n ? find_length(t, message, t->lengths.at[i]) : -1;
        if (found >= 0)
            return json_object_get(t->objects.at[found], "turns");
    }
    return NULL;
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
