#include "env/household_house.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* Behind the rooms of AI2-THOR, whose scenes have numbers up to 430. */
enum { FIRST = 1000, SCENERY = -1, NOWHERE = -1 };

/* Where one may stand: along the four walls. */
typedef struct {
    int half[2], corner[2]; /* of the room, in steps of 25 cm */
    int n;
} Walls;

typedef struct {
    int x, z, turn;
} Spot;

int house_number(HouseholdRoom room, int which)
{
    return FIRST + which * ROOMS + (int)room;
}

static const char *unique(House *h, Str *id)
{
    int64_t before = map_count(h->ids);
    map_put(h->ids, str_c(id), id->n);
    return map_count(h->ids) > before ? arena_strn(&h->arena, id->at, id->n) : NULL;
}

static void add_signed(Str *out, int value)
{
    str_addf(out, "_bar_%s%d", value < 0 ? "_minus_" : "", abs(value));
}

static int place_at(House *h, Spot s, int horizon)
{
    Str id = {0};
    str_adds(&id, "loc");
    add_signed(&id, s.x);
    add_signed(&id, s.z);
    add_signed(&id, s.turn);
    add_signed(&id, horizon);
    int64_t *known = map_find(h->ids, str_c(&id), id.n);
    int place = known ? (int)*known : (int)h->places.n;
    if (!known) {
        *map_put(h->ids, id.at, id.n) = place;
        array_push(&h->places, arena_strn(&h->arena, id.at, id.n));
    }
    str_drop(&id);
    return place;
}

/* "Mug_bar__minus_01_dot_39_bar__plus_00_dot_86_bar__plus_00_dot_10" near a position; one that is nobody's
 * yet. */
static const char *thing_at(House *h, Rng *rng, const char *name, int at[3], int spread)
{
    const char *id = NULL;
    Str s = {0};
    bool basin = strlen(name) > 5 && strcmp(name + strlen(name) - 5, "Basin") == 0;
    for (; !id; spread++) {
        str_clear(&s);
        str_add(&s, name, strlen(name) - (basin ? 5 : 0));
        for (int i = 0; i < 3; i++) {
            int cm = at[i] + (int)rng_below(rng, 2 * (uint64_t)spread + 1) - spread;
            cm = i == 1 && cm < 0 ? 0 : cm;
            str_addf(&s, "_bar__%s_%02d_dot_%02d", cm < 0 ? "minus" : "plus", abs(cm) / 100, abs(cm) % 100);
        }
        if (basin)
            str_addf(&s, "_bar_%s", name);
        id = unique(h, &s);
    }
    str_drop(&s);
    return id;
}

static Spot spot_of(const Walls *w, int which)
{
    int along = -w->half[which % 2] + 2 * (which / 4), turn = which % 4;
    int x = turn == 1 ? w->half[0] : turn == 3 ? -w->half[0] : along;
    int z = turn == 0 ? w->half[1] : turn == 2 ? -w->half[1] : along;
    return (Spot){w->corner[0] + x, w->corner[1] + z, turn};
}

static int number_between(Rng *rng, int least, int most)
{
    return least + (int)rng_below(rng, (uint64_t)(most - least + 1));
}

static int horizon_of(Rng *rng, const ReceptacleKind *kind)
{
    int choices[4], n = 0;
    const char *at = kind->horizons;
    for (Span w; n < 4 && (w = words_next(&at)).n;)
        choices[n++] = atoi(w.at);
    return choices[rng_below(rng, (uint64_t)n)];
}

/* Two that are looked at from one place in one way share it: there one stands before both. */
static void add_receptacle(House *h, Rng *rng, const Walls *walls, int kind)
{
    const ReceptacleKind *k = &receptacle_kinds[kind];
    Spot spot = spot_of(walls, (int)rng_below(rng, (uint64_t)walls->n));
    int horizon = horizon_of(rng, k);
    static const int outward[4][2] = {{0, 60}, {60, 0}, {0, -60}, {-60, 0}};
    HouseReceptacle r = {.kind = kind,
                         .place = place_at(h, spot, horizon),
                         .openable = k->openable && (k->always || rng_below(rng, 5)),
                         .at = {25 * spot.x + outward[spot.turn][0], (horizon < 0 ? 210 : 160 - 2 * horizon),
                                25 * spot.z + outward[spot.turn][1]}};
    r.id = thing_at(h, rng, k->name, r.at, 20);
    array_push(&h->receptacles, r);
}

