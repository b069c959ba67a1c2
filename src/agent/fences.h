/* What a model wants to be run: the fenced code blocks of its answer that name a tool.
 *
 *     ```python          also py, python3
 *     x = 6 * 7
 *     ```
 *     ```bash            also sh, shell, console
 *     ls
 *     ```
 *
 * A fence is a line of three or more backticks or tildes, at most three spaces in front, with the language
 * behind; it is closed by a line of at least as many of the same (CommonMark 0.31, section 4.5).  Blocks of
 * other languages, or of none, are text, and what stands inside of them is, too. */
#ifndef AGENT_FENCES_H
#define AGENT_FENCES_H

#include "base/array.h"
#include "base/str.h"

typedef enum { TOOL_PYTHON, TOOL_BASH, TOOLS } Tool;
const char *tool_name(Tool tool); /* "python", "bash" */

typedef struct {
    Tool tool;
    Span code; /* of the answer: the lines between the fences */
} Fence;

typedef struct {
    Array(Fence) blocks; /* closed ones, in their order                        */
    bool open;           /* the last one that names a tool is not closed       */
} Fences;                /* {0} the first time; later calls keep the memory */

void fences_find(Fences *f, Span answer);
void fences_drop(Fences *f);

#endif
