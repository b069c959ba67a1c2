#include "env/household_hints.h"

#include <ctype.h>

#include "env/hint.h"

typedef struct {
    json_t *entries;
    const char *object, *target;
} Hints;

/* The entry that holds until the game has said so often that `did` was done to a thing of that kind. */
static void until(Hints *h, const char *did, const char *kind, int times, const char *hint)
{
    Str lacks = {0};
    str_adds(&lacks, did);
    for (; *kind; kind++)
        str_addc(&lacks, (char)tolower((unsigned char)*kind));
    json_t *entry = json_pack("{s:s, s:s}", "lacks", str_c(&lacks), "hint", hint);
    if (times > 1)
        json_object_set_new(entry, "times", json_integer(times));
    json_array_append_new(h->entries, entry);
    str_drop(&lacks);
}

static const char have[] = "You pick up the ", not_yet[] = "You do not have it yet: look for it.",
                  bring[] = "Now bring it to its place.";

static void add_task(Hints *h, HouseholdTask task)
{
    until(h, have, h->object, 1, not_yet);
    switch (task) {
    case HOUSEHOLD_CLEAN: until(h, "You clean the ", h->object, 1, "It has to be clean first."); break;
    case HOUSEHOLD_HEAT: until(h, "You heat the ", h->object, 1, "It has to be hot first."); break;
    case HOUSEHOLD_COOL: until(h, "You cool the ", h->object, 1, "It has to be cool first."); break;
    case HOUSEHOLD_LIGHT: until(h, "You turn on the ", h->target, 1, "Now it needs light."); break;
    case HOUSEHOLD_TWO:
        until(h, "You put the ", h->object, 1, bring);
        until(h, have, h->object, 2, "One is not enough: look for another.");
        break;
    default: break;
    }
}

json_t *household_hints(const Household *game, HouseholdTask task, const char *object, const char *target)
{
    Hints h = {json_array(), object, target};
    Span room = household_room(game), aim = household_task(game);
    Str opening = {0};
    str_add(&opening, room.at, room.n);
    str_addc(&opening, '\n');
    str_add(&opening, aim.at, aim.n);
    json_array_append_new(h.entries,
                          json_pack("{s:s, s:s, s:s}", "over", hint_over_names[HINT_ANSWER], "has",
                                    "Nothing happens", "hint",
                                    "Nothing came of that: mind where you are, and what is there."));
    add_task(&h, task);
    json_t *line = json_pack("{s:s, s:s, s:b, s:o, s:s}", "contains", str_c(&opening), "over",
                             hint_over_names[HINT_ANSWERS], "repeats", 0, "hints", h.entries, "otherwise",
                             task == HOUSEHOLD_LIGHT ? "Hold it where the light is." : bring);
    str_drop(&opening);
    return line;
}
