#include "env/household.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/map.h"
#include "env/game_file.h"

typedef struct {
    const char *words;
    int first; /* operators that have these words; chained by `next_same` */
} Command;

struct Household {
    Arena arena;
    PddlTask task;
    Ground ground;
    GameText *text;
    const char **names;         /* by object */
    const GameAction **actions; /* by the task's action */
    Command *commands;          /* sorted by their words */
    int commands_n;
    int *command_of, *next_same; /* by operator; next_same: -1 ends */
    int *watch_from,
        *watching; /* by bit, one more for what needs none: operators to look at while it holds */
    Map *by_words;
    Str intro;
};

static const char nothing_happens[] = "Nothing happens.";

/* --- names --------------------------------------------------------------------------------------------- */

/* "cabinet_bar__minus_00_dot_5..." is a cabinet, and with "basin" in it a cabinetbasin:
 * alfworld/alfworld, alfworld/agents/utils/misc.py. */
static Span base_name(const char *id)
{
    const char *end = strstr(id, "_bar_");
    return end ? (Span){id, (size_t)(end - id)} : span(id);
}

static void name_objects(Household *h)
{
    const PddlTask *t = &h->task;
    bool *named = arena_alloc(&h->arena, (size_t)t->objects_n + 1);
    memset(named, 0, (size_t)t->objects_n + 1);
    for (int i = 0; i < t->init_n; i++)
        for (int k = 0; k < t->predicates[t->init[i].predicate].arity; k++)
            named[t->init[i].args[k]] = true;
    h->names = arena_alloc(&h->arena, (size_t)t->objects_n * sizeof *h->names + 1);
    Map *counts = map_new();
    Str name = {0};
    for (int pass = 0; pass < 2; pass++)
        for (int o = 0; o < t->objects_n; o++) {
            h->names[o] = pass ? h->names[o] : NULL;
            if (!named[o])
                continue;
            Span base = base_name(t->objects[o].name);
            str_clear(&name);
            str_add(&name, base.at, base.n);
            if (strstr(t->objects[o].name, "basin"))
                str_adds(&name, "basin");
            int64_t *left = map_put(counts, name.at, name.n);
            if (!pass) {
                ++*left;
                continue;
            }
            str_addf(&name, " %lld", (long long)(*left)--);
            h->names[o] = arena_strn(&h->arena, name.at, name.n);
        }
    map_free(counts);
    str_drop(&name);
}

/* --- commands ------------------------------------------------------------------------------------------ */

static Status find_texts(Household *h)
{
    h->actions = arena_alloc(&h->arena, (size_t)h->task.actions_n * sizeof *h->actions + 1);
    for (int i = 0; i < h->task.actions_n; i++) {
        h->actions[i] = game_text_action(h->text, h->task.actions[i].name);
        if (!h->actions[i] || !h->actions[i]->template)
            return fail(ST_FORMAT, "grammar: no template for the domain's action \"%.60s\"",
                        h->task.actions[i].name);
    }
    return ST_OK;
}

static int by_words(const void *a, const void *b)
{
    return strcmp(((const Command *)a)->words, ((const Command *)b)->words);
}

/* What the operators are called.  Those of one action differ in what the words do not tell, so words are
 * looked up as they come. */
static Status name_commands(Household *h)
{
    const GameWorld fixed = {.names = h->names};
    Array(Command) commands = {0};
    Str words = {0};
    Status st = ST_OK;
    size_t n = (size_t)h->ground.operators_n;
    h->command_of = arena_alloc(&h->arena, n * sizeof(int) + 1);
    h->next_same = arena_alloc(&h->arena, n * sizeof(int) + 1);
    h->by_words = map_new();
    for (int i = (int)n; i-- > 0;) { /* backwards, so that the chains run forwards */
        const GroundOperator *op = &h->ground.operators[i];
        str_clear(&words);
        TRY_TO(undo, game_text_expand(&words, h->text, h->actions[op->action]->template, &fixed,
                                      &h->task.actions[op->action], op->args));
        Span trimmed = span_trim(str_span(&words));
        int64_t *at = map_find(h->by_words, trimmed.n ? trimmed.at : "", trimmed.n);
        if (!at) {
            at = map_put(h->by_words, trimmed.n ? trimmed.at : "", trimmed.n);
            *at = (int64_t)commands.n;
            array_push(&commands, ((Command){arena_strn(&h->arena, trimmed.at, trimmed.n), -1}));
        }
        h->next_same[i] = commands.at[*at].first;
        commands.at[*at].first = i;
    }
    h->commands_n = (int)commands.n;
    h->commands = arena_alloc(&h->arena, commands.n * sizeof(Command) + 1);
    if (commands.n) {
        memcpy(h->commands, commands.at, commands.n * sizeof(Command));
        qsort(h->commands, commands.n, sizeof(Command), by_words);
    }
    for (int c = 0; c < h->commands_n; c++) {
        *map_put(h->by_words, h->commands[c].words, strlen(h->commands[c].words)) = c;
        for (int i = h->commands[c].first; i >= 0; i = h->next_same[i])
            h->command_of[i] = c;
    }
undo:
    array_drop(&commands);
    str_drop(&words);
    return st;
}

