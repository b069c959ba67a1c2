/* Source of the rules: xingyaoww/mint-bench, mint/agents/base.py (lm_output_to_action) and
 * mint/envs/general_env.py (parse_action, INVALID_INPUT_MESSAGE); the fences: the same file at commit
 * 64a4389. */
#include "agent/action.h"

#include "agent/python_text.h"

typedef struct {
    const char *open, *close;
} Marks;

static const Marks solution_marks = {"<solution>", "</solution>"};
static const Marks code_marks[] = {
    [ACTION_TAGS] = {"<execute>", "</execute>"},
    [ACTION_FENCES] = {"```python", "```"},
};

/* re.findall(open + "(.*?)" + close, answer, re.DOTALL), each stripped, joined by "\n". */
static void find_between(Str *out, Marks marks, Span answer)
{
    Span open = span(marks.open), close = span(marks.close);
    bool first = true;
    for (size_t at = 0;;) {
        size_t begin = python_find(answer, open, at);
        if (begin > answer.n)
            return;
        begin += open.n;
        size_t end = python_find(answer, close, begin);
        if (end > answer.n)
            return;
        if (!first)
            str_addc(out, '\n');
        first = false;
        Span piece = python_strip((Span){answer.at + begin, end - begin});
        str_add(out, piece.at, piece.n);
        at = end + close.n;
    }
}

void action_find(Action *a, ActionRule rule, Span answer)
{
    a->kind = python_in(span(solution_marks.open), answer) ? ACTION_SOLUTION : ACTION_CODE;
    str_clear(&a->text);
    find_between(&a->text, a->kind == ACTION_SOLUTION ? solution_marks : code_marks[rule], answer);
    a->unreadable = a->text.n == 0;
}

void action_drop(Action *a)
{
    str_drop(&a->text);
}

/* The sentences are rules of the protocol: recordings are compared with them byte by byte. */
#define UNREADABLE(how_to_run)                                                                  \
    "I don't understand your input. \n"                                                         \
    "If you want to execute code, please use " how_to_run ".\n"                                 \
    "If you want to give me an answer, please use <solution> YOUR_SOLUTION_HERE </solution>.\n" \
    "For example: The answer to the question is <solution> 42 </solution>. \n"

const char *action_unreadable_message(ActionRule rule)
{
    return rule == ACTION_FENCES ? UNREADABLE("```python\nYOUR_CODE_HERE\n```")
                                 : UNREADABLE("<execute> YOUR_CODE_HERE </execute>");
}
