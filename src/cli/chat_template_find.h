/* Which template puts messages to a model: for chat and generate. */
#ifndef CLI_CHAT_TEMPLATE_FIND_H
#define CLI_CHAT_TEMPLATE_FIND_H

#include "infer/bundle.h"

/* The one named; else (name NULL) what the model says; else ChatML where the vocabulary has its marks.  A
 * template whose marks the vocabulary lacks is used all the same, and warned of.  *out is the caller's to
 * free.
 *   ST_ARG  no such template; or nothing says which */
MUST_CHECK Status chat_template_find(ChatTemplate **out, const Bundle *b, const char *name);

#endif
