/* Any bytes as an article, a recording of searches, or what a MediaWiki API replies; the first one chooses.
 */
#include "fuzz_folder.h"
#include "fuzz_server.h"

#include "base/log.h"
#include "env/wikipedia.h"
#include "env/wikipedia_index.h"

static void search(Wikipedia *w)
{
    static const char *const queries[] = {"x", "a b", "\xC3\xA9\n"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        Str answer = {0};
        Status st = wikipedia_search(w, span(queries[i]), &answer);
        check(st == ST_OK ? utf8_valid(str_c(&answer), answer.n) : *error_text() != 0);
        str_drop(&answer);
    }
}

static void record(const char *path)
{
    Wikipedia *inner, *w;
    if (wikipedia_open_recording(&inner, path) != ST_OK) {
        check(*error_text());
        return;
    }
    search(inner);
    char *copy = fuzz_file("copy.jsonl", "", 0);
    check(wikipedia_open_recorder(&w, inner, copy) == ST_OK);
    search(w);
    wikipedia_close(w);
    check(wikipedia_open_recording(&w, copy) == ST_OK);
    search(w);
    wikipedia_close(w);
    mem_free(copy);
}

static void ask(const uint8_t *bytes, size_t n)
{
    Wikipedia *w;
    if (!fuzz_server_says(bytes, n))
        return;
    WikipediaLive live = {.url = fuzz_server.url, .seconds = 2, .attempts = 1, .pause_s = 0.001};
    check(wikipedia_open_live(&w, &live) == ST_OK);
    search(w);
    wikipedia_close(w);
    fuzz_server_says(NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    log_level_set(LOG_ERROR);
    if (n == 0)
        return 0;
    Span text = {(const char *)bytes + 1, n - 1};
    if (bytes[0] % 4 == 0) {
        ask(bytes + 1, n - 1);
    } else if (bytes[0] % 4 == 1) {
        Str lead = {0};
        check(wikipedia_lead(&lead, span("x"), text) || lead.n == 0);
        check(lead.n <= n);
        str_drop(&lead);
    } else {
        char *path = fuzz_file("record.jsonl", text.at, text.n);
        record(path);
        mem_free(path);
    }
    return 0;
}
