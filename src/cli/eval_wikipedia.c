#include "cli/eval_wikipedia.h"

#include <string.h>

static Status open_record(Wikipedia **out, const WikipediaLive *live, const char *file)
{
    Wikipedia *inner;
    TRY(wikipedia_open_live(&inner, live));
    Status st = wikipedia_open_recorder(out, inner, file);
    if (st != ST_OK)
        wikipedia_close(inner);
    return st;
}

Status eval_wikipedia_open(Wikipedia **out, const char *words, bool (*stopped)(void *), void *context)
{
    const WikipediaLive live = {.stopped = stopped, .context = context};
    Span w = span(words);
    *out = NULL;
    if (span_is(w, "none"))
        return ST_OK;
    if (span_is(w, "live"))
        return wikipedia_open_live(out, &live);
    if (span_starts(w, "recording:"))
        return wikipedia_open_recording(out, words + strlen("recording:"));
    if (span_starts(w, "record:"))
        return open_record(out, &live, words + strlen("record:"));
    return wikipedia_open_index(out, words);
}
