/* Any bytes as a model's answer in an episode, and as a prompt with holes. */
#include <string.h>

#include "agent/action.h"
#include "agent/prompt.h"
#include "agent/python_text.h"
#include "agent/turns.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static Action a; /* its memory is kept from answer to answer */
    Span text = {(const char *)bytes, n};
    Turns t;
    turns_begin(&t, 3, 2);
    for (int rule = ACTION_TAGS; rule <= ACTION_FENCES; rule++) {
        action_find(&a, (ActionRule)rule, text);
        check(a.text.n <= n && (!a.unreadable || !a.text.n));
        check((a.kind == ACTION_SOLUTION) == python_in(span("<solution>"), text));
        Span bare = python_strip(str_span(&a.text));
        check(bare.n == a.text.n || a.text.n > 0);
        if (t.end == TURNS_OPEN)
            turns_take(&t, &a, rule ? TURN_FAILED : TURN_DONE, false);
    }
    check(turns_steps_left(&t) >= 0 && turns_proposals_left(&t) >= 0);
    Str out = {0};
    PromptHole holes[] = {{"a", text}, {"task", span("{a}")}};
    Status st = prompt_fill(&out, text, holes, 2);
    check(st == ST_OK || (st == ST_FORMAT && *error_text()));
    str_clear(&out);
    turns_answer(&out, &t, text, text);
    check(out.n >= 2 * n);
    str_drop(&out);
    return 0;
}
