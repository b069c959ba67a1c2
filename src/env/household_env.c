/* The household as a world: every game below a folder, one command an action. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "env/envs.h"
#include "env/household_expert.h"
#include "env/household_games.h"

#define GAMES "mint/alfworld/games"

/* Opening a game takes some milliseconds, so that the last ones stay open. */
enum { KEPT = 64 };

typedef struct {
    const char *path; /* the task's */
    Household *game;
    int64_t users, last; /* last: a count of openings */
} Open;

typedef struct {
    pthread_mutex_t lock;
    Array(Open) open;
    int64_t openings;
} Houses;

typedef struct {
    Houses *houses;
    Household *game;
    HouseholdState *state;
    HouseholdCommands commands;
    HouseholdExpert *expert; /* NULL: was not asked yet */
} Play;

static void close_houses(void *world)
{
    Houses *h = world;
    if (!h)
        return;
    for (size_t i = 0; i < h->open.n; i++)
        household_close(h->open.at[i].game);
    array_drop(&h->open);
    pthread_mutex_destroy(&h->lock);
    mem_free(h);
}

/* "Apple, GarbageCan" of "pick_heat_then_place_in_recep-Apple-None-GarbageCan-10/trial_T...". */
static void about_game(Str *out, const char *id)
{
    Span words[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        size_t n = strcspn(id, "-/");
        words[i] = (Span){id, n};
        id += id[n] == '-' ? n + 1 : n;
    }
    str_clear(out);
    str_add(out, words[1].at, words[1].n);
    for (int i = 2; i < 4; i++)
        if (words[i].n && !span_is(words[i], "None")) {
            str_adds(out, ", ");
            str_add(out, words[i].at, words[i].n);
        }
}

static Status open_houses(const EnvOptions *options, EnvTasks *tasks, void **world)
{
    Str about = {0};
    HouseholdGames games;
    char *folder = options->games ? mem_str(options->games) : path_join(options->data, GAMES);
    Houses *h = mem_new(Houses);
    pthread_mutex_init(&h->lock, NULL);
    *world = h;
    Status st = household_games_find(&games, folder);
    if (st == ST_OK && games.n == 0)
        st = fail(ST_FORMAT, "%s has no <name>/<trial>/game.tw-pddl in it", folder);
    if (st != ST_OK)
        st = fail_in(
            st, "the household's games (lemur env make -o FOLDER makes some, --games FOLDER names them)");
    for (size_t i = 0; i < games.n; i++) {
        json_t *doc = json_pack("{s:s}", "game", games.at[i].path);
        about_game(&about, games.at[i].id);
        env_tasks_add(tasks, games.at[i].id, games.at[i].kind, str_span(&about), doc);
        json_decref(doc);
    }
    household_games_drop(&games);
    str_drop(&about);
    mem_free(folder);
    return st;
}

/* Games in use. ------------------------------------------------------------------------------------------ */

static Open *find_open(Houses *h, const char *path)
{
    for (size_t i = 0; i < h->open.n; i++)
        if (strcmp(h->open.at[i].path, path) == 0)
            return &h->open.at[i];
    return NULL;
}

/* A new place, or where there are many, that of the game that nobody has used for longest. */
static Open *free_place(Houses *h)
{
    Open *oldest = NULL;
    for (size_t i = 0; i < h->open.n; i++) {
        Open *o = &h->open.at[i];
        if (o->users == 0 && (!oldest || o->last < oldest->last))
            oldest = o;
    }
    if (oldest && h->open.n >= KEPT) {
        household_close(oldest->game);
        return oldest;
    }
    array_push(&h->open, (Open){0});
    return &h->open.at[h->open.n - 1];
}

static Status borrow(Household **out, Houses *h, const char *path)
{
    Status st = ST_OK;
    pthread_mutex_lock(&h->lock);
    Open *o = find_open(h, path);
    if (!o) {
        Household *game;
        st = household_open(&game, path);
        if (st == ST_OK) {
            o = free_place(h);
            *o = (Open){.path = path, .game = game};
        }
    }
    if (o) {
        o->users++;
        o->last = ++h->openings;
        *out = o->game;
    }
    pthread_mutex_unlock(&h->lock);
    return st;
}

static void give_back(Houses *h, const Household *game, int64_t more)
{
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->open.n; i++)
        if (h->open.at[i].game == game)
            h->open.at[i].users += more;
    pthread_mutex_unlock(&h->lock);
}

/* An episode. -------------------------------------------------------------------------------------------- */

static Status reset(void *world, const EnvTask *task, EnvTurn *turn, void **state)
{
    Houses *h = world;
    Play *p = mem_new(Play);
    p->houses = h;
    Status st = borrow(&p->game, h, json_string_value(json_object_get(task->doc, "game")));
    if (st != ST_OK) {
        mem_free(p);
        return st;
    }
    p->state = household_reset(p->game);
    p->state->limit = 0; /* env.h counts */
    str_adds(&turn->observation, household_intro(p->game));
    *state = p;
    return ST_OK;
}

static void end(void *state)
{
    Play *p = state;
    household_state_free(p->state);
    household_expert_free(p->expert);
    array_drop(&p->commands);
    give_back(p->houses, p->game, -1);
    mem_free(p);
}

static Status step(void *state, Span action, EnvTurn *turn)
{
    Play *p = state;
    Str command = {0};
    str_add(&command, action.at, action.n);
    Status st = household_step(p->game, p->state, str_c(&command));
    str_drop(&command);
    str_clear(&turn->observation);
    str_add(&turn->observation, p->state->observation.at, p->state->observation.n);
    turn->solved = turn->done = p->state->won;
    turn->reward = p->state->won;
    turn->failed = strcmp(str_c(&p->state->observation), "Nothing happens.") == 0;
    return st;
}

static Status admissible(void *state, EnvActions *out)
{
    Play *p = state;
    HouseholdCommands now = {out->at, out->n, out->cap};
    household_admissible(p->game, p->state, &now);
    *out = (EnvActions){now.at, now.n, now.cap};
    return ST_OK;
}

static Status fork_play(const void *state, void **out)
{
    const Play *p = state;
    Play *copy = mem_new(Play);
    copy->houses = p->houses;
    copy->game = p->game;
    copy->state = household_fork(p->game, p->state);
    give_back(p->houses, p->game, 1);
    *out = copy;
    return ST_OK;
}

static Status ask_expert(void *state, Str *action)
{
    Play *p = state;
    const char *command;
    if (!p->expert)
        p->expert = household_expert_new(p->game);
    Status st = household_expert_next(p->expert, p->state, &command);
    if (st != ST_OK)
        return fail_in(ST_UNSUPPORTED, "the household's expert");
    str_clear(action);
    str_adds(action, command ? command : "look"); /* won: nothing is left to do */
    return ST_OK;
}

const EnvKind household_env = {
    .name = "household",
    .about = "ALFWorld's household: find things, clean, heat, cool and put them where they belong",
    .actions = "a command such as `go to fridge 1`, `open fridge 1`, `take apple 1 from fridge 1`,\n"
               "`heat apple 1 with microwave 1`, `put apple 1 in/on garbagecan 1`, `use desklamp 1`, `look`, "
               "`inventory`",
    .source = "ALFWorld, arXiv:2010.03768; alfworld/alfworld, MIT",
    .files = GAMES "/<name>/<trial>/game.tw-pddl, or any folder of that form by --games",
    .steps = HOUSEHOLD_STEPS,
    .open = open_houses,
    .close = close_houses,
    .reset = reset,
    .step = step,
    .end = end,
    .admissible = admissible,
    .fork = fork_play,
    .expert = ask_expert,
};
