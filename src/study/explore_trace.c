#include "study/explore_trace.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "base/file.h"
#include "env/household.h"
#include "env/household_tools.h"
#include "study/report_parts.h"

/* Words. ------------------------------------------------------------------------------------------------- */

/* Each run of white space is one blank, none at the ends; the caller frees. */
static char *even(Span text)
{
    Str out = {0};
    text = span_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        bool space = isspace((unsigned char)text.at[i]);
        if (!space)
            str_addc(&out, text.at[i]);
        else if (!isspace((unsigned char)text.at[i - 1]))
            str_addc(&out, ' ');
    }
    char *copy = mem_strn(str_c(&out), out.n);
    str_drop(&out);
    return copy;
}

/* Acts. -------------------------------------------------------------------------------------------------- */

/* What the state is as far as texts tell: where one is, and how much was changed. */
typedef struct {
    Str place;
    int64_t changes;
} Told;

static char *told_state(const Told *t)
{
    return mem_format("%lld %s", (long long)t->changes, str_c(&t->place));
}

static void told_move(Told *t, Span place)
{
    str_clear(&t->place);
    str_add(&t->place, place.at, place.n);
}

static void told_house(Told *t, const ExploreAct *a)
{
    HouseCommand c = explore_house_command(a->action);
    if (a->failed)
        return;
    if (span_is(c.verb, "go to"))
        told_move(t, c.place);
    else if (c.verb.n && (!a->looks || span_is(c.verb, "open")))
        t->changes++;
}

static void told_shell(Told *t, const ExploreAct *a)
{
    if (a->failed)
        return;
    if (explore_begins(a->action, "cd"))
        str_addf(&t->place, "/%s", a->action + 2);
    t->changes += !a->looks;
}

/* Keeps `action` and `heard`. */
static void add_act(ExploreTrace *t, Told *told, char *action, char *heard, bool failed)
{
    ExploreAct a = {.action = action, .heard = heard, .state = told_state(told), .failed = failed};
    a.looks = explore_looks(t->world, action);
    if (t->world == EXPLORE_HOUSEHOLD) {
        a.failed = strcmp(heard, "Nothing happens.") == 0;
        told_house(told, &a);
    } else if (t->world != EXPLORE_SQL) {
        told_shell(told, &a);
    }
    array_push(&t->acts, a);
}

static Span last_line(Span text)
{
    text = span_trim(text);
    const char *at = text.n ? memrchr(text.at, '\n', text.n) : NULL;
    return at ? span_trim((Span){at + 1, text.n - (size_t)(at + 1 - text.at)}) : text;
}

/* What an answer of a dialogue does: the household's command behind "> "; what a fence holds; else all. */
static Span action_in(const ExploreTrace *t, Span answer)
{
    if (t->world == EXPLORE_HOUSEHOLD) {
        Span line = last_line(answer);
        return span_starts(line, ">") ? span_trim((Span){line.at + 1, line.n - 1}) : line;
    }
    const char *open = memmem(answer.at, answer.n, "```", 3);
    if (open) {
        size_t n = answer.n - (size_t)(open - answer.at);
        const char *line = memchr(open, '\n', n), *from = line ? line + 1 : open + 3;
        const char *close = memmem(from, answer.n - (size_t)(from - answer.at), "```", 3);
        return (Span){from, (size_t)((close ? close : answer.at + answer.n) - from)};
    }
    static const char mark[] = "Action: ";
    return span_starts(answer, mark) ? (Span){answer.at + sizeof mark - 1, answer.n - (sizeof mark - 1)}
                                     : answer;
}

static Span content(const json_t *message)
{
    const json_t *text = json_object_get(message, "content");
    return (Span){json_is_string(text) ? json_string_value(text) : "", json_string_length(text)};
}

