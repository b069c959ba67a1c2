/* A regular expression as a tree: what regex_parse.c makes and regex_build.c turns into nodes. */
#ifndef INFER_REGEX_TREE_H
#define INFER_REGEX_TREE_H

#include "infer/regex.h"

typedef enum {
    RE_CLASS,
    RE_SEQUENCE,
    RE_CHOICE,
    RE_REPEAT
} RegexKind; /* an empty sequence is the empty text */

typedef struct {
    RegexKind kind;
    bool nullable;        /* matches the empty text */
    int32_t min, max;     /* RE_REPEAT; max GRAMMAR_FOREVER: without end */
    CodeRanges ranges;    /* RE_CLASS, normalised */
    Array(int32_t) parts; /* of the others: indices of nodes */
} RegexNode;

struct Regex {
    Array(RegexNode) nodes;
    int32_t root;
};

#endif
