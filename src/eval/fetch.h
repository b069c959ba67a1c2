/* Gets a benchmark's data from where it is published into the data folder.
 *
 * While it comes, a file is PATH.part, with PATH.part.json beside it (url, and the server's word for this
 * version of the file); it gets its name once it is whole and its SHA-256 is right.  A cut download, also one
 * of an earlier call, goes on where it stopped (Range and If-Range, RFC 9110), and begins anew where the
 * server does not offer that or has another version by now.
 *
 * Redirects are followed to the same host, and to any other by https only.  Of several processes that fetch
 * one file, the second is refused. */
#ifndef EVAL_FETCH_H
#define EVAL_FETCH_H

#include "base/http.h"
#include "eval/benchmark.h"

/* `mirror`, "https://HOST/FOLDER", stands in for scheme and host of the urls; NULL: as published. */
typedef struct {
    const char *data, *mirror; /* data: the folder of --data; made where it is not there */
    int tries;                 /* in a row that bring nothing new */
    double wait_s;    /* before the second try; doubled for each further one, and at least Retry-After */
    double longest_s; /* a Retry-After above that is not waited for */
    double idle_s;    /* in which nothing comes: a stall */
    bool (*stopped)(void *context); /* NULL: nobody asks */
    void *context;
} FetchSpec;
FetchSpec fetch_spec(const char *data); /* 5 tries, from 1 s on, at most 120 s; a stall is 30 s */

typedef enum {
    FILE_ABSENT,
    FILE_PRESENT, /* and nothing is known to compare it with */
    FILE_RIGHT,   /* its checksum, or that of the archive that it came from, is as published */
    FILE_WRONG    /* its checksum is another */
} FileState;
/* Reads the whole file where `sum` asks for checksums; otherwise what exists is FILE_PRESENT. */
FileState fetch_state(const char *data, const DataFile *file, bool sum);

typedef enum {
    FETCH_HERE,
    FETCH_HERE_UNCHECKED, /* nothing is known to compare it with                    */
    FETCH_GOT,
    FETCH_UNREACHABLE /* with ST_PEER: the server answered nothing, the last time */
} FetchEnd;

/* *end counts with ST_OK, and as said above.
 *   ST_PEER         not to be had: no such file there, unreachable, or cut, stalled and refused again and
 *                   again; what came is kept, and the next call goes on
 *   ST_FORMAT       what came has another checksum: it is kept as PATH.wrong; or the archive is damaged
 *   ST_ARG          a file of that name is here and is another one: it is left alone; or a wrong address
 *   ST_UNSUPPORTED  must be got by hand
 *   ST_IO           the folder cannot be written, the disk is (or would be) full; what came is kept
 *   ST_LIMIT        of the archive (unpack.h)       ST_CANCELLED  what came is kept */
MUST_CHECK Status fetch_file(FetchEnd *end, HttpClient *http, const FetchSpec *spec, const DataFile *file);

#endif
