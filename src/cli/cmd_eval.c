/* lemur eval: what it does is chosen by a flag among its words. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/eval_replay.h"

typedef struct {
    const char *flag, *value, *does;
    int (*run)(int argc, char **argv);
} Mode;

static const Mode modes[] = {
    {"--replay", "DIR", "recorded runs against our loop and our marks", eval_replay},
};
enum { MODES = sizeof modes / sizeof modes[0] };

/* "--replay" and "--replay=DIR". */
static bool is_flag(const char *word, const char *flag)
{
    size_t n = strlen(flag);
    return strncmp(word, flag, n) == 0 && (word[n] == 0 || word[n] == '=');
}

static const Mode *mode_of(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (size_t m = 0; m < MODES; m++)
            if (is_flag(argv[i], modes[m].flag))
                return &modes[m];
    return NULL;
}

static void overview(FILE *out)
{
    fputs("usage: lemur eval FLAG [words and flags]\n\nwhat it does:\n", out);
    for (size_t m = 0; m < MODES; m++) {
        int n = fprintf(out, "  %s %s", modes[m].flag, modes[m].value);
        fprintf(out, "%*s  %s\n", n < 20 ? 20 - n : 0, "", modes[m].does);
    }
    fprintf(out, "\nlemur eval %s --help says more about one.\n", modes[0].flag);
}

int cmd_eval(int argc, char **argv)
{
    const Mode *mode = mode_of(argc, argv);
    if (mode)
        return mode->run(argc, argv);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            overview(stdout);
            return EXIT_DONE;
        }
    log_error("lemur eval needs a model and tasks, -m and --tasks, or one of the flags below");
    overview(stderr);
    return EXIT_USAGE;
}
