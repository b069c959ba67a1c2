#include "cli/run_forecast.h"

#include <string.h>

#include "base/config.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/glob.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/model_folder.h"
#include "corpus/shard.h"
#include "model/model_file.h"
#include "ops/measure.h"
#include "ops/select.h"

/* Of the program itself, with the libraries' code and what they keep. */
static const int64_t program_bytes = 20 * 1000 * 1000;
/* How much more text comes out of a packed file: code and prose by zstd, gzip or xz. */
enum { UNPACKED_TIMES = 4 };

/* Words and files. --------------------------------------------------------------------------------------- */

const char *forecast_flag(const RecipeAsk *ask, const char *flag)
{
    const char *found = NULL;
    for (size_t i = 0; i < ask->words_n; i++) {
        size_t n = strcspn(ask->words[i], "=");
        char *name = mem_strn(ask->words[i], n);
        if (config_same_name(name, flag))
            found = ask->words[i][n] ? ask->words[i] + n + 1 : ask->words[i + 1];
        mem_free(name);
    }
    return found;
}

static bool is_packed(const char *path)
{
    static const char *const ends[] = {".gz", ".zst", ".xz", ".bz2", ".zip"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && strcmp(path + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

int64_t forecast_bytes(const char *const *patterns, size_t n, const char *const *excludes, size_t excludes_n)
{
    int64_t bytes = 0;
    const char *path;
    GlobWalk *walk = glob_start(patterns, n, excludes, excludes_n);
    while ((path = glob_next(walk))) {
        int64_t size = file_size(path);
        bytes += size < 0 ? 0 : is_packed(path) ? size * UNPACKED_TIMES : size;
    }
    glob_end(walk);
    return bytes;
}

static int64_t fact(const json_t *facts, const char *key)
{
    return json_integer_value(json_object_get(facts, key));
}

static Status rows_there(ForecastRows *out, const char *folder)
{
    ShardSet *set;
    TRY(shards_open(&set, folder, "train"));
    *out = (ForecastRows){.data = {.context = shards_row_tokens(set) - 1,
                                   .rows = shards_rows(set),
                                   .learned = shards_learned(set)},
                          .vocab_size = shards_vocab_size(set)};
    shards_close(set);
    TRY(shards_open(&set, folder, "held_out"));
    out->data.held_out_rows = shards_rows(set);
    out->data.held_out_learned = shards_learned(set);
    shards_close(set);
    return ST_OK;
}

Status forecast_rows(ForecastRows *out, const RecipeAsk *ask, const char *folder)
{
    const json_t *facts = recipe_facts(ask, folder);
    if (folder_holds(folder, "manifest.json"))
        return rows_there(out, folder);
    if (!facts || !fact(facts, "context"))
        return fail(ST_IO, "nothing is known of rows in %s", folder);
    *out = (ForecastRows){.data = {.context = fact(facts, "context"),
                                   .rows = fact(facts, "rows"),
                                   .held_out_rows = fact(facts, "held_out_rows"),
                                   .learned = 1, /* all positions: packed text */
                                   .held_out_learned = 1},
                          .vocab_size = fact(facts, "vocab_size")};
    return ST_OK;
}

static Status model_there(HParams *out, const char *path)
{
    char *found;
    ModelFile *file;
    TRY(model_path_find(&found, path));
    Status st = path_is_folder(found) ? hparams_read(out, found) : model_file_open(&file, found);
    if (st == ST_OK && !path_is_folder(found)) {
        *out = *model_file_hparams(file);
        model_file_close(file);
    }
    mem_free(found);
    return st;
}

Status forecast_model(HParams *out, const RecipeAsk *ask, const char *path)
{
    const json_t *model = json_object_get(recipe_facts(ask, path), "model");
    if (model)
        return hparams_from_json(out, model);
    return path_exists(path) ? model_there(out, path) : fail(ST_IO, "there is no model %s", path);
}

/* Training. ---------------------------------------------------------------------------------------------- */

/* 0: no machine is given, or it fails. */
static double products(MachineSpeed *m, DType type)
{
    if (!m)
        return 0;
    double *speed = type == DTYPE_BF16 ? &m->bf16 : &m->f32;
    Device *dev = NULL;
    if (*speed <= 0 && ops_open(&dev, NULL, 0) == ST_OK) {
        *speed = measure_gemm(dev, type, MEASURE_WELL);
        if (device_sync(dev) != ST_OK)
            *speed = 0;
    }
    device_close(dev);
    return *speed;
}

static bool has_length(const TrainConfig *c, const ForecastRows *rows)
{
    return c->steps > 0 || c->tokens > 0 || c->minutes > 0 || rows->data.rows > 0;
}

/* Under adapters a model in one file stays in its blocks, which may be far fewer bytes than its numbers. */
static int64_t frozen_bytes(const TrainPlan *p, const char *base)
{
    bool in_blocks = p->setup.lora.rank[0] >= 0 && lora_on(&p->setup.lora) && base && path_exists(base) &&
                     !path_is_folder(base);
    return in_blocks ? file_size(base) : (int64_t)p->model.copy;
}

Status forecast_training(RecipeForecast *out, const RecipeAsk *ask, const TrainConfig *c,
                         const HParams *shape, const ForecastRows *rows, const char *base)
{
    HParams h = *shape;
    TRY(train_config_check(c));
    if (h.vocab_size < rows->vocab_size)
        h.vocab_size = rows->vocab_size;
    if (h.max_position_embeddings < rows->data.context)
        h.max_position_embeddings = rows->data.context;
    TRY(hparams_check(&h));
    out->facts = json_pack("{s:o}", "model", hparams_to_json(&h));
    if (!ask->wanted)
        return ST_OK;
    ModelSetup setup = train_config_setup(c, rows->data.context);
    TrainPlan p = plan_of(c, &h, &setup, &rows->data, 1);
    int64_t frozen = frozen_bytes(&p, base);
    out->memory_least = (int64_t)(p.model.master + p.model.gradients + p.model.optimizer) + frozen;
    out->memory = (int64_t)(p.memory_bytes - p.model.copy) + frozen + program_bytes;
    out->disk = (int64_t)p.disk_bytes;
    p.peak_flops = c->peak_flops > 0 ? c->peak_flops : products(ask->machine, p.setup.compute);
    if (has_length(c, rows) && (p.peak_flops > 0 || p.steps < 0)) {
        out->from = FORECAST_COMPUTED;
        out->seconds = plan_seconds(&p, c);
    }
    return ST_OK;
}
