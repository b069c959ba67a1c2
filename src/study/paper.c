/* Agents: the published outputs of xingyaoww/mint-bench re-counted, figures of OpenLemur/Lemur's README; the
 * rest as the paper's tables have it. */
#include "study/paper.h"

#include <string.h>

static const PaperScore scores[] = {
    {"mint_gsm8k", 58.33, 43.75, 93.75},
    {"mint_math", 6.00, 26.00, 57.00},
    {"mint_theoremqa", 8.16, 28.57, 61.22},
    {"mint_hotpotqa", 44.19, 27.91, 46.51},
    {"mint_mmlu", 56.58, 56.58, 80.26},
    {"mint_reasoning", 31.65, 36.71, 67.41},
    {"mint_humaneval", 46.67, 37.78, 73.33},
    {"mint_mbpp", 17.58, 25.27, 52.75},
    {"ic_sql", 73.39, 72.82, 84.4},
    {"robocodegen", 75.68, 83.78, 83.78},
    {"ic_ctf", 22.0, 11.0, 37.0},
    {"mint_alfworld", 59.70, 41.79, 84.33},
    {"ic_bash", 34.5, 46.5, 48.5},
    {"mmlu", 65.3, -1, -1},
    {"bbh", 61.9, -1, -1},
    {"gsm8k", 66.3, -1, -1},
    {"humaneval", 61.0, -1, -1},
    {"mbpp", 55.5, -1, -1},
    {"spider", 62.5, -1, -1},
    {"multipl_e", 42.9, -1, -1},
    {"ds1000", 34.5, -1, -1},
};

const PaperScore *paper_score(const char *benchmark)
{
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        if (strcmp(scores[i].benchmark, benchmark) == 0)
            return &scores[i];
    return NULL;
}
