/* The folder of a run of `lemur eval`: its identity, and files that grow by whole lines and survive a kill;
 * for runner.c and for those who read runs. */
#ifndef EVAL_FOLDER_H
#define EVAL_FOLDER_H

#include <jansson.h>
#include <stdio.h>

#include "base/map.h"
#include "base/str.h"

/* Takes the folder for this process alone (folder/.lock), until *lock is closed: two that append to one file would
 * record each question twice.  Then writes folder/run.json, or compares it with the one that is there; `restart`
 * removes what a run wrote before, and nothing else.
 *   ST_ARG  another process works in the folder; it holds another run (the sentence names the first thing that
 *           differs), or what is no run
 *   ST_IO   *lock is -1 after any failure */
MUST_CHECK Status eval_folder_begin(int *lock, const char *folder, const json_t *identity, bool restart);
/* run.json of a finished or unfinished run.  ST_ARG: it is none. */
MUST_CHECK Status eval_folder_identity(json_t **out, const char *folder);

/* samples_NAME.jsonl or transcripts_NAME.jsonl, open for appending. */
typedef struct {
    FILE *f;
    char *path;
    Map *ids;    /* the texts under `key` of its lines -> 1 */
    int64_t cut; /* bytes of a broken last line that were cut off */
} LineFile;

/* Reads what is there, cuts off a last line that is not whole, and opens it for appending.  Lines whose text
 * under `key` is not among `keep` are taken out; keep NULL: all stay.
 *   ST_FORMAT  a line in the middle is none: named by number     ST_IO */
MUST_CHECK Status line_file_open(LineFile *out, const char *path, const char *key, const Map *keep);
/* Appends one line, whole or not at all, and hands it to the system. */
MUST_CHECK Status line_file_add(LineFile *l, const json_t *line);
/* On disk for good. */
MUST_CHECK Status line_file_sync(LineFile *l);
/* Puts the lines of a file that is whole in the order of their texts under `key`, numbers by value: which was
 * written first, of several at a time, is chance, and what learns from the lines would depend on it.  Nothing
 * is added afterwards.  ST_IO, ST_FORMAT. */
MUST_CHECK Status line_file_sort(LineFile *l, const char *key);
void line_file_close(LineFile *l);

/* Each line of such a file, its bytes and what they say; a last line that is not whole is none.
 * ST_IO, ST_FORMAT as above. */
typedef void (*LineTake)(void *context, Span line, json_t *object);
MUST_CHECK Status line_file_each(const char *path, LineTake take, void *context);
/* All lines of such a file as an array; new reference.  ST_IO, ST_FORMAT. */
MUST_CHECK Status line_file_read(json_t **out, const char *path);

#endif
