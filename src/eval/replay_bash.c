#include "eval/replay_bash.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "env/nl2bash_reward.h"

enum { FILE_MAX = 64 << 20 };

typedef struct {
    ReplayReport *report;
    const char *path;
} File;

/* null is no output. */
static bool read_output(Span *out, const json_t *info, const char *key)
{
    const json_t *text = json_object_get(info, key);
    *out = json_is_string(text) ? (Span){json_string_value(text), json_string_length(text)} : (Span){NULL, 0};
    return json_is_string(text) || json_is_null(text);
}

typedef struct {
    Nl2BashDiff diff;
    Span agent, gold;
    double file_diff, file_changes, answer_similarity, similarity, total;
} Info;

static bool read_number(double *out, const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    *out = json_number_value(number);
    return json_is_number(number);
}

static bool read_count(size_t *out, const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    *out = (size_t)json_integer_value(number);
    return json_is_integer(number) && json_integer_value(number) >= 0;
}

static bool read_info(Info *out, const json_t *info, const json_t *rewards)
{
    const json_t *missing = json_object_get(info, "diff_miss"), *extra = json_object_get(info, "diff_extra"),
                 *same = json_object_get(info, "diff_same"), *parts = json_object_get(info, "reward"),
                 *last = json_array_get(rewards, json_array_size(rewards) - 1);
    *out = (Info){.diff = {.missing = json_array_size(missing), .extra = json_array_size(extra)},
                  .total = json_number_value(last)};
    if (same &&
        (!read_count(&out->diff.added, same, "total") || !read_count(&out->diff.equal, same, "correct")))
        return false;
    return json_is_array(missing) && json_is_array(extra) && json_is_number(last) &&
           read_output(&out->agent, info, "agent_obs") && read_output(&out->gold, info, "eval_obs") &&
           read_number(&out->file_diff, parts, "file_diff") &&
           read_number(&out->file_changes, parts, "file_changes") &&
           read_number(&out->answer_similarity, parts, "answer_similarity") &&
           read_number(&out->similarity, info, "answer_similarity");
}

static void compare(File *f, int64_t task, const Info *i)
{
    Nl2BashReward r = nl2bash_reward(&i->diff, i->agent, i->gold);
    bool agrees = r.file_diff == i->file_diff && r.file_changes == i->file_changes &&
                  r.answer_similarity == i->answer_similarity && fabs(r.similarity - i->similarity) < 1e-12 &&
                  r.total == i->total;
    Str what = {0};
    if (!agrees)
        str_addf(&what, "task %lld: %.2f + %.2f + %.2f = %.17g here, %.2f + %.2f + %.2f = %.17g recorded",
                 (long long)task, r.file_diff, r.file_changes, r.answer_similarity, r.total, i->file_diff,
                 i->file_changes, i->answer_similarity, i->total);
    replay_count(f->report, REPLAY_B1, agrees, f->path, task, str_c(&what));
    str_drop(&what);
}

/* The highest reward and its first turn. */
static void check_summary(File *f, int64_t task, const json_t *episode, const json_t *rewards)
{
    const json_t *summary = json_object_get(episode, "summary");
    size_t best = 0;
    for (size_t i = 1; i < json_array_size(rewards); i++)
        if (json_number_value(json_array_get(rewards, i)) > json_number_value(json_array_get(rewards, best)))
            best = i;
    double most = json_number_value(json_array_get(rewards, best));
    const json_t *first = json_object_get(summary, "max_reward_idx"); /* not in all kinds of runs */
    bool agrees = json_number_value(json_object_get(summary, "max_reward")) == most &&
                  (!first || json_integer_value(first) == (json_int_t)best);
    char what[100];
    snprintf(what, sizeof what, "task %lld: its summary is not that of its turns", (long long)task);
    replay_count(f->report, REPLAY_B1, agrees, f->path, task, what);
    f->report->solved += most == 1;
}

static bool is_episode(const json_t *episode, const json_t *rewards)
{
    bool good = json_is_integer(json_object_get(episode, "task_id")) && json_array_size(rewards) &&
                json_is_object(json_object_get(episode, "summary"));
    for (size_t i = 0; good && i < json_array_size(rewards); i++)
        good = json_is_number(json_array_get(rewards, i));
    return good;
}

static void check_episode(File *f, const char *key, const json_t *episode)
{
    const json_t *rewards = json_object_get(json_object_get(episode, "turn_history"), "rewards"),
                 *info = json_object_get(episode, "info");
    Info i;
    if (!is_episode(episode, rewards)) {
        f->report->bad_lines++;
        replay_trouble(f->report, "%s: \"%.20s\" is no episode of InterCode-Bash; passed over", f->path, key);
        return;
    }
    int64_t task = json_integer_value(json_object_get(episode, "task_id"));
    f->report->episodes++;
    check_summary(f, task, episode, rewards);
    if (!json_object_size(info))
        f->report->counts[REPLAY_B1].undecided[REPLAY_NO_INFO]++;
    else if (!read_info(&i, info, rewards))
        f->report->counts[REPLAY_B1].undecided[REPLAY_BROKEN]++;
    else
        compare(f, task, &i);
}

/* Outputs of commands have NUL bytes, which json_file.h refuses. */
static Status read_json(json_t **out, const char *path)
{
    Str bytes = {0};
    json_error_t error;
    TRY(file_read(&bytes, path, FILE_MAX));
    *out = json_loadb(str_c(&bytes), bytes.n, JSON_ALLOW_NUL, &error);
    str_drop(&bytes);
    return json_is_object(*out) ? ST_OK
                                : fail(ST_FORMAT, "line %d is no JSON object: %s", error.line, error.text);
}

Status replay_bash_file(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    json_t *all = NULL;
    File f = {.report = report, .path = path};
    if (!replay_wants(spec, REPLAY_B1))
        return ST_OK;
    report->files++;
    Status st = read_json(&all, path);
    if (st != ST_OK) {
        json_decref(all);
        return fail_in(st, "%s", path);
    }
    const char *key;
    const json_t *episode, *logs = json_object_get(all, "logs"); /* of plan_solve, beside "meta" */
    json_object_foreach(logs ? (json_t *)(uintptr_t)logs : all, key, episode) check_episode(&f, key, episode);
    json_decref(all);
    return ST_OK;
}
