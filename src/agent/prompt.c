/* Source: xingyaoww/mint-bench, mint/prompt/__init__.py, mint/envs/general_env.py (reset) and
 * mint/tools/__init__.py (get_toolset_description). */
#include "agent/prompt.h"

#include <stdio.h>
#include <string.h>

static const PromptHole *find_hole(const PromptHole *holes, size_t n, Span name)
{
    for (size_t i = 0; i < n; i++)
        if (span_is(name, holes[i].name))
            return &holes[i];
    return NULL;
}

Status prompt_fill(Str *out, Span template, const PromptHole *holes, size_t n)
{
    for (size_t i = 0; i < template.n; i++) {
        char c = template.at[i];
        if (c != '{' && c != '}') {
            str_addc(out, c);
            continue;
        }
        if (i + 1 < template.n && template.at[i + 1] == c) {
            str_addc(out, c);
            i++;
            continue;
        }
        const char *name = template.at + i + 1;
        const char *end = c == '{' ? memchr(name, '}', template.n - i - 1) : NULL;
        if (!end)
            return fail(ST_FORMAT, "template: a '%c' at byte %zu without its other", c, i);
        const PromptHole *hole = find_hole(holes, n, (Span){name, (size_t)(end - name)});
        if (!hole)
            return fail(ST_FORMAT, "template: nothing is known for the hole {%.*s}", (int)(end - name), name);
        str_add(out, hole->text.at, hole->text.n);
        i = (size_t)(end - template.at);
    }
    return ST_OK;
}

Status prompt_mint_opening(Str *out, const MintOpening *o)
{
    char steps[16], proposals[16];
    snprintf(steps, sizeof steps, "%d", o->max_steps);
    snprintf(proposals, sizeof proposals, "%d", o->max_propose);
    Str tools = {0}, task = {0};
    str_add(&tools, o->tools.at, o->tools.n);
    /* Every description is followed by a line end of its own; the file's last one has been taken for it. */
    if (o->tools.n)
        str_addc(&tools, '\n');
    str_adds(&task, "Task:\n");
    str_add(&task, o->task.at, o->task.n);
    PromptHole holes[] = {
        {"max_total_steps", span(steps)}, {"max_propose_solution", span(proposals)},
        {"tool_desc", str_span(&tools)},  {"in_context_example", o->example},
        {"task_prompt", str_span(&task)},
    };
    Status st = prompt_fill(out, o->template, holes, sizeof holes / sizeof *holes);
    str_drop(&tools);
    str_drop(&task);
    return st;
}
