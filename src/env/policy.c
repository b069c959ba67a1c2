#include "env/policy.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"

enum { SCRIPT_MAX = 256 << 20 };

typedef enum { EXPERT, RANDOM, SCRIPT } Kind;
typedef Array(char *) Actions;

struct Policy {
    Kind kind;
    uint64_t seed;
    Map *by_task; /* task -> place in `lists`; NULL: the first list is every task's */
    Array(Actions) lists;
};

/* Scripts. ----------------------------------------------------------------------------------------------- */

static Status take_object(Policy *p, json_t *o, const char *path, int64_t line)
{
    const char *task = json_string_value(json_object_get(o, "task"));
    const json_t *actions = json_object_get(o, "actions");
    if (!task || !json_is_array(actions))
        return fail(ST_FORMAT, "%s, line %lld: an object with \"task\" and \"actions\" is wanted", path,
                    (long long)line);
    Actions list = {0};
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const char *a = json_string_value(json_array_get(actions, i));
        if (a)
            array_push(&list, mem_str(a));
    }
    array_push(&p->lists, list);
    *map_put(p->by_task, task, strlen(task)) = (int64_t)p->lists.n - 1;
    return list.n == json_array_size(actions)
               ? ST_OK
               : fail(ST_FORMAT, "%s, line %lld: an action is no text", path, (long long)line);
}

static Status take_line(Policy *p, Span line, const char *path, int64_t number)
{
    if (!p->by_task) {
        array_push(&p->lists.at[0], mem_strn(line.at, line.n));
        return ST_OK;
    }
    if (!span_trim(line).n)
        return ST_OK;
    json_error_t error;
    json_t *o = json_loadb(line.at, line.n, 0, &error);
    Status st = o ? take_object(p, o, path, number)
                  : fail(ST_FORMAT, "%s, line %lld: no JSON: %s", path, (long long)number, error.text);
    json_decref(o);
    return st;
}

static Status read_script(Policy *p, const char *path)
{
    Str text = {0};
    Status st = file_read(&text, path, SCRIPT_MAX);
    if (span_starts(span_trim(str_span(&text)), "{"))
        p->by_task = map_new();
    else
        array_push(&p->lists, (Actions){0});
    int64_t number = 1;
    for (size_t at = 0; st == ST_OK && at < text.n; number++) {
        const char *from = text.at + at, *end = memchr(from, '\n', text.n - at);
        size_t n = end ? (size_t)(end - from) : text.n - at;
        st = take_line(p, (Span){from, n}, path, number);
        at += n + 1;
    }
    str_drop(&text);
    return st;
}

Status policy_open(Policy **out, const char *name, uint64_t seed)
{
    static const char script[] = "script:";
    bool is_script = strncmp(name, script, sizeof script - 1) == 0;
    if (!is_script && strcmp(name, "expert") != 0 && strcmp(name, "random") != 0)
        return fail(ST_ARG, "there is no policy '%.100s': expert, random, script:FILE", name);
    Policy *p = mem_new(Policy);
    p->kind = is_script ? SCRIPT : *name == 'e' ? EXPERT : RANDOM;
    p->seed = seed;
    Status st = is_script ? read_script(p, name + sizeof script - 1) : ST_OK;
    if (st == ST_OK)
        *out = p;
    else
        policy_close(p);
    return st;
}

void policy_close(Policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->lists.n; i++) {
        for (size_t k = 0; k < p->lists.at[i].n; k++)
            mem_free(p->lists.at[i].at[k]);
        array_drop(&p->lists.at[i]);
    }
    array_drop(&p->lists);
    map_free(p->by_task);
    mem_free(p);
}

/* Playing. ----------------------------------------------------------------------------------------------- */

PolicyPlayer policy_begin(const Policy *p, size_t task)
{
    PolicyPlayer player = {0};
    rng_seed_pair(&player.rng, p->seed, task);
    return player;
}

static void next_of_script(const Policy *p, PolicyPlayer *player, const char *task, Str *action, bool *has)
{
    const int64_t *at = p->by_task ? map_find(p->by_task, task, strlen(task)) : &(int64_t){0};
    *has = at && player->next < p->lists.at[*at].n;
    str_clear(action);
    if (*has)
        str_adds(action, p->lists.at[*at].at[player->next++]);
}

Status policy_next(const Policy *p, PolicyPlayer *player, EnvState *s, Str *action, bool *has)
{
    *has = true;
    switch (p->kind) {
    case EXPERT: return env_expert(s, action);
    case RANDOM: return env_guess(s, &player->rng, action);
    case SCRIPT: break;
    }
    next_of_script(p, player, env_task(s)->id, action, has);
    return ST_OK;
}

Status policy_play(PolicyScore *out, const Policy *p, Env *e, size_t task, int steps)
{
    double start = clock_now();
    PolicyPlayer player = policy_begin(p, task);
    Str action = {0};
    EnvState *s;
    *out = (PolicyScore){0};
    TRY(env_reset(&s, e, task));
    if (steps > 0)
        env_limit(s, steps);
    Status st = ST_OK;
    for (bool has = true; st == ST_OK && !env_turn(s)->done;) {
        st = policy_next(p, &player, s, &action, &has);
        if (!has)
            break;
        if (st == ST_UNSUPPORTED && p->kind == EXPERT && env_kind(e)->expert) {
            out->unknown = true;
            st = ST_OK;
            break;
        }
        if (st == ST_OK)
            st = env_step(s, str_span(&action));
    }
    out->solved = env_turn(s)->solved;
    out->best = env_best(s);
    out->steps = env_steps(s);
    out->seconds = clock_now() - start;
    env_free(s);
    str_drop(&action);
    return st;
}
