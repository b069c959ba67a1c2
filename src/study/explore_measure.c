#include "study/explore.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/map.h"
#include "env/household_task.h"

const ExploreMeasureKind explore_measures[EXPLORE_MEASURES] = {
    {"success", "share of episodes that reached their goal"},
    {"answers", "answers of the model"},
    {"actions", "actions done"},
    {"states", "different states met"},
    {"observations", "different things heard"},
    {"repeated", "share of actions done before in the same state"},
    {"failed", "share of actions that nothing came of, or an error"},
    {"looks", "share of actions that look"},
    {"looks_first", "share of the budget spent on looking before the first act towards the goal"},
    {"unseen", "share of actions on what was never seen (acting too early)"},
    {"needless", "share of actions that look on when all that is needed was seen (looking too long)"},
    {"unused", "share of episodes in which a needed thing was seen and never taken"},
    {"delay", "actions from the one that showed a needed thing to the one that took one; 1: at once"},
};

/* A household's episode. --------------------------------------------------------------------------------- */

/* What the task needs, by the game's name: pick_heat_then_place_in_recep-Apple-None-Fridge-10/trial_7. */
typedef struct {
    char object[48], target[48], with[48]; /* kinds in small letters; "": none */
    int64_t count;
    bool light; /* the target is a lamp */
} Needs;

static void small_letters(char out[48], Span text)
{
    size_t n = text.n < 47 ? text.n : 47;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)text.at[i]);
    out[n] = 0;
}

static bool needs_of(Needs *n, const char *task)
{
    Span parts[4] = {{0}};
    const char *at = task;
    for (int i = 0; i < 4; i++) {
        parts[i] = (Span){at, strcspn(at, "-/")};
        if (at[parts[i].n] != '-')
            return false;
        at += parts[i].n + 1;
    }
    HouseholdTask kind = household_task_of(span(task));
    const char *with = household_tasks[kind].with;
    if (!span_is(parts[0], household_tasks[kind].name))
        return false;
    small_letters(n->object, parts[1]);
    small_letters(n->target, parts[3]);
    small_letters(n->with, span(with ? with : ""));
    n->count = kind == HOUSEHOLD_TWO ? 2 : 1;
    n->light = kind == HOUSEHOLD_LIGHT;
    return true;
}

/* "mug" of "mug 1". */
static bool is_of_kind(Span name, const char *kind)
{
    size_t n = strlen(kind);
    return n > 0 && name.n > n && memcmp(name.at, kind, n) == 0 && name.at[n] == ' ';
}

/* What is remembered of what was heard. */
typedef struct {
    const Needs *needs;
    Map *seen; /* names; the value: the number of the place where it was, 0: in the opening, or in the
                  hand */
    Map *places;
    int64_t place; /* where one stands; 0: nowhere */
} Memory;

static int64_t place_number(Memory *m, Span name)
{
    int64_t *n = map_put(m->places, name.at, name.n);
    if (!*n)
        *n = map_count(m->places);
    return *n;
}

static bool is_seen(const Memory *m, Span name)
{
    return map_find(m->seen, name.at, name.n) != NULL;
}

/* Each "word number" of a text. */
static void hear(Memory *m, const char *text, bool here)
{
    for (const char *at = text; *at;) {
        size_t word = 0, digits = 0;
        while (isalpha((unsigned char)at[word]))
            word++;
        while (word && at[word] == ' ' && isdigit((unsigned char)at[word + 1 + digits]))
            digits++;
        Span name = {at, word + 1 + digits};
        if (digits && !isalpha((unsigned char)at[name.n]) && !(word == 3 && memcmp(at, "loc", 3) == 0)) {
            *map_put(m->seen, name.at, name.n) = here ? m->place : 0;
            at += name.n;
        } else {
            at += word ? word : 1;
        }
    }
}

static int64_t seen_of_kind(const Memory *m, const char *kind)
{
    int64_t n = 0;
    for (int64_t i = 0; i < map_count(m->seen); i++)
        n += is_of_kind(map_key_at(m->seen, i), kind);
    return n;
}

static bool all_is_known(const Memory *m)
{
    return seen_of_kind(m, m->needs->object) >= m->needs->count && seen_of_kind(m, m->needs->target) > 0 &&
           (!m->needs->with[0] || seen_of_kind(m, m->needs->with) > 0);
}

/* Going there, or opening it, is a part of the way: what is needed is there, or it is itself needed. */
static bool is_on_the_way(Memory *m, Span place)
{
    const Needs *n = m->needs;
    if (!place.n)
        return false;
    if (is_of_kind(place, n->with) || (!n->light && is_of_kind(place, n->target)))
        return true;
    int64_t here = place_number(m, place);
    for (int64_t i = 0; i < map_count(m->seen); i++) {
        Span name = map_key_at(m->seen, i);
        if (map_value_at(m->seen, i) == here &&
            (is_of_kind(name, n->object) || (n->light && is_of_kind(name, n->target))))
            return true;
    }
    return false;
}

static bool is_goal_act(const Needs *n, const ExploreAct *a, const HouseCommand *c)
{
    if (a->looks || a->failed)
        return false;
    return is_of_kind(c->object, n->object) || (n->light && is_of_kind(c->object, n->target));
}

