/* JSON Schema as a grammar of JSON texts.
 *
 * Every text that the grammar allows satisfies the schema (drafts 6 to 2020-12); where honouring a keyword in
 * full is not possible, either the grammar allows less than the schema, by the rules that docs/constrain.md
 * states (order of keys, white space, digits, no additional keys unless the schema speaks of them), or the
 * keyword is refused by name and place. */
#ifndef INFER_JSON_SCHEMA_H
#define INFER_JSON_SCHEMA_H

#include "infer/grammar.h"

enum { JSON_SCHEMA_BYTES = 4 << 20, JSON_SCHEMA_DEPTH = 200 };

/* The node before a JSON text that satisfies the schema document and is followed by `next`.  `compact`:
 * without white space.  ST_ARG, ST_UNSUPPORTED, ST_LIMIT: as constrain_json_schema. */
MUST_CHECK Status json_schema_build(Grammar *g, Span schema, bool compact, int32_t next, int32_t *start);

#endif
