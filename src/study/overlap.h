/* Do tasks for testing stand in what a model learned from?
 *
 *     Overlap *o = overlap_new();
 *     overlap_task(o, "tuned/words", "7", question, answer);      every task for testing, then
 *     overlap_search(o, "corpus/train/c.jsonl.zst:12", text);     every text for training
 *     overlap_tally(o, "tuned/words")->questions                  how many were found
 *     overlap_free(o);
 *
 * Texts are compared as words: runs of letters and digits, in small letters, and every other sign by itself;
 * white space and the punctuation of sentences are nothing.  A task is found where its whole question stands
 * in a text.  A question of less than ALONE_BELOW words may be the beginning of a longer one ("What is 32 -
 * 16" of "What is 32 - 16 + 4?") or its end ("How many books are there?" of a problem that has told of
 * books).  So it counts only where a line, a quote (a single one only where it does not stand between words)
 * or a tag begins, or a sentence behind a label of a word or two, and where one of these or a sentence ends;
 * one of less than LEAST words is no text to look for.  Beside that the right answers are looked for in the
 * same way, and every NGRAM words in a row of a question, which tell what tasks have in common with texts:
 * tasks of one template share such runs without being the same. */
#ifndef STUDY_OVERLAP_H
#define STUDY_OVERLAP_H

#include "base/array.h"
#include "base/str.h"

enum { OVERLAP_LEAST = 4, OVERLAP_ALONE_BELOW = 12, OVERLAP_NGRAM = 13 };

typedef struct Overlap Overlap;

/* What was found of one set of tasks. */
typedef struct {
    char *name;
    int64_t tasks, short_ones;          /* short_ones: questions too short to be looked for */
    int64_t questions, answers, ngrams; /* tasks of which that was found */
} OverlapTally;

/* The first place of each question that was found; of answers none is kept. */
typedef struct {
    size_t set; /* of the tallies */
    char *id, *question, *place;
} OverlapFind;

Overlap *overlap_new(void);
void overlap_free(Overlap *o); /* NULL is fine */

/* A task of the set `name`, made with its first one.  The answer may be empty.  A task that the set
 * has already is none more.  Tasks come before texts. */
void overlap_task(Overlap *o, const char *name, const char *id, Span question, Span answer);
void overlap_search(Overlap *o, const char *place, Span text);

int64_t overlap_texts(const Overlap *o); /* searched so far */
int64_t overlap_bytes(const Overlap *o);
size_t overlap_tallies(const Overlap *o, const OverlapTally **out); /* in the order in which they were made */
size_t overlap_finds(const Overlap *o, const OverlapFind **out); /* in the order in which they were found */

#endif
