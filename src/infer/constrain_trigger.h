/* Free text in which a trigger begins what is constrained. */
#ifndef INFER_CONSTRAIN_TRIGGER_H
#define INFER_CONSTRAIN_TRIGGER_H

#include "infer/constrain.h"
#include "infer/grammar.h"
#include "infer/token_trie.h"

/* The node before free text; after each trigger comes `rule`, then the closing text, then free text again.  A
 * special token may stand for the part of the trigger or of the closing text that it spells.
 *   ST_ARG: the trigger is empty or too long. */
MUST_CHECK Status constrain_trigger_build(Grammar *g, const TokenTrie *t, const ConstrainOptions *o,
                                          int32_t rule, int32_t *start);

#endif
