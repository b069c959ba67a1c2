/* MINT's `wikipedia_search(query)`: the summaries of the two best articles, from one of three sources behind
 * one `Wikipedia`: the live MediaWiki API, an index on this machine (wikipedia_index.h builds it), or a
 * recording.
 *
 *     Wikipedia *w;
 *     TRY(wikipedia_open_index(&w, "wiki.index"));
 *     PythonTool tool = wikipedia_tool(w);           for PythonSpec.tools
 *     ...
 *     wikipedia_close(w);                            after the sessions
 *
 * The text is MINT's (mint-bench, mint/tools/wikipedia_search.py, on goldsmith/Wikipedia's requests): of the
 * query's first 300 characters, `Page: TITLE\nSummary: LEAD` of each of the first two titles that is an
 * article, neither missing nor a disambiguation, with a blank line between, cut at 1000 characters; and where
 * there is none the sentence that recorded episodes have, which says the reverse of what it means.
 *
 * All functions but wikipedia_close: any thread, many at once.  A failure inside a cell is raised there
 * (python.h) and ends neither the episode nor the run; the first is told in the log, and how many there were
 * when it is closed. */
#ifndef ENV_WIKIPEDIA_H
#define ENV_WIKIPEDIA_H

#include "env/python.h"

typedef struct Wikipedia Wikipedia;

/* What is 0 or NULL has the default.  Texts are copied. */
typedef struct {
    const char *url;   /* of api.php; https://en.wikipedia.org/w/api.php                        */
    const char *agent; /* User-Agent, which Wikimedia wants to tell whom to write to            */
    double seconds;    /* for a whole search with all its attempts; 20: below a cell's 30       */
    int attempts;      /* of a request that fails in passing (no connection, cut, 429, 5xx); 5  */
    int at_once;       /* requests that run at the same time; 4                                 */
    double pause_s;    /* before the second attempt, then twice as long each time; 0.5          */
    bool (*stopped)(void *context); /* true ends searches soon with ST_CANCELLED; NULL: nobody asks */
    void *context;
} WikipediaLive;

/* Two requests a search: titles, then leads.  Retry-After holds back all threads.
 *   ST_ARG  the url is none   ST_UNSUPPORTED  no libcurl */
MUST_CHECK Status wikipedia_open_live(Wikipedia **out, const WikipediaLive *live);

/* An index that wikipedia_index_build wrote.  An article of the query's very name comes first, then those
 * with all of its words, then those with some, each by bm25, the title's words ten times the text's.
 *   ST_IO  cannot be opened   ST_FORMAT  no such index, or another version's */
MUST_CHECK Status wikipedia_open_index(Wikipedia **out, const char *file);

/* JSONL {"query": q, "text": t}, or "error" in place of "text" for a search that failed; compressed as
 * base/stream.h reads it.  A query's answers are given in the file's order, the last one again and again; a
 * query that the file has not is answered with a sentence that says so.
 *   ST_IO  cannot be read   ST_FORMAT  a line that is no such object, by number */
MUST_CHECK Status wikipedia_open_recording(Wikipedia **out, const char *file);

/* Answers as `inner` does and appends each to such a recording, whole lines, so that a run that goes on later
 * goes on in the same file; what a killed run left of a line is cut off.  Keeps `inner` and closes it.  A
 * search whose answer cannot be written fails.
 *   ST_IO  cannot be written   ST_ARG  the file holds something else; after both `inner` stays the caller's
 */
MUST_CHECK Status wikipedia_open_recorder(Wikipedia **out, Wikipedia *inner, const char *file);

/* Appends the text for a query in UTF-8.
 *   ST_ARG   an empty query, which the API refuses
 *   ST_PEER  the server: unreachable, or its own words      ST_FORMAT  no API answers there
 *   ST_LIMIT it took too long      ST_IO  the index or the recording     ST_CANCELLED  `stopped` */
MUST_CHECK Status wikipedia_search(Wikipedia *w, Span query, Str *answer);

/* The function for a session; borrows w. */
PythonTool wikipedia_tool(Wikipedia *w);
void wikipedia_close(Wikipedia *w); /* no search runs any more; NULL is fine */

#endif
