/* What lemur tune renders examples with: the base model's vocabulary and chat template, and what both want of
 * the model. */
#ifndef CLI_TUNE_DATA_H
#define CLI_TUNE_DATA_H

#include "corpus/instruct_set.h"

enum { TUNE_CONTEXT_MOST = 2048 }; /* where nobody says: the paper's */

typedef struct {
    Tokenizer *tokenizer; /* with the template's marks where they were to be added */
    ChatTemplate *tmpl;
    bool grows, padded; /* the model has fewer, or more, ids than the vocabulary now */
    int64_t model_ids;
    Str added; /* the marks that were new: "<|im_start|> <|im_end|>" */
} TuneData;

/* Opens both from a model folder or a GGUF file, as recipe->config asks for it (template, system, markers),
 * and sets recipe->config.context where it is 0.  Close it, opened or not.
 *   ST_ARG          no such template, or it needs an end-of-text id that is not there
 *   ST_UNSUPPORTED  the model's own template is unknown and none was named */
MUST_CHECK Status tune_data_open(TuneData *d, const char *path, InstructRecipe *recipe);
void tune_data_close(TuneData *d);
void tune_data_print(const TuneData *d); /* a line or two of the plan, through log_info */

#endif
