#include "eval/replay_intercode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/json_file.h"
#include "env/sql.h"
#include "env/sql_reward.h"
#include "eval/replay_observation.h"

#define BLOCKED \
    "blocked" /* the action of a turn whose model failed; it has no observation, and ends the episode */

/* One turn as recorded. */
typedef struct {
    Span action, observation;
    double reward;
} Turn;
typedef Array(Turn) TurnList;

/* A comparison by both rules; which of them the file follows is known at its end. */
typedef struct {
    bool agrees[INTERCODE_RULES];
    double ours[INTERCODE_RULES];
    Turn turn; /* views of the file's texts */
    int64_t task, number;
} Scored;

typedef struct {
    ReplayReport *report;
    const ReplaySpec *spec;
    const char *path;
    json_t *episodes, *questions;
    const SqlWorlds *worlds; /* NULL: neither S3 nor S4 is asked for */
    AlteredTables altered;   /* by episodes before */
    Array(Scored) scored;
    InterCodeRule rule;
} File;

/* An episode's parts. */
typedef struct {
    int64_t task;
    const char *gold, *database;
    const json_t *summary;
    TurnList turns;
} EpisodeText;

static Span text_at(const json_t *list, size_t i)
{
    const json_t *v = json_array_get(list, i);
    return json_is_string(v) ? (Span){json_string_value(v), json_string_length(v)} : (Span){NULL, 0};
}

/* Actions, observations and rewards of one length; false: it is no episode. */
static bool read_turns(TurnList *out, const json_t *episode)
{
    const json_t *history = json_object_get(episode, "turn_history");
    const json_t *actions = json_object_get(history, "actions");
    const json_t *observations = json_object_get(history, "observations");
    const json_t *rewards = json_object_get(history, "rewards");
    size_t n = json_array_size(actions);
    array_clear(out);
    bool cut = n && span_is(text_at(actions, n - 1), BLOCKED) && json_array_size(observations) == n - 1;
    if (n == 0 || json_array_size(observations) + cut != n || json_array_size(rewards) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *reward = json_array_get(rewards, i);
        Turn t = {text_at(actions, i), text_at(observations, i), json_number_value(reward)};
        if (cut && i == n - 1)
            t.observation = (Span){"", 0};
        if (!t.action.at || !t.observation.at || !json_is_number(reward))
            return false;
        array_push(out, t);
    }
    return true;
}

static bool read_episode(EpisodeText *e, const File *f, const json_t *episode)
{
    const json_t *id = json_object_get(episode, "task_id");
    e->task = json_is_integer(id) ? json_integer_value(id) : -1;
    const json_t *question = e->task < 0 ? NULL : json_array_get(f->questions, (size_t)e->task);
    const char *asked = json_string_value(json_object_get(episode, "query"));
    const char *known = json_string_value(json_object_get(question, "query"));
    e->gold = json_string_value(json_object_get(question, "gold"));
    e->database = json_string_value(json_object_get(question, "db"));
    e->summary = json_object_get(episode, "summary");
    return e->gold && e->database && asked && known && strcmp(asked, known) == 0 &&
           read_turns(&e->turns, episode);
}

static bool is_rows(const Turn *t)
{
    return t->observation.n && t->observation.at[0] == '[';
}

