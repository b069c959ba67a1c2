#include "agent/fences.h"

#include <string.h>
#include <strings.h>

/* An opening or closing line. */
typedef struct {
    char mark;
    size_t n;  /* marks */
    Span info; /* behind them, trimmed */
} Line;

const char *tool_name(Tool tool)
{
    static const char *const names[TOOLS] = {"python", "bash"};
    return names[tool];
}

static bool read_fence(Line *l, Span line)
{
    size_t at = 0, from;
    while (at < line.n && at < 4 && line.at[at] == ' ')
        at++;
    if (at > 3 || at == line.n || (line.at[at] != '`' && line.at[at] != '~'))
        return false;
    l->mark = line.at[at];
    for (from = at; at < line.n && line.at[at] == l->mark; at++)
        ;
    l->n = at - from;
    l->info = span_trim((Span){line.at + at, line.n - at});
    /* "```x```" within a line is code, not a fence. */
    return l->n >= 3 && (l->mark == '~' || !memchr(l->info.at, '`', l->info.n));
}

/* TOOLS: none. */
static Tool tool_of(Span info)
{
    static const struct {
        const char *name;
        Tool tool;
    } known[] = {{"python", TOOL_PYTHON}, {"py", TOOL_PYTHON},  {"python3", TOOL_PYTHON}, {"bash", TOOL_BASH},
                 {"sh", TOOL_BASH},       {"shell", TOOL_BASH}, {"console", TOOL_BASH}};
    size_t n = 0;
    while (n < info.n && !strchr(" \t{,:", info.at[n]))
        n++;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == n && strncasecmp(known[i].name, info.at, n) == 0)
            return known[i].tool;
    return TOOLS;
}

void fences_find(Fences *f, Span answer)
{
    Line opened = {0}, line;
    Fence block = {.tool = TOOLS};
    f->blocks.n = 0;
    for (size_t at = 0; at < answer.n;) {
        const char *end = memchr(answer.at + at, '\n', answer.n - at);
        size_t n = end ? (size_t)(end - answer.at) - at : answer.n - at;
        bool fence = read_fence(&line, (Span){answer.at + at, n});
        if (fence && !opened.n) {
            opened = line;
            size_t behind = at + n + (end != NULL);
            block = (Fence){tool_of(line.info), {answer.at + behind, 0}};
        } else if (fence && line.mark == opened.mark && line.n >= opened.n && !line.info.n) {
            block.code.n = (size_t)(answer.at + at - block.code.at);
            if (block.tool != TOOLS)
                array_push(&f->blocks, block);
            opened.n = 0;
        }
        at += n + 1;
    }
    f->open = opened.n && block.tool != TOOLS;
}

void fences_drop(Fences *f)
{
    array_drop(&f->blocks);
}
