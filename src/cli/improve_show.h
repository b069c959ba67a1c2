/* What `lemur study improve` says on stdout. */
#ifndef CLI_IMPROVE_SHOW_H
#define CLI_IMPROVE_SHOW_H

#include "recipe/pipeline.h"
#include "study/improve.h"

/* The stages that are wanted, and what comes after them. */
void improve_show_plan(const Improve *im, const Recipe *r, const PipelineStage *stages);
/* A line a round, and the verdict of the untouched tasks; `folder`: where the best model's link is. */
void improve_show_rounds(const Improve *im, const json_t *lineage, const char *folder);

#endif
