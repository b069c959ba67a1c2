/* A line of an expert's list (gt_traj.txt) in mint-bench's copy of the games: a call, `take("mug 1", "shelf
 * 2")`, of functions whose names are not quite those that MINT's cells have.  For tests. */
#ifndef ENV_HOUSEHOLD_LIST_TEST_H
#define ENV_HOUSEHOLD_LIST_TEST_H

#include <string.h>

#include "base/str.h"

/* As a command; false: the line is no call. */
static inline bool list_command(Str *out, Span line)
{
    static const struct {
        const char *name, *first, *second;
    } calls[] = {{"goto(", "go to ", ""},        {"open(", "open ", ""},       {"close(", "close ", ""},
                 {"take(", "take ", " from "},   {"put(", "put ", " in/on "},  {"use(", "use ", ""},
                 {"clean(", "clean ", " with "}, {"heat(", "heat ", " with "}, {"cool(", "cool ", " with "}};
    str_clear(out);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!span_starts(line, calls[i].name))
            continue;
        int quote = 0;
        for (size_t k = strlen(calls[i].name); k < line.n; k++) {
            if (line.at[k] == '"')
                str_adds(out, ++quote == 1 ? calls[i].first : quote == 3 ? calls[i].second : "");
            else if (quote % 2)
                str_addc(out, line.at[k]);
        }
        return quote > 0;
    }
    return false;
}

#endif