/* What the user says next; "" behind the last answer. */
static Span said_next(const json_t *messages, size_t i)
{
    static const char admissible[] = "\nCommands that do something here:";
    const json_t *next = json_array_get(messages, i + 1);
    if (!next || strcmp(report_text(next, "role"), "user") != 0)
        return span("");
    Span said = content(next);
    const char *list = memmem(said.at, said.n, admissible, sizeof admissible - 1);
    return list ? (Span){said.at, (size_t)(list - said.at)} : said;
}

/* Of a dialogue whose answers are actions: its messages and its steps go side by side. */
static void acts_of_messages(ExploreTrace *t, Told *told, const json_t *transcript)
{
    const json_t *messages = json_object_get(transcript, "messages"),
                 *steps = json_object_get(transcript, "steps");
    size_t step = 0;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *m = json_array_get(messages, i), *of = json_array_get(steps, step);
        if (strcmp(report_text(m, "role"), "assistant") != 0)
            continue;
        step++;
        Span action = action_in(t, content(m));
        if (strcmp(report_text(of, "action"), "none") == 0 || !span_trim(action).n ||
            (t->world == EXPLORE_HOUSEHOLD && span_starts(action, "think:")))
            continue;
        add_act(t, told, even(action), even(said_next(messages, i)),
                json_is_true(json_object_get(of, "error")));
    }
}

static bool has_commands(const json_t *transcript)
{
    const json_t *steps = json_object_get(transcript, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++)
        if (json_object_get(json_array_get(steps, i), "commands"))
            return true;
    return false;
}

/* Code that ran leaves a list, even of no command. */
static bool lacks_commands(const json_t *transcript)
{
    const json_t *steps = json_object_get(transcript, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        if (strcmp(report_text(step, "action"), "code") == 0 && !json_object_get(step, "commands"))
            return true;
    }
    return false;
}

static void acts_of_commands(ExploreTrace *t, Told *told, const json_t *transcript)
{
    const json_t *steps = json_object_get(transcript, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *commands = json_object_get(json_array_get(steps, i), "commands");
        for (size_t k = 0; k < json_array_size(commands); k++) {
            const json_t *c = json_array_get(commands, k);
            const char *command = report_text(c, "command");
            if (!span_starts(span(command), "think:"))
                add_act(t, told, even(span(command)), even(span(report_text(c, "heard"))), false);
        }
    }
}

/* What is said before the first answer; of a household from its own room on, behind others' examples. */
static void take_opening(ExploreTrace *t, const json_t *transcript)
{
    static const char room[] = "You are in the middle of a room.";
    const json_t *messages = json_object_get(transcript, "messages");
    Str all = {0};
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *m = json_array_get(messages, i);
        if (strcmp(report_text(m, "role"), "assistant") == 0)
            break;
        Span text = content(m);
        str_add(&all, text.at, text.n);
        str_addc(&all, '\n');
    }
    const char *from = str_c(&all);
    for (const char *at = from; t->world == EXPLORE_HOUSEHOLD && (at = strstr(at, room)); at++)
        from = at;
    t->opening = mem_str(from);
    str_drop(&all);
}

/* The game's own states. --------------------------------------------------------------------------------- */

/* What was looked at is history, not state: no action of the games asks for it. */
static bool is_history(const char *predicate)
{
    static const char *const names[] = {"checked", "examined", "wasInReceptacle", NULL};
    for (size_t i = 0; names[i]; i++)
        if (strcasecmp(predicate, names[i]) == 0)
            return true;
    return false;
}

typedef struct {
    Household *game;
    HouseholdState *state;
    uint64_t *mask, *bits;
    size_t words;
} Replay;

static void replay_begin(Replay *r)
{
    const Ground *g = household_ground(r->game);
    r->state = household_reset(r->game);
    r->state->limit = 0;
    r->words = (size_t)ground_words(g);
    r->mask = mem_array(uint64_t, r->words + 1);
    r->bits = mem_array(uint64_t, r->words + 1);
    for (size_t i = 0; i < r->words; i++)
        r->mask[i] = ~(uint64_t)0;
    for (int p = 0; p < g->task->predicates_n; p++)
        for (int f = 0; is_history(g->task->predicates[p].name) && g->facts[p].bits && f < g->facts[p].n; f++)
            ground_set(r->mask, g->facts[p].bits[f], false);
}

