/* All the files of some benchmarks, fetched one after the other (fetch.h). */
#ifndef EVAL_FETCH_SET_H
#define EVAL_FETCH_SET_H

#include "eval/fetch.h"

typedef struct {
    int64_t files, here, got, failed;
    int64_t unchecked; /* of `here`: nothing is published to compare them with */
} FetchReport;

/* `tell` hears of each file what became of it, "is here" or "fetched, 12.5 kB".  What one file meets is
 * logged and the next one is tried; a file that several benchmarks have is fetched once.  A server that is
 * not reached for three files in a row is asked no more: its others count as failed, and nobody hears of
 * each.
 *   ST_PEER  some were not fetched
 *   ST_CANCELLED, ST_IO  it ends at once */
MUST_CHECK Status fetch_set(FetchReport *report, HttpClient *http, const FetchSpec *spec,
                            const Benchmark *const *chosen, size_t n,
                            void (*tell)(void *arg, const char *path, const char *what), void *arg);

#endif
