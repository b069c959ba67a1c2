/* What became of every document: counted while a corpus is built or packed, kept in its manifest, printed
 * as a table. */
#ifndef CORPUS_LEDGER_H
#define CORPUS_LEDGER_H

#include <jansson.h>

#include "corpus/corpus_recipe.h"

typedef struct {
    int64_t documents, bytes;
} Tally;

enum { LEDGER_RULES = 16, LEDGER_EXAMPLES = 5 };

/* One source while it is read.  {0} is an empty one. */
typedef struct {
    int64_t files, kept_bytes;
    Tally input;                  /* bytes as they lie in files, unpacked            */
    Tally unusable[READ_REASONS]; /* by ReadReason                                   */
    Tally dropped[LEDGER_RULES];  /* by rule of its kind; bytes of text from here on */
    Tally duplicates, train, held_out;
    json_t *examples; /* of unusable documents, at most LEDGER_EXAMPLES a reason */
    int examples_n[READ_REASONS];
} SourceLedger;

void ledger_example(SourceLedger *l, const Document *d);
void ledger_drop(SourceLedger *l);

/* The manifest of a corpus.  New reference. */
json_t *ledger_corpus_json(const CorpusRecipe *r, const SourceLedger *sources);

/* Appends the tables that `lemur corpus show` and `lemur pack --show` print.  Missing members print as 0:
 * a manifest that somebody edited shows what it holds. */
void ledger_corpus_text(Str *out, const json_t *manifest);
void ledger_pack_text(Str *out, const json_t *manifest);

#endif