/* The rarest bit that the operator needs set: it is looked at only while that holds. */
static int watch_of(const Household *h, const GroundOperator *op, const int *counts)
{
    int best = h->ground.bits_n;
    for (int i = 0; i < op->needs.n; i++) {
        int bit = op->needs.at[i] >> 1;
        if (!(op->needs.at[i] & 1) && (best == h->ground.bits_n || counts[bit] < counts[best]))
            best = bit;
    }
    return best;
}

static void watch_operators(Household *h)
{
    int bits = h->ground.bits_n, n = h->ground.operators_n;
    int *counts = mem_array(int, bits + 2), *watch = mem_array(int, n + 1);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < h->ground.operators[i].needs.n; k++)
            counts[h->ground.operators[i].needs.at[k] >> 1]++;
    h->watch_from = arena_alloc(&h->arena, (size_t)(bits + 2) * sizeof(int));
    h->watching = arena_alloc(&h->arena, (size_t)(n + 1) * sizeof(int));
    memset(h->watch_from, 0, (size_t)(bits + 2) * sizeof(int));
    for (int i = 0; i < n; i++) {
        watch[i] = watch_of(h, &h->ground.operators[i], counts);
        h->watch_from[watch[i] + 1]++;
    }
    for (int b = 0; b <= bits; b++) {
        h->watch_from[b + 1] += h->watch_from[b];
        counts[b] = h->watch_from[b];
    }
    for (int i = 0; i < n; i++)
        h->watching[counts[watch[i]]++] = i;
    mem_free(counts);
    mem_free(watch);
}

/* --- opening ------------------------------------------------------------------------------------------- */

static Status read_parts(Household *h, const GameFile *f)
{
    TRY(pddl_read(&h->task, &h->arena, f->domain, f->problem));
    TRY(ground_task(&h->ground, &h->arena, &h->task));
    TRY(game_text_read(&h->text, &h->arena, f->grammar, &h->ground));
    name_objects(h);
    TRY(find_texts(h));
    TRY(name_commands(h));
    watch_operators(h);
    uint64_t *gone = mem_array(uint64_t, ground_words(&h->ground) + 1);
    GameWorld world = {h->ground.init, gone, h->names};
    const GamePiece *intro = game_text_symbol(h->text, "intro");
    Status st = intro ? game_text_expand(&h->intro, h->text, intro, &world, NULL, NULL)
                      : fail(ST_FORMAT, "grammar: no symbol \"intro\"");
    mem_free(gone);
    return st;
}

Status household_read(Household **out, Span game_json)
{
    GameFile file;
    Arena texts = {0};
    Household *h = mem_new(Household);
    Status st = game_file_read(&file, &texts, game_json);
    if (st == ST_OK)
        st = read_parts(h, &file);
    arena_drop(&texts);
    if (st == ST_OK)
        *out = h;
    else
        household_close(h);
    return st;
}

Status household_open(Household **out, const char *path)
{
    Str bytes = {0};
    Status st = file_read(&bytes, path, GAME_FILE_MAX);
    if (st == ST_OK && (st = household_read(out, str_span(&bytes))) != ST_OK)
        st = fail_in(st, "%s", path);
    str_drop(&bytes);
    return st;
}

void household_close(Household *h)
{
    if (!h)
        return;
    map_free(h->by_words);
    str_drop(&h->intro);
    arena_drop(&h->arena);
    mem_free(h);
}

const char *household_intro(const Household *h)
{
    return str_c(&h->intro);
}

static Span paragraph(const Household *h, int which)
{
    const char *at = str_c(&h->intro), *end;
    for (; which && (end = strstr(at, "\n\n")); which--)
        at = end + 2;
    end = strstr(at, "\n\n");
    return which ? (Span){"", 0} : end ? (Span){at, (size_t)(end - at)} : span(at);
}

Span household_room(const Household *h)
{
    return paragraph(h, 1);
}

Span household_task(const Household *h)
{
    return paragraph(h, 2);
}

const Ground *household_ground(const Household *h)
{
    return &h->ground;
}

const char *household_name(const Household *h, int object)
{
    return h->names[object];
}

const char *household_words(const Household *h, int operator)
{
    return h->commands[h->command_of[operator]].words;
}

/* --- states -------------------------------------------------------------------------------------------- */

static HouseholdState *state_new(const Household *h)
{
    HouseholdState *s = mem_new(HouseholdState);
    s->bits = mem_array(uint64_t, 2 * ground_words(&h->ground) + 1);
    s->limit = HOUSEHOLD_STEPS;
    return s;
}

static bool goal_holds(const Household *h, const uint64_t *bits)
{
    for (int i = 0; i < h->ground.goal_n; i++)
        if (ground_holds(bits, h->ground.goal[i]))
            return true;
    return false;
}

