/* The lines of a script that are found by what a task says: what an expert writes turn by turn.  For
 * chatmodel_script.c; the form is told in chatmodel.h.
 *
 *     ScriptTurns *t = script_turns_new();
 *     TRY(script_turns_add(t, object));
 *     script_turns_end(t);
 *     const json_t *turns = script_turns_find(t, &conversation);   NULL: no task of these
 *     script_turns_free(t);
 *
 * What a call costs base/text_set.h says. */
#ifndef INFER_CHATMODEL_SCRIPT_TURNS_H
#define INFER_CHATMODEL_SCRIPT_TURNS_H

#include <jansson.h>

#include "infer/chatmodel.h"

typedef struct ScriptTurns ScriptTurns;
ScriptTurns *script_turns_new(void);
/* Keeps a reference.  ST_FORMAT: "contains" or "turns" is not what it must be, or an earlier one contains
 * the same text. */
MUST_CHECK Status script_turns_add(ScriptTurns *t, json_t *object);
void script_turns_end(ScriptTurns *t); /* after the last one; then any number of threads may find */
/* The turns of the longest text that the first user message contains. */
const json_t *script_turns_find(const ScriptTurns *t, const Conversation *asked);
/* The turn that follows as many assistant messages as `asked` has.  ST_LIMIT: there is none. */
MUST_CHECK Status script_turns_give(const json_t *turns, const Conversation *asked, ChatAnswer *out);
void script_turns_free(ScriptTurns *t); /* NULL is fine */

#endif
