/* What the files of the study of feedback share: gain_read.c reads runs, gain.c puts them together. */
#ifndef STUDY_GAIN_INSIDE_H
#define STUDY_GAIN_INSIDE_H

#include "base/array.h"
#include "base/map.h"
#include "study/gain.h"

/* The episodes of one benchmark of one run. */
typedef struct {
    char *folder, *model, *benchmark, *data; /* model: identity; data: hash */
    char *shown;                             /* the model's name */
    GainCondition condition;
    int64_t steps;
    bool blind;      /* observations were withheld, not only of no use in a single step */
    Map *solved;     /* by task: the answer that solved it; 0: none did */
    json_t *results; /* of the run; owned */
} GainPart;
typedef Array(GainPart) GainParts;

/* Appends those of a run, or of the runs in a folder of --steps 1-5.  ST_IO: no finished run. */
MUST_CHECK Status gain_read_folder(GainParts *parts, const char *folder);
void gain_parts_drop(GainParts *parts);

#endif
