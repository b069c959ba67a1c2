/* Where lemur tune prepares its examples: in the run's own folder, or in a temporary one to look at them.
 *
 * The run's folder is locked before anything is written there, and held until the run is over.  A run that is
 * in it stands on its rows: others are made beside them, and take their place when nothing can refuse the new
 * run any more (TrainJob.data_place).  A set of the same inputs is used where it lies. */
#ifndef CLI_TUNE_PLACE_H
#define CLI_TUNE_PLACE_H

#include "cli/tune_settings.h"

typedef struct {
    RunFolder run; /* lock -1: looking alone, beside a run or without one */
    char *data;    /* the set's folder for good */
    char *made;    /* where it is prepared: `data`, or beside it */
    bool temporary;
} TunePlace;

/* Whether the folder holds a run of train or tune. */
bool tune_place_holds_run(const char *folder);

/* `base`: the model to begin with, which may not lie in what --overwrite deletes.  Close it, opened or not.
 *   ST_ARG  run_folder_open's and run_folder_spares'   ST_IO */
MUST_CHECK Status tune_place_open(TunePlace *p, const TuneSettings *t, const InstructJob *job,
                                  const char *base);
/* Removes what was prepared and not put into place; keeps the error that may be on its way. */
void tune_place_close(TunePlace *p);

#endif
