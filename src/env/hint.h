/* What an expert who hints has to say on a task: words for each kind of mistake, and no solution.  A line of
 * a file of hints (docs/formats/hints.md):
 *
 *     {"contains": "What is 3 + 4?", "over": "last", "repeats": true,
 *      "hints": [{"over": "answer", "has": "Error", "hint": "Python stops there."},
 *                {"lacks": ["3 + 4", "4 + 3"], "hint": "Look at the operation once more."}],
 *      "otherwise": "Answer with it."}
 *
 * The first entry that holds is what the expert says: one whose "has", text or array, is there, and whose
 * "lacks", text or array, is not.  Texts are compared word by word: 12 is not in 112, "a+b" is in "(A + b)",
 * capitals and the kind of quotes make no difference.
 *
 * This file knows the form and the rule of what a hint may say; agent/hints.h reads files and speaks up. */
#ifndef ENV_HINT_H
#define ENV_HINT_H

#include <jansson.h>

#include "base/str.h"

/* Where an entry looks. */
typedef enum {
    HINT_LAST,    /* the agent's last action             */
    HINT_ALL,     /* all its actions                     */
    HINT_ANSWER,  /* what the world said to the last     */
    HINT_ANSWERS, /* what the world said to any          */
    HINT_OVERS
} HintOver;
extern const char *const hint_over_names[]; /* "last", "all", "answer", "answers", NULL */

/* An episode so far. */
typedef struct {
    Span over[HINT_OVERS];
} HintSaid;

/* How often the words stand in the text. */
int64_t hint_count(Span words, Span text);

/* Whether the hint gives the solution away: it has the whole of it in a row, or half or more of its different
 * words, where it has three or more.  A solution without words is given away by nothing. */
bool hint_discloses(Span hint, Span solution);

/* ST_FORMAT: the line has another form, or a hint says word for word what it finds lacking, be it two words
 * or more.  The sentence names the entry. */
MUST_CHECK Status hint_check(const json_t *line);

/* What is said; NULL: nothing.  `line` is checked; a view into it. */
const char *hint_choose(const json_t *line, const HintSaid *said);

#endif
