/* JSON as Python's json.dumps(value, ensure_ascii=False, indent=indent) writes it, which is what
 * transformers' Jinja filter `tojson` puts into prompts: ", " and ": " between, keys in the order given,
 * numbers as repr() writes them.  What a model has learned is this very spelling. */
#ifndef TOKENIZER_JSON_PYTHON_H
#define TOKENIZER_JSON_PYTHON_H

#include <jansson.h>

#include "base/str.h"

/* Appends; indent 0: all on one line. */
void json_python_add(Str *out, const json_t *value, int indent);

#endif
