/* The reward of a turn of InterCode-Bash: how near an agent's files and output are to those of the gold
 * command.
 *
 *     Nl2BashDiff diff = {.extra = 1};
 *     Nl2BashReward r = nl2bash_reward(&diff, span("hello"), span("hello world"));
 *     r.total;                                                      0.01 + 0.05 + 0.33 + ...
 *
 * Source: princeton-nlp/intercode, intercode/envs/bash/bash_env.py, get_reward. */
#ifndef ENV_NL2BASH_REWARD_H
#define ENV_NL2BASH_REWARD_H

#include "base/str.h"

/* Entries of the two `git status`: of the gold one alone, of the agent's alone; and of those in both that are
 * additions, how many there are and how many have the same content. */
typedef struct {
    size_t missing, extra, added, equal;
} Nl2BashDiff;

typedef struct {
    double file_diff, file_changes, answer_similarity; /* at most 0.33 each, rounded to 2 decimals */
    double similarity;                                 /* of the outputs, as it is */
    double total;                                      /* 0.01 and the three; 1 is all that can be had */
} Nl2BashReward;

/* An output with `at` NULL is none at all: it is similar to nothing but another such. */
Nl2BashReward nl2bash_reward(const Nl2BashDiff *diff, Span agent, Span gold);

/* The cosine of the two texts' TF-IDF vectors over their own vocabulary, as scikit-learn's TfidfVectorizer
 * makes them by default: words of two and more letters, digits and underscores in lower case, smooth idf, l2
 * norm.  Letters are those of the C library's C.UTF-8, which has some marks that Python's \w has not.  Where
 * no word is in either text it is 1 for equal texts and 0 for others. */
double tfidf_cosine(Span a, Span b);

#endif
