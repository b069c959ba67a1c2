/* The folder that a run owns: who may use it, what is in it already, and its small files.
 * docs/formats/run-folder.md. */
#ifndef TRAIN_RUN_FOLDER_H
#define TRAIN_RUN_FOLDER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

typedef struct {
    char *path;
    size_t kept;    /* so many letters of `path` were there before it was opened */
    int lock;       /* file descriptor: held while the run lives, released by the system when it dies */
    bool holds_run; /* it held a run when it was opened, which is to go on */
    bool stale;     /* it holds a run that is to be overwritten */
    json_t *config; /* that run's config.json, or NULL */
} RunFolder;

/* Whether a run may begin there: not in a model's own folder, whose config.json it would replace by its own.
 * ST_ARG. */
MUST_CHECK Status run_folder_possible(const char *path);
/* Makes the folder where it is missing, locks it, and mends what a killed run left half done (swap.h,
 * temporary files of processes that are gone, rows that were prepared in .tmp-data).  Deletes nothing else
 * yet. ST_ARG  it holds a run and neither `resume` nor `overwrite` is set, or both are; another process
 *           trains in it; it holds a model
 *   ST_IO   cannot be made or written */
MUST_CHECK Status run_folder_open(RunFolder *f, const char *path, bool resume, bool overwrite);
/* Takes one that was never opened, if zeroed.  What it made and nothing was put into, it removes again. */
void run_folder_close(RunFolder *f);

/* Whether overwriting leaves `path` (NULL: nothing) where it is: what the run begins with may not lie in what
 * it deletes.  `what`: "the model", for the sentence.  ST_ARG. */
MUST_CHECK Status run_folder_spares(const RunFolder *f, const char *what, const char *path);

/* Deletes a stale run: what run-folder.md lists, and no other file.  To be called when nothing else can go
 * wrong any more. */
MUST_CHECK Status run_folder_clear(RunFolder *f);

MUST_CHECK Status run_folder_write(const RunFolder *f, const char *name, const json_t *json); /* durable */
/* Removes one of them; fine where there is none.  ST_IO. */
MUST_CHECK Status run_folder_unlink(const RunFolder *f, const char *name);
/* Whether somebody has made the file `save` in the folder; removes it. */
bool run_folder_save_asked(const RunFolder *f);

/* The config.json of the run in a folder; ST_IO where there is none. */
MUST_CHECK Status run_folder_read_config(json_t **out, const char *path);

#endif
