/* lemur eval: benchmarks put to a model, recorded runs replayed, runs compared, data listed and fetched.  What
 * it does is named by the flag in front; without one of these it runs benchmarks. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/eval_index.h"
#include "cli/eval_run.h"

int cmd_eval(int argc, char **argv)
{
    static const struct {
        const char *flag;
        int (*run)(int argc, char **argv);
    } other[] = {
        {"--index", eval_index},
    };
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (size_t k = 0; k < sizeof other / sizeof other[0]; k++)
            if (strcmp(argv[i], other[k].flag) == 0)
                return other[k].run(argc, argv);
    return eval_run(argc, argv);
}
