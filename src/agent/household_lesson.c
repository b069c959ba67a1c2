#include "agent/household_lesson.h"

#include <string.h>

#include "agent/hints.h"
#include "agent/prompt.h"
#include "agent/turns.h"
#include "env/household_tools.h"
#include "tokenizer/conversation.h"

static const char by_commands[] =
    "You are in a household, which you see and change by text alone. Reach the goal of your task within "
    "{steps} "
    "commands, one at a turn, each on a line that begins with \"> \".\n\n{task}";
static const char by_code[] =
    "You are in a household, which you see and change by Python alone, written between {begin} and {end}. "
    "Reach the "
    "goal of your task within {steps} calls of goto(place), open_receptacle(place), close_receptacle(place), "
    "take_from(thing, place), put(thing, place), clean(thing, place), heat(thing, place), cool(thing, "
    "place), "
    "use(thing) and look(), which return what comes of them.\n\n{task}";

typedef struct {
    const HouseholdLesson *how;
    const Household *game;
    const HouseholdPlan *commands;
    HouseholdState *state;
    Conversation messages;
    Str told;                /* what the player has been told so far */
    const char *begin, *end; /* marks of code */
} Teller;

static Status tell_opening(Teller *t)
{
    Str task = {0}, steps = {0}, text = {0};
    Span opening = t->how->opening.at ? t->how->opening : span(t->how->python ? by_code : by_commands);
    Span room = household_room(t->game), aim = household_task(t->game);
    str_add(&task, room.at, room.n);
    str_addc(&task, '\n');
    str_add(&task, aim.at, aim.n);
    str_addf(&steps, "%d", HOUSEHOLD_STEPS);
    const PromptHole holes[] = {{"task", str_span(&task)},
                                {"steps", str_span(&steps)},
                                {"begin", span(t->begin)},
                                {"end", span(t->end)}};
    Status st = prompt_fill(&text, opening, holes, sizeof holes / sizeof *holes);
    if (st == ST_OK)
        conversation_add(&t->messages, CHAT_USER, str_span(&text));
    str_add(&t->told, str_c(&task), task.n);
    str_drop(&task);
    str_drop(&steps);
    str_drop(&text);
    return st;
}

/* One command into the answer, and what comes of it into the next message. */
static Status tell_command(Teller *t, const char *command, Str *answer, Str *heard)
{
    if (!t->how->python) {
        str_addf(answer, "> %s", command);
    } else {
        str_adds(answer, "print(");
        if (!household_call(answer, command))
            return fail(ST_ARG, "there is no function for the command \"%.100s\"", command);
        str_adds(answer, ")\n");
    }
    TRY(household_step(t->game, t->state, command));
    Span said = household_heard(t->state);
    str_add(heard, said.at, said.n);
    if (t->how->python)
        str_addc(heard, '\n');
    return ST_OK;
}

/* Whether a player who was told so much could write that call already: what it takes was named, and what it
 * opens was said to be closed. */
static bool is_known(const Teller *t, const char *command)
{
    static const char *const verbs[] = {"take ", "use "}, open[] = "open ";
    Str want = {0};
    bool known = true;
    if (span_starts(span(command), open))
        str_addf(&want, "The %s is closed.", command + strlen(open));
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (span_starts(span(command), verbs[i])) {
            const char *thing = command + strlen(verbs[i]), *from = strstr(thing, " from ");
            str_addf(&want, " a %.*s", from ? (int)(from - thing) : (int)strlen(thing), thing);
        }
    if (want.n) {
        const char *at = strstr(str_c(&t->told), str_c(&want));
        /* "a mug 1" is not told by "a mug 12" */
        while (at && at[want.n] >= '0' && at[want.n] <= '9')
            at = strstr(at + 1, str_c(&want));
        known = at != NULL;
    }
    str_drop(&want);
    return known;
}

/* Whether a new answer begins with that command. */
static bool begins_turn(const Teller *t, const char *command)
{
    return !t->how->python || span_starts(span(command), "go to ") || !is_known(t, command);
}

static void add_hint(const Teller *t, Str *heard)
{
    Str words = {0};
    if (t->how->hints)
        hints_say_line(&words, t->how->hints, &t->messages,
                       (HintsHeard){str_span(heard), str_span(&t->told)});
    if (words.n)
        str_adds(heard, TURNS_EXPERT);
    str_add(heard, str_c(&words), words.n);
    str_drop(&words);
}

/* The commands of one turn, from number *i on. */
static Status tell_turn(Teller *t, size_t *i)
{
    Str answer = {0}, heard = {0};
    Status st = ST_OK;
    if (t->how->python)
        str_addf(&answer, "%s\n", t->begin);
    do
        st = tell_command(t, t->commands->at[(*i)++], &answer, &heard);
    while (st == ST_OK && *i < t->commands->n && !begins_turn(t, t->commands->at[*i]));
    if (t->how->python)
        str_adds(&answer, t->end);
    if (st == ST_OK)
        conversation_add(&t->messages, CHAT_ASSISTANT, str_span(&answer));
    str_add(&t->told, str_c(&heard), heard.n);
    str_addc(&t->told, '\n');
    if (st == ST_OK && *i < t->commands->n) { /* the last answer ends it */
        add_hint(t, &heard);
        conversation_add(&t->messages, CHAT_USER, str_span(&heard));
    }
    str_drop(&answer);
    str_drop(&heard);
    return st;
}

static json_t *lesson_json(const Teller *t, const char *id)
{
    json_t *line = conversation_to_json(&t->messages);
    json_object_set_new(line, "transcript", json_integer(1));
    json_object_set_new(line, "environment", json_string(t->how->python ? "alfworld_python" : "alfworld"));
    json_object_set_new(line, "task", json_string(id));
    json_object_set_new(line, "success", json_true());
    json_object_set_new(line, "reward", json_real(1));
    json_object_set_new(line, "end", json_string(turns_end_names[TURNS_SOLVED]));
    json_object_set_new(line, "commands", json_integer(t->state->steps));
    if (t->how->hints)
        json_object_set_new(line, "feedback", json_string("hints"));
    return line;
}

Status household_lesson(json_t **out, const HouseholdLesson *how, const Household *game, const char *id,
                        const HouseholdPlan *commands)
{
    Teller t = {.how = how,
                .game = game,
                .commands = commands,
                .state = household_reset(game),
                .begin = how->fences ? "```python" : "<execute>",
                .end = how->fences ? "```" : "</execute>"};
    Status st = tell_opening(&t);
    for (size_t i = 0; i < commands->n && st == ST_OK;)
        st = tell_turn(&t, &i);
    if (st == ST_OK && !t.state->won)
        st = fail(ST_ARG, "%s is not won by these commands", id);
    if (st == ST_OK)
        *out = lesson_json(&t, id);
    conversation_drop(&t.messages);
    str_drop(&t.told);
    household_state_free(t.state);
    return st;
}
