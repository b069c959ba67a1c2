/* The program in what a model wrote.  A base model continues the prompt; a chat model says something, puts
 * its code between fences, and repeats as much of the prompt as it likes.  Pure text: nothing is run here. */
#ifndef EVAL_STATIC_CODE_ANSWER_H
#define EVAL_STATIC_CODE_ANSWER_H

#include "base/array.h"
#include "base/str.h"

/* The next line of s from *at on, without its "\n"; false at the end. */
bool code_line(Span s, size_t *at, Span *line);
/* How many blanks and tabs a line begins with; a tab counts one. */
size_t code_indent(Span line);
bool code_blank(Span line); /* nothing but white space */

/* Fences that are indented, as in an item of a list, however deep, and what stands between them, moved to the
 * left by what the opening one is indented (CommonMark 4.5, 5.2); by four or more only behind a list's item,
 * for that is no fence elsewhere.  Where there is none it is `text`, else all of it, a view of *own, which is
 * overwritten. */
Span code_fences_left(Str *own, Span text);
/* The first block between fences (CommonMark 4.5: ``` or ~~~, indented by at most three blanks) that names
 * one of `languages` (NULL at the end; case does not matter); failing that, the first that names none;
 * failing that, the first.  Without its fences; a fence that is never closed reaches to the end.  False:
 * none. */
bool code_block(Span text, const char *const *languages, Span *out);
/* The prompt has left a fence open: the text up to the first line that is a bare fence, but for a fence that
 * opens anew, which is taken as of code_block.  A bare one opens where nothing stands before it or, unless
 * the model is `plain`, no function or class does, and another fence follows. */
Span code_open_block(Span text, const char *const *languages, bool plain);

/* Up to the first of the texts; none empty. */
Span code_cut(Span text, const char *const *stops, size_t stops_n);
/* The texts of a JSON array as a list, for code_cut; the strings are borrowed of it, the caller drops the
 * list. */
typedef Array(const char *) CodeStops;
struct json_t;
void code_stops(CodeStops *out, const struct json_t *array);

/* Where a line that begins with `def NAME`, `async def NAME`, `class NAME` or `NAME =`, at the left edge,
 * starts; s.n + 1 where there is none. */
size_t code_python_definition(Span s, const char *name);

/* How a program came about, for the sample. */
typedef enum {
    CODE_CONTINUES, /* appended to the prompt                                                            */
    CODE_INDENTED,  /* the same, its blanks restored: chat models strip the first line, or the whole     */
    CODE_WHOLE,     /* the function is there from its head on: imports and helpers of the prompt in front */
    CODE_REPEATS,   /* it begins with the prompt itself                                                  */
    CODE_SPLICED,   /* as CODE_WHOLE, but only the function's inside is put into the prompt's head        */
    CODE_RULES
} CodeRule;
extern const char *const code_rule_names[CODE_RULES];

/* A Python function whose head and docstring are `stub`: appends stub and answer as one module, without
 * tests. `plain`: the model continues texts, its answer is taken as it is.  `stops` cut an answer that
 * continues. */
CodeRule code_python_module(Str *out, Span stub, const char *name, Span answer, bool plain,
                            const char *const *stops, size_t stops_n);

/* Appends a Python literal that means these bytes, valid UTF-8 or not (which then becomes U+FFFD). */
void code_python_literal(Str *out, Span text);

#endif
