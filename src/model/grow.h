/* A model folder or file into a model that has more ids: how a vocabulary that got new special tokens is
 * learned on. */
#ifndef MODEL_GROW_H
#define MODEL_GROW_H

#include "model/model.h"
#include "model/model_file.h"

/* As model_load, where the folder's vocab_size is at most the model's.  Rows that it lacks, of the embedding
 * and of a head of its own, become the mean of those that it has: a new token begins as the average one, in
 * what it says and in how likely it is (Hewitt 2021, "Initializing New Word Embeddings for Pretrained
 * Language Models").  The model is one for training.
 *   ST_ARG  the folder has more ids; the others are model_load's */
MUST_CHECK Status grow_load(Model *m, const char *folder);
/* The same from an open GGUF file or folder; ST_ARG, too, if it is of another shape.  Under adapters the
 * embedding and the head are then trained whole (LoraSetup); all else may stay in blocks. */
MUST_CHECK Status grow_load_file(Model *m, const ModelFile *f);

#endif
