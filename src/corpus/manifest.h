/* Folders of many files that change as a whole.  A folder's manifest.json names a set of files; whenever a
 * kill, a full disk or a power cut comes, it names a whole set: the old one or the new one.
 *
 *     ManifestStage stage;
 *     TRY(manifest_begin(&stage, &kind, "out"));
 *     ... write synced files below stage.folder ...
 *     Status st = manifest_commit(&stage, object);   // all or nothing
 *     manifest_end(&stage);
 *
 * The new set is written to a stage, FOLDER/.partial.  Then
 *   - a manifest that says "folder": ".partial" is renamed over the old one: from here on the new set stands;
 *   - the old set's files are removed, and the new ones get their names in FOLDER, too (hard links);
 *   - the manifest without "folder" is renamed over that one;
 *   - the stage is removed.
 *
 * A run that ended anywhere leaves a whole set and perhaps a stage; the next one stages in .partial-2 where
 * .partial holds the set, and removes what no manifest names.  Where a file system has no hard links the set
 * stays in its stage, as whole as elsewhere.  While a set is written, the disk holds the old one, too.  One
 * writer a folder, which is locked. */
#ifndef CORPUS_MANIFEST_H
#define CORPUS_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

typedef struct {
    const char *format;             /* "format" in the manifest  */
    int version;                    /* "version" in the manifest */
    const char *holds;              /* "a corpus"                */
    const char *made;               /* "build the corpus with `lemur corpus build`" */
    bool (*owns)(const char *name); /* whether an entry of the folder belongs to the set */
} ManifestKind;

/* Reads FOLDER/manifest.json.  Caller frees.
 *   ST_IO there is none   ST_FORMAT damaged, or of something else   ST_UNSUPPORTED another version */
MUST_CHECK Status manifest_read(json_t **out, const ManifestKind *kind, const char *folder);

/* The folder in which the set's files lie: this one or its stage.  Caller frees.  ST_FORMAT */
MUST_CHECK Status manifest_place(char **out, const json_t *manifest, const char *folder);

typedef struct {
    const ManifestKind *kind;
    char *home, *folder; /* where the set will lie; where it is written */
    const char *name;    /* of `folder` in `home` */
    int lock;            /* of `home` */
} ManifestStage;

/* Makes both folders, and removes what ended runs left.  ST_ARG: another process writes there, or what the
 * set would replace is there and no manifest says whose it is.  ST_IO.  Then there is nothing to end. */
MUST_CHECK Status manifest_begin(ManifestStage *s, const ManifestKind *kind, const char *home);

/* Where it fails, what lay there before is untouched; a rename that happened and could not be synced may be
 * lost in a power cut, or not. */
MUST_CHECK Status manifest_commit(ManifestStage *s, const json_t *manifest);

/* After a commit or instead of one; {0} is fine.  Removes the stages that the manifest does not name, and
 * keeps the error that may be on its way. */
void manifest_end(ManifestStage *s);

#endif
