#include "env/household_tools.h"

#include <string.h>

#include "base/json_file.h"
#include "base/mem.h"

/* How a function's arguments become a command. */
typedef struct {
    const char *name, *parameters, *first, *second; /* words before each argument; second NULL: it has one */
    const char *keys[2];
} Call;

static const Call calls[HOUSEHOLD_TOOLS] = {
    {"put", "object: str, receptacle: str", "put ", " in/on ", {"object", "receptacle"}},
    {"goto", "receptacle: str", "go to ", NULL, {"receptacle"}},
    {"take_from", "object: str, receptacle: str", "take ", " from ", {"object", "receptacle"}},
    {"open_receptacle", "receptacle: str", "open ", NULL, {"receptacle"}},
    {"toggle", "object_or_receptacle: str", "toggle ", NULL, {"object_or_receptacle"}},
    {"close_receptacle", "receptacle: str", "close ", NULL, {"receptacle"}},
    {"clean", "object: str, receptacle: str", "clean ", " with ", {"object", "receptacle"}},
    {"heat", "object: str, receptacle: str", "heat ", " with ", {"object", "receptacle"}},
    {"cool", "object: str, receptacle: str", "cool ", " with ", {"object", "receptacle"}},
    {"use", "receptacle: str", "use ", NULL, {"receptacle"}},
    {"look", "", "look", NULL, {NULL}},
};

typedef struct {
    HouseholdPlay *play;
    const Call *call;
} ToolContext;

struct HouseholdPlay {
    const Household *game;
    HouseholdState *state;
    PythonTool tools[HOUSEHOLD_TOOLS];
    ToolContext contexts[HOUSEHOLD_TOOLS];
    json_t *commands;
};

Status household_play_step(HouseholdPlay *p, const char *command)
{
    bool done = p->state->done;
    TRY(household_step(p->game, p->state, command));
    if (!done)
        json_array_append_new(p->commands, json_pack("{s:o, s:o}", "command", json_text(span(command)), "heard",
                                                     json_text(household_heard(p->state))));
    return ST_OK;
}

json_t *household_play_take(HouseholdPlay *p)
{
    json_t *commands = p->commands;
    p->commands = json_array();
    return commands;
}

/* What is no text names nothing in a house; its command finds nothing either. */
static void add_argument(Str *command, const json_t *arguments, const char *key)
{
    const json_t *v = json_object_get(arguments, key);
    if (json_is_string(v))
        str_adds(command, json_string_value(v));
}

static Status call_tool(void *context, const json_t *arguments, Str *answer)
{
    const ToolContext *t = context;
    HouseholdPlay *p = t->play;
    Str command = {0};
    if (!p->state)
        return fail(ST_ARG, "no game has begun");
    str_adds(&command, t->call->first);
    if (t->call->keys[0])
        add_argument(&command, arguments, t->call->keys[0]);
    if (t->call->second) {
        str_adds(&command, t->call->second);
        add_argument(&command, arguments, t->call->keys[1]);
    }
    Status st = household_play_step(p, str_c(&command));
    str_drop(&command);
    TRY(st);
    Span said = household_heard(p->state);
    str_add(answer, said.at, said.n);
    return ST_OK;
}

HouseholdPlay *household_play_new(void)
{
    HouseholdPlay *p = mem_new(HouseholdPlay);
    p->commands = json_array();
    for (int i = 0; i < HOUSEHOLD_TOOLS; i++) {
        p->contexts[i] = (ToolContext){p, &calls[i]};
        p->tools[i] = (PythonTool){calls[i].name, calls[i].parameters, call_tool, &p->contexts[i]};
    }
    return p;
}

void household_play_free(HouseholdPlay *p)
{
    if (!p)
        return;
    household_state_free(p->state);
    json_decref(p->commands);
    mem_free(p);
}

void household_play_begin(HouseholdPlay *p, const Household *game)
{
    household_state_free(p->state);
    json_array_clear(p->commands);
    p->game = game;
    p->state = household_reset(game);
}

const PythonTool *household_play_tools(const HouseholdPlay *p)
{
    return p->tools;
}

bool household_play_succeeded(const HouseholdPlay *p)
{
    return p->state && p->state->done && p->state->steps > 0;
}

const HouseholdState *household_play_state(const HouseholdPlay *p)
{
    return p->state;
}

void household_play_limit(HouseholdPlay *p, int commands)
{
    p->state->limit = commands;
}

Span household_heard(const HouseholdState *s)
{
    const char *said = str_c(&s->observation), *stop = strstr(said, ". ");
    return span(span_starts(span(said), "You arrive at loc ") && stop ? stop + 2 : said);
}

bool household_call(Str *out, const char *command)
{
    for (int i = 0; i < HOUSEHOLD_TOOLS; i++) {
        const Call *c = &calls[i];
        if (!span_starts(span(command), c->first) || (!c->keys[0] && command[strlen(c->first)]))
            continue;
        const char *first = command + strlen(c->first), *second = c->second ? strstr(first, c->second) : NULL;
        if (c->second && !second)
            continue;
        str_addf(out, "%s(", c->name);
        if (c->keys[0])
            str_addf(out, "\"%.*s\"", second ? (int)(second - first) : (int)strlen(first), first);
        if (second)
            str_addf(out, ", \"%s\"", second + strlen(c->second));
        str_addc(out, ')');
        return true;
    }
    return false;
}

void household_question(Str *out, const Household *game)
{
    Span room = household_room(game), task = household_task(game);
    str_adds(out, "Interact with a household to solve a task. \n");
    str_add(out, room.at, room.n);
    str_addc(out, '\n');
    str_add(out, task.at, task.n);
}
