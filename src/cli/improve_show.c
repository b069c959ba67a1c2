#include "cli/improve_show.h"

#include <stdio.h>

#include "base/columns.h"

void improve_show_plan(const Improve *im, const Recipe *r, const PipelineStage *stages)
{
    Columns c = {.align = "llrl", .wrap = columns_width(stdout, 120)};
    size_t todo = 0;
    char time[32];
    columns_add(&c, "stage");
    columns_add(&c, "state");
    columns_add(&c, "time");
    columns_add(&c, "what it does");
    for (size_t i = 0; i < r->stages.n; i++) {
        const RecipeStage *s = &r->stages.at[i];
        if (!stages[i].wanted)
            continue;
        todo++;
        columns_add(&c, "%s", s->name);
        columns_add(&c, "%s", stage_state_names[stages[i].state]);
        columns_add(&c, "%s", s->minutes > 0 ? human_time(time, 60 * s->minutes) : "");
        columns_add(&c, "%s", s->about);
    }
    columns_print(&c, stdout);
    columns_drop(&c);
    const ImproveConfig *g = im->config;
    int64_t sources = (int64_t)im->sources.n, left = g->rounds - (int64_t)im->rounds.n;
    printf("\n%zu stages of round %zu are to do; %zu are done\n", todo, im->rounds.n, r->stages.n - todo);
    printf(
        "a round: %lld tasks, %lld episodes of each; then, if %lld or more are kept, a tuned model and %lld "
        "held-out tasks\n",
        (long long)(sources * g->train), (long long)g->samples, (long long)g->least,
        (long long)(sources * g->test));
    printf("%lld more rounds, then %lld untouched tasks\n", (long long)(left > 0 ? left : 0),
           (long long)(sources * g->test));
}

/* "41.2 % (35/85)" */
static const char *share(char buf[48], int64_t solved, int64_t n)
{
    snprintf(buf, 48, "%.1f %% (%lld/%lld)", n ? 100.0 * (double)solved / (double)n : 0, (long long)solved,
             (long long)n);
    return buf;
}

static void print_round(Columns *c, const Improve *im, size_t i)
{
    const ImproveRound *r = &im->rounds.at[i];
    char text[48];
    bool tested = r->decision == IMPROVE_ACCEPTED || r->decision == IMPROVE_REFUSED;
    columns_add(c, "%zu", i + 1);
    columns_add(c, "%s%.0lld", r->parent ? "round " : "given", (long long)r->parent);
    columns_add(c, "%lld", (long long)r->kept.episodes);
    columns_add(c, "%s", share(text, r->kept.successes, r->kept.episodes));
    columns_add(c, "%lld", (long long)r->kept.kept);
    columns_add(c, "%lld", (long long)r->learned);
    if (tested) {
        columns_add(c, "%s", share(text, r->pairs.before, r->pairs.n));
        columns_add(c, "%s", share(text, r->pairs.after, r->pairs.n));
        columns_add(c, "%lld : %lld", (long long)r->pairs.first, (long long)r->pairs.second);
        columns_add(c, "%.2g", r->p);
    } else {
        for (int k = 0; k < 4; k++)
            columns_add(c, "%s", "");
    }
    columns_add(c, "%s", improve_decision_names[r->decision]);
}

static void print_rounds(const Improve *im)
{
    static const char *const titles[] = {"round",     "from",    "episodes",         "solved",
                                         "kept",      "learned", "held out, before", "after",
                                         "one alone", "p",       "decision"};
    Columns c = {.align = "rlrrrrrrrrl"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        columns_add(&c, "%s", titles[i]);
    for (size_t i = 0; i < im->rounds.n; i++)
        print_round(&c, im, i);
    columns_print(&c, stdout);
    columns_drop(&c);
}

static void print_verdict(const Improve *im, const json_t *lineage, const char *folder)
{
    const ImprovePairs *p = &im->verdict;
    int64_t best = improve_best(im);
    const json_t *v = json_object_get(lineage, "untouched"), *ci = json_object_get(v, "ci95");
    char before[48], after[48];
    if (!best) {
        printf("\nno model was better than the one given\n");
        return;
    }
    printf("\nuntouched tasks: the model given %s, round %lld %s; difference %+.1f points (95 %%: %+.1f to "
           "%+.1f), "
           "p %.2g\n",
           share(before, p->before, p->n), (long long)best, share(after, p->after, p->n),
           100 * json_number_value(json_object_get(v, "difference")),
           100 * json_number_value(json_array_get(ci, 0)), 100 * json_number_value(json_array_get(ci, 1)),
           json_number_value(json_object_get(v, "p")));
    printf("%s/model is the model of round %lld\n", folder, (long long)best);
}

void improve_show_rounds(const Improve *im, const json_t *lineage, const char *folder)
{
    print_rounds(im);
    print_verdict(im, lineage, folder);
}
