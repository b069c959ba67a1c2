/* What must hold of a report, whatever was recorded. */
#ifndef FUZZ_REPLAY_H
#define FUZZ_REPLAY_H

#include <string.h>

#include "eval/replay.h"
#include "fuzz_folder.h"

static inline void fuzz_replay_see(const ReplayReport *r, Status st)
{
    int64_t disagree = 0;
    check(st == ST_OK || *error_text());
    for (int i = 0; i < REPLAY_CHECKS; i++) {
        check(r->counts[i].agreed >= 0 && r->counts[i].agreed <= r->counts[i].compared);
        disagree += r->counts[i].compared - r->counts[i].agreed;
    }
    check((int64_t)r->mismatches.n == disagree);
    check(r->solved <= r->episodes && (int64_t)r->troubles.n >= (r->bad_lines > 0));
    for (size_t i = 0; i < r->mismatches.n; i++)
        check(utf8_valid(r->mismatches.at[i].what, strlen(r->mismatches.at[i].what)));
}

#endif
