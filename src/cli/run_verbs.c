#include "cli/run_verbs.h"

#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/run_forecast.h"
#include "corpus/corpus_recipe.h"
#include "corpus/pack.h"

static Status check_corpus(const json_t *recipe)
{
    CorpusRecipe r;
    Status st = corpus_recipe_take(&r, recipe);
    corpus_recipe_drop(&r);
    return st;
}

static Status check_pack(const json_t *recipe)
{
    PackConfig config = {0};
    const json_t *section = json_object_get(recipe, "pack");
    config_defaults(&pack_table, &config);
    Status st = section ? config_from_json(&pack_table, &config, section) : ST_OK;
    config_drop(&pack_table, &config);
    return st;
}

/* Manifests, logs and results of training hold times and speeds: they do not count. */
static const char *const corpus_products[] = {"train/**", "held_out/**", NULL};
static const char *const shard_products[] = {"*.tok", NULL};
static const char *const train_products[] = {"model/**", NULL};
static const char *const tune_products[] = {"model/**", "adapter/**", "data/*.tok", NULL};
static const char *const eval_products[] = {"results.json:results", NULL};
static const char *const score_products[] = {"scores.json:scores", NULL};
static const char *const page_products[] = {"report.json", "*.html:", NULL};
static const char *const improve_products[] = {"lineage.json", NULL};

/* A version is raised when the same settings and inputs give another product. */
static const RecipeVerb verbs[] = {
    {"corpus build", 3, RESUME_ANEW, true, corpus_products, check_corpus, corpus_forecast},
    {"tokenizer train", 4, RESUME_ANEW, true, NULL, NULL, tokenizer_forecast},
    {"pack", 1, RESUME_ANEW, true, shard_products, check_pack, pack_forecast},
    {"train", 2, RESUME_FLAG, true, train_products, train_recipe_check, train_forecast},
    {"tune", 6, RESUME_FLAG, true, tune_products, tune_recipe_check, tune_forecast},
    {"convert", 1, RESUME_ANEW, true, NULL, NULL, convert_forecast},
    {"env make", 8, RESUME_ANEW, false, NULL, NULL, env_make_forecast},
    {"env score", 1, RESUME_ANEW, false, score_products, NULL, env_score_forecast},
    {"eval --fetch", 1, RESUME_SAME, false, NULL, NULL, NULL},
    {"eval", 4, RESUME_SAME, true, eval_products, NULL, eval_forecast},
    {"report", 7, RESUME_ANEW, false, page_products, NULL, report_forecast},
    {"study improve", 1, RESUME_SAME, true, improve_products, NULL, improve_forecast},
    {"study", 4, RESUME_ANEW, false, NULL, NULL, study_forecast},
};
const RecipeVerbs run_verbs = {verbs, sizeof verbs / sizeof verbs[0]};

/* Children are started from it: /proc/self/exe would be another program where another starts them. */
char *run_program(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    return n > 0 ? mem_strn(self, (size_t)n) : mem_str("/proc/self/exe");
}

json_t *run_machine(void)
{
    CpuFeatures cpu = cpu_features();
    return json_pack("{s:s, s:s, s:i, s:I}", "program", "lemur " LEMUR_VERSION, "processor", cpu.name,
                     "cores", cpu_count(), "memory_available", (json_int_t)memory_available());
}
