/* lemur eval: benchmarks put to a model, recorded runs replayed, runs compared, data listed and fetched.  What
 * it does is named by the flag in front; without one of these it runs benchmarks. */
#include <string.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "cli/eval_compare.h"
#include "cli/eval_fetch.h"
#include "cli/eval_index.h"
#include "cli/eval_list.h"
#include "cli/eval_replay.h"
#include "cli/eval_run.h"

/* "--replay" and "--replay=DIR". */
static bool is_flag(const char *word, const char *flag)
{
    size_t n = strlen(flag);
    return strncmp(word, flag, n) == 0 && (word[n] == 0 || word[n] == '=');
}

int cmd_eval(int argc, char **argv)
{
    static const struct {
        const char *flag;
        int (*run)(int argc, char **argv);
    } other[] = {
        {"--compare", eval_compare},
        {"--fetch", eval_fetch},
        {"--index", eval_index},
        {"--list", eval_list},
        {"--replay", eval_replay},
    };
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (size_t k = 0; k < sizeof other / sizeof other[0]; k++)
            if (is_flag(argv[i], other[k].flag))
                return other[k].run(argc, argv);
    for (size_t k = 0; k < sizeof other / sizeof other[0]; k++)
        if (argc > 1 && strcmp(argv[1], other[k].flag + strlen("--")) == 0) {
            log_error("lemur eval has no word '%s'; did you mean '%s'?", argv[1], other[k].flag);
            return EXIT_USAGE;
        }
    return eval_run(argc, argv);
}
