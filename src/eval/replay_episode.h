/* One recorded episode; for replay.c. */
#ifndef EVAL_REPLAY_EPISODE_H
#define EVAL_REPLAY_EPISODE_H

#include "eval/replay.h"

/* One file of episodes.  The prompt files' texts are read at its first episode; drop frees them. */
typedef struct {
    const char *path;
    int64_t line;
    Span group, task; /* "reasoning", "gsm8k" */
    bool feedback;
    int max_steps, max_propose;
    Str template, tools, example;
    char *example_of; /* which file `example` was read from */
} Recording;

void recording_drop(Recording *r);

/* Has state, history and task, each of the type that replay_episode looks at. */
bool replay_episode_is_whole(const json_t *episode);
/* Adds one episode's checks to *report.  ST_IO: a prompt file cannot be read. */
MUST_CHECK Status replay_episode(ReplayReport *report, const ReplaySpec *spec, Recording *r,
                                 const json_t *episode);

#endif
