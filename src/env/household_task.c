#include "env/household_task.h"

#include <ctype.h>
#include <string.h>

/* in: kitchen, living room, bedroom, bathroom */
const HouseholdTaskKind household_tasks[HOUSEHOLD_TASKS] = {
    {"pick_and_place_simple",
     "put",
     {1, 1, 1, 1},
     0,
     NULL,
     NULL,
     NULL,
     {{"put a ", " in "}, {"put some ", " on "}}},
    {"look_at_obj_in_light",
     "examine",
     {0, 1, 1, 0},
     0,
     NULL,
     NULL,
     NULL,
     {{"look at ", " under the "}, {"examine the ", " with the "}}},
    {"pick_clean_then_place_in_recep",
     "clean",
     {1, 0, 0, 1},
     OBJECT_CLEANABLE,
     "isClean",
     "cleanable",
     "SinkBasin",
     {{"put a clean ", " in "}, {"clean some ", " and put it in "}}},
    {"pick_heat_then_place_in_recep",
     "heat",
     {1, 0, 0, 0},
     OBJECT_HEATABLE,
     "isHot",
     "heatable",
     "Microwave",
     {{"put a hot ", " in "}, {"heat some ", " and put it in "}}},
    {"pick_cool_then_place_in_recep",
     "cool",
     {1, 0, 0, 0},
     OBJECT_COOLABLE,
     "isCool",
     "coolable",
     "Fridge",
     {{"put a cool ", " in "}, {"cool some ", " and put it in "}}},
    {"pick_two_obj_and_place",
     "puttwo",
     {1, 1, 1, 1},
     0,
     NULL,
     NULL,
     NULL,
     {{"put two ", " in "}, {"find two ", " and put them in "}}},
};

HouseholdTask household_task_of(Span game)
{
    for (int i = 0; i < HOUSEHOLD_TASKS; i++)
        if (span_starts(game, household_tasks[i].name))
            return (HouseholdTask)i;
    return HOUSEHOLD_PUT;
}

Status household_task_find(HouseholdTask *out, const char *name)
{
    const char *names[2 * HOUSEHOLD_TASKS + 1] = {"any"};
    for (int t = 0; t < HOUSEHOLD_TASKS; t++) {
        names[2 * t + 1] = household_tasks[t].short_name;
        names[2 * t + 2] = household_tasks[t].name;
    }
    for (int i = 0; i < 2 * HOUSEHOLD_TASKS + 1; i++)
        if (strcmp(names[i], name) == 0) {
            *out = i ? (HouseholdTask)((i - 1) / 2) : HOUSEHOLD_ANY;
            return ST_OK;
        }
    const char *near = nearest_name(name, names, 2 * HOUSEHOLD_TASKS + 1);
    return fail(
        ST_ARG,
        "there is no type of task '%s'%s%s%s; there are put, examine, clean, heat, cool, puttwo and any",
        name, near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

/* How many of the kind are at most in one receptacle of a kind; where `all`, in all of them. */
static int found_in(const House *h, int object, int receptacle_kind, bool all)
{
    int most = 0, sum = 0;
    for (size_t r = 0; r < h->receptacles.n; r++) {
        int n = 0;
        for (size_t o = 0; o < h->objects.n && h->receptacles.at[r].kind == receptacle_kind; o++)
            n += h->objects.at[o].kind == object && h->objects.at[o].in == (int)r;
        sum += n;
        most = n > most ? n : most;
    }
    return all ? sum : most;
}

/* Whether putting it there makes a task: it is not there already, and is not wanted where it is made hot. */
static bool is_aim(const House *h, HouseholdTask task, int object, int target)
{
    const ReceptacleKind *r = &receptacle_kinds[target];
    if (house_count(h, target) == 0 || !receptacle_holds(r, &object_kinds[object]))
        return false;
    if (task == HOUSEHOLD_TWO)
        return r->room_for >= 2 && found_in(h, object, target, false) < 2;
    if (task == HOUSEHOLD_PUT)
        return found_in(h, object, target, true) == 0;
    return strcmp(r->name, household_tasks[task].with) != 0;
}

void household_aims(HouseholdAims *out, const House *h, HouseholdTask task)
{
    int wanted = task == HOUSEHOLD_TWO ? 2 : 1;
    for (int o = 0; o < OBJECT_KINDS; o++) {
        unsigned is = object_kinds[o].is;
        if ((is & OBJECT_FIXED) || (is & household_tasks[task].is) != household_tasks[task].is ||
            house_objects(h, o) < wanted)
            continue;
        for (int t = 0; task == HOUSEHOLD_LIGHT && t < OBJECT_KINDS; t++)
            if ((object_kinds[t].is & OBJECT_LAMP) && house_objects(h, t))
                array_push(out, ((HouseholdAim){task, o, t}));
        for (int t = 0; task != HOUSEHOLD_LIGHT && t < RECEPTACLE_KINDS; t++)
            if (is_aim(h, task, o, t))
                array_push(out, ((HouseholdAim){task, o, t}));
    }
}

static void add_lower(Str *out, const char *text)
{
    for (; *text; text++)
        str_addc(out, (char)tolower((unsigned char)*text));
}

const char *household_aim_object(HouseholdAim aim)
{
    return object_kinds[aim.object].name;
}

const char *household_aim_target(HouseholdAim aim)
{
    return aim.task == HOUSEHOLD_LIGHT ? object_kinds[aim.target].name : receptacle_kinds[aim.target].name;
}

void household_aim_say(Str *out, HouseholdAim aim, int way)
{
    str_addf(out, "Your task is to: %s", household_tasks[aim.task].said[way].before);
    add_lower(out, household_aim_object(aim));
    str_adds(out, household_tasks[aim.task].said[way].between);
    add_lower(out, household_aim_target(aim));
    str_addc(out, '.');
}
