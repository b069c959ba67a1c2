/* What the files of the pipeline share. */
#ifndef RECIPE_PIPELINE_INSIDE_H
#define RECIPE_PIPELINE_INSIDE_H

#include "recipe/child.h"
#include "recipe/pipeline.h"

typedef Array(Error) Obstacles;

typedef struct {
    char **at;
    size_t n, cap;
} Words;

typedef Array(int) Locks; /* file descriptors */

/* A stage under way. */
typedef struct {
    size_t at;      /* its number */
    Locks locks;    /* of its folder and of those that it reads, held as long as it is made */
    bool resumes;   /* it goes on with what was half done */
    Words command;  /* ended by NULL */
    char *log;      /* file */
    cpu_set_t cpus; /* its share where it is not alone */
    bool alone;     /* it has all processors, and nothing begins beside it */
    double start;
    Child *child; /* NULL: there is none, and nothing of the above but cpus counts */
} Job;

struct Pipeline {
    const PipelineSpec *spec;
    const Recipe *recipe;
    PipelineStage *stages;
    Obstacles obstacles;
    Job *jobs; /* as many as may be under way at a time */
    size_t jobs_n;
};

/* What the store has of it: state, and done where it is.  Beside a stage.json without its key lies nothing
 * that could go on: pipeline_forget wrote it, or it is damaged. */
void pipeline_read_state(PipelineStage *s);
/* Links it in the run's folder, or asks whether that will do when it is made. */
MUST_CHECK Status pipeline_link(const Pipeline *p, size_t at, bool made);

/* In work.c.  Does all that is wanted; ends as pipeline_run does. */
MUST_CHECK Status pipeline_work(Pipeline *p);
/* Before anything is done once more: what lies there neither counts nor goes on, wherever this run ends. */
MUST_CHECK Status pipeline_forget(Pipeline *p, size_t at);

/* Fills in what stages will take, whose keys, folders and states are known.  ST_ARG: words or settings that a
 * verb would refuse; with file, line and stage. */
MUST_CHECK Status pipeline_forecast(PipelineStage *stages, const PipelineSpec *spec);

/* Of stages whose forecasts are made: inputs, memory and disk of those that are wanted. */
void pipeline_find_obstacles(Obstacles *out, const PipelineStage *stages, const Recipe *r);

#endif
