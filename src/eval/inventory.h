/* What a benchmark needs, and whether that is here. */
#ifndef EVAL_INVENTORY_H
#define EVAL_INVENTORY_H

#include "eval/benchmark.h"

/* What was found out about this machine so far: the sandbox is tried once, each program in it once, and only
 * where a benchmark needs it.  One thread. */
typedef struct Inventory Inventory;

Inventory *inventory_new(const char *data); /* borrows the data folder's name */
void inventory_free(Inventory *v);

/* Of one benchmark; a new reference:
 *   {"name", "groups": [...], "about", "source", "metric", "version", "shots",
 *    "questions": n, null where they cannot be read ("questions_why" says why not), "bad_lines": n,
 *    "left_out": n and "lacking": {what: [ids]} where some need what is not here,
 *    "files": [{"path", "url", "sha256", "state": "absent", "present", "right" or "wrong"}],
 *    "likelihood": true where it takes a model that runs here,
 *    "sandbox": {"here", "says"}, "programs": {"python3": true},          each where it needs such
 *    "missing": ["data", "sandbox", "node"], "ready": nothing is missing}
 * `sums`: files are compared with their published checksums; "right" and "wrong" come from that alone. */
json_t *inventory_of(Inventory *v, const Benchmark *b, bool sums);

#endif