static void replay_end(Replay *r)
{
    household_state_free(r->state);
    household_close(r->game);
    mem_free(r->mask);
    mem_free(r->bits);
}

static char *replay_state(Replay *r)
{
    for (size_t i = 0; i < r->words; i++)
        r->bits[i] = r->state->bits[i] & r->mask[i];
    return mem_format("%016" PRIx64, (uint64_t)XXH3_64bits(r->bits, r->words * sizeof *r->bits));
}

static Status replay_act(Replay *r, ExploreAct *a, const char *task)
{
    mem_free(a->state);
    a->state = replay_state(r);
    TRY(household_step(r->game, r->state, a->action));
    char *heard = even(household_heard(r->state));
    bool same = !*a->heard || strcmp(heard, a->heard) == 0;
    Status st = same ? ST_OK
                     : fail(ST_FORMAT,
                            "%s: the game in the folder answers \"%s\" with \"%.60s\", in the transcript it "
                            "is \"%.60s\": it is another game",
                            task, a->action, heard, a->heard);
    if (!*a->heard) { /* the last answer's, which nobody was told */
        mem_free(a->heard);
        a->heard = mem_str(heard);
        a->failed = strcmp(heard, "Nothing happens.") == 0;
    }
    mem_free(heard);
    return st;
}

static Status replay(ExploreTrace *t, const char *games)
{
    Replay r = {0};
    char *folder = path_join(games, t->task), *path = path_join(folder, "game.tw-pddl");
    Status st = ST_OK;
    if (path_exists(path)) {
        st = household_open(&r.game, path);
        if (st == ST_OK)
            replay_begin(&r);
        for (size_t i = 0; i < t->acts.n && st == ST_OK; i++)
            st = replay_act(&r, &t->acts.at[i], t->task);
        if (st == ST_OK) {
            mem_free(t->last_state);
            t->last_state = replay_state(&r);
            t->exact = true;
        }
        replay_end(&r);
    }
    mem_free(folder);
    mem_free(path);
    return st;
}

/* Withheld observations are no observations: what was heard is then known by the commands alone. */
Status explore_trace(ExploreTrace *out, const char *benchmark, const json_t *transcript, const char *games)
{
    Told told = {0};
    *out = (ExploreTrace){.world = explore_world(benchmark),
                          .task = mem_str(report_text(transcript, "task")),
                          .success = json_is_true(json_object_get(transcript, "success")),
                          .answers = (int64_t)json_array_size(json_object_get(transcript, "steps"))};
    bool code = strcmp(benchmark, "alfworld_python") == 0 || strcmp(benchmark, "mint_alfworld") == 0;
    take_opening(out, transcript);
    if (code && lacks_commands(transcript))
        return fail(ST_UNSUPPORTED,
                    "%s: the transcript does not hold the commands that its code gave: run lemur eval again",
                    out->task);
    if (code || has_commands(transcript))
        acts_of_commands(out, &told, transcript);
    else
        acts_of_messages(out, &told, transcript);
    out->last_state = told_state(&told);
    str_drop(&told.place);
    return out->world == EXPLORE_HOUSEHOLD && games ? replay(out, games) : ST_OK;
}

void explore_trace_drop(ExploreTrace *t)
{
    for (size_t i = 0; i < t->acts.n; i++) {
        mem_free(t->acts.at[i].action);
        mem_free(t->acts.at[i].heard);
        mem_free(t->acts.at[i].state);
    }
    array_drop(&t->acts);
    mem_free(t->task);
    mem_free(t->opening);
    mem_free(t->last_state);
    *t = (ExploreTrace){0};
}
