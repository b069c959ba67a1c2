/* A house of one room for a generated game: what stands where, and things put about.  Its number alone
 * decides the room and its furniture, so that houses can be kept for training or for tests; what lies about
 * follows from the caller's random numbers.
 *
 *     House house;
 *     house_build(&house, house_number(ROOM_KITCHEN, 17));
 *     house_put(&house, &rng, kind_of_mug, 3);
 *     house_drop(&house);
 *
 * Things have ids as AI2-THOR makes them of a name and a position in metres
 * ("Mug_bar__minus_01_dot_39_bar_..."), places of a position in steps of 25 cm, a quarter turn and degrees
 * down ("loc_bar_1_bar__minus_4_bar_2_bar_30"). */
#ifndef ENV_HOUSEHOLD_HOUSE_H
#define ENV_HOUSEHOLD_HOUSE_H

#include "base/arena.h"
#include "base/array.h"
#include "base/map.h"
#include "base/rng.h"
#include "env/household_kinds.h"

enum { HOUSES_OF_A_ROOM = 250000 };

typedef struct {
    int kind; /* of receptacle_kinds */
    const char *id;
    int place;
    bool openable;
    int held;  /* objects */
    int at[3]; /* position, cm */
} HouseReceptacle;

typedef struct {
    int kind; /* of object_kinds; -1: scenery */
    const char *id, *type;
    int place;
    int in; /* receptacle; -1: none */
} HouseObject;

typedef struct {
    int number;
    HouseholdRoom room;
    Arena arena;
    Map *ids;
    Array(const char *) places; /* the first is where one begins: nothing else is there */
    Array(HouseReceptacle) receptacles;
    Array(HouseObject) objects;
} House;

int house_number(HouseholdRoom room, int which); /* which: below HOUSES_OF_A_ROOM */
void house_build(House *h, int number);
void house_drop(House *h);
/* Puts up to `n` of a kind where such things may be; how many it found room for. */
int house_put(House *h, Rng *rng, int kind, int n);
int house_count(const House *h, int receptacle_kind); /* receptacles of a kind */
int house_objects(const House *h, int kind);          /* objects of a kind     */

#endif
