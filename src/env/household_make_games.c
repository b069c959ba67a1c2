#include "env/household_make_games.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

typedef struct {
    const HouseholdMakeGames *how;
    HouseholdMadeGames *out;
    Map *seen; /* hashes of views */
} Maker;

static Status look_there(Str *out, const Household *h, HouseholdState *s, const char *go)
{
    static const char going[] = "go to ";
    char *open = mem_format("open %s", go + strlen(going));
    const char *const commands[] = {go, open};
    Status st = ST_OK;
    for (int i = 0; i < 2 && st == ST_OK; i++)
        if ((st = household_step(h, s, commands[i])) == ST_OK)
            str_addf(out, "%s\n", str_c(&s->observation));
    mem_free(open);
    return st;
}

Status household_view(Str *out, const Household *h)
{
    HouseholdState *s = household_reset(h);
    HouseholdCommands c = {0};
    Status st = ST_OK;
    str_clear(out);
    str_addf(out, "%s\n", household_intro(h));
    s->limit = 0;
    household_admissible(h, s, &c);
    for (size_t i = 0; i < c.n && st == ST_OK; i++)
        if (span_starts(span(c.at[i]), "go to "))
            st = look_there(out, h, s, c.at[i]);
    array_drop(&c);
    household_state_free(s);
    return st;
}

/* *seen: an earlier game of this run looks the same. */
static Status seen_before(Maker *m, const HouseholdMade *made, bool *seen)
{
    Str view = {0};
    Status st = household_view(&view, made->game);
    XXH128_hash_t hash = XXH3_128bits(str_c(&view), view.n);
    int64_t before = map_count(m->seen);
    map_put(m->seen, (const char *)&hash, sizeof hash);
    *seen = map_count(m->seen) == before;
    str_drop(&view);
    return st;
}

/* What ALFWorld's loader asks of a game, and what its task is said with. */
static char *traj_data(const HouseholdMade *made, const char *id)
{
    bool light = made->task == HOUSEHOLD_LIGHT;
    json_t *j = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:b}}", "task_id", path_base(id), "task_type",
                          household_tasks[made->task].name, "pddl_params", "object_target", made->object,
                          "parent_target", light ? "" : made->target, "toggle_target",
                          light ? made->target : "", "mrecep_target", "", "object_sliced", 0);
    char *text = json_dumps(j, JSON_INDENT(1));
    json_decref(j);
    return text;
}

static Status write_game(const HouseholdMade *made, const char *folder, const char *id)
{
    char *traj = path_join(folder, "traj_data.json"), *game = path_join(folder, "game.tw-pddl");
    char *data = traj_data(made, id);
    Status st = folder_make(folder);
    if (st == ST_OK)
        st = file_replace(traj, data, strlen(data));
    if (st == ST_OK)
        st = file_replace(game, made->json.at, made->json.n);
    free(data);
    mem_free(traj);
    mem_free(game);
    return st;
}

static char *id_of(const HouseholdMade *made)
{
    return mem_format("%s/trial_%llu", made->name, (unsigned long long)made->seed);
}

Status household_made_write(const HouseholdMade *made, const char *folder)
{
    char *id = id_of(made), *whole = path_join(folder, id);
    Status st = write_game(made, whole, id);
    mem_free(whole);
    mem_free(id);
    return st;
}

/* *there: the same game is in its place already.  ST_ARG: another is. */
static Status look_up(const HouseholdMade *made, const char *folder, bool *there)
{
    char *path = path_join(folder, "game.tw-pddl");
    Str bytes = {0};
    Status st = ST_OK;
    *there = path_exists(path);
    if (*there)
        st = file_read(&bytes, path, made->json.n + 1);
    if (st == ST_LIMIT ||
        (st == ST_OK && *there && (bytes.n != made->json.n || memcmp(bytes.at, made->json.at, bytes.n) != 0)))
        st = fail(ST_ARG, "%s is another game than this program makes of that seed; name another folder",
                  path);
    str_drop(&bytes);
    mem_free(path);
    return st;
}

static Status keep_game(Maker *m, const HouseholdMade *made)
{
    char *id = id_of(made), *folder = path_join(m->how->folder, id);
    bool there;
    Status st = look_up(made, folder, &there);
    if (st == ST_OK && !there)
        st = write_game(made, folder, id);
    if (st == ST_OK) {
        int64_t steps = (int64_t)made->plan.n;
        m->out->games++;
        m->out->written += !there;
        m->out->of_task[made->task]++;
        m->out->steps += steps;
        m->out->longest = steps > m->out->longest ? steps : m->out->longest;
        st = m->how->each ? m->how->each(m->how->context, made, id) : ST_OK;
    }
    mem_free(folder);
    mem_free(id);
    return st;
}

static Status make_one(Maker *m, uint64_t seed)
{
    HouseholdMade made;
    bool seen = false;
    Status st = household_make(&made, seed, m->how->task);
    if (st == ST_OK)
        st = seen_before(m, &made, &seen);
    if (st == ST_OK && seen)
        m->out->doubles++;
    else if (st == ST_OK)
        st = keep_game(m, &made);
    household_made_drop(&made);
    return st;
}

Status household_make_games(HouseholdMadeGames *out, const HouseholdMakeGames *how)
{
    Maker m = {how, out, map_new()};
    double start = clock_now();
    *out = (HouseholdMadeGames){.next_seed = how->seed};
    Status st = folder_make(how->folder);
    Progress progress = progress_start("making games", (double)how->games, "games");
    while (st == ST_OK && out->games < how->games) {
        if (how->stopped && how->stopped(how->context))
            st = fail(ST_CANCELLED, "stopped after %lld of %lld games", (long long)out->games,
                      (long long)how->games);
        else
            st = make_one(&m, out->next_seed++);
        progress_at(&progress, (double)out->games);
    }
    progress_end(&progress);
    out->seconds = clock_now() - start;
    map_free(m.seen);
    return st;
}