static bool is_error(Span observation)
{
    return span_starts(observation, "Error executing query: ");
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* S2. ---------------------------------------------------------------------------------------------------- */

/* Which recorded turn shows the gold query's rows: one whose action is that query, whose error stands for no
 * rows; else (`guessed`) one with reward 1, whose rows are the gold ones, by the scaled rule in their order
 * but for what rounding hides.  NULL: none. */
static const Turn *gold_turn(const EpisodeText *e, bool *guessed)
{
    const Turn *t = e->turns.at;
    *guessed = false;
    for (size_t i = 0; i < e->turns.n; i++)
        if (span_is(span_trim(t[i].action), e->gold) && (is_rows(&t[i]) || is_error(t[i].observation)))
            return &t[i];
    *guessed = true;
    for (size_t i = 0; i < e->turns.n; i++)
        if (is_rows(&t[i]) && t[i].reward == 1) /* as written in the file */
            return &t[i];
    return NULL;
}

static void score(File *f, const EpisodeText *e, size_t i, const RowTexts *rows, const RowTexts *gold)
{
    const Turn *t = &e->turns.at[i];
    Scored s = {.turn = *t, .task = e->task, .number = (int64_t)i};
    for (int rule = 0; rule < INTERCODE_RULES; rule++) {
        s.ours[rule] = rows ? intercode_reward((InterCodeRule)rule, rows, gold) : 0;
        s.agrees[rule] = is_near(s.ours[rule], t->reward);
    }
    array_push(&f->scored, s);
}

static void score_turns(File *f, const EpisodeText *e)
{
    bool guessed;
    RowTexts rows = {0}, gold = {0};
    ReplayCount *count = &f->report->counts[REPLAY_S2];
    const Turn *of_gold = gold_turn(e, &guessed);
    if (of_gold && is_rows(of_gold) && row_texts_read(&gold, of_gold->observation) != ST_OK)
        of_gold = NULL;
    for (size_t i = 0; i < e->turns.n; i++) {
        const Turn *t = &e->turns.at[i];
        if (!is_rows(t))
            score(f, e, i, NULL, NULL);
        else if (!of_gold || (guessed && t == of_gold))
            count->undecided[REPLAY_NO_GOLD]++;
        else if (row_texts_read(&rows, t->observation) != ST_OK)
            count->undecided[REPLAY_BROKEN]++;
        else
            score(f, e, i, &rows, &gold);
    }
    row_texts_drop(&rows);
    row_texts_drop(&gold);
}

/* The summary: the highest reward, its first turn, how many turns; and the end: at reward 1 or the last turn.
 */
static void check_summary(File *f, const EpisodeText *e)
{
    const json_t *most = json_object_get(e->summary, "max_reward");
    int64_t most_turns = json_integer_value(json_object_get(e->summary, "turns_max"));
    int64_t n = (int64_t)e->turns.n, best = 0;
    bool early = false;
    for (int64_t i = 1; i < n; i++) {
        best = e->turns.at[i].reward > e->turns.at[best].reward ? i : best;
        early = early || e->turns.at[i - 1].reward == 1;
    }
    bool agrees =
        json_is_number(most) && is_near(json_number_value(most), e->turns.at[best].reward) &&
        json_integer_value(json_object_get(e->summary, "max_reward_idx")) == best &&
        json_integer_value(json_object_get(e->summary, "turns_taken")) == n && n <= most_turns && !early &&
        (n == most_turns || e->turns.at[n - 1].reward == 1 || span_is(e->turns.at[n - 1].action, BLOCKED));
    char what[100];
    snprintf(what, sizeof what, "task %lld: its summary or end is not that of its turns", (long long)e->task);
    replay_count(f->report, REPLAY_S2, agrees, f->path, e->task, what);
}

static InterCodeRule find_rule(const File *f)
{
    int64_t n[INTERCODE_RULES] = {0};
    for (size_t i = 0; i < f->scored.n; i++)
        for (int rule = 0; rule < INTERCODE_RULES; rule++)
            n[rule] += f->scored.at[i].agrees[rule];
    ReplayCount *count = &f->report->counts[REPLAY_S2];
    count->legacy += n[INTERCODE_IOU] > n[INTERCODE_SCALED];
    count->current += n[INTERCODE_IOU] < n[INTERCODE_SCALED];
    count->either += n[INTERCODE_IOU] == n[INTERCODE_SCALED];
    if (f->spec->rule != REPLAY_RULE_RECORDING)
        return f->spec->rule == REPLAY_RULE_LEGACY ? INTERCODE_IOU : INTERCODE_SCALED;
    return n[INTERCODE_SCALED] > n[INTERCODE_IOU] ? INTERCODE_SCALED : INTERCODE_IOU;
}

static void count_scored(File *f)
{
    for (size_t i = 0; i < f->scored.n; i++) {
        const Scored *s = &f->scored.at[i];
        Str what = {0};
        if (!s->agrees[f->rule])
            str_addf(&what, "task %lld turn %lld: reward %.6g here, %.6g recorded: %.*s", (long long)s->task,
                     (long long)s->number, s->ours[f->rule], s->turn.reward,
                     (int)(s->turn.action.n < 160 ? s->turn.action.n : 160), s->turn.action.at);
        replay_count(f->report, REPLAY_S2, s->agrees[f->rule], f->path, s->task, str_c(&what));
        str_drop(&what);
    }
}

/* S4. ---------------------------------------------------------------------------------------------------- */

/* Ours: the reward of the turn, 0 without rows. */
static double reward_of(InterCodeRule rule, const SqlTurn *turn, const RowTexts *gold)
{
    RowTexts rows = {0};
    double reward = 0;
    if (!turn->failed && row_texts_read(&rows, str_span(&turn->text)) == ST_OK)
        reward = intercode_reward(rule, &rows, gold);
    row_texts_drop(&rows);
    return reward;
}

static bool has_word(Span text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.n; i++)
        if (strncasecmp(text.at + i, word, n) == 0)
            return true;
    return false;
}

