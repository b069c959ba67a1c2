#include "env/household_make.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "env/household_problem.h"

enum { ATTEMPTS = 1000 };

static void furnish(House *h, Rng *rng)
{
    for (int k = 0; k < OBJECT_KINDS; k++) {
        int most = object_kinds[k].most[h->room];
        if (most && rng_below(rng, 8))
            house_put(h, rng, k, 1 + (int)rng_below(rng, (uint64_t)most));
    }
}

static HouseholdRoom room_for(HouseholdTask task, Rng *rng)
{
    for (;;) {
        HouseholdRoom room = (HouseholdRoom)rng_below(rng, ROOMS);
        if (household_tasks[task].in[room])
            return room;
    }
}

static json_t *game_json(const House *h, uint64_t seed, HouseholdAim aim, const char *sentence)
{
    Str problem = {0}, grammar = {0};
    household_problem(&problem, h, seed, aim);
    household_grammar(&grammar, sentence);
    json_t *game = json_pack("{s:s%, s:s%, s:s%, s:b}", "pddl_domain", household_domain().at,
                             household_domain().n, "grammar", str_c(&grammar), grammar.n, "pddl_problem",
                             str_c(&problem), problem.n, "solvable", 1);
    check(game);
    str_drop(&problem);
    str_drop(&grammar);
    return game;
}

static void dump(Str *out, const json_t *game)
{
    char *text = json_dumps(game, JSON_INDENT(1));
    str_clear(out);
    str_adds(out, text);
    str_addc(out, '\n');
    free(text);
}

/* The expert's plan, played: it must win in time, and must be needed. */
static Status prove(HouseholdMade *made)
{
    HouseholdState *s = household_reset(made->game);
    Status st = household_plan(made->game, s, &made->plan);
    for (size_t i = 0; i < made->plan.n && st == ST_OK; i++)
        st = household_step(made->game, s, made->plan.at[i]);
    if (st == ST_OK && (!s->won || made->plan.n == 0 || !household_is_consistent(made->game, s)))
        st = fail(ST_FORMAT, "its expert does not win it");
    household_state_free(s);
    return st;
}

static Status finish(HouseholdMade *made, const House *h, HouseholdAim aim, const char *sentence)
{
    json_t *game = game_json(h, made->seed, aim, sentence);
    dump(&made->json, game);
    Status st = household_read(&made->game, str_span(&made->json));
    if (st == ST_OK)
        st = prove(made);
    json_t *walkthrough = json_array();
    for (size_t i = 0; i < made->plan.n && st == ST_OK; i++)
        json_array_append_new(walkthrough, json_string(made->plan.at[i]));
    json_object_set_new(game, "walkthrough", walkthrough);
    dump(&made->json, game);
    json_decref(game);
    made->object = household_aim_object(aim);
    made->target = household_aim_target(aim);
    made->name =
        mem_format("%s-%s-None-%s-%d", household_tasks[aim.task].name, made->object, made->target, h->number);
    return st == ST_OK ? st : fail_in(st, "the game of seed %llu", (unsigned long long)made->seed);
}

/* One try at a task of the type: a house, things in it, and what may be done with them.  False: nothing. */
static bool try_house(HouseholdMade *out, Rng *rng, Status *st)
{
    House house;
    HouseholdAims aims = {0};
    HouseholdRoom room = room_for(out->task, rng);
    house_build(&house, house_number(room, (int)rng_below(rng, HOUSES_OF_A_ROOM)));
    furnish(&house, rng);
    household_aims(&aims, &house, out->task);
    bool any = aims.n > 0;
    if (any) {
        Str sentence = {0};
        HouseholdAim aim = aims.at[rng_below(rng, aims.n)];
        household_aim_say(&sentence, aim, (int)rng_below(rng, 2));
        *st = finish(out, &house, aim, str_c(&sentence));
        str_drop(&sentence);
    }
    array_drop(&aims);
    house_drop(&house);
    return any;
}

Status household_make(HouseholdMade *out, uint64_t seed, HouseholdTask task)
{
    *out = (HouseholdMade){.seed = seed};
    for (uint64_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        Rng rng;
        Status st;
        rng_seed_pair(&rng, seed, attempt);
        out->task = task == HOUSEHOLD_ANY ? (HouseholdTask)rng_below(&rng, HOUSEHOLD_TASKS) : task;
        if (try_house(out, &rng, &st))
            return st;
    }
    return fail(ST_LIMIT, "no task for the houses of seed %llu in %d attempts", (unsigned long long)seed,
                ATTEMPTS);
}

void household_made_drop(HouseholdMade *made)
{
    household_close(made->game);
    array_drop(&made->plan);
    str_drop(&made->json);
    mem_free(made->name);
}
