#include "eval/agents/household_tasks.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "env/household_games.h"
#include "env/household_task.h"
#include "env/household_tools.h"
#include "eval/sample_line.h"

enum { LIST_BYTES = 1 << 20, GAME_BYTES = 64 << 20 };

/* Of a file of the game; the caller frees. */
static char *path_of(const EvalRun *run, const char *id, const char *file)
{
    return mem_format("%s/" HOUSEHOLD_GAMES "/%s/%s", run->data, id, file);
}

/* The text of the expert's list; NULL: it is not there, or is no text. */
static json_t *expert_list(const EvalRun *run, const char *id)
{
    char *path = path_of(run, id, "gt_traj.txt");
    Str text = {0};
    json_t *out = NULL;
    if (path_exists(path) && file_read(&text, path, LIST_BYTES) == ST_OK)
        out = json_stringn(str_c(&text), text.n);
    str_drop(&text);
    mem_free(path);
    return out;
}

static Status add_game(Questions *out, const EvalRun *run, const char *id)
{
    char *path = path_of(run, id, "game.tw-pddl"), sum[65];
    Str game = {0};
    Status st = ST_OK;
    if (!path_exists(path)) {
        questions_lack(out, "games", id);
        out->left_out++;
        mem_free(path);
        return ST_OK;
    }
    st = file_read(&game, path, GAME_BYTES);
    if (st == ST_OK) {
        const char *type = household_tasks[household_task_of(span(id))].short_name;
        text_hash(sum, str_span(&game));
        json_t *doc = json_pack("{s:s, s:s, s:s, s:o*}", "id", id, "type", type, "game_sha256", sum,
                                "reference", expert_list(run, id));
        questions_add(out, id, type, doc);
        json_decref(doc);
    }
    str_drop(&game);
    mem_free(path);
    return st;
}

/* "<folder>/<trial>", so that no list leads out of the data folder. */
static bool is_name(Span line)
{
    const char *slash = line.n ? memchr(line.at, '/', line.n) : NULL;
    size_t left = slash ? (size_t)(line.at + line.n - slash - 1) : 0;
    return slash && slash > line.at && left > 0 && !memchr(slash + 1, '/', left) && line.at[0] != '.' &&
           slash[1] != '.' && !memchr(line.at, 0, line.n);
}

static Status add_listed(Questions *out, const EvalRun *run, const char *path)
{
    Str list = {0};
    Status st = file_read(&list, path, LIST_BYTES);
    const char *at = str_c(&list), *end = at + list.n;
    for (int64_t number = 1; st == ST_OK && at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        Span line = span_trim((Span){at, (size_t)((stop ? stop : end) - at)});
        at = stop ? stop + 1 : end;
        if (line.n == 0)
            continue;
        if (!is_name(line)) {
            st = fail(ST_FORMAT, "%s:%lld: \"%.*s\" is no game's name, which is <folder>/<trial>", path,
                      (long long)number, (int)(line.n < 100 ? line.n : 100), line.at);
        } else {
            char *id = mem_strn(line.at, line.n);
            st = add_game(out, run, id);
            mem_free(id);
        }
    }
    str_drop(&list);
    return st;
}

static Status add_all(Questions *out, const EvalRun *run)
{
    HouseholdGames games = {0};
    char *folder = path_join(run->data, HOUSEHOLD_GAMES);
    Status st = path_is_folder(folder) ? household_games_find(&games, folder)
                                       : fail(ST_IO,
                                              "neither %s/" HOUSEHOLD_LIST
                                              " nor %s is there; lemur eval --fetch gets them, lemur "
                                              "env make -o makes games",
                                              run->data, folder);
    for (size_t i = 0; st == ST_OK && i < games.n; i++)
        st = add_game(out, run, games.at[i].id);
    household_games_drop(&games);
    mem_free(folder);
    return st;
}

Status household_tasks_read(Questions *out, const EvalRun *run)
{
    char *list = path_join(run->data, HOUSEHOLD_LIST);
    Status st = path_exists(list) ? add_listed(out, run, list) : add_all(out, run);
    mem_free(list);
    TRY(st);
    if (out->all.n == 0)
        return fail(ST_IO,
                    "%s/" HOUSEHOLD_GAMES
                    " has no <folder>/<trial>/game.tw-pddl%s; lemur eval --list says where "
                    "they come from, lemur eval --fetch gets them",
                    run->data, out->left_out ? " of those that " HOUSEHOLD_LIST " names" : "");
    if (out->left_out)
        log_warn("%lld of %lld household games are not below %s/" HOUSEHOLD_GAMES " and are left out; lemur "
                 "eval --fetch gets them",
                 (long long)out->left_out, (long long)out->left_out + (long long)out->all.n, run->data);
    return ST_OK;
}

Status household_task_open(Household **out, const EvalRun *run, const Question *q)
{
    char *path = path_of(run, q->id, "game.tw-pddl");
    Status st = household_open(out, path);
    mem_free(path);
    return st == ST_OK ? st : fail_in(st, "game %s", q->id);
}
