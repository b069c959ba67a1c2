/* Any bytes as a file of an expert's hints, behind the first NUL an episode: what the agent and the world say
 * in turns, with NULs between.  A sentence, or a hint that gives no solution away. */
#include <string.h>

#include "agent/hints.h"
#include "env/hint.h"
#include "fuzz_folder.h"

static void say(Hints *h, Span episode)
{
    Conversation c = {0};
    Str said = {0}, all = {0};
    Span last = {"", 0}, opening = fuzz_part(&episode);
    conversation_add(&c, CHAT_USER, opening);
    while (episode.n) {
        conversation_add(&c, CHAT_ASSISTANT, fuzz_part(&episode));
        last = fuzz_part(&episode);
        str_add(&all, last.at, last.n);
        str_clear(&said);
        hints_say(&said, h, &c, (HintsHeard){.last = last, .all = str_span(&all)}, opening);
        check(!hint_discloses(str_span(&said), opening));
        conversation_add(&c, CHAT_USER, last);
    }
    str_drop(&said);
    str_drop(&all);
    conversation_drop(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Span rest = {(const char *)bytes, n}, lines = fuzz_part(&rest);
    char *path = fuzz_file("hints.jsonl", lines.at, lines.n);
    Hints *h;
    Status st = hints_open(&h, path);
    check(st == ST_OK || *error_text());
    if (st == ST_OK) {
        say(h, rest);
        hints_close(h);
    }
    mem_free(path);
    return 0;
}
