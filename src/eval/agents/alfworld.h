/* ALFWorld's household in two representations of actions, to be compared (question 2 that the Lemur paper
 * leaves open): `alfworld` takes one command an answer, as text, and `alfworld_python` Python code that calls
 * MINT's eleven functions.  Games, budgets and marking are the same: an episode ends when the goal holds,
 * which alone is success, after 50 commands, or after 50 answers; a command is answered with the same words
 * in both. */
#ifndef EVAL_AGENTS_ALFWORLD_H
#define EVAL_AGENTS_ALFWORLD_H

#include "eval/benchmark.h"

extern const Benchmark alfworld, alfworld_python;

/* Their prompts are ours and part of this program; files of these names below the data folder stand in for
 * them. A prompt's holes are {steps}, {task} (the room and the task, as the game tells them), {begin} and
 * {end} (the marks of code); behind a line "---" it says what an answer without an action is told. */
#define ALFWORLD_COMMANDS "alfworld/commands.txt"
#define ALFWORLD_PYTHON "alfworld/python.txt"

/* The command in an answer: the first line that begins with ">", without that; the whole answer where it is
 * one line.  Empty: there is none.  A view. */
Span alfworld_command(Span answer);

#endif
