/* What stands in a household and what lies about there: the kinds of things of generated games, and where
 * each may be.  Names, properties and what holds what are those of AI2-THOR's scenes as ALFWorld's games have
 * them (allenai/ai2thor; alfworld/alfworld, alfworld/gen/constants.py); how many there are is ours. */
#ifndef ENV_HOUSEHOLD_KINDS_H
#define ENV_HOUSEHOLD_KINDS_H

#include <stdbool.h>

#include "base/str.h"

typedef enum { ROOM_KITCHEN, ROOM_LIVING_ROOM, ROOM_BEDROOM, ROOM_BATHROOM, ROOMS } HouseholdRoom;

enum { /* properties of objects */
       OBJECT_CLEANABLE = 1,
       OBJECT_HEATABLE = 2,
       OBJECT_COOLABLE = 4,
       OBJECT_SLICEABLE = 8,
       OBJECT_HOLLOW = 16, /* isReceptacleObject */
       OBJECT_FIXED = 32,  /* nobody picks it up */
       OBJECT_LAMP = 64,   /* fixed, and can be switched on */
};

typedef struct {
    const char *name; /* "Mug"; a type of it is "MugType" */
    unsigned is;
    int most[ROOMS]; /* of it in a room; 0: it does not belong there */
} ObjectKind;

typedef struct {
    const char *name;
    const char *holds;     /* kinds of objects, by name; also what is not in the room of a game */
    int room_for;          /* objects that it holds at the beginning */
    bool openable, always; /* always: each can be opened, not just most */
    const char *horizons;  /* from where one looks at it, degrees down: "45 60" */
    struct {
        int least, most;
    } in[ROOMS];
} ReceptacleKind;

enum { OBJECT_KINDS = 60, RECEPTACLE_KINDS = 29 };
extern const ObjectKind object_kinds[OBJECT_KINDS];
extern const ReceptacleKind receptacle_kinds[RECEPTACLE_KINDS];
extern const char *const room_scenery[ROOMS]; /* what is there and nobody sees: it only has a place */

bool receptacle_holds(const ReceptacleKind *r, const ObjectKind *o);

#endif
