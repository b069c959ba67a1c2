/* What the files of the pipeline share. */
#ifndef RECIPE_PIPELINE_INSIDE_H
#define RECIPE_PIPELINE_INSIDE_H

#include "recipe/pipeline.h"

/* Fills in what stages will take, whose keys, folders and states are known.  ST_ARG: words or settings that a
 * verb would refuse; with file, line and stage. */
MUST_CHECK Status pipeline_forecast(PipelineStage *stages, const PipelineSpec *spec);

typedef Array(Error) Obstacles;
/* Of stages whose forecasts are made: inputs, memory and disk of those that are wanted. */
void pipeline_find_obstacles(Obstacles *out, const PipelineStage *stages, const Recipe *r);

#endif
