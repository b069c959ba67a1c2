/* Families of small tasks: drawn from a seed, laid out as the benchmarks of their protocol read them, and
 * solved by an expert whose episodes are data to learn from.
 *
 *     FamilySpec spec = {.folder = "words", .n_train = 3000, .n_test = 60, .seed = 1};
 *     FamilyCounts counts;
 *     TRY(family_make(&counts, &family_words, &spec));
 *
 * writes
 *     FOLDER/train/..., FOLDER/test/...   what `lemur eval --data` reads
 *     FOLDER/expert.jsonl                 what the expert says to each task for training, turn by turn
 *     FOLDER/expert_test.jsonl            the same of those for testing: to check them, not to learn from
 *     FOLDER/hints.jsonl                  what an expert who hints says to mistakes (env/hint.h)
 *     FOLDER/expert_hinted.jsonl          the expert who is given these: it heeds them at once
 *     FOLDER/hints_test.jsonl, expert_hinted_test.jsonl
 *     FOLDER/family.json                  what was made
 *
 * `lemur eval -m script:FOLDER/expert.jsonl --data FOLDER/train` plays and records the episodes; with
 * `-m script:FOLDER/expert_hinted.jsonl --feedback-model hints:FOLDER/hints.jsonl` those with feedback.
 * A family may have no hints, and then none of their files.
 *
 * No task for testing is among those for training: neither its text, but for capitals, spaces and
 * punctuation, nor what is asked (the sum to be formed, the query, the function) in other words.  The tasks
 * for testing are drawn first: one seed gives the same ones however many there are for training.
 * In a share of the episodes the expert errs first, is told so by the world, and repairs it: the mistake is
 * marked as not to be learned.
 * The families know nothing of models. */
#ifndef ENV_FAMILY_H
#define ENV_FAMILY_H

#include <jansson.h>

#include "base/rng.h"
#include "base/str.h"

/* One task, as a family draws it. */
typedef struct {
    int64_t number; /* within its part, from 0: given */
    Str question;   /* as the model is shown it, within its first message; no other task's of its part */
    Str key;        /* what is asked, whatever the words */
    json_t *record; /* its object in the file of questions; owned */
    json_t *turns;  /* what the expert says: texts, and {"text", "learn": false}; an array, owned */
    json_t *hints;  /* its line of hints, which "contains" the question; an object, owned; or NULL */
} FamilyTask;

typedef struct Family {
    const char *name, *about;
    const char *benchmark; /* that asks it */
    const char *questions; /* the file of records, below the data folder; NULL: `keep` writes each task */
    int files; /* 0: one.  Else the least, and %d in the name is 1, 2, ...; task n is in n % (how many) */
    int tasks_a_file; /* many tasks have more files, so that none has more than these; 0: never */
    bool array;       /* each is one JSON array instead of lines */
    /* Writes into `data` all that the benchmark reads beside the questions, of so many files, and makes what
     * the tasks of this part are drawn from; *state may stay NULL. */
    Status (*open)(void **state, Rng *rng, const char *data, size_t files);
    /* Fills *out, whose texts and array are empty and whose other members are NULL. */
    Status (*draw)(void *state, Rng *rng, FamilyTask *out);
    /* The task drawn last is one of the part; NULL: its record is all there is to keep. */
    Status (*keep)(void *state, const FamilyTask *task);
    void (*close)(void *state); /* NULL is fine; NULL where there is no state */
} Family;

extern const Family family_words, family_sql, family_programs, family_household, family_shell;
extern const Family *const families[];       /* NULL at the end */
const Family *family_find(const char *name); /* NULL: none of that name */

typedef struct {
    const char *folder;
    int64_t n_train, n_test;
    uint64_t seed;
    uint64_t draw; /* which of many draws of tasks for training; those for testing are the same in all */
} FamilySpec;

typedef struct {
    int64_t train, test;
    int64_t slips;   /* episodes for training in which the expert errs first */
    int64_t refused; /* tasks for training that were drawn, and were among those for testing */
    int64_t shared;  /* tasks for testing whose text is also one for training: counted at the end, 0 */
} FamilyCounts;

/* What lies at its files' names is replaced.
 *   ST_ARG    less than one task of either part, or of a file
 *   ST_FORMAT a hint gives a solution away, which is a mistake of the family's
 *   ST_LIMIT  the family has not as many different tasks: the sentence says how many it found
 *   ST_IO     cannot be written */
MUST_CHECK Status family_make(FamilyCounts *out, const Family *family, const FamilySpec *spec);

/* Overwrites *out: small letters, one space between words, without the punctuation of sentences. */
void family_normal_text(Str *out, Span text);

#endif
