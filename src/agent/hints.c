#include "agent/hints.h"

#include <pthread.h>
#include <string.h>
#include <xxhash.h>

#include "agent/python_text.h"
#include "agent/turns.h"
#include "base/array.h"
#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text_set.h"
#include "env/hint.h"

struct Hints {
    char *path, *name;
    Array(json_t *) lines;
    TextSet *texts;       /* what each line "contains" */
    pthread_mutex_t lock; /* of the two below */
    Map *missing;         /* hashes of first messages that have no line */
    Map *withheld;        /* hints that gave a solution away */
};

/* Reading. ----------------------------------------------------------------------------------------------- */

static Status add_line(Hints *h, Span text)
{
    json_error_t why;
    json_t *line = json_loadb(text.at, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!line)
        return fail(ST_FORMAT, "it is no JSON: %s", why.text);
    array_push(&h->lines, line);
    TRY(hint_check(line));
    const json_t *contains = json_object_get(line, "contains");
    return text_set_add(h->texts, (Span){json_string_value(contains), json_string_length(contains)})
               ? ST_OK
               : fail(ST_FORMAT, "an earlier line \"contains\" the same text");
}

static Status add_lines(Hints *h, Span text)
{
    for (int64_t number = 1; text.n; number++) {
        const char *end = memchr(text.at, '\n', text.n);
        Span line = {text.at, end ? (size_t)(end - text.at) : text.n};
        size_t n = line.n + (end != NULL);
        text = (Span){text.at + n, text.n - n};
        if (!span_trim(line).n)
            continue;
        Status st = add_line(h, line);
        if (st != ST_OK)
            return fail_in(st, "%s line %lld", h->path, (long long)number);
    }
    return h->lines.n ? ST_OK : fail(ST_FORMAT, "%s has no line of hints", h->path);
}

Status hints_open(Hints **out, const char *path)
{
    Str text = {0};
    Hints *h = mem_new(Hints);
    *h = (Hints){.path = mem_str(path),
                 .name = mem_format("hints:%s", path_base(path)),
                 .texts = text_set_new(),
                 .missing = map_new(),
                 .withheld = map_new()};
    check(pthread_mutex_init(&h->lock, NULL) == 0);
    Status st = file_read(&text, path, 0);
    if (st == ST_OK)
        st = add_lines(h, str_span(&text));
    str_drop(&text);
    text_set_end(h->texts);
    if (st == ST_OK)
        *out = h;
    else
        hints_close(h);
    return st;
}

void hints_close(Hints *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->lines.n; i++)
        json_decref(h->lines.at[i]);
    array_drop(&h->lines);
    text_set_free(h->texts);
    map_free(h->missing);
    map_free(h->withheld);
    pthread_mutex_destroy(&h->lock);
    mem_free(h->path);
    mem_free(h->name);
    mem_free(h);
}

const char *hints_name(const Hints *h)
{
    return h->name;
}

/* Speaking. ---------------------------------------------------------------------------------------------- */

static Span opening_of(const Conversation *c)
{
    for (size_t i = 0; i < c->messages.n; i++)
        if (c->messages.at[i].role == CHAT_USER)
            return c->messages.at[i].content;
    return (Span){0};
}

static const json_t *line_of(Hints *h, Span opening)
{
    int64_t found = text_set_longest(h->texts, opening);
    if (found >= 0)
        return h->lines.at[found];
    uint64_t hash = XXH3_64bits(opening.at, opening.n);
    pthread_mutex_lock(&h->lock);
    *map_put(h->missing, (const char *)&hash, sizeof hash) = 1;
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* What an agent did, and what the expert said last. */
typedef struct {
    Str all;
    Span last, hint;
} Acts;

static void find_acts(Acts *out, const Conversation *c)
{
    for (size_t i = 0; i < c->messages.n; i++) {
        Span text = c->messages.at[i].content;
        bool acts = c->messages.at[i].role == CHAT_ASSISTANT;
        size_t mark = python_find(text, span(TURNS_EXPERT), 0), behind = mark + strlen(TURNS_EXPERT);
        if (acts) {
            str_add(&out->all, text.at, text.n);
            str_addc(&out->all, '\n');
        } else if (mark < text.n) {
            out->hint = span_trim((Span){text.at + behind, text.n - behind});
        }
        out->last = acts ? text : (Span){0}; /* an empty answer leaves no message */
    }
}

/* Whether the line wants a hint said once as long as it holds, and it was said. */
static bool said_before(const json_t *line, const char *words, const Acts *acts)
{
    Span hint = span_trim(span(words));
    return json_is_false(json_object_get(line, "repeats")) && hint.n == acts->hint.n &&
           memcmp(hint.at, acts->hint.at, hint.n) == 0;
}

static bool withhold(Hints *h, const char *words, Span solution)
{
    if (!hint_discloses(span(words), solution))
        return false;
    pthread_mutex_lock(&h->lock);
    *map_put(h->withheld, words, strlen(words)) += 1;
    pthread_mutex_unlock(&h->lock);
    return true;
}

void hints_say_line(Str *out, const json_t *line, const Conversation *messages, HintsHeard heard)
{
    Acts acts = {0};
    find_acts(&acts, messages);
    HintSaid said = {.over = {[HINT_LAST] = acts.last,
                              [HINT_ALL] = str_span(&acts.all),
                              [HINT_ANSWER] = heard.last,
                              [HINT_ANSWERS] = heard.all}};
    const char *words = hint_choose(line, &said);
    if (words && !said_before(line, words, &acts))
        str_adds(out, words);
    str_drop(&acts.all);
}

void hints_say(Str *out, Hints *h, const Conversation *messages, HintsHeard heard, Span solution)
{
    const json_t *line = line_of(h, opening_of(messages));
    Str words = {0};
    if (line)
        hints_say_line(&words, line, messages, heard);
    if (words.n && !withhold(h, str_c(&words), solution))
        str_add(out, words.at, words.n);
    str_drop(&words);
}

void hints_report(const Hints *h)
{
    if (map_count(h->missing))
        log_warn("%lld tasks have no line in %s, and got no feedback", (long long)map_count(h->missing),
                 h->path);
    if (map_count(h->withheld))
        log_warn("%lld hints of %s were withheld, as they give the solution away: \"%.*s\"",
                 (long long)map_count(h->withheld), h->path, (int)map_key_at(h->withheld, 0).n,
                 map_key_at(h->withheld, 0).at);
}