HouseholdState *household_reset(const Household *h)
{
    HouseholdState *s = state_new(h);
    memcpy(s->bits, h->ground.init, (size_t)ground_words(&h->ground) * sizeof *s->bits);
    str_add(&s->observation, h->intro.at ? h->intro.at : "", h->intro.n);
    s->won = s->done = goal_holds(h, s->bits);
    return s;
}

HouseholdState *household_fork(const Household *h, const HouseholdState *s)
{
    HouseholdState *copy = state_new(h);
    uint64_t *bits = copy->bits;
    *copy = *s;
    copy->bits = memcpy(bits, s->bits, 2 * (size_t)ground_words(&h->ground) * sizeof *bits);
    copy->observation = (Str){0};
    str_add(&copy->observation, str_c(&s->observation), s->observation.n);
    return copy;
}

void household_state_free(HouseholdState *s)
{
    if (!s)
        return;
    str_drop(&s->observation);
    mem_free(s->bits);
    mem_free(s);
}

static const GroundOperator *applicable(const Household *h, const HouseholdState *s, Span command)
{
    const int64_t *c = map_find(h->by_words, command.at, command.n);
    for (int i = c ? h->commands[*c].first : -1; i >= 0; i = h->next_same[i])
        if (ground_holds(s->bits, h->ground.operators[i].needs))
            return &h->ground.operators[i];
    return NULL;
}

/* The state's two halves: what holds, and what was taken away and does not hold again. */
static void apply(const Household *h, const GroundOperator *op, const uint64_t *before, uint64_t *bits)
{
    uint64_t *gone = bits + ground_words(&h->ground);
    ground_apply(op, before, bits);
    for (int i = 0; i < op->effects_n; i++) {
        int32_t bit = op->effects[i].bit;
        if (ground_has(bits, bit) || ground_has(before, bit))
            ground_set(gone, bit, !ground_has(bits, bit));
    }
}

Status household_step(const Household *h, HouseholdState *s, const char *command)
{
    if (s->done)
        return ST_OK;
    size_t bytes = 2 * (size_t)ground_words(&h->ground) * sizeof *s->bits;
    const GroundOperator *op = applicable(h, s, span_trim(span(command)));
    Str said = {0};
    if (op) {
        uint64_t *after = mem_array(uint64_t, bytes / sizeof *s->bits + 1);
        memcpy(after, s->bits, bytes);
        apply(h, op, s->bits, after);
        GameWorld world = {after, after + ground_words(&h->ground), h->names};
        Status st = game_text_expand(&said, h->text, h->actions[op->action]->feedback, &world,
                                     &h->task.actions[op->action], op->args);
        if (st != ST_OK) {
            str_drop(&said);
            mem_free(after);
            return st;
        }
        mem_free(s->bits);
        s->bits = after;
    } else {
        str_adds(&said, nothing_happens);
    }
    str_drop(&s->observation);
    s->observation = said;
    s->steps++;
    s->won = op ? goal_holds(h, s->bits) : s->won;
    s->done = s->won || (s->limit && s->steps >= s->limit);
    return ST_OK;
}

static void mark_bucket(const Household *h, const HouseholdState *s, int bit, uint64_t *marks)
{
    for (int i = h->watch_from[bit]; i < h->watch_from[bit + 1]; i++) {
        int op = h->watching[i];
        if (ground_holds(s->bits, h->ground.operators[op].needs))
            ground_set(marks, h->command_of[op], true);
    }
}

void household_admissible(const Household *h, const HouseholdState *s, HouseholdCommands *out)
{
    int words = (h->commands_n + 63) / 64;
    uint64_t *marks = mem_array(uint64_t, words + 1);
    array_clear(out);
    for (int w = 0; w < ground_words(&h->ground); w++)
        for (uint64_t left = s->bits[w]; left; left &= left - 1)
            mark_bucket(h, s, w * 64 + __builtin_ctzll(left), marks);
    mark_bucket(h, s, h->ground.bits_n, marks);
    for (int w = 0; w < words; w++)
        for (uint64_t left = marks[w]; left; left &= left - 1)
            array_push(out, h->commands[w * 64 + __builtin_ctzll(left)].words);
    mem_free(marks);
}

static int count_of(const Household *h, const HouseholdState *s, const char *predicate)
{
    int p = pddl_predicate(&h->task, span(predicate)), n = 0;
    if (p < 0)
        return -1;
    const GroundFacts *f = &h->ground.facts[p];
    for (int i = 0; i < f->n; i++)
        n += !f->bits || (s->bits[f->bits[i] >> 6] >> (f->bits[i] & 63) & 1);
    return n;
}

bool household_is_consistent(const Household *h, const HouseholdState *s)
{
    const uint64_t *gone = s->bits + ground_words(&h->ground);
    for (int w = 0; w < ground_words(&h->ground); w++)
        if (s->bits[w] & gone[w])
            return false;
    return count_of(h, s, "atlocation") == 1 && count_of(h, s, "holds") == count_of(h, s, "holdsany") &&
           count_of(h, s, "holds") <= 1 && s->won == goal_holds(h, s->bits) &&
           s->done == (s->won || (s->limit && s->steps >= s->limit));
}