/* Why SQLite and MySQL differ in a turn, by what each said and what was asked. */
static const char *difference(const EpisodeText *e, const Turn *t, const SqlTurn *ours)
{
    bool theirs_failed = is_error(t->observation);
    if (theirs_failed && !ours->failed)
        return has_word(t->observation, "GROUP BY") ? "MySQL's ONLY_FULL_GROUP_BY refuses it"
               : has_word(t->observation, "Subquery returns more")
                   ? "a scalar subquery of many rows, which MySQL refuses"
                   : "MySQL refuses what SQLite runs";
    if (ours->failed)
        return theirs_failed ? "both fail" : "SQLite refuses what MySQL runs";
    if (has_word(t->action, "LIMIT") || has_word(span(e->gold), "LIMIT"))
        return "which of equally high rows LIMIT keeps, or a type";
    if (has_word(t->action, "AVG(") || has_word(t->action, "SUM(") || has_word(t->action, "CAST("))
        return "a number's type (MySQL's Decimal)";
    return "rows differ";
}

static void count_s4(File *f, const EpisodeText *e, size_t i, double reward, const SqlTurn *ours)
{
    const Turn *t = &e->turns.at[i];
    bool agrees = is_near(reward, t->reward);
    Str what = {0};
    if (!agrees)
        str_addf(&what, "task %lld turn %zu: %s: reward %.6g here, %.6g recorded: %.*s", (long long)e->task,
                 i, difference(e, t, ours), reward, t->reward, (int)(t->action.n < 200 ? t->action.n : 200),
                 t->action.at);
    replay_count(f->report, REPLAY_S4, agrees, f->path, e->task, str_c(&what));
    str_drop(&what);
}

/* S3 of one turn. */
static Status count_s3(File *f, const EpisodeText *e, size_t i, SqlWorld *world, const SqlTurn *ours)
{
    const Turn *t = &e->turns.at[i];
    ReplayCount *count = &f->report->counts[REPLAY_S3];
    ReplayWhy why = REPLAY_ALTERED;
    Seen seen = SEEN_UNDECIDED;
    altered_tables_note(&f->altered, t->action, t->observation, ours);
    if (!f->spec->sql || !replay_wants(f->spec, REPLAY_S3))
        return ST_OK;
    if (!span_is(t->observation, "None") && !altered_tables_in(&f->altered, t->action))
        TRY(replay_observation(&seen, &why, world, t->action, t->observation, ours));
    if (seen == SEEN_UNDECIDED) {
        count->undecided[why]++;
        return ST_OK;
    }
    Str what = {0};
    if (seen == SEEN_OTHER)
        str_addf(&what, "task %lld turn %zu: %.*s: here %.100s, recorded %.*s", (long long)e->task, i,
                 (int)(t->action.n < 120 ? t->action.n : 120), t->action.at, str_c(&ours->text),
                 (int)(t->observation.n < 100 ? t->observation.n : 100), t->observation.at);
    replay_count(f->report, REPLAY_S3, seen == SEEN_SAME, f->path, e->task, str_c(&what));
    str_drop(&what);
    return ST_OK;
}

/* A turn whose text had no SQL in it never reached the database. */
static bool is_retry(const Turn *t)
{
    return !is_rows(t) && !is_error(t->observation) && !span_is(t->observation, "None");
}

