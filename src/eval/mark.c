/* gsm8k, math, hotpotqa and mmlu.  Source of current: xingyaoww/mint-bench, mint/tasks/reasoning.py; of
 * legacy: the same file in OpenLemur/mint-bench, the paper's fork.  Its oddities are the rule. */
#include "eval/mark.h"

#include <math.h>

#include "agent/python_text.h"
#include "base/array.h"

static Mark mark_of(bool right)
{
    return right ? MARK_RIGHT : MARK_WRONG;
}

Mark mark_exact(Span answer, Span gold)
{
    Str a = {0}, g = {0};
    python_lower(&a, python_strip(answer));
    python_lower(&g, python_strip(gold));
    double x, want;
    bool right = (a.n == g.n && python_in(str_span(&a), str_span(&g))) ||
                 (python_float(&want, str_span(&g)) && python_float(&x, str_span(&a)) && x == want);
    str_drop(&a);
    str_drop(&g);
    return mark_of(right);
}

/* class ReasoningTask: extract_answer, compare_w_digits. */
Mark mark_reasoning(MarkRule rule, Span answer, Span gold)
{
    Str a = {0}, g = {0};
    python_lower(&a, answer);
    python_lower(&g, python_strip(gold));
    Span said = python_strip(str_span(&a)), wanted = str_span(&g);
    double x, want;
    bool right;
    if (python_float(&want, wanted) && python_float(&x, said))
        right = fabs(want - x) <= 0.05 * (rule == MARK_LEGACY ? want : fabs(want));
    else
        right = python_in(wanted, said);
    str_drop(&a);
    str_drop(&g);
    return mark_of(right);
}

/* A multiple-choice question's options, lower case, in order; the texts are views of `lower`. */
typedef struct {
    Span letter, text;
} Option;
typedef struct {
    Str lower;
    Array(Option) list;
} Options;

static void options_drop(Options *o)
{
    str_drop(&o->lower);
    array_drop(&o->list);
}

static bool same(Span a, Span b)
{
    return a.n == b.n && python_in(a, b);
}

static Option *find_option(Options *o, Span letter)
{
    for (size_t i = 0; i < o->list.n; i++)
        if (same(o->list.at[i].letter, letter))
            return &o->list.at[i];
    return NULL;
}

/* One piece "A ) text"; false without a ")".  A letter given again keeps its place and takes the new text. */
static bool add_option(Options *o, Span piece)
{
    Span s = python_strip_of(piece, "[]' "), close = span(")");
    size_t i = python_find(s, close, 0);
    if (i > s.n)
        return false;
    size_t end = python_find(s, close, i + 1);
    Span text = {s.at + i + 1, (end > s.n ? s.n : end) - i - 1};
    Option option = {python_strip((Span){s.at, i}), python_strip(python_strip_of(text, "."))};
    Option *known = find_option(o, option.letter);
    if (known)
        known->text = option.text;
    else
        array_push(&o->list, option);
    return true;
}

/* extract_options.  False where the original raises.  It cuts before it lowers, and so do we. */
static bool options_of(Options *o, Span prompt)
{
    python_lower(&o->lower, python_after_last(prompt, "Options: "));
    Span rest = str_span(&o->lower), comma = span(" , ");
    for (;;) {
        size_t i = python_find(rest, comma, 0);
        if (!add_option(o, (Span){rest.at, i > rest.n ? rest.n : i}))
            return false;
        if (i > rest.n)
            return true;
        rest = (Span){rest.at + i + comma.n, rest.n - i - comma.n};
    }
}

/* class MultipleChoiceTask: compare_w_digits. */
static bool meets(Span reference, Span answer)
{
    double want, x;
    if (python_is_digits(reference) && python_is_digits(answer) && python_float(&want, reference) &&
        python_float(&x, answer))
        return fabs(want - x) <= 0.05 * want;
    return python_in(reference, answer);
}

/* The list is shortened while it is walked, so the neighbour of what is removed is never asked. */
static void remove_parts_of(Options *o, Span right)
{
    for (size_t i = 0; i < o->list.n; i++) {
        if (!python_in(o->list.at[i].text, right))
            continue;
        size_t first = 0;
        while (!same(o->list.at[first].text, o->list.at[i].text))
            first++;
        for (size_t j = first + 1; j < o->list.n; j++)
            o->list.at[j - 1] = o->list.at[j];
        o->list.n--;
    }
}

static Mark mark_by_text(Options *o, Span answer, Span letter)
{
    Option *known = find_option(o, letter);
    if (!known)
        return MARK_RAISES;
    Span right = known->text;
    remove_parts_of(o, right);
    for (size_t i = 0; i < o->list.n; i++)
        if (meets(o->list.at[i].text, answer) || python_in(o->list.at[i].text, answer))
            return MARK_WRONG;
    return mark_of(meets(right, answer) || python_in(right, answer));
}

/* class MultipleChoiceTask.  extract_answer's loop over the letters returns in its first round: only "a)" is
 * found. */
Mark mark_choice(Span answer, Span prompt, Span gold)
{
    Str a = {0}, g = {0};
    Options o = {0};
    python_lower(&a, answer);
    python_lower(&g, python_strip(gold));
    Span said = python_strip(str_span(&a)), letter = str_span(&g);
    if (python_in(span("a)"), said) || python_in(span("a )"), said))
        said = span("a");
    Mark mark = MARK_RAISES;
    if (options_of(&o, prompt))
        mark = meets(letter, said) ? MARK_RIGHT : mark_by_text(&o, said, letter);
    options_drop(&o);
    str_drop(&a);
    str_drop(&g);
    return mark;
}