static void add_scenery(House *h, Rng *rng, const Walls *walls)
{
    const char *at = room_scenery[h->room];
    for (Span w; (w = words_next(&at)).n;) {
        if (!rng_below(rng, 3))
            continue;
        Spot spot = spot_of(walls, (int)rng_below(rng, (uint64_t)walls->n));
        int where[3] = {25 * spot.x, 100, 25 * spot.z};
        const char *name = arena_strn(&h->arena, w.at, w.n);
        HouseObject o = {.kind = SCENERY, .type = name, .place = place_at(h, spot, 15), .in = NOWHERE};
        o.id = thing_at(h, rng, name, where, 40);
        array_push(&h->objects, o);
    }
}

void house_build(House *h, int number)
{
    Rng rng;
    Walls walls = {.n = 12};
    int count[RECEPTACLE_KINDS];
    check(number >= FIRST);
    *h = (House){.number = number, .room = (HouseholdRoom)((number - FIRST) % ROOMS), .ids = map_new()};
    rng_seed(&rng, (uint64_t)number);
    for (int k = 0; k < RECEPTACLE_KINDS; k++) {
        count[k] =
            number_between(&rng, receptacle_kinds[k].in[h->room].least, receptacle_kinds[k].in[h->room].most);
        walls.n += count[k];
    }
    for (int i = 0; i < 2; i++) {
        walls.half[i] = walls.n / 4 + number_between(&rng, 1, 5);
        walls.corner[i] = number_between(&rng, -6, 6);
    }
    place_at(h, (Spot){walls.corner[0], walls.corner[1], (int)rng_below(&rng, 4)}, 30);
    for (int k = 0; k < RECEPTACLE_KINDS; k++)
        for (int i = 0; i < count[k]; i++)
            add_receptacle(h, &rng, &walls, k);
    add_scenery(h, &rng, &walls);
}

void house_drop(House *h)
{
    map_free(h->ids);
    array_drop(&h->places);
    array_drop(&h->receptacles);
    array_drop(&h->objects);
    arena_drop(&h->arena);
}

int house_count(const House *h, int receptacle_kind)
{
    int n = 0;
    for (size_t i = 0; i < h->receptacles.n; i++)
        n += h->receptacles.at[i].kind == receptacle_kind;
    return n;
}

int house_objects(const House *h, int kind)
{
    int n = 0;
    for (size_t i = 0; i < h->objects.n; i++)
        n += h->objects.at[i].kind == kind;
    return n;
}

/* A receptacle with room for it: first a kind, so that one of many drawers is not found more easily than the
 * one table.  NOWHERE: all are full. */
static int find_room(const House *h, Rng *rng, const ObjectKind *object)
{
    int free_of[RECEPTACLE_KINDS] = {0}, kinds = 0;
    for (size_t i = 0; i < h->receptacles.n; i++) {
        const HouseReceptacle *r = &h->receptacles.at[i];
        const ReceptacleKind *k = &receptacle_kinds[r->kind];
        if (r->held < k->room_for && receptacle_holds(k, object))
            kinds += free_of[r->kind]++ == 0;
    }
    if (!kinds)
        return NOWHERE;
    int which = (int)rng_below(rng, (uint64_t)kinds), kind = 0;
    while (!free_of[kind] || which--)
        kind++;
    which = (int)rng_below(rng, (uint64_t)free_of[kind]);
    for (size_t i = 0; i < h->receptacles.n; i++) {
        const HouseReceptacle *r = &h->receptacles.at[i];
        if (r->kind == kind && r->held < receptacle_kinds[kind].room_for && which-- == 0)
            return (int)i;
    }
    return NOWHERE;
}

int house_put(House *h, Rng *rng, int kind, int n)
{
    for (int i = 0; i < n; i++) {
        int in = find_room(h, rng, &object_kinds[kind]);
        if (in == NOWHERE)
            return i;
        HouseReceptacle *r = &h->receptacles.at[in];
        HouseObject o = {.kind = kind, .type = object_kinds[kind].name, .place = r->place, .in = in};
        o.id = thing_at(h, rng, o.type, r->at, 25);
        array_push(&h->objects, o);
        r->held++;
    }
    return n;
}
