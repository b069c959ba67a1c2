#include "env/wikipedia.h"

#include "base/mem.h"
#include "env/wikipedia_source.h"

struct Wikipedia {
    const WikipediaSource *source;
    void *self;
};

Wikipedia *wikipedia_of(const WikipediaSource *source, void *self)
{
    Wikipedia *w = mem_new(Wikipedia);
    *w = (Wikipedia){source, self};
    return w;
}

void wikipedia_close(Wikipedia *w)
{
    if (!w)
        return;
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

static Status call(void *context, const json_t *arguments, Str *answer)
{
    const json_t *query = json_object_get(arguments, "query");
    if (!json_is_string(query))
        return fail(ST_ARG, "wikipedia_search: the query is no text");
    return wikipedia_search(context, (Span){json_string_value(query), json_string_length(query)}, answer);
}

PythonTool wikipedia_tool(Wikipedia *w)
{
    return (PythonTool){"wikipedia_search", "query: str", call, w};
}
