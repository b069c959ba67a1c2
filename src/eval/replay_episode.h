/* One recorded episode; for replay_mint.c. */
#ifndef EVAL_REPLAY_EPISODE_H
#define EVAL_REPLAY_EPISODE_H

#include "eval/replay.h"

/* A proposal's verdicts by both versions of the rule.  Which of them the recording followed is known when all
 * its episodes are read, so they are counted then. */
typedef struct {
    ReplayCheck check;
    Mark marks[MARK_CURRENT + 1];
    bool recorded; /* right, by the recording                 */
    ReplayWhy why; /* of MARK_UNDECIDED                       */
    int64_t line;
    char *text; /* the proposal's beginning, to name it by */
} Verdict;

typedef struct {
    size_t verdicts_end; /* behind its last verdict            */
    bool unmarked;       /* no verdict of ours was asked for, or can be had */
} EpisodeEnd;

/* One file of episodes.  The prompt files' texts are read at its first episode; drop frees them. */
typedef struct {
    const char *path;
    int64_t line;
    Span model, setting, group, task; /* "reasoning", "gsm8k"; views of `path` */
    bool feedback;
    int max_steps, max_propose;
    const ReplayPrograms *programs; /* NULL: none */
    Str template, tools, example;
    char *example_of; /* which file `example` was read from */
    bool no_prompts;  /* they could not be read, and that was told */
    Array(Verdict) verdicts;
    Array(EpisodeEnd) ends;
} Recording;

void recording_drop(Recording *r);

/* Has state, history and task, each of the type that replay_episode looks at. */
bool replay_episode_is_whole(const json_t *episode);
/* Adds one episode's checks to *report, and its verdicts and end to *r. */
void replay_episode(ReplayReport *report, const ReplaySpec *spec, Recording *r, const json_t *episode);

#endif
