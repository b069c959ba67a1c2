/* Was the solution right?  One function per family of questions; no program is run.
 *
 * `answer` is what stood between the marks of a proposal (agent/action.h), `gold` what the data file calls
 * reference. */
#ifndef EVAL_MARK_H
#define EVAL_MARK_H

#include <jansson.h>

#include "base/str.h"

/* Two versions of MINT's rules.  Legacy made every recorded run and the paper's table. */
typedef enum { MARK_LEGACY, MARK_CURRENT } MarkRule;

typedef enum {
    MARK_WRONG,
    MARK_RIGHT,
    MARK_RAISES,   /* the original's grader raises here: wrong, and the model is shown a traceback */
    MARK_UNDECIDED /* only a Python could tell: theoremqa, an answer that calls functions         */
} Mark;

/* Tasks of one's own: the same number, or the same text but for upper case and spaces around it. */
Mark mark_exact(Span answer, Span gold);

/* gsm8k, math, hotpotqa.  Numbers: within 5 % of gold; legacy forgets the sign, so a negative gold is never
 * met and 0 only exactly.  Anything else: gold's text stands somewhere in the answer. */
Mark mark_reasoning(MarkRule rule, Span answer, Span gold);

/* mmlu.  `prompt` holds "Options: A ) x , B ) y"; gold is a letter.  Right where gold's letter or, failing
 * that, its option's text stands in the answer and no other option's does.  Legacy and current are one rule.
 */
Mark mark_choice(Span answer, Span prompt, Span gold);

/* theoremqa.  The JSON type of gold decides: true/false, integer (equal after rounding), real (within 4 %),
 * array (as sets of such), string (the letter of an option; legacy never finds "(a)" equal to "a"). */
Mark mark_theoremqa(MarkRule rule, Span answer, const json_t *gold);
/* Its two halves, for what is undecided: the expression that Python would have to evaluate (appended; never
 * empty), and the mark of an expression or, once a Python has evaluated it, of its repr. */
void mark_theoremqa_expression(Str *out, MarkRule rule, Span answer);
Mark mark_theoremqa_value(MarkRule rule, Span literal, const json_t *gold);

#endif
