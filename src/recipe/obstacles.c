/* What stands in the way of a run, found before anything is done. */
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "recipe/pipeline_inside.h"
#include "recipe/recipe_inside.h"

static const char *nearest_folder(char *path)
{
    while (*path && !path_is_folder(path)) {
        char *slash = strrchr(path, '/');
        if (!slash)
            return ".";
        *slash = 0;
    }
    return *path ? path : "/";
}

static void note(Obstacles *all, Status st)
{
    if (st != ST_OK)
        array_push(all, error_take());
}

static Status check_inputs(const PipelineStage *p, const RecipeStage *s)
{
    const json_t *missing = json_object_get(p->inputs, "missing");
    Str names = {0};
    for (size_t i = 0; i < json_array_size(missing); i++)
        str_addf(&names, "%s%.200s", i ? ", " : "", json_string_value(json_array_get(missing, i)));
    Status st =
        names.n ? fail(ST_IO, "no file matches %.600s%s%s", str_c(&names), *s->fetch ? "; " : "", s->fetch)
                : ST_OK;
    str_drop(&names);
    return st;
}

/* The recipe's own number counts as it is; of a computed one only the least without which nothing goes. */
static Status check_memory(const PipelineStage *p, const RecipeStage *s, int64_t available, int64_t total)
{
    int64_t least = p->forecast.memory_least;
    char need[32], have[32];
    Status st = ST_OK;
    if (s->memory > 0 && available >= 0 && s->memory > available)
        st = fail(ST_LIMIT,
                  "it needs %s of memory, and %s are available; end other programs, or correct \"memory:\"",
                  human_bytes(need, (double)s->memory), human_bytes(have, (double)available));
    else if (s->memory == 0 && total >= 0 && least > total)
        st = fail(ST_LIMIT,
                  "it needs at least %s of memory, and this machine has %s; take a smaller model or adapters "
                  "(lora: true), or a machine that has it",
                  human_bytes(need, (double)least), human_bytes(have, (double)total));
    return st;
}

/* Coarse forecasts count half. */
static Status check_disk(const PipelineStage *stages, const Recipe *r)
{
    double disk = 0, most = 0;
    const RecipeStage *largest = NULL;
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        const RecipeForecast *f = &stages[i].forecast;
        double needs = (double)f->disk * (f->from == FORECAST_COARSE && s->disk == 0 ? 0.5 : 1);
        if (!stages[i].wanted)
            continue;
        disk += needs;
        if (needs > most) {
            most = needs;
            largest = s;
        }
    }
    char *store = mem_str(r->store), need[32], have[32], its[32];
    int64_t free = disk_free(nearest_folder(store));
    mem_free(store);
    if (free < 0 || disk <= (double)free)
        return ST_OK;
    return fail(
        ST_LIMIT,
        "%s, line %d: the stages to do need %s of disk below %s (%s alone %s), which has %s free; make "
        "room, or put \"store:\" elsewhere",
        r->path, largest->line, human_bytes(need, disk), r->store, largest->name, human_bytes(its, most),
        human_bytes(have, (double)free));
}

void pipeline_find_obstacles(Obstacles *out, const PipelineStage *stages, const Recipe *r)
{
    int64_t available = memory_available(), total = memory_total();
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        if (!stages[i].wanted)
            continue;
        note(out, recipe_in_place(check_inputs(&stages[i], s), r, s->name, s->line));
        note(out, recipe_in_place(check_memory(&stages[i], s, available, total), r, s->name, s->line));
    }
    note(out, check_disk(stages, r));
}