static Status run_turns(File *f, const EpisodeText *e, SqlWorld *world)
{
    SqlTurn turn = {0}, of_gold = {0};
    RowTexts gold = {0};
    double best = 0, recorded = 0;
    Status st = sql_world_act(world, &of_gold, span(e->gold));
    if (st == ST_OK && !of_gold.failed)
        st = row_texts_read(&gold, str_span(&of_gold.text));
    for (size_t i = 0; st == ST_OK && i < e->turns.n; i++) {
        const Turn *t = &e->turns.at[i];
        recorded = fmax(recorded, t->reward);
        if (is_retry(t))
            continue;
        if ((st = sql_world_act(world, &turn, t->action)) != ST_OK)
            break;
        double reward = reward_of(f->rule, &turn, &gold);
        best = fmax(best, reward);
        if (replay_wants(f->spec, REPLAY_S4))
            count_s4(f, e, i, reward, &turn);
        st = count_s3(f, e, i, world, &turn);
    }
    if (st == ST_OK && replay_wants(f->spec, REPLAY_S4)) {
        char what[100];
        snprintf(what, sizeof what, "task %lld: best reward %.4g here, %.4g recorded: success differs",
                 (long long)e->task, best, recorded);
        replay_count(f->report, REPLAY_S4, (best == 1) == (recorded == 1), f->path, e->task, what);
    }
    sql_turn_drop(&turn);
    sql_turn_drop(&of_gold);
    row_texts_drop(&gold);
    return st;
}

static Status run_episode(File *f, const EpisodeText *e)
{
    SqlWorld *world;
    TRY(sql_world_open(&world, f->worlds, e->database, NULL));
    Status st = run_turns(f, e, world);
    sql_world_close(world);
    return st;
}

/* A file. ------------------------------------------------------------------------------------------------ */

typedef Status (*EachEpisode)(File *f, const EpisodeText *e);

static Status score_episode(File *f, const EpisodeText *e)
{
    f->report->episodes++;
    score_turns(f, e);
    check_summary(f, e);
    for (size_t i = 0; i < e->turns.n; i++)
        if (e->turns.at[i].reward == 1) {
            f->report->solved++;
            break;
        }
    return ST_OK;
}

/* `tell`: what cannot be read is counted. */
static Status each(File *f, EachEpisode visit, bool tell)
{
    const char *key;
    json_t *episode;
    EpisodeText e = {0};
    Status st = ST_OK;
    json_object_foreach(f->episodes, key, episode)
    {
        if (read_episode(&e, f, episode)) {
            st = visit(f, &e);
        } else if (tell) {
            f->report->bad_lines++;
            replay_trouble(f->report, "%s: \"%.20s\" is no episode of " SQL_QUESTIONS "; passed over",
                           f->path, key);
        }
        if (st != ST_OK)
            break;
    }
    array_drop(&e.turns);
    return st;
}

static Status check_file(File *f)
{
    TRY(each(f, score_episode, true));
    f->rule = find_rule(f);
    if (replay_wants(f->spec, REPLAY_S2))
        count_scored(f);
    return f->worlds ? each(f, run_episode, false) : ST_OK;
}

static Status read_below(json_t **out, const char *data, const char *name)
{
    char *path = path_join(data, name);
    Status st = json_file_read(out, path);
    mem_free(path);
    return st;
}

/* The server's, or *own of SQLite. */
static Status find_worlds(File *f, SqlWorlds **own)
{
    if (!replay_wants(f->spec, REPLAY_S4) && !(f->spec->sql && replay_wants(f->spec, REPLAY_S3)))
        return ST_OK;
    f->worlds = f->spec->sql;
    if (f->worlds)
        return ST_OK;
    char *path = path_join(f->spec->intercode, SQL_DUMP);
    Status st = sql_worlds_open(own, path, NULL, NULL);
    mem_free(path);
    f->worlds = *own;
    return st;
}

Status replay_intercode_sql_file(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    Status st;
    File f = {.report = report, .spec = spec, .path = path};
    SqlWorlds *own = NULL;
    if (!replay_wants(spec, REPLAY_S2) && !replay_wants(spec, REPLAY_S3) && !replay_wants(spec, REPLAY_S4))
        return ST_OK;
    report->files++;
    if (!spec->intercode) {
        report->counts[REPLAY_S2].undecided[REPLAY_NO_QUESTIONS]++;
        return ST_OK;
    }
    if (!spec->sql && replay_wants(spec, REPLAY_S3))
        report->counts[REPLAY_S3].undecided[REPLAY_NO_SERVER]++;
    TRY_TO(undo, json_file_read(&f.episodes, path));
    TRY_TO(undo, read_below(&f.questions, spec->intercode, SQL_QUESTIONS));
    TRY_TO(undo, find_worlds(&f, &own));
    TRY_TO(undo, check_file(&f));
undo:
    json_decref(f.episodes);
    json_decref(f.questions);
    altered_tables_drop(&f.altered);
    sql_worlds_close(own);
    array_drop(&f.scored);
    return st == ST_OK ? ST_OK : fail_in(st, "%s", path);
}
