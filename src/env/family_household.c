/* Household games of ALFWorld's six types, won by commands: the benchmark `alfworld`. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "env/family_draw.h"
#include "env/household_hints.h"
#include "env/household_make_games.h"
#include "env/household_seek.h"

/* Where the benchmark looks: src/eval/agents/household_tasks.c, alfworld.c. */
#define GAMES "mint/alfworld/games"
#define PROMPT "alfworld/commands.txt"

typedef struct {
    HouseholdMade made; /* the game drawn last */
    HouseholdPlan plan;
    char *games;
} HouseholdFamily;

static const char prompt[] =
    "Reach the goal by commands.\n{task}\n---\nGive a command: \"> \" and its words.\n";

static Status open_household(void **state, Rng *rng, const char *data, size_t files)
{
    (void)files;
    (void)rng;
    HouseholdFamily *f = mem_new(HouseholdFamily);
    *state = f;
    f->games = path_join(data, GAMES);
    TRY(folder_make(f->games));
    return family_write(data, PROMPT, prompt);
}

static void close_household(void *state)
{
    HouseholdFamily *f = state;
    if (!f)
        return;
    household_made_drop(&f->made);
    array_drop(&f->plan);
    mem_free(f->games);
    mem_free(f);
}

/* The first taking, a room too early: nothing happens. */
static size_t slip_at(const HouseholdPlan *plan, Rng *rng)
{
    size_t take = 0;
    while (take < plan->n && !span_starts(span(plan->at[take]), "take "))
        take++;
    return take == 0 || take == plan->n || !draw_chance(rng, 4) ? plan->n : rng_below(rng, take);
}

static void tell_commands(FamilyTask *out, const HouseholdPlan *plan, size_t slip)
{
    const char *taking = NULL;
    for (size_t i = 0; i < plan->n && !taking; i++)
        if (span_starts(span(plan->at[i]), "take "))
            taking = plan->at[i];
    for (size_t i = 0; i < plan->n; i++) {
        if (i == slip)
            family_slip(out, "> %s", taking);
        family_say(out, "> %s", plan->at[i]);
    }
}

/* Looks for what it needs, as a player has to; where that takes too long, the next game is drawn. */
static Status draw_won(HouseholdFamily *f, Rng *rng)
{
    Status st;
    do {
        household_made_drop(&f->made);
        array_clear(&f->plan);
        TRY(household_make(&f->made, rng_next(rng) >> 16, HOUSEHOLD_ANY));
        st = household_seek(f->made.game, rng, &f->plan);
    } while (st == ST_LIMIT);
    return st;
}

static Status draw_household(void *state, Rng *rng, FamilyTask *out)
{
    HouseholdFamily *f = state;
    TRY(draw_won(f, rng));
    Span room = household_room(f->made.game), task = household_task(f->made.game);
    str_addf(&out->question, "%.*s\n%.*s", (int)room.n, room.at, (int)task.n, task.at);
    TRY(household_view(&out->key, f->made.game));
    tell_commands(out, &f->plan, slip_at(&f->plan, rng));
    out->hints = household_hints(f->made.game, f->made.task, f->made.object, f->made.target);
    return ST_OK;
}

static Status keep_household(void *state, const FamilyTask *task)
{
    (void)task;
    HouseholdFamily *f = state;
    return household_made_write(&f->made, f->games);
}

const Family family_household = {
    .name = "household",
    .about = "games of ALFWorld's six types in houses of their own, won by commands",
    .benchmark = "alfworld",
    .open = open_household,
    .draw = draw_household,
    .keep = keep_household,
    .close = close_household,
};
