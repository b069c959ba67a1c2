/* Any bytes as a household game: a whole file, or as the domain, the problem or the grammar of a small house,
 * with commands behind a NUL; or as commands in a game that is made.  The first byte says which. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "env/household_make.h"
#include "env/household_tiny_test.h"
#include "env/household_tools.h"

enum { STEPS = 200, PLANNED_OPERATORS = 500, LINE = 0xE0, FORK = 0xF0 };
static const double seconds = 2; /* of one game */

static void sound(const Household *h, const HouseholdState *s, bool given)
{
    int words = ground_words(household_ground(h));
    for (int w = 0; w < words; w++)
        check((s->bits[w] & s->bits[words + w]) == 0);
    check(utf8_valid(str_c(&s->observation), s->observation.n));
    check(s->done == (s->won || (s->limit && s->steps >= s->limit)));
    check(!given || household_is_consistent(h, s));
}

static bool is_same(const Household *h, const HouseholdState *a, const HouseholdState *b)
{
    size_t bytes = 2 * (size_t)ground_words(household_ground(h)) * sizeof *a->bits;
    return memcmp(a->bits, b->bits, bytes) == 0 && a->steps == b->steps && a->won == b->won &&
           a->done == b->done && a->observation.n == b->observation.n &&
           strcmp(str_c(&a->observation), str_c(&b->observation)) == 0;
}

static bool is_among(const HouseholdCommands *c, Span command)
{
    bool found = false;
    for (size_t i = 0; i < c->n; i++) {
        check(i == 0 || strcmp(c->at[i - 1], c->at[i]) < 0);
        found = found || span_is(command, c->at[i]);
    }
    return found;
}

/* One command: twice the same; what fails or is not admissible changes nothing but the count of steps. */
static void step(const Household *h, HouseholdState *s, const HouseholdCommands *c, const char *command,
                 bool given)
{
    HouseholdState *before = household_fork(h, s), *twin = household_fork(h, s);
    check(is_same(h, before, s));
    Status st = household_step(h, s, command);
    check(household_step(h, twin, command) == st && is_same(h, twin, s));
    check(st == ST_OK || st == ST_FORMAT || st == ST_LIMIT);
    check(st == ST_OK ? s->steps == before->steps + !before->done : is_same(h, before, s) && *error_text());
    if (st == ST_OK && !before->done && !is_among(c, span_trim(span(command)))) {
        check(strcmp(str_c(&s->observation), "Nothing happens.") == 0);
        check(memcmp(s->bits, before->bits,
                     2 * (size_t)ground_words(household_ground(h)) * sizeof *s->bits) == 0);
    }
    check(!given || st == ST_OK);
    sound(h, s, given);
    household_state_free(before);
    household_state_free(twin);
}

/* A byte is the command of that number, begins a line that is one, or begins anew from a fork. */
static void play(const Household *h, HouseholdState *s, const uint8_t *bytes, size_t n, bool given)
{
    HouseholdCommands c = {0};
    double end = clock_now() + seconds;
    for (size_t i = 0, steps = 0; i < n && steps < STEPS && clock_now() < end; steps++) {
        char line[64] = "";
        household_admissible(h, s, &c);
        uint8_t byte = bytes[i++];
        if (byte >= FORK) {
            HouseholdState *f = household_fork(h, s);
            play(h, f, bytes + i, n - i < 8 ? n - i : 8, given);
            household_state_free(f);
        } else if (byte >= LINE || c.n == 0) {
            for (size_t k = 0; i < n && k + 1 < sizeof line && bytes[i] != '\n'; k++)
                line[k] = (char)bytes[i++];
            step(h, s, &c, line, given);
        } else {
            step(h, s, &c, c.at[byte % c.n], given);
        }
    }
    array_drop(&c);
}

/* A plan, where there is one, leads to the goal. */
static void follow(const Household *h, HouseholdState *s)
{
    HouseholdPlan plan = {0};
    s->limit = 0;
    s->done = s->won;
    if (household_plan(h, s, &plan) == ST_OK) {
        bool spoken = true;
        for (size_t i = 0; spoken && i < plan.n; i++) {
            check(!s->won);
            spoken = household_step(h, s, plan.at[i]) == ST_OK;
        }
        check(s->won || !spoken);
    }
    array_drop(&plan);
}

static void begin(const Household *h, const uint8_t *commands, size_t n, bool given)
{
    HouseholdState *s = household_reset(h);
    Str question = {0};
    household_question(&question, h);
    s->limit = n % 2 ? 0 : HOUSEHOLD_STEPS;
    sound(h, s, given);
    play(h, s, commands, n, given);
    if (n % 16 == 0 || household_ground(h)->operators_n <= PLANNED_OPERATORS) /* a long search is slow */
        follow(h, s);
    str_drop(&question);
    household_state_free(s);
}

/* The small house with one of its texts replaced.  NULL: the bytes are no UTF-8. */
static char *house_with(char which, Span text)
{
    json_t *part = json_stringn(text.at, text.n);
    if (!part)
        return NULL;
    char *game = tiny_game(which == 'd' ? json_string_value(part) : tiny_domain,
                           which == 'p' ? json_string_value(part) : tiny_problem,
                           which == 'g' ? json_string_value(part) : tiny_grammar);
    json_decref(part);
    return game;
}

static const Household *made_game(int task)
{
    static HouseholdMade made[HOUSEHOLD_TASKS];
    if (!made[task].game)
        check(household_make(&made[task], 1, (HouseholdTask)task) == ST_OK);
    return made[task].game;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    const uint8_t *nul = memchr(bytes, 0, n);
    size_t text = nul ? (size_t)(nul - bytes) : n, commands = nul ? n - text - 1 : 0;
    Household *h = NULL;
    if (bytes[0] < HOUSEHOLD_TASKS)
        begin(made_game(bytes[0]), bytes + 1, n - 1, true);
    if (!memchr("{dpg", bytes[0], 4))
        return 0;
    char *game = bytes[0] == '{' ? strndup((const char *)bytes, text)
                                 : house_with((char)bytes[0], (Span){(const char *)bytes + 1, text - 1});
    if (!game)
        return 0;
    Status st = household_read(&h, span(game));
    check(st == ST_OK || ((st == ST_FORMAT || st == ST_UNSUPPORTED || st == ST_LIMIT) && *error_text()));
    if (st == ST_OK)
        begin(h, nul ? nul + 1 : bytes, nul ? commands : n, false);
    household_close(h);
    free(game);
    return 0;
}
