/* Words that choose what runs: the verbs of the program, and the parts of one verb.
 *
 *     int cmd_corpus(int argc, char **argv)
 *     {
 *         static const Part parts[] = {{"show", "FOLDER", "its ledger", run_show, false}};
 *         return parts_run(parts, 1, argc, argv);
 *     }
 */
#ifndef CLI_PARTS_H
#define CLI_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *name;
    const char *words; /* what must follow it; NULL: nothing that a list needs to say */
    const char *does;
    int (*run)(int argc, char **argv);
    bool computes; /* on the OpenMP pool: wait_policy.h; of verbs only */
} Part;

/* A line for each. */
void parts_list(FILE *out, const Part *parts, size_t n);

/* The part of that name, or NULL: it is then said that `owner` ("lemur bench") has none such, and which one
 * is near. */
const Part *parts_find(const Part *parts, size_t n, const char *owner, const char *name);

/* Runs the part that argv[1] names, with "VERB PART" as its argv[0], and returns its exit code.  Without a
 * part, with --help or with an unknown one it says what there is, and returns EXIT_DONE for --help, else
 * EXIT_USAGE. */
int parts_run(const Part *parts, size_t n, int argc, char **argv);

#endif