static bool names_unseen(const Memory *m, const HouseCommand *c)
{
    return (c->object.n && !is_seen(m, c->object)) || (c->place.n && !is_seen(m, c->place)) || !c->verb.n;
}

typedef struct {
    int64_t unseen, needless, looks_before, first_seen, first_taken;
    bool acted;
} HouseCounts;

static void house_act(HouseCounts *n, Memory *m, const ExploreAct *a, int64_t i)
{
    HouseCommand c = explore_house_command(a->action);
    bool goal = is_goal_act(m->needs, a, &c);
    n->unseen += names_unseen(m, &c);
    n->needless += a->looks && all_is_known(m) && !is_on_the_way(m, c.place);
    n->acted = n->acted || goal;
    n->looks_before += a->looks && !n->acted;
    if (span_is(c.verb, "go to") && !a->failed)
        m->place = place_number(m, c.place);
    hear(m, a->heard, a->looks && !span_is(c.verb, "inventory"));
    if (goal && span_is(c.verb, "take") && n->first_taken < 0)
        n->first_taken = i;
    if (n->first_seen < 0 && seen_of_kind(m, m->needs->object) > 0)
        n->first_seen = i;
}

static void measure_house(double *out, const ExploreTrace *t, int64_t budget)
{
    Needs needs;
    HouseCounts n = {.first_seen = -1, .first_taken = -1};
    if (!needs_of(&needs, t->task))
        return;
    Memory m = {.needs = &needs, .seen = map_new(), .places = map_new()};
    double acts = (double)t->acts.n;
    hear(&m, t->opening, false);
    for (size_t i = 0; i < t->acts.n; i++)
        house_act(&n, &m, &t->acts.at[i], (int64_t)i);
    map_free(m.seen);
    map_free(m.places);
    out[EXPLORE_LOOKS_FIRST] = budget > 0 ? (double)n.looks_before / (double)budget : NAN;
    out[EXPLORE_UNSEEN] = acts > 0 ? (double)n.unseen / acts : NAN;
    out[EXPLORE_NEEDLESS] = acts > 0 ? (double)n.needless / acts : NAN;
    if (n.first_seen >= 0)
        out[EXPLORE_UNUSED] = n.first_taken < 0;
    if (n.first_seen >= 0 && n.first_taken >= 0)
        out[EXPLORE_DELAY] = (double)(n.first_taken - n.first_seen);
}

/* Queries and command lines. ----------------------------------------------------------------------------- */

/* Errors that say of a name that there is none such. */
static bool is_unknown_name(const ExploreAct *a)
{
    static const char *const words[] = {"Unknown column",    "Unknown table",  "doesn't exist",
                                        "no such table",     "no such column", "No such file or directory",
                                        "command not found", "not found"};
    for (size_t i = 0; a->failed && i < sizeof words / sizeof *words; i++)
        if (strstr(a->heard, words[i]))
            return true;
    return false;
}

/* What these tasks need is not told, so that nothing is said of it. */
static void measure_lines(double *out, const ExploreTrace *t, int64_t budget)
{
    int64_t before = 0, unseen = 0;
    bool acted = false;
    for (size_t i = 0; i < t->acts.n; i++) {
        acted = acted || !t->acts.at[i].looks;
        before += !acted;
        unseen += is_unknown_name(&t->acts.at[i]);
    }
    out[EXPLORE_LOOKS_FIRST] = budget > 0 ? (double)before / (double)budget : NAN;
    out[EXPLORE_UNSEEN] = t->acts.n ? (double)unseen / (double)t->acts.n : NAN;
}

/* Any episode. ------------------------------------------------------------------------------------------- */

static void put(Map *m, const char *text)
{
    map_put(m, text, strlen(text));
}

void explore_measure(double *out, const ExploreTrace *t, int64_t budget)
{
    Map *states = map_new(), *heard = map_new(), *done = map_new();
    Str key = {0};
    int64_t repeated = 0, failed = 0, looks = 0;
    double acts = (double)t->acts.n;
    for (int k = 0; k < EXPLORE_MEASURES; k++)
        out[k] = NAN;
    for (size_t i = 0; i < t->acts.n; i++) {
        const ExploreAct *a = &t->acts.at[i];
        str_clear(&key);
        str_addf(&key, "%s\n%s", a->state, a->action);
        repeated += map_find(done, key.at, key.n) != NULL;
        put(done, str_c(&key));
        put(states, a->state);
        if (*a->heard) /* behind the last answer nothing is told */
            put(heard, a->heard);
        failed += a->failed;
        looks += a->looks;
    }
    put(states, t->last_state);
    out[EXPLORE_SUCCESS] = t->success;
    out[EXPLORE_ANSWERS] = (double)t->answers;
    out[EXPLORE_ACTIONS] = acts;
    out[EXPLORE_STATES] = (double)map_count(states);
    out[EXPLORE_OBSERVATIONS] = (double)map_count(heard);
    if (t->acts.n) {
        out[EXPLORE_REPEATED] = (double)repeated / acts;
        out[EXPLORE_FAILED] = (double)failed / acts;
        out[EXPLORE_LOOKS] = (double)looks / acts;
    }
    if (t->world == EXPLORE_HOUSEHOLD)
        measure_house(out, t, budget);
    else
        measure_lines(out, t, budget);
    map_free(states);
    map_free(heard);
    map_free(done);
    str_drop(&key);
}
