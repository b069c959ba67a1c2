/* What the files of the study of mixtures share. */
#ifndef STUDY_HARMONY_INSIDE_H
#define STUDY_HARMONY_INSIDE_H

#include "study/harmony.h"

/* The run of that mixture and seed, made where it is not there yet (*is_new); valid until the next. */
HarmonyRun *harmony_run(Harmony *h, const char *mix, double share, int64_t seed, bool *is_new);
HarmonyMix *harmony_mix(Harmony *h, const char *name); /* NULL: none */
/* Sets `agent` of every run and which measures are used, and notes what is missing. */
void harmony_complete(Harmony *h);

#endif
