#include "env/wikipedia.h"

#include "base/log.h"
#include "base/mem.h"
#include "env/wikipedia_source.h"

struct Wikipedia {
    const WikipediaSource *source;
    void *self;
    int64_t searches, failed; /* of sessions; atomic */
};

Wikipedia *wikipedia_of(const WikipediaSource *source, void *self)
{
    Wikipedia *w = mem_new(Wikipedia);
    *w = (Wikipedia){.source = source, .self = self};
    return w;
}

void wikipedia_close(Wikipedia *w)
{
    if (!w)
        return;
    if (w->failed > 1)
        log_warn("%lld of %lld searches of Wikipedia failed, and the scores suffer", (long long)w->failed,
                 (long long)w->searches);
    w->source->close(w->self);
    mem_free(w);
}

Span wikipedia_cut(Span text, size_t most)
{
    size_t at = 0;
    for (size_t i = 0; i < most && at < text.n; i++) {
        int n = utf8_length((unsigned char)text.at[at]);
        at += n > 0 ? (size_t)n : 1;
    }
    return (Span){text.at, at < text.n ? at : text.n};
}

void wikipedia_add_page(Str *answer, size_t from, const char *title, Span summary)
{
    str_addf(answer, "%sPage: %s\nSummary: ", answer->n > from ? "\n\n" : "", title);
    str_add(answer, summary.at, summary.n);
}

void wikipedia_end(Str *answer, size_t from)
{
    if (answer->n == from) {
        str_adds(answer, "Wikipedia Search Result was found");
        return;
    }
    Span whole = {answer->at + from, answer->n - from};
    answer->n = from + wikipedia_cut(whole, WIKIPEDIA_TEXT_CHARS).n;
    answer->at[answer->n] = 0;
}

Status wikipedia_search(Wikipedia *w, Span query, Str *answer)
{
    if (!utf8_valid(query.at, query.n))
        return fail(ST_ARG, "wikipedia_search: the query is no UTF-8");
    size_t from = answer->n;
    Status st = w->source->search(w->self, query, answer);
    if (st != ST_OK && answer->n > from) {
        answer->n = from;
        answer->at[from] = 0;
    }
    return st;
}

/* The model sees the failure as an exception, goes on without, and nobody would know why it does badly. */
static void count_search(Wikipedia *w, Status st)
{
    __atomic_add_fetch(&w->searches, 1, __ATOMIC_RELAXED);
    if (st == ST_OK || st == ST_ARG || st == ST_CANCELLED)
        return;
    if (__atomic_add_fetch(&w->failed, 1, __ATOMIC_RELAXED) == 1)
        log_warn("%s; the model is told so and goes on; an index or a recording needs no network",
                 error_text());
}

static Status call(void *context, const json_t *arguments, Str *answer)
{
    const json_t *query = json_object_get(arguments, "query");
    if (!json_is_string(query))
        return fail(ST_ARG, "wikipedia_search: the query is no text");
    Span words = {json_string_value(query), json_string_length(query)};
    Status st = wikipedia_search(context, words, answer);
    count_search(context, st);
    return st;
}

PythonTool wikipedia_tool(Wikipedia *w)
{
    return (PythonTool){"wikipedia_search", "query: str", call, w};
}
